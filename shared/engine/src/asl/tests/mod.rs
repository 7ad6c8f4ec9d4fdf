//! Definitions in, workflows or reasons out.

mod fixtures;
mod property;
mod reference;
mod refusals;
mod runner;

use std::collections::BTreeMap;

use foreshard_model::workflow::Workflow;
use serde_json::Value;

use super::{Import, Options, import};
use crate::parse;

/// The import of a definition that can be read.
fn tried(definition: &Value, options: &Options) -> Import {
    import(definition.to_string().as_bytes(), options).unwrap()
}

/// The workflow of a definition that can be imported, as the language reads it.
fn imported(definition: &Value, options: &Options) -> Workflow {
    let import = tried(definition, options);
    let text = import
        .document
        .unwrap_or_else(|| panic!("{:#?} of {definition}", import.findings));
    let parsed = parse::document(text.as_bytes(), &BTreeMap::new());
    parsed
        .unwrap_or_else(|problems| panic!("{problems:#?}\n{text}"))
        .workflow
}
