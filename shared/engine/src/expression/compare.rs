//! Comparisons and questions of the States Language's Choice.

use std::cmp::Ordering;

use serde_json::Value;

use super::time::instant;

/// The comparisons of two values.
pub const COMPARISONS: [&str; 17] = [
    "BooleanEquals",
    "NumericEquals",
    "NumericGreaterThan",
    "NumericGreaterThanEquals",
    "NumericLessThan",
    "NumericLessThanEquals",
    "StringEquals",
    "StringGreaterThan",
    "StringGreaterThanEquals",
    "StringLessThan",
    "StringLessThanEquals",
    "StringMatches",
    "TimestampEquals",
    "TimestampGreaterThan",
    "TimestampGreaterThanEquals",
    "TimestampLessThan",
    "TimestampLessThanEquals",
];

/// The questions about one value.
pub const QUESTIONS: [&str; 6] = [
    "IsBoolean",
    "IsNull",
    "IsNumeric",
    "IsPresent",
    "IsString",
    "IsTimestamp",
];

/// Compares; `None` when there is no such comparison. Values of other types than the comparison's are simply not equal,
/// nor greater, nor less.
pub(super) fn test(name: &str, left: &Value, right: &Value) -> Option<bool> {
    if name == "StringMatches" {
        return Some(
            matches!((left, right), (Value::String(l), Value::String(r)) if is_like(l, r)),
        );
    }
    let types = ["Boolean", "Numeric", "String", "Timestamp"];
    let of = types.iter().find(|prefix| name.starts_with(**prefix))?;
    let order = match *of {
        "Boolean" => left.as_bool().zip(right.as_bool()).map(|(l, r)| l.cmp(&r)),
        "Numeric" => numeric(left, right),
        // Strings are ordered by their UTF-16 code units, as in the languages of the service.
        "String" => left
            .as_str()
            .zip(right.as_str())
            .map(|(l, r)| l.encode_utf16().cmp(r.encode_utf16())),
        _ => timestamp(left)
            .zip(timestamp(right))
            .map(|(l, r)| l.cmp(&r)),
    };
    let wanted: fn(Ordering) -> bool = match &name[of.len()..] {
        "Equals" => Ordering::is_eq,
        "GreaterThan" => Ordering::is_gt,
        "GreaterThanEquals" => Ordering::is_ge,
        "LessThan" => Ordering::is_lt,
        "LessThanEquals" => Ordering::is_le,
        _ => return None,
    };
    Some(order.is_some_and(wanted))
}

/// Answers a question about a value; `None` when there is no such question. `IsPresent` is the evaluator's.
pub(super) fn is(name: &str, value: &Value) -> Option<bool> {
    Some(match name {
        "IsBoolean" => value.is_boolean(),
        "IsNull" => value.is_null(),
        "IsNumeric" => value.is_number(),
        "IsString" => value.is_string(),
        "IsTimestamp" => timestamp(value).is_some(),
        _ => return None,
    })
}

fn timestamp(value: &Value) -> Option<(i64, u32)> {
    instant(value.as_str()?)
}

fn numeric(left: &Value, right: &Value) -> Option<Ordering> {
    match (left.as_i64(), right.as_i64()) {
        (Some(l), Some(r)) => Some(l.cmp(&r)),
        _ => left.as_f64()?.partial_cmp(&right.as_f64()?),
    }
}

/// Whether a text fits a pattern: `*` stands for any characters, `\` takes what follows as it is.
fn is_like(text: &str, pattern: &str) -> bool {
    let mut symbols = Vec::new();
    let mut characters = pattern.chars();
    while let Some(c) = characters.next() {
        symbols.push(match c {
            '*' => None,
            '\\' => characters.next().or(Some('\\')),
            other => Some(other),
        });
    }
    let text: Vec<char> = text.chars().collect();
    let (mut at, mut symbol, mut star) = (0, 0, None);
    while at < text.len() {
        match symbols.get(symbol) {
            Some(None) => {
                star = Some((symbol, at));
                symbol += 1;
            }
            Some(Some(c)) if *c == text[at] => (at, symbol) = (at + 1, symbol + 1),
            _ => match star.as_mut() {
                Some((back, from)) => {
                    *from += 1;
                    (at, symbol) = (*from, *back + 1);
                }
                None => return false,
            },
        }
    }
    symbols[symbol..].iter().all(Option::is_none)
}
