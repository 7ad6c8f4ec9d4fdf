//! Symbolic values: what a state sees, as an expression over the run's input and the outputs of tasks.

use serde_json::{Map, Value};

use crate::expression::path::{Path, Step};
use crate::expression::{Expression, Members};

/// The name under which expressions read the run's input; ids of tasks begin otherwise.
pub(super) const RUN: &str = "$run";

/// Names of calls that stand for what has no value here.
const REFUSED: &str = "?refused";
const METADATA: &str = "?metadata";

/// Stands for a value that could not be had; whoever made it has said why.
pub(super) fn refused() -> Expression {
    Expression::Call(REFUSED.to_owned(), Vec::new())
}

/// Stands for a part of an answer that only Step Functions gives.
pub(super) fn metadata(name: &str) -> Expression {
    Expression::Call(METADATA.to_owned(), vec![Expression::value(name)])
}

/// Whether an expression holds a value that could not be had.
pub(super) fn is_refused(expression: &Expression) -> bool {
    matches!(expression, Expression::Call(name, _) if name == REFUSED)
        || expression.parts().into_iter().any(is_refused)
}

/// The first part of an answer in it that only Step Functions gives.
pub(super) fn metadata_in(expression: &Expression) -> Option<&str> {
    match expression {
        Expression::Call(name, parts) if name == METADATA => match parts.first() {
            Some(Expression::Value(Value::String(part))) => Some(part),
            _ => Some(""),
        },
        other => other.parts().into_iter().find_map(metadata_in),
    }
}

/// Leaves such parts out of the objects that they are members of; whether there were any.
pub(super) fn leave_metadata_out(expression: &mut Expression) -> bool {
    let mut found = false;
    if let Expression::Object(members) = expression {
        let before = members.0.len();
        members
            .0
            .retain(|(_, part)| !matches!(part, Expression::Call(name, _) if name == METADATA));
        found = members.0.len() < before;
    }
    for part in expression.parts_mut() {
        found |= leave_metadata_out(part);
    }
    found
}

/// An object; a constant when all of its members are.
pub(super) fn object(members: Vec<(String, Expression)>) -> Expression {
    let constant = |(name, part): &(String, Expression)| match part {
        Expression::Value(value) => Some((name.clone(), value.clone())),
        _ => None,
    };
    match members.iter().map(constant).collect::<Option<Map<_, _>>>() {
        Some(map) => Expression::Value(Value::Object(map)),
        None => Expression::Object(Members(members)),
    }
}

/// A list; a constant when all of its elements are.
pub(super) fn list(parts: Vec<Expression>) -> Expression {
    let constant = |part: &Expression| match part {
        Expression::Value(value) => Some(value.clone()),
        _ => None,
    };
    match parts.iter().map(constant).collect::<Option<Vec<_>>>() {
        Some(values) => Expression::Value(Value::Array(values)),
        None => Expression::List(parts),
    }
}

/// The part of a value at a path, taken out of what builds the value wherever that is certain.
pub(super) fn part(of: &Expression, path: &Path) -> Expression {
    let whole = || Expression::Path(Box::new(of.clone()), path.text());
    let Some((first, rest)) = path.steps.split_first() else {
        return if path.is_definite() {
            of.clone()
        } else {
            whole()
        };
    };
    let after = Path {
        steps: rest.to_vec(),
        rest: path.rest.clone(),
    };
    match (of, first) {
        (Expression::Value(value), _) => path.find(value).map_or_else(whole, Expression::Value),
        (Expression::Object(members), Step::Key(key)) => members
            .get(key)
            .map_or_else(whole, |member| part(member, &after)),
        (Expression::List(parts), Step::Index(index)) => parts
            .get(*index)
            .map_or_else(whole, |element| part(element, &after)),
        (Expression::If(condition, yes, no), _) => Expression::If(
            condition.clone(),
            Box::new(part(yes, path)),
            Box::new(part(no, path)),
        ),
        (Expression::Put(base, puts), _) => part_of_put(base, puts, path).unwrap_or_else(whole),
        (Expression::Path(inner, outer), _) => match Path::parse(outer) {
            Some(mut outer) if outer.is_definite() => {
                outer.steps.extend(path.steps.iter().cloned());
                outer.rest.clone_from(&path.rest);
                Expression::Path(inner.clone(), outer.text())
            }
            _ => whole(),
        },
        (Expression::Call(name, _), _) if name == REFUSED || name == METADATA => of.clone(),
        _ => whole(),
    }
}

/// What was put last at the path or above it, or what the base has there; `None` where something was put below it.
fn part_of_put(
    base: &Expression,
    puts: &[(String, Expression)],
    path: &Path,
) -> Option<Expression> {
    for (at, put) in puts.iter().rev() {
        let at = Path::parse(at)?;
        if path.steps.starts_with(&at.steps) {
            let below = Path {
                steps: path.steps[at.steps.len()..].to_vec(),
                rest: path.rest.clone(),
            };
            return Some(part(put, &below));
        }
        if at.steps.starts_with(&path.steps) {
            return None;
        }
    }
    Some(part(base, path))
}

/// A value with another put at a path that names one place.
pub(super) fn put(base: &Expression, path: &Path, new: Expression) -> Expression {
    let Some((first, rest)) = path.steps.split_first() else {
        return new;
    };
    if let (Some(mut members), Step::Key(key)) = (members_of(base), first) {
        let below = Path {
            steps: rest.to_vec(),
            rest: String::new(),
        };
        let empty = Expression::Value(Value::Object(Map::new()));
        let inner = members.get(key).unwrap_or(&empty);
        let inner = put(inner, &below, new);
        members.set(key, inner);
        return object(members.0);
    }
    let at = path.text();
    match base {
        Expression::Put(inner, puts) => {
            let mut puts = puts.clone();
            puts.retain(|(known, _)| *known != at);
            puts.push((at, new));
            Expression::Put(inner.clone(), puts)
        }
        other => Expression::Put(Box::new(other.clone()), vec![(at, new)]),
    }
}

fn members_of(expression: &Expression) -> Option<Members> {
    match expression {
        Expression::Object(members) => Some(members.clone()),
        Expression::Value(Value::Object(map)) => {
            let members = map.iter();
            let members =
                members.map(|(name, value)| (name.clone(), Expression::value(value.clone())));
            Some(Members(members.collect()))
        }
        _ => None,
    }
}
