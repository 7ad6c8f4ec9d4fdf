//! Traces in WfFormat 1.5 (WfCommons), read as a stream: what tasks there were, their files, their run times.

mod files;
mod graph;
mod import;

use schemars::JsonSchema;

use super::code::Code;
use super::decode::{Decode, Given, Marked};
use super::event::Kind;
use super::forms::Decimal;
use super::names::{Names, Symbol};
use super::node::{Node, Reader, Shape};
use super::problems::{At, Mark, Problems, Step, Trouble, shown};
use super::record::record;

pub(crate) use import::import;

/// The version of WfFormat that is read.
const VERSION: &str = "1.5";

/// Numbers of a trace: not negative. Bytes and seconds come as whole or as decimal numbers.
pub(crate) type Amount = Decimal<0, { i64::MAX }>;

/// A trace, its names not yet resolved.
#[derive(Debug, Default)]
pub(crate) struct Trace {
    name: String,
    names: Names,
    tasks: Vec<Traced>,
    /// Files with their sizes.
    files: Vec<(Symbol, u64)>,
    runs: Vec<Run>,
    /// What was found while reading; it counts only if the document is a trace.
    problems: Problems,
}

/// One task of `workflow.specification.tasks`.
#[derive(Debug)]
struct Traced {
    id: Symbol,
    mark: Mark,
    /// The program's name; often the id itself.
    name: Symbol,
    parents: Box<[Symbol]>,
    children: Box<[Symbol]>,
    inputs: Box<[Symbol]>,
    outputs: Box<[Symbol]>,
}

/// One task of `workflow.execution.tasks`.
#[derive(Debug, Clone, Copy)]
struct Run {
    id: Symbol,
    mark: Mark,
    runtime_s: Option<f64>,
    memory_bytes: Option<f64>,
}

record! {
    /// The fields of the document itself.
    open struct Header {
        /// What the workflow is called.
        required "name" name: Free,
        /// The version of the format.
        required "schemaVersion" schema_version: Marked<Free>,
        required "workflow" workflow: Present,
    }
}

record! {
    /// A task as specified.
    open struct SpecifiedTask {
        required "id" id: Marked<Free>,
        optional "name" name: Given<Free>,
        optional "parents" parents: Vec<Free>,
        optional "children" children: Vec<Free>,
        optional "inputFiles" inputs: Vec<Free>,
        optional "outputFiles" outputs: Vec<Free>,
    }
}

record! {
    /// A file.
    open struct SpecifiedFile {
        required "id" id: Free,
        required "sizeInBytes" bytes: Amount,
    }
}

record! {
    /// A task as executed.
    open struct ExecutedTask {
        required "id" id: Marked<Free>,
        optional "runtimeInSeconds" runtime_s: Perhaps<Amount>,
        optional "memoryInBytes" memory_bytes: Perhaps<Amount>,
    }
}

/// Names of a trace are free text: ids, programs, files with their paths.
#[derive(Debug, Clone, Default, JsonSchema)]
pub(crate) struct Free(String);

/// Longest name in a trace.
const NAME_BYTES: usize = 4_096;

impl Decode for Free {
    fn decode(node: Node, at: &mut At<'_>) -> Self {
        let mark = node.mark;
        let text = String::decode(node, at);
        if text.len() > NAME_BYTES || text.chars().any(char::is_control) {
            let message = format!(
                "`{}` is not a name: more than {NAME_BYTES} bytes, or control characters",
                shown(&text)
            );
            at.report(Trouble::new(Code::BadText, mark, message));
        }
        Self(text)
    }
}

/// A value that may be absent, or null.
#[derive(Debug, Clone, Copy, Default, JsonSchema)]
pub(crate) struct Perhaps<T>(Option<T>);

impl<T: Decode> Decode for Perhaps<T> {
    fn decode(node: Node, at: &mut At<'_>) -> Self {
        match &node.shape {
            Shape::Scalar(scalar) if scalar.meaning() == super::event::Meaning::Null => Self(None),
            _ => Self(Some(T::decode(node, at))),
        }
    }
}

/// A field that is read elsewhere.
#[derive(Debug, Clone, Copy, Default, JsonSchema)]
pub(crate) struct Present;

