//! The forms of texts and numbers in documents: each a type with its check and the same rule in the schema.

use std::borrow::Cow;

use foreshard_model::limits::TASK_ID_CHARS;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json_path::JsonPath;

use super::code::Code;
use super::decode::{Decode, wrong_type};
use super::event::Meaning;
use super::node::{Node, Shape};
use super::problems::{At, Trouble, shown};

/// What is wrong with a text, and how to mend it.
type Refusal = (Code, &'static str, &'static str);

macro_rules! text_forms {
    ($( $(#[doc = $doc:literal])* $name:ident, $pattern:expr, $check:expr; )*) => {$(
        $(#[doc = $doc])*
        #[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
        pub(crate) struct $name(pub(crate) String);

        impl Decode for $name {
            fn decode(node: Node, at: &mut At<'_>) -> Self {
                let mark = node.mark;
                let Some(text) = node.text() else {
                    wrong_type("a text", &node, at);
                    return Self::default();
                };
                let check: fn(&str) -> Result<(), Refusal> = $check;
                if let Err((code, what, hint)) = check(text) {
                    let message = format!("`{}` {what}", shown(text));
                    at.report(Trouble::new(code, mark, message).hint(hint));
                    return Self::default();
                }
                match node.shape {
                    Shape::Scalar(scalar) => Self(scalar.text),
                    _ => Self::default(),
                }
            }
        }

        impl JsonSchema for $name {
            fn inline_schema() -> bool {
                true
            }
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }
            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                let pattern: &str = $pattern;
                if pattern.is_empty() {
                    json_schema!({"type": "string"})
                } else {
                    json_schema!({"type": "string", "pattern": pattern})
                }
            }
        }
    )*};
}

