//! Puts the outputs of parts together, so that they become what the whole task would have given.

use foreshard_model::sculpt::Join;
use serde_json::{Map, Number, Value};
use thiserror::Error;

/// Why outputs could not be put together.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum JoinError {
    /// An output is of another type.
    #[error("part {part} gave {found}, but `{join}` puts {wanted} together")]
    Type {
        /// Which part, from 1.
        part: usize,
        /// What it gave.
        found: &'static str,
        /// How outputs are put together.
        join: &'static str,
        /// What that takes.
        wanted: &'static str,
    },
    /// A sum that JSON has no number for.
    #[error("the sum with part {part} is no number any more")]
    Sum {
        /// Which part, from 1.
        part: usize,
    },
}

/// The outputs as one, in the order of the parts. Null adds nothing; a single output that is not null is the whole.
///
/// # Errors
/// An output is of the wrong type, or a sum has no number.
pub fn join(join: Join, outputs: Vec<Value>) -> Result<Value, JoinError> {
    let given = outputs.into_iter().enumerate();
    let given = given.filter(|(_, value)| !value.is_null());
    let mut given = given.map(|(at, value)| (at + 1, value));
    let Some((part, first)) = given.next() else {
        return Ok(Value::Null);
    };
    if join == Join::Files {
        return Err(wrong(part, &first, join));
    }
    let mut whole = first;
    let mut first_part = Some(part);
    for (part, output) in given {
        // Only now is it known that there is more than one.
        if let Some(first) = first_part.take() {
            check(join, first, &whole)?;
        }
        check(join, part, &output)?;
        match (&mut whole, output) {
            (Value::Array(all), Value::Array(more)) => all.extend(more),
            (Value::Object(all), Value::Object(more)) if join == Join::Objects => all.extend(more),
            (whole, output) => add(whole, output, part)?,
        }
    }
    Ok(whole)
}

fn check(join: Join, part: usize, output: &Value) -> Result<(), JoinError> {
    let fits = match join {
        Join::Arrays => output.is_array(),
        Join::Objects => output.is_object(),
        Join::Numbers => output.is_number() || output.is_object(),
        Join::Files => false,
    };
    if fits {
        Ok(())
    } else {
        Err(wrong(part, output, join))
    }
}

fn wrong(part: usize, output: &Value, join: Join) -> JoinError {
    JoinError::Type {
        part,
        found: match output {
            Value::Null => "null",
            Value::Bool(_) => "a truth value",
            Value::Number(_) => "a number",
            Value::String(_) => "a text",
            Value::Array(_) => "a list",
            Value::Object(_) => "an object",
        },
        join: join.as_str(),
        wanted: match join {
            Join::Arrays => "lists",
            Join::Objects => "objects",
            Join::Numbers => "numbers, and objects of numbers,",
            Join::Files => "files, and no outputs,",
        },
    }
}

/// Adds numbers, and objects member by member.
fn add(sum: &mut Value, more: Value, part: usize) -> Result<(), JoinError> {
    match (sum, more) {
        (_, Value::Null) => Ok(()),
        (sum @ Value::Null, more) => {
            *sum = more;
            Ok(())
        }
        (Value::Number(sum), Value::Number(more)) => {
            *sum = added(sum, &more).ok_or(JoinError::Sum { part })?;
            Ok(())
        }
        (Value::Object(sums), Value::Object(more)) => add_members(sums, more, part),
        (_, more) => Err(wrong(part, &more, Join::Numbers)),
    }
}

fn add_members(
    sums: &mut Map<String, Value>,
    more: Map<String, Value>,
    part: usize,
) -> Result<(), JoinError> {
    for (name, value) in more {
        add(sums.entry(name).or_insert(Value::Null), value, part)?;
    }
    Ok(())
}

/// Exact for whole numbers, as long as JSON has one for the sum.
fn added(one: &Number, other: &Number) -> Option<Number> {
    if let (Some(one), Some(other)) = (one.as_i128(), other.as_i128())
        && let Some(sum) = one.checked_add(other).and_then(Number::from_i128)
    {
        return Some(sum);
    }
    Number::from_f64(one.as_f64()? + other.as_f64()?)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn outputs_become_one() {
        let (a, b) = (
            json!({"x": 1, "y": {"z": 2}}),
            json!({"y": {"z": 3, "w": 1}}),
        );
        let table = [
            (
                Join::Arrays,
                vec![json!([1]), json!([]), json!(null), json!([2, 3])],
                json!([1, 2, 3]),
            ),
            (
                Join::Objects,
                vec![a.clone(), b.clone()],
                json!({"x": 1, "y": {"z": 3, "w": 1}}),
            ),
            (
                Join::Numbers,
                vec![a, b],
                json!({"x": 1, "y": {"z": 5, "w": 1}}),
            ),
            (Join::Numbers, vec![json!(1), json!(-3)], json!(-2)),
            (Join::Numbers, vec![json!(1), json!(0.5)], json!(1.5)),
            (
                Join::Numbers,
                vec![json!(u64::MAX - 1), json!(1)],
                json!(u64::MAX),
            ),
            (
                Join::Numbers,
                vec![json!(u64::MAX), json!(1)],
                json!(18_446_744_073_709_551_616.0),
            ),
            (Join::Files, vec![json!(null), json!(null)], json!(null)),
            // One alone is the whole, whatever it is.
            (
                Join::Arrays,
                vec![json!("none"), json!(null)],
                json!("none"),
            ),
            (Join::Arrays, Vec::new(), json!(null)),
        ];
        for (how, outputs, expected) in table {
            assert_eq!(
                join(how, outputs.clone()),
                Ok(expected),
                "{how:?} {outputs:?}"
            );
        }
    }

    #[test]
    fn other_types_are_refused_with_the_part() {
        let refused = |how, outputs: Vec<Value>| join(how, outputs).unwrap_err().to_string();
        insta::assert_snapshot!(refused(Join::Arrays, vec![json!([1]), json!({"error": 1})]), @"part 2 gave an object, but `arrays` puts lists together");
        insta::assert_snapshot!(refused(Join::Arrays, vec![json!(3), json!(null), json!([1])]), @"part 1 gave a number, but `arrays` puts lists together");
        insta::assert_snapshot!(refused(Join::Numbers, vec![json!(3), json!({"a": 1})]), @"part 2 gave an object, but `numbers` puts numbers, and objects of numbers, together");
        insta::assert_snapshot!(refused(Join::Numbers, vec![json!({"a": 1}), json!({"a": "1"})]), @"part 2 gave a text, but `numbers` puts numbers, and objects of numbers, together");
        insta::assert_snapshot!(refused(Join::Numbers, vec![json!(f64::MAX), json!(f64::MAX)]), @"the sum with part 2 is no number any more");
        insta::assert_snapshot!(refused(Join::Files, vec![json!(null), json!([])]), @"part 2 gave a list, but `files` puts files, and no outputs, together");
    }
}
