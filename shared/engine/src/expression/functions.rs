//! The functions that expressions call: the intrinsic functions of the States Language, and a few of ours.

use data_encoding::{BASE64, HEXLOWER};
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256, Sha384, Sha512};

use super::{EvaluateError, Scope};

/// Every function. `first` gives the first so many elements of a list, `exactly` and `at_most` the list if it has as many
/// elements as that, `run` the run's id.
pub const FUNCTIONS: [&str; 21] = [
    "States.Array",
    "States.ArrayContains",
    "States.ArrayGetItem",
    "States.ArrayLength",
    "States.ArrayPartition",
    "States.ArrayRange",
    "States.ArrayUnique",
    "States.Base64Decode",
    "States.Base64Encode",
    "States.Format",
    "States.Hash",
    "States.JsonMerge",
    "States.JsonToString",
    "States.MathAdd",
    "States.StringSplit",
    "States.StringToJson",
    "States.UUID",
    "at_most",
    "exactly",
    "first",
    "run",
];

/// Most elements of a range. Source: Step Functions, "Intrinsic functions".
const RANGE_ELEMENTS: i64 = 1_000;

/// Longest text that the functions of encoding and hashing take, in characters. Source: as above.
const TEXT_CHARACTERS: usize = 10_000;

type Answer = Result<Value, String>;

/// Calls a function.
pub(super) fn call(
    name: &str,
    arguments: Vec<Value>,
    scope: Scope<'_>,
) -> Result<Value, EvaluateError> {
    if !FUNCTIONS.contains(&name) {
        return Err(EvaluateError::Unknown(name.to_owned()));
    }
    answer(name, arguments, scope).map_err(|because| EvaluateError::Arguments {
        name: name.to_owned(),
        because,
    })
}

fn answer(name: &str, arguments: Vec<Value>, scope: Scope<'_>) -> Answer {
    match (name, arguments.as_slice()) {
        ("States.Array", _) => Ok(Value::Array(arguments)),
        ("States.ArrayContains", [list, wanted]) => Ok(array(list)?.contains(wanted).into()),
        ("States.ArrayGetItem", [list, index]) => {
            let index = usize::try_from(whole(index)?).map_err(|_| "the index is negative")?;
            let found = array(list)?.get(index).cloned();
            found.ok_or_else(|| "the list has no such element".to_owned())
        }
        ("States.ArrayLength", [list]) => Ok(array(list)?.len().into()),
        ("States.ArrayPartition", [list, size]) => partition(array(list)?, whole(size)?),
        ("States.ArrayRange", [first, last, step]) => {
            range(whole(first)?, whole(last)?, whole(step)?)
        }
        ("States.ArrayUnique", [list]) => {
            let mut unique: Vec<Value> = Vec::new();
            for element in array(list)? {
                if !unique.contains(element) {
                    unique.push(element.clone());
                }
            }
            Ok(unique.into())
        }
        ("States.Base64Encode", [text]) => Ok(BASE64.encode(short(text)?.as_bytes()).into()),
        ("States.Base64Decode", [text]) => {
            let bytes = BASE64.decode(short(text)?.as_bytes());
            let text = bytes.ok().and_then(|bytes| String::from_utf8(bytes).ok());
            text.map(Value::from)
                .ok_or_else(|| "it is not a text in Base64".to_owned())
        }
        ("States.Format", [template, rest @ ..]) => format(string(template)?, rest),
        ("States.Hash", [data, algorithm]) => hash(data, string(algorithm)?),
        ("States.JsonMerge", [left, right, Value::Bool(false)]) => {
            let mut merged = object(left)?.clone();
            merged.extend(object(right)?.clone());
            Ok(merged.into())
        }
        ("States.JsonToString", [value]) => Ok(value.to_string().into()),
        ("States.MathAdd", [left, right]) => {
            let sum = whole(left)?.checked_add(whole(right)?);
            sum.map(Value::from)
                .ok_or_else(|| "the sum is too large".to_owned())
        }
        ("States.StringSplit", [text, separators]) => split(string(text)?, string(separators)?),
        ("States.StringToJson", [text]) => {
            serde_json::from_str(string(text)?).map_err(|_| "the text is not JSON".to_owned())
        }
        ("States.UUID", [tag]) => Ok(uuid(scope.run, string(tag)?).into()),
        ("first", [list, count]) => {
            let count = usize::try_from(whole(count)?).map_err(|_| "the count is negative")?;
            let list = array(list)?;
            let enough = list.get(..count);
            enough
                .map(|part| Value::Array(part.to_vec()))
                .ok_or_else(|| format!("the list has {} elements, {count} are wanted", list.len()))
        }
        ("exactly" | "at_most", [list, count]) => {
            let (length, count) = (array(list)?.len() as i64, whole(count)?);
            if length > count || (name == "exactly" && length < count) {
                return Err(format!("the list has {length} elements, not {count}"));
            }
            Ok(list.clone())
        }
        ("run", []) => Ok(scope.run.into()),
        _ => Err("its arguments are of another number or type".to_owned()),
    }
}

