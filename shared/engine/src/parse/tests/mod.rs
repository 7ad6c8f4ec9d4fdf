//! Documents in, workflows or problems out.

mod examples;
mod expansion;
mod forms;
mod fuzz;
mod refusals;
mod traces;

use std::fmt::Write as _;
use std::io::Write as _;

use foreshard_model::ids::TaskIndex;
use foreshard_model::workflow::{
    CONDITION, FileSource, TaskKind, ValueSource, WHOLE_INPUT, Workflow,
};
use serde_json::json;

use super::{Library, Parsed, document};

/// The first lines of a document; tasks follow.
const HEAD: &str = "foreshard: 1\nname: demo\nversion: \"1\"\n";

/// What a document becomes: its tasks, a line each, or its problems, a line each.
fn outcome(text: &str) -> String {
    outcome_with(text, &Library::new())
}

fn outcome_with(text: &str, library: &Library) -> String {
    match document(text.as_bytes(), library) {
        Ok(parsed) => shown(&parsed),
        Err(problems) => {
            let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
            lines.join("\n")
        }
    }
}

/// The outcome of tasks alone.
fn tasks(text: &str) -> String {
    outcome(&format!("{HEAD}tasks:\n{text}"))
}

/// A library of one registered workflow.
fn library(entries: &[(&str, &str, &str)]) -> Library {
    let owned = entries.iter().map(|(name, version, text)| {
        let key = ((*name).to_owned(), (*version).to_owned());
        (key, text.as_bytes().to_vec())
    });
    owned.collect()
}

fn shown(parsed: &Parsed) -> String {
    let workflow = &parsed.workflow;
    let mut out = String::new();
    for task in &workflow.tasks {
        let id = |index: &TaskIndex| workflow.tasks[index.index()].id.as_str();
        let kind = match &task.kind {
            TaskKind::Command(command) => format!("run {}", command.run.join(" ")),
            TaskKind::Lambda { function, errors } => match errors {
                None => format!("call {function}"),
                Some(errors) => format!("call {function} {}", json!(errors)),
            },
            TaskKind::Handler { handler } => handler.clone(),
            TaskKind::Http(http) => format!("{} {}", http.method, http.url),
            TaskKind::Synthetic(load) => format!("burn {} ms", load.cpu_ms),
        };
        let _ = write!(out, "{}: {kind}", task.id);
        for need in &task.needs {
            let _ = write!(out, " <{}", id(&need.task));
            if need.bytes > 0 {
                let _ = write!(out, "({})", need.bytes);
            }
        }
        for (name, source) in &task.inputs {
            let name = match name.as_str() {
                WHOLE_INPUT => "input",
                CONDITION => "when",
                name => name,
            };
            let _ = write!(out, " {name}={}", source_text(workflow, source));
        }
        for file in &task.files {
            let from = match &file.source {
                FileSource::Task { task, file } => format!("{}:{file}", id(task)),
                FileSource::Generated { bytes } => format!("{bytes} bytes"),
            };
            let _ = write!(out, " {}@{from}", file.name);
        }
        for written in &task.writes {
            let _ = write!(out, " >{}", written.name);
        }
        out.push('\n');
    }
    for (name, source) in &workflow.outputs {
        let _ = writeln!(out, "={name}: {}", source_text(workflow, source));
    }
    for note in &parsed.notes {
        let _ = writeln!(out, "note {note}");
    }
    out
}

fn source_text(workflow: &Workflow, source: &ValueSource) -> String {
    let path = |path: &Option<String>| path.clone().unwrap_or_else(|| "$".to_owned());
    match source {
        ValueSource::Task { task, path: at } => {
            format!("{}{}", workflow.tasks[task.index()].id, path(at))
        }
        ValueSource::Run { path: at, default } => match default {
            Some(value) => format!("run{}|{value}", path(at)),
            None => format!("run{}", path(at)),
        },
        ValueSource::Constant(value) => value.to_string(),
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}
