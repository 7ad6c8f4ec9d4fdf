//! Evaluates expressions: inputs and identity in, a value or the reason why there is none out.

use serde_json::{Map, Value};
use thiserror::Error;

use super::path::Path;
use super::{Expression, compare, functions};

/// What an expression sees.
#[derive(Debug, Clone, Copy)]
pub struct Scope<'a> {
    /// The named inputs.
    pub inputs: &'a Map<String, Value>,
    /// The run, for `run` and `States.UUID`.
    pub run: &'a str,
}

/// Why an expression has no value. Messages name paths, names and types, never a value.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum EvaluateError {
    /// No such input.
    #[error("there is no input `{0}`")]
    NoInput(String),
    /// The path names one place, and there is nothing.
    #[error("`{0}` finds nothing in the value")]
    Nothing(String),
    /// The path cannot be read, or names several places where one is wanted.
    #[error("`{0}` is not a path that can be used here")]
    Path(String),
    /// A list or a scalar is where an object should be.
    #[error("nothing can be put at `{0}`")]
    Put(String),
    /// No such function, comparison or question.
    #[error("there is no function or comparison `{0}`")]
    Unknown(String),
    /// The arguments do not fit.
    #[error("`{name}`: {because}")]
    Arguments {
        /// The function.
        name: String,
        /// What is wanted.
        because: String,
    },
    /// A condition is neither true nor false.
    #[error("a condition is neither true nor false")]
    Condition,
}

/// The value of an expression.
///
/// # Errors
/// A path finds nothing, an argument does not fit, a name is not known.
pub fn evaluate(expression: &Expression, scope: Scope<'_>) -> Result<Value, EvaluateError> {
    Ok(match expression {
        Expression::Value(value) => value.clone(),
        Expression::Input(name) => {
            (scope.inputs.get(name).cloned()).ok_or_else(|| EvaluateError::NoInput(name.clone()))?
        }
        Expression::Path(of, path) => {
            let parsed = Path::parse(path).ok_or_else(|| EvaluateError::Path(path.clone()))?;
            let found = match &**of {
                // Most paths lead into an input: no copy of the whole.
                Expression::Input(name) => {
                    scope.inputs.get(name).and_then(|value| parsed.find(value))
                }
                other => parsed.find(&evaluate(other, scope)?),
            };
            found.ok_or_else(|| EvaluateError::Nothing(path.clone()))?
        }
        Expression::Object(members) => {
            let mut object = Map::new();
            for (name, part) in &members.0 {
                object.insert(name.clone(), evaluate(part, scope)?);
            }
            Value::Object(object)
        }
        Expression::List(parts) => Value::Array(all(parts, scope)?),
        Expression::Put(base, puts) => {
            let mut value = evaluate(base, scope)?;
            for (path, part) in puts {
                let new = evaluate(part, scope)?;
                let parsed = Path::parse(path).ok_or_else(|| EvaluateError::Path(path.clone()))?;
                if !parsed.put(&mut value, new) {
                    return Err(EvaluateError::Put(path.clone()));
                }
            }
            value
        }
        Expression::Call(name, parts) => functions::call(name, all(parts, scope)?, scope)?,
        Expression::If(condition, yes, no) => {
            let taken = if truth(condition, scope)? { yes } else { no };
            evaluate(taken, scope)?
        }
        _ => Value::Bool(truth(expression, scope)?),
    })
}

fn all(parts: &[Expression], scope: Scope<'_>) -> Result<Vec<Value>, EvaluateError> {
    parts.iter().map(|part| evaluate(part, scope)).collect()
}

/// The truth of a condition.
fn truth(condition: &Expression, scope: Scope<'_>) -> Result<bool, EvaluateError> {
    let unknown = |name: &String| EvaluateError::Unknown(name.clone());
    match condition {
        Expression::And(parts) => {
            for part in parts {
                if !truth(part, scope)? {
                    return Ok(false);
                }
            }
            Ok(true)
        }
        Expression::Or(parts) => {
            for part in parts {
                if truth(part, scope)? {
                    return Ok(true);
                }
            }
            Ok(false)
        }
        Expression::Not(part) => Ok(!truth(part, scope)?),
        Expression::Test(name, left, right) => {
            let (left, right) = (evaluate(left, scope)?, evaluate(right, scope)?);
            compare::test(name, &left, &right).ok_or_else(|| unknown(name))
        }
        Expression::Is(name, of) if name == "IsPresent" => match evaluate(of, scope) {
            Ok(_) => Ok(true),
            Err(EvaluateError::Nothing(_)) => Ok(false),
            Err(other) => Err(other),
        },
        Expression::Is(name, of) => {
            compare::is(name, &evaluate(of, scope)?).ok_or_else(|| unknown(name))
        }
        Expression::Chosen(of, name) => {
            Ok(evaluate(of, scope)?.get(name) == Some(&Value::Bool(true)))
        }
        other => evaluate(other, scope)?
            .as_bool()
            .ok_or(EvaluateError::Condition),
    }
}