impl Decode for Present {
    fn decode(_: Node, _: &mut At<'_>) -> Self {
        Self
    }
}

impl Trace {
    /// Reads the value of `workflow`, whose map is open, keeping `place` up to date.
    ///
    /// # Errors
    /// The text is wrong: nothing more can be read.
    pub(crate) fn read(
        &mut self,
        reader: &mut Reader<'_>,
        place: &mut Vec<Step>,
    ) -> Result<(), Trouble> {
        while let Some(section) = reader.key()? {
            place.truncate(1);
            place.push(Step::Key(section.text.clone()));
            let event = reader.event()?;
            if event.kind != Kind::Map {
                reader.skip(&event)?;
                continue;
            }
            while let Some(list) = reader.key()? {
                place.truncate(2);
                place.push(Step::Key(list.text.clone()));
                let event = reader.event()?;
                let item: fn(&mut Self, Node, &mut At<'_>) = match (
                    section.text.as_str(),
                    list.text.as_str(),
                    event.kind == Kind::List,
                ) {
                    ("specification", "tasks", true) => Self::task,
                    ("specification", "files", true) => Self::file,
                    ("execution", "tasks", true) => Self::run,
                    _ => {
                        reader.skip(&event)?;
                        continue;
                    }
                };
                self.items(reader, place, item)?;
            }
        }
        Ok(())
    }

    fn items(
        &mut self,
        reader: &mut Reader<'_>,
        place: &mut Vec<Step>,
        item: fn(&mut Self, Node, &mut At<'_>),
    ) -> Result<(), Trouble> {
        for index in 0.. {
            place.truncate(3);
            place.push(Step::Index(index));
            let event = reader.event()?;
            if event.kind == Kind::End {
                break;
            }
            let node = reader.value(event)?;
            let mut problems = std::mem::take(&mut self.problems);
            item(self, node, &mut At::placed(&mut problems, place));
            self.problems = problems;
        }
        Ok(())
    }

    fn symbols(&mut self, names: &[Free]) -> Box<[Symbol]> {
        names
            .iter()
            .map(|name| self.names.symbol(&name.0))
            .collect()
    }

    fn task(&mut self, node: Node, at: &mut At<'_>) {
        let task = SpecifiedTask::decode(node, at);
        let id = self.names.symbol(&task.id.value.0);
        let name = match &task.name.0 {
            Some(name) => self.names.symbol(&name.0),
            None => id,
        };
        let traced = Traced {
            id,
            mark: task.id.mark,
            name,
            parents: self.symbols(&task.parents),
            children: self.symbols(&task.children),
            inputs: self.symbols(&task.inputs),
            outputs: self.symbols(&task.outputs),
        };
        self.tasks.push(traced);
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "amounts are not negative, and a size above 16 EiB is the largest"
    )]
    fn file(&mut self, node: Node, at: &mut At<'_>) {
        let file = SpecifiedFile::decode(node, at);
        let id = self.names.symbol(&file.id.0);
        self.files.push((id, file.bytes.0 as u64));
    }

    fn run(&mut self, node: Node, at: &mut At<'_>) {
        let task = ExecutedTask::decode(node, at);
        self.runs.push(Run {
            id: self.names.symbol(&task.id.value.0),
            mark: task.id.mark,
            runtime_s: task.runtime_s.0.map(|amount| amount.0),
            memory_bytes: task.memory_bytes.0.map(|amount| amount.0),
        });
    }

    /// Reads the other fields of the document, and hands over what was found before.
    pub(crate) fn header(&mut self, node: Node, problems: &mut Problems) {
        problems.absorb(std::mem::take(&mut self.problems));
        let header = Header::decode(node, &mut At::root(problems));
        let version = &header.schema_version;
        if !version.value.0.is_empty() && version.value.0 != VERSION {
            let message = format!(
                "WfFormat {} is not read, only {VERSION}",
                shown(&version.value.0)
            );
            let trouble = Trouble::new(Code::TraceVersion, version.mark, message)
                .hint("WfCommons has the same traces in 1.5, and a converter");
            problems.push("schemaVersion", trouble);
        }
        self.name = header.name.0;
    }
}
