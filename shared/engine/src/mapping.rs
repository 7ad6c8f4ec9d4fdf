//! Takes a value out of another by JSONPath: the one meaning that a path has in inputs and in outputs.

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
}
