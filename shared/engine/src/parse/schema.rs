//! The JSON Schema of the document language, generated from the types that decode it.

use schemars::generate::SchemaSettings;
use serde_json::Value;

use super::document::Document;

/// The schema, as `docs/workflow.schema.json` has it.
pub(crate) fn schema() -> Value {
    let generator = SchemaSettings::draft2020_12().into_generator();
    let mut schema = generator.into_root_schema_for::<Document>();
    schema.insert("title".to_owned(), "Foreshard workflow".into());
    schema.to_value()
}
