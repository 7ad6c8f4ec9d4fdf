//! Takes a value out of another by JSONPath: the one meaning that a path has in inputs and in outputs.

use std::collections::BTreeMap;

use foreshard_model::workflow::{CONDITION, ValueSource, Workflow};
use serde_json::Value;
use serde_json_path::JsonPath;
use thiserror::Error;

/// Why a path gave no value.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SelectError {
    /// The path cannot be read; a parsed document has none of these.
    #[error("`{path}` is not a JSONPath: {reason}")]
    Unreadable {
        /// The path.
        path: String,
        /// What the reader says.
        reason: String,
    },
    /// The path names one place, and the value has nothing there.
    #[error("`{path}` finds nothing in the value")]
    Nothing {
        /// The path.
        path: String,
    },
}

/// Whether the path can only ever name one place (RFC 9535, "singular query"): then it gives that value, otherwise the
/// array of all that it finds, so that the shape of an answer never depends on how many there happen to be.
#[must_use]
pub fn is_singular(path: &str) -> bool {
    // Only a singular query may stand beside a comparison, so the grammar itself answers.
    JsonPath::parse(&format!("$[?{path}==0]")).is_ok()
}

/// The value at `path`: the value itself for a singular path, an array (perhaps empty) for any other.
///
/// # Errors
/// The path cannot be read, or is singular and finds nothing.
pub fn select(value: &Value, path: &str) -> Result<Value, SelectError> {
    let parsed = JsonPath::parse(path).map_err(|e| SelectError::Unreadable {
        path: path.to_owned(),
        reason: e.to_string(),
    })?;
    let nodes = parsed.query(value);
    if is_singular(path) {
        return nodes.first().cloned().ok_or_else(|| SelectError::Nothing {
            path: path.to_owned(),
        });
    }
    Ok(Value::Array(nodes.into_iter().cloned().collect()))
}

/// A place of the run's input that a workflow takes a value from, and that has none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unmet {
    /// The path.
    pub path: String,
    /// The first that takes it: a task's input, or an output.
    pub taker: String,
}

/// What the workflow takes from the run's input, without a default, and does not find there: by path, each once. Tasks
/// that run on a condition are not asked: they may have no need of it.
///
/// # Complexity
/// One look-up for each distinct path.
#[must_use]
pub fn unmet(workflow: &Workflow, input: &Value) -> Vec<Unmet> {
    let mut takers: BTreeMap<&str, String> = BTreeMap::new();
    let always =
        |inputs: &[(String, ValueSource)]| inputs.iter().all(|(name, _)| name != CONDITION);
    for task in workflow.tasks.iter().filter(|task| always(&task.inputs)) {
        for (name, source) in &task.inputs {
            if let Some(path) = required(source) {
                takers
                    .entry(path)
                    .or_insert_with(|| format!("input `{name}` of task `{}`", task.id));
            }
        }
    }
    for (name, source) in &workflow.outputs {
        if let Some(path) = required(source) {
            takers
                .entry(path)
                .or_insert_with(|| format!("output `{name}`"));
        }
    }
    takers
        .into_iter()
        .filter(|(path, _)| select(input, path).is_err())
        .map(|(path, taker)| Unmet {
            path: path.to_owned(),
            taker,
        })
        .collect()
}

fn required(source: &ValueSource) -> Option<&str> {
    match source {
        ValueSource::Run {
            path: Some(path),
            default: None,
        } => Some(path),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_singular_path_gives_the_value_and_any_other_an_array() {
        let value = json!({"a": {"b": [1, 2]}, "one": [7]});
        let table: [(&str, Value); 8] = [
            ("$", value.clone()),
            ("$.a.b", json!([1, 2])),
            ("$['a']['b'][1]", json!(2)),
            ("$.a.b[-1]", json!(2)),
            ("$.one[*]", json!([7])),
            ("$.a.b[0:1]", json!([1])),
            ("$..b", json!([[1, 2]])),
            ("$.none[*]", json!([])),
        ];
        for (path, expected) in table {
            assert_eq!(select(&value, path), Ok(expected), "{path}");
        }
    }

    #[test]
    fn nothing_and_nonsense_are_told_apart() {
        let value = json!({"a": 1});
        assert!(matches!(
            select(&value, "$.b"),
            Err(SelectError::Nothing { .. })
        ));
        assert!(matches!(
            select(&value, "b["),
            Err(SelectError::Unreadable { .. })
        ));
    }

    #[test]
    fn what_the_input_lacks_is_named_with_who_takes_it() {
        let document = br#"
foreshard: 1
name: greet
version: "1"
params: {who: {}, how: {default: loud}, where: {}}
tasks:
  - {id: a, kind: handler, handler: collect, inputs: {who: {param: who}, how: {param: how}}}
  - {id: b, kind: handler, handler: collect, inputs: {who: {param: who}}}
outputs: {place: {param: where}}
"#;
        let parsed = crate::parse::document(document, &BTreeMap::new()).unwrap();
        let told = |input: &Value| -> Vec<String> {
            let all = unmet(&parsed.workflow, input);
            all.into_iter()
                .map(|u| format!("{} for {}", u.path, u.taker))
                .collect()
        };
        assert_eq!(told(&Value::Null).len(), 2);
        assert_eq!(told(&json!({"who": "ada", "where": 1})), [""; 0]);
        insta::assert_snapshot!(told(&json!({"where": 1})).join(" "), @"$['who'] for input `who` of task `a`");
    }
}