fn array(value: &Value) -> Result<&Vec<Value>, String> {
    value
        .as_array()
        .ok_or_else(|| "a list is wanted".to_owned())
}

fn object(value: &Value) -> Result<&Map<String, Value>, String> {
    value
        .as_object()
        .ok_or_else(|| "an object is wanted".to_owned())
}

fn string(value: &Value) -> Result<&str, String> {
    value.as_str().ok_or_else(|| "a text is wanted".to_owned())
}

fn short(value: &Value) -> Result<&str, String> {
    let text = string(value)?;
    if text.chars().count() > TEXT_CHARACTERS {
        return Err(format!("a text has at most {TEXT_CHARACTERS} characters"));
    }
    Ok(text)
}

fn whole(value: &Value) -> Result<i64, String> {
    value
        .as_i64()
        .ok_or_else(|| "a whole number is wanted".to_owned())
}

fn partition(list: &[Value], size: i64) -> Answer {
    let size = usize::try_from(size).unwrap_or(0);
    if size == 0 {
        return Err("the size of the parts is not positive".to_owned());
    }
    let parts = list.chunks(size).map(|part| Value::Array(part.to_vec()));
    Ok(parts.collect())
}

fn range(first: i64, last: i64, step: i64) -> Answer {
    if step == 0 {
        return Err("the step is 0".to_owned());
    }
    let mut elements = Vec::new();
    let mut next = first;
    while (step > 0 && next <= last) || (step < 0 && next >= last) {
        if elements.len() as i64 == RANGE_ELEMENTS {
            return Err(format!("it has more than {RANGE_ELEMENTS} elements"));
        }
        elements.push(Value::from(next));
        match next.checked_add(step) {
            Some(more) => next = more,
            None => break,
        }
    }
    Ok(elements.into())
}

/// `{}` stands for the next argument, `\` takes what follows as it is.
fn format(template: &str, arguments: &[Value]) -> Answer {
    let mut text = String::new();
    let mut left = arguments.iter();
    let mut characters = template.chars().peekable();
    while let Some(c) = characters.next() {
        match c {
            '\\' => text.extend(characters.next()),
            '{' if characters.peek() == Some(&'}') => {
                characters.next();
                match left.next().ok_or("there are more `{}` than arguments")? {
                    Value::String(part) => text.push_str(part),
                    Value::Array(_) | Value::Object(_) => {
                        return Err(
                            "lists and objects have no text; use States.JsonToString".into()
                        );
                    }
                    scalar => text.push_str(&scalar.to_string()),
                }
            }
            other => text.push(other),
        }
    }
    if left.next().is_some() {
        return Err("there are more arguments than `{}`".to_owned());
    }
    Ok(text.into())
}

fn hash(data: &Value, algorithm: &str) -> Answer {
    let data = short(data)?.as_bytes();
    Ok(match algorithm {
        "SHA-256" => HEXLOWER.encode(&Sha256::digest(data)),
        "SHA-384" => HEXLOWER.encode(&Sha384::digest(data)),
        "SHA-512" => HEXLOWER.encode(&Sha512::digest(data)),
        _ => return Err("the algorithm is not one of SHA-256, SHA-384 and SHA-512".to_owned()),
    }
    .into())
}

/// The text between separators, each character of which separates. What an empty part means is not documented by the
/// service, so a text that has one is refused.
fn split(text: &str, separators: &str) -> Answer {
    let parts: Vec<Value> = text
        .split(|c: char| separators.contains(c))
        .map(Value::from)
        .collect();
    if parts.iter().any(|part| part == "") {
        return Err("a part is empty".to_owned());
    }
    Ok(parts.into())
}

/// An identifier that is the run's and the tag's: the same in every attempt, and in every task that asks for it.
fn uuid(run: &str, tag: &str) -> String {
    let mut hash = Sha256::new();
    hash.update(run.as_bytes());
    hash.update([0]);
    hash.update(tag.as_bytes());
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash.finalize()[..16]);
    bytes[6] = (bytes[6] & 0x0f) | 0x40;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    let hex = HEXLOWER.encode(&bytes);
    let parts = [
        &hex[..8],
        &hex[8..12],
        &hex[12..16],
        &hex[16..20],
        &hex[20..],
    ];
    parts.join("-")
}
