//! Says what a run's input lacks of what its workflow takes from it.

use foreshard_engine::mapping::unmet;
use foreshard_model::problem::{Problem, Severity};
use foreshard_model::workflow::Workflow;
use serde_json::Value;

/// The code of a value that the input lacks; docs/errors.md.
const LACKING: &str = "FS3022";

/// One problem for each value that is not there, at its path in the input.
pub(crate) fn lacking(workflow: &Workflow, input: Option<&Value>) -> Vec<Problem> {
    unmet(workflow, input.unwrap_or(&Value::Null))
        .into_iter()
        .map(|unmet| Problem {
            code: LACKING.to_owned(),
            severity: Severity::Error,
            path: format!("input {}", unmet.path),
            place: None,
            message: format!("the run's input has no value here for {}", unmet.taker),
            hint: Some("give it in the input, or give the parameter a default".to_owned()),
        })
        .collect()
}
