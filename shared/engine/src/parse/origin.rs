//! Where values and files come from: the sources of a document, each of exactly one sort.

use serde_json::Value;

use super::code::Code;
use super::decode::Marked;
use super::document::{File, Source};
use super::draft::Mapping;
use super::names::{Names, Symbol};
use super::problems::{At, Mark, Trouble};

/// Where a value or a file comes from, before names are resolved.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Origin {
    /// The output of a task.
    Task { task: Symbol, path: Option<String> },
    /// A file that a task writes.
    File { task: Symbol, file: String },
    /// The run's input.
    Run {
        path: Option<String>,
        default: Option<Box<Value>>,
    },
    /// A parameter of the sub-workflow.
    Param(String),
    /// A constant.
    Constant(Box<Value>),
}

impl Origin {
    /// The parameter, if it is one.
    pub(crate) fn param(&self) -> Option<String> {
        match self {
            Self::Param(name) => Some(name.clone()),
            _ => None,
        }
    }
}

/// Which sources a field takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Allowed {
    /// Values only.
    Values,
    /// Files of tasks as well: what a reference gives to a sub-workflow.
    Files,
}

/// The origin that a source means; reports a source that means none or several.
pub(crate) fn origin(
    source: &Source,
    mark: Mark,
    allowed: Allowed,
    names: &mut Names,
    at: &mut At<'_>,
) -> Option<Origin> {
    let given = [
        source.task.0.is_some(),
        source.run.0.is_some(),
        source.value.0.is_some(),
        source.param.0.is_some(),
    ];
    let mut wrong = |message: &str| {
        at.report(
            Trouble::new(Code::Source, mark, message)
                .hint("a source is one of {task: id}, {run: $.path}, {value: …}, {param: name}"),
        );
    };
    match given.iter().filter(|given| **given).count() {
        0 => {
            wrong("no source: one of `task`, `run`, `value` and `param` is missing");
            return None;
        }
        1 => {}
        _ => {
            wrong("several sources: only one of `task`, `run`, `value` and `param` can be given");
            return None;
        }
    }
    if source.task.0.is_none() && (source.path.0.is_some() || source.file.0.is_some()) {
        wrong("`path` and `file` go with `task`");
    }
    if source.run.0.is_none() && source.default.0.is_some() {
        wrong("`default` goes with `run`; a parameter has its default where it is declared");
    }
    if source.path.0.is_some() && source.file.0.is_some() {
        wrong("`path` takes from the output and `file` from the files: only one can be given");
    }
    if source.file.0.is_some() && allowed == Allowed::Values {
        wrong("a file is not a value: files are listed in `files`");
    }
    if let Some(task) = &source.task.0 {
        // A name that was refused has been reported.
        if task.0.is_empty() {
            return None;
        }
        let task = names.symbol(&task.0);
        return Some(match &source.file.0 {
            Some(file) => Origin::File {
                task,
                file: file.0.clone(),
            },
            None => Origin::Task {
                task,
                path: source.path.0.as_ref().and_then(|path| part(&path.0)),
            },
        });
    }
    if let Some(path) = &source.run.0 {
        return Some(Origin::Run {
            path: part(&path.0),
            default: source.default.0.clone().map(|json| Box::new(json.0)),
        });
    }
    if let Some(name) = &source.param.0 {
        return (!name.0.is_empty()).then(|| Origin::Param(name.0.clone()));
    }
    source
        .value
        .0
        .clone()
        .map(|value| Origin::Constant(Box::new(value.0)))
}

/// A path, unless it is the whole.
fn part(path: &str) -> Option<String> {
    (path != "$").then(|| path.to_owned())
}

/// The origin of a file, under its name in the scratch.
pub(crate) fn file_origin(
    file: &Marked<File>,
    names: &mut Names,
    at: &mut At<'_>,
) -> Option<Mapping> {
    let mark = file.mark;
    let File {
        name,
        task,
        file,
        param,
    } = &file.value;
    let mut wrong = |message: &str| {
        at.report(
            Trouble::new(Code::Source, mark, message)
                .hint("a file is {task: id, file: its name there} or {name: …, param: name}"),
        );
    };
    let origin = match (&task.0, &file.0, &param.0) {
        (Some(task), Some(file), None) if task.0.is_empty() || file.0.is_empty() => return None,
        (Some(task), Some(file), None) => Origin::File {
            task: names.symbol(&task.0),
            file: file.0.clone(),
        },
        (None, None, Some(param)) if name.0.is_some() => Origin::Param(param.0.clone()),
        (None, None, Some(_)) => {
            wrong("`name` is missing: what the file is called in the scratch");
            return None;
        }
        (Some(_), None, None) => {
            wrong("`file` is missing: what the file is called in the task that writes it");
            return None;
        }
        (None, Some(_), None) => {
            wrong("`task` is missing: who writes the file");
            return None;
        }
        (None, None, None) => {
            wrong("no source: `task` and `file`, or `param`, are missing");
            return None;
        }
        _ => {
            wrong("several sources: either `task` and `file`, or `param`");
            return None;
        }
    };
    let name = name.0.as_ref().or(file.0.as_ref())?.0.clone();
    Some(Mapping { name, origin, mark })
}