text_forms! {
    /// The name of a workflow.
    WorkflowName, "^[a-z0-9-]{1,64}$",
        |text| bad(matches(text, 64, |b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'),
            "is not a name of a workflow", "use 1 to 64 lower-case letters, digits and `-`");
    /// The version of a workflow.
    Version, "^[A-Za-z0-9][A-Za-z0-9._+-]{0,63}$",
        |text| bad(matches(text, 64, |b| b.is_ascii_alphanumeric() || b"._+-".contains(&b)) && starts(text, false),
            "is not a version", "use 1 to 64 letters, digits, `.`, `_`, `+` and `-`, such as \"1.0\"");
    /// The name of a schedule within its workflow.
    ScheduleName, "^[a-z0-9-]{1,32}$",
        |text| bad(matches(text, 32, |b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'),
            "is not a name of a schedule", "use 1 to 32 lower-case letters, digits and `-`");
    /// The id of a task, or the name of a sub-workflow of the same file.
    Id, "^[A-Za-z0-9_][A-Za-z0-9_.-]{0,255}$", |text| bad(is_id(text),
            "is not an id", "use 1 to 256 letters, digits, `_`, `.` and `-`; it does not begin with `.` or `-`");
    /// A task as others name it: its id; inside a sub-workflow: the reference's id, `/`, its id there.
    TaskRef, "^[A-Za-z0-9_][A-Za-z0-9_./-]{0,255}$",
        |text| bad(text.len() <= TASK_ID_CHARS && text.split('/').all(is_id),
            "is not the id of a task", "name a task of this list; inside a sub-workflow: `reference/task`");
    /// What profiles are kept by.
    TypeName, "^[A-Za-z0-9_][A-Za-z0-9_.:/-]{0,127}$",
        |text| bad(matches(text, 128, |b| b.is_ascii_alphanumeric() || b"_.:/-".contains(&b)) && starts(text, true),
            "is not a type of task", "use 1 to 128 letters, digits, `_`, `.`, `:`, `/` and `-`");
    /// The name of an input, an output, a parameter.
    Name, "^[A-Za-z_][A-Za-z0-9_-]{0,63}$",
        |text| bad(matches(text, 64, |b| b.is_ascii_alphanumeric() || b"_-".contains(&b))
                && !text.starts_with(|c: char| c.is_ascii_digit() || c == '-'),
            "is not a name", "use 1 to 64 letters, digits, `_` and `-`, beginning with a letter or `_`");
    /// The name of an environment variable.
    EnvName, "^(?!FORESHARD_|INPUT_|AWS_ACCESS_KEY_ID$|AWS_SECRET_ACCESS_KEY$|AWS_SESSION_TOKEN$|AWS_CONTAINER_|AWS_LAMBDA_)[A-Za-z_][A-Za-z0-9_]{0,127}$",
        |text| {
            bad(matches(text, 128, |b| b.is_ascii_alphanumeric() || b == b'_')
                    && !text.starts_with(|c: char| c.is_ascii_digit()),
                "is not a name of an environment variable",
                "use 1 to 128 letters, digits and `_`, beginning with a letter or `_`")?;
            bad(!is_reserved(text), "is set by the worker", "choose another name")
        };
    /// The name of a file in a task's scratch folder, which is flat.
    FileName, r"^(?!\.{1,2}$)[^/\\\x00-\x1f\x7f]+$", |text| file_name(text);
    /// A folder beside the document, or below.
    Folder, r"^(?!/)(?!(.*/)?\.\.(/|$))[^\\\x00-\x1f\x7f]+$", |text| folder(text);
    /// A JSONPath (RFC 9535).
    Path, r"^\$", |text| json_path(text);
    /// An absolute URL.
    Url, "^https?://[^\\s/?#@]+([/?#]\\S*)?$", |text| super::url::check(text);
    /// A Lambda function: name or ARN, with or without a qualifier.
    FunctionName, r"^[A-Za-z0-9_:/.$-]{1,170}$",
        |text| bad(matches(text, 170, |b| b.is_ascii_alphanumeric() || b"_:/.$-".contains(&b)),
            "is not a Lambda function", "give a name or an ARN, with or without a qualifier");
    /// The name of a handler that is compiled into the worker.
    HandlerName, "^[A-Za-z_][A-Za-z0-9_.:-]{0,127}$",
        |text| bad(matches(text, 128, |b| b.is_ascii_alphanumeric() || b"_.:-".contains(&b))
                && text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_'),
            "is not a name of a handler", "use 1 to 128 letters, digits, `_`, `.`, `:` and `-`");
    /// A sub-workflow of this file by its name, or a registered workflow as `name@version`.
    WorkflowRef, "^[A-Za-z0-9_][A-Za-z0-9_.-]{0,255}$|^[a-z0-9-]{1,64}@[A-Za-z0-9][A-Za-z0-9._+-]{0,63}$",
        |text| workflow_ref(text);
    /// A program, an argument, the value of a variable: any text without zero bytes.
    Argument, r"^[^\x00]*$",
        |text| bad(!text.contains('\0') && text.len() < 131_072, "cannot be given to a program",
            "it must not contain zero characters, nor be longer than 131,071 bytes, which is Linux's limit");
    /// The name of an HTTP header.
    HeaderName, "^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,128}$",
        |text| bad(matches(text, 128, |b| b.is_ascii_alphanumeric() || b"!#$%&'*+.^_`|~-".contains(&b)),
            "is not a name of a header", "use letters, digits and `-`");
    /// The value of an HTTP header.
    HeaderValue, r"^[^\x00-\x08\x0a-\x1f\x7f]*$",
        |text| bad(text.len() <= 4_096 && !text.chars().any(|c| c.is_control() && c != '\t'),
            "is not a value of a header", "it must be at most 4,096 bytes without control characters");
    /// A label: name or value.
    Label, r"^[^\x00-\x1f\x7f]{1,128}$",
        |text| bad(!text.is_empty() && text.len() <= 128 && !text.chars().any(char::is_control),
            "is not a label", "use 1 to 128 bytes without control characters");
}

fn bad(good: bool, what: &'static str, hint: &'static str) -> Result<(), Refusal> {
    if good {
        Ok(())
    } else {
        Err((Code::BadText, what, hint))
    }
}

fn matches(text: &str, most: usize, allowed: impl Fn(u8) -> bool) -> bool {
    (1..=most).contains(&text.len()) && text.bytes().all(allowed)
}

fn starts(text: &str, underscore: bool) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphanumeric() || (underscore && c == '_'))
}

fn is_id(text: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"_.-".contains(&b);
    matches(text, TASK_ID_CHARS, allowed) && starts(text, true)
}

/// The variables that carry the run's identity into a task.
fn is_reserved(name: &str) -> bool {
    let prefixes = ["FORESHARD_", "INPUT_", "AWS_CONTAINER_", "AWS_LAMBDA_"];
    let names = [
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
    ];
    names.contains(&name) || prefixes.iter().any(|prefix| name.starts_with(prefix))
}

/// A name without folders: it cannot leave the scratch, whoever wrote the document.
pub(crate) fn file_name(text: &str) -> Result<(), Refusal> {
    let good = (1..=255).contains(&text.len())
        && !matches!(text, "." | "..")
        && !text.contains(['/', '\\'])
        && !text.chars().any(char::is_control);
    let hint = "files lie flat in the task's scratch: a plain name of at most 255 bytes, without `/` and control characters";
    if good {
        Ok(())
    } else {
        Err((Code::BadFileName, "is not a file name", hint))
    }
}

