//! Imports Step Functions definitions: the workflow that gives the same output, or every reason why there is none.
//!
//! The states are walked once, in order, with symbolic values: what a state sees is an expression over the run's input and
//! the outputs of tasks (`symbol`). A state that does something becomes a task; one that only moves data becomes part of
//! the expressions after it. A Choice becomes a task that says which way to go, and what follows it runs on that condition
//! (`flow`). Nothing is passed over: what has no equivalent refuses the import, and what differs is listed.
//!
//! ```text
//! text ─ read ─► machine ─ level: states in order ─► drafts ─ emit ─► document, YAML
//!                           │  payload, choice, call, group: one state each
//!                           └► report: what each state became, and why not
//! ```

mod before;
mod call;
mod choice;
mod code;
mod definition;
mod emit;
mod flow;
mod group;
mod level;
mod order;
mod payload;
mod read;
mod repeat;
mod symbol;
mod yaml;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use foreshard_model::problem::{Problem, Severity};
use serde::Serialize;
use serde_json::Value;

use code::Code;
use level::Importer;

pub use read::placeholders;

/// What the caller knows beside the definition.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Name of the workflow; `imported` when nothing is said.
    pub name: Option<String>,
    /// Values of `${Placeholders}`.
    pub values: BTreeMap<String, String>,
    /// A sample of the run's input: how long its lists are, for Maps over them.
    pub input: Option<Value>,
    /// Most elements of a list that only a task gives, for Maps over it.
    pub map_items: Option<usize>,
    /// A function that calls services: it takes `{resource, parameters}` and answers as the service does.
    pub services: Option<String>,
}

/// What became of one state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StateReport {
    /// The state, after those that it lies in: `Each/Resize`.
    pub state: String,
    /// Its type.
    pub kind: String,
    /// What it became, or the first reason why it did not.
    pub outcome: Outcome,
    /// What it became, in words: the tasks, or that its data is part of what follows.
    pub becomes: String,
}

/// How a state was imported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// With the same meaning.
    Imported,
    /// With a difference that is listed.
    Differs,
    /// Not.
    Refused,
}

/// What came of a definition.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Import {
    /// The workflow as YAML; `None` when it was refused.
    pub document: Option<String>,
    /// Every state, in the order of the definition.
    pub states: Vec<StateReport>,
    /// What has no equivalent (errors) and what differs (notes); the path is the state.
    pub findings: Vec<Problem>,
}

impl Import {
    /// The whole in one word: that of the worst state.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        let severest = self.findings.iter().map(|finding| finding.severity);
        match severest.min() {
            Some(Severity::Error) => Outcome::Refused,
            Some(Severity::Note) => Outcome::Differs,
            None => Outcome::Imported,
        }
    }
}

/// Imports a definition: YAML or JSON.
///
/// # Errors
/// The text cannot be read as a definition at all. What cannot be imported of one that can is in the [`Import`].
pub fn import(text: &[u8], options: &Options) -> Result<Import, Vec<Problem>> {
    let machine = read::read(text, &options.values)?;
    Ok(Importer::new(options).machine(&machine))
}

fn problem(code: Code, path: &str, message: impl Into<String>) -> Problem {
    Problem {
        code: code.as_str().to_owned(),
        severity: if code.refuses() {
            Severity::Error
        } else {
            Severity::Note
        },
        path: path.to_owned(),
        place: None,
        message: message.into(),
        hint: None,
    }
}

/// A problem with a hint.
trait Hinted {
    /// The same with a hint.
    fn with_hint(self, hint: impl Into<String>) -> Self;
}

impl Hinted for Problem {
    fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}
