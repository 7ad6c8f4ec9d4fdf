//! The kinds of task, and which fields go with which: one table for the check and for the schema.

use schemars::JsonSchema;
use serde_json::{Value, json};

use super::code::Code;
use super::document::TaskFields;
use super::node::{Node, Shape};
use super::problems::{At, Mark, Step, Trouble};
use super::record::words;

/// What sort of thing a task runs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, JsonSchema)]
#[schemars(rename_all = "snake_case", inline)]
pub(crate) enum Kind {
    /// A program of the bundle or of the image: JSON on standard input, JSON on standard output.
    #[default]
    Command,
    /// An existing Lambda function.
    Lambda,
    /// An HTTP request.
    Http,
    /// A Rust handler compiled into the worker.
    Handler,
    /// A load without a purpose of its own.
    Synthetic,
    /// A sub-workflow.
    Workflow,
}

words! { Kind:
    "command" => Self::Command,
    "lambda" => Self::Lambda,
    "http" => Self::Http,
    "handler" => Self::Handler,
    "synthetic" => Self::Synthetic,
    "workflow" => Self::Workflow,
}

impl Kind {
    /// Every kind, with its name, the fields that it must have, and those that only it may have beside them.
    pub(crate) const ALL: &'static [(
        Self,
        &'static str,
        &'static [&'static str],
        &'static [&'static str],
    )] = &[
        (Self::Command, "command", &["run"], &["bundle", "env"]),
        (Self::Lambda, "lambda", &["function"], &["retry", "catch"]),
        (Self::Http, "http", &["url"], &["method", "headers"]),
        (Self::Handler, "handler", &["handler"], &[]),
        (Self::Synthetic, "synthetic", &["cpu_s"], &[]),
        (Self::Workflow, "workflow", &["workflow"], &["params"]),
    ];

    /// The fields that a reference to a sub-workflow may have: its tasks have settings of their own.
    pub(crate) const OF_REFERENCE: &'static [&'static str] =
        &["id", "kind", "description", "needs", "workflow", "params"];

    /// Whether a task of this kind may have the field.
    pub(crate) fn allows(self, field: &str) -> bool {
        if self == Self::Workflow {
            return Self::OF_REFERENCE.contains(&field);
        }
        Self::ALL.iter().all(|(kind, _, required, optional)| {
            *kind == self || !(required.contains(&field) || optional.contains(&field))
        })
    }

    /// The fields that a task of this kind must have beside those of every task.
    pub(crate) fn required(self) -> &'static [&'static str] {
        Self::ALL
            .iter()
            .find(|(kind, ..)| *kind == self)
            .map_or(&[], |(_, _, required, _)| required)
    }

    /// Its name in documents.
    pub(crate) fn as_str(self) -> &'static str {
        Self::ALL
            .iter()
            .find(|(kind, ..)| *kind == self)
            .map_or("", |(_, name, ..)| name)
    }
}

/// Reports fields that the task's kind does not have, and those that it lacks. The kind, where it can be read.
pub(crate) fn check(node: &Node, at: &mut At<'_>) -> Option<Kind> {
    let Shape::Map(entries) = &node.shape else {
        return None;
    };
    let word = entries
        .iter()
        .find(|(key, _)| key.text == "kind")
        .and_then(|(_, value)| value.text())?;
    let kind = Kind::ALL
        .iter()
        .find(|(_, name, ..)| *name == word)
        .map(|(kind, ..)| *kind)?;
    for (key, _) in entries {
        let Some(field) = TaskFields::FIELDS.iter().find(|name| **name == key.text) else {
            continue;
        };
        if !kind.allows(field) {
            at.within(Step::Field(field), |at| {
                at.report(not_for(kind, field, key.mark));
            });
        }
    }
    if let Some((_, run)) = entries.iter().find(|(key, _)| key.text == "run")
        && let Shape::List(items) = &run.shape
        && let Some(program) = items.first()
        && program.text() == Some("")
    {
        at.within(Step::Field("run"), |at| {
            at.report(Trouble::new(
                Code::OutOfRange,
                program.mark,
                "it names no program",
            ));
        });
    }
    for field in kind.required() {
        if !entries.iter().any(|(key, _)| key.text == *field) {
            at.report(Trouble::new(
                Code::MissingField,
                node.mark,
                format!(
                    "`{field}` is missing: a task of kind {} has one",
                    kind.as_str()
                ),
            ));
        }
    }
    Some(kind)
}

fn not_for(kind: Kind, field: &str, mark: Mark) -> Trouble {
    let message = format!("a task of kind {} has no `{field}`", kind.as_str());
    let trouble = Trouble::new(Code::NotForKind, mark, message);
    if kind == Kind::Workflow {
        return trouble
            .hint("the tasks of the sub-workflow have it; give them values with `params`");
    }
    match Kind::ALL.iter().find(|(other, _, required, optional)| {
        *other != kind && (required.contains(&field) || optional.contains(&field))
    }) {
        Some((_, name, ..)) => trouble.hint(format!("it goes with kind {name}")),
        None => trouble,
    }
}

/// The same table as rules of the schema: if the kind is this, then these fields are required and those are not there.
pub(crate) fn rules() -> Value {
    Kind::ALL
        .iter()
        .map(|(kind, name, required, _)| {
            let absent: serde_json::Map<String, Value> = TaskFields::FIELDS
                .iter()
                .filter(|field| !kind.allows(field))
                .map(|field| ((*field).to_owned(), json!(false)))
                .collect();
            json!({
                "if": {"properties": {"kind": {"const": name}}, "required": ["kind"]},
                "then": {"required": required, "properties": absent},
            })
        })
        .collect()
}