fn folder(text: &str) -> Result<(), Refusal> {
    let good = (1..=512).contains(&text.len())
        && !text.starts_with('/')
        && !text.contains('\\')
        && text.split('/').all(|part| part != "..")
        && !text.chars().any(char::is_control);
    let hint =
        "name a folder beside the document or below, such as `scripts`; `.` is the document's own";
    if good {
        Ok(())
    } else {
        Err((Code::BadFileName, "is not a folder to bundle", hint))
    }
}

fn workflow_ref(text: &str) -> Result<(), Refusal> {
    let good = match text.split_once('@') {
        None => is_id(text),
        Some((name, version)) => {
            matches(name, 64, |b| {
                b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'
            }) && matches(version, 64, |b| {
                b.is_ascii_alphanumeric() || b"._+-".contains(&b)
            }) && starts(version, false)
        }
    };
    let hint = "name one of `workflows`, or a registered workflow as `name@version`";
    bad(good, "is not a workflow", hint)
}

/// Longest JSONPath; and how deeply brackets may nest in one, because the reader of paths is recursive and tries
/// alternatives at each level.
const PATH_BYTES: usize = 1_024;
const PATH_NESTING: usize = 8;

fn json_path(text: &str) -> Result<(), Refusal> {
    let hint = "a path begins with `$`, such as `$.name`, `$.list[0]`, `$[*].id` (RFC 9535)";
    if text.len() > PATH_BYTES {
        let what = "is longer than 1,024 bytes";
        return Err((Code::BadPath, what, hint));
    }
    let mut depth = 0_usize;
    for c in text.chars() {
        match c {
            '(' | '[' => depth += 1,
            ')' | ']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > PATH_NESTING {
            let what = "nests more than 8 brackets";
            return Err((Code::BadPath, what, "use a shorter path"));
        }
    }
    match JsonPath::parse(text) {
        Ok(_) => Ok(()),
        Err(_) => Err((Code::BadPath, "is not a JSONPath", hint)),
    }
}

/// A whole number from `MIN` to `MAX`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Whole<const MIN: i64, const MAX: i64>(pub(crate) i64);

impl<const MIN: i64, const MAX: i64> Decode for Whole<MIN, MAX> {
    fn decode(node: Node, at: &mut At<'_>) -> Self {
        let (false, Shape::Scalar(scalar)) = (node.text().is_some(), &node.shape) else {
            wrong_type("a whole number", &node, at);
            return Self(MIN);
        };
        if scalar.meaning() != Meaning::Number {
            wrong_type("a whole number", &node, at);
            return Self(MIN);
        }
        match scalar.integer().map(i64::try_from) {
            Some(Ok(number)) if (MIN..=MAX).contains(&number) => Self(number),
            None if scalar.number().is_some_and(|n| n.fract() != 0.0) => {
                wrong_type("a whole number", &node, at);
                Self(MIN)
            }
            _ => {
                out_of_range(&scalar.text, &format!("{MIN} to {MAX}"), &node, at);
                Self(MIN)
            }
        }
    }
}

impl<const MIN: i64, const MAX: i64> JsonSchema for Whole<MIN, MAX> {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        format!("From{MIN}To{MAX}").into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "integer", "minimum": MIN, "maximum": MAX})
    }
}

/// A number from `MIN` to `MAX` thousandths: seconds, vCPUs, dollars.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Decimal<const MIN: i64, const MAX: i64>(pub(crate) f64);

#[expect(clippy::cast_precision_loss, reason = "limits are small")]
impl<const MIN: i64, const MAX: i64> Decode for Decimal<MIN, MAX> {
    fn decode(node: Node, at: &mut At<'_>) -> Self {
        let (min, max) = (MIN as f64 / 1_000.0, MAX as f64 / 1_000.0);
        match &node.shape {
            Shape::Scalar(scalar) if scalar.meaning() == Meaning::Number => {
                if let Some(number) = scalar.number().filter(|n| (min..=max).contains(n)) {
                    return Self(number);
                }
                out_of_range(&scalar.text, &format!("{min} to {max}"), &node, at);
            }
            _ => wrong_type("a number", &node, at),
        }
        Self(min)
    }
}

#[expect(clippy::cast_precision_loss, reason = "limits are small")]
impl<const MIN: i64, const MAX: i64> JsonSchema for Decimal<MIN, MAX> {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        format!("From{MIN}To{MAX}Thousandths").into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "number", "minimum": MIN as f64 / 1_000.0, "maximum": MAX as f64 / 1_000.0})
    }
}

fn out_of_range(seen: &str, range: &str, node: &Node, at: &mut At<'_>) {
    if range == "1 to 1" {
        let message = format!("expected 1, found {}", shown(seen));
        at.report(Trouble::new(Code::OutOfRange, node.mark, message));
        return;
    }
    at.report(Trouble::new(
        Code::OutOfRange,
        node.mark,
        format!("{} is outside {range}", shown(seen)),
    ));
}
