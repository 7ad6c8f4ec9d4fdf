//! Reads a document task by task, so that a million of them never exist as a tree.

use std::io::Read;

use foreshard_model::limits::WORKFLOW_TASKS;
use foreshard_model::objective::Objective;
use foreshard_model::schedule::Declared;
use foreshard_model::workflow::OnFailure;
use serde_json::Value;

use super::code::Code;
use super::decode::{Decode as _, Entries};
use super::document::{Definition, Document, Param, Task};
use super::draft::{Draft, Mapping, Settings, draft, mappings};
use super::event::Kind;
use super::forms::Name;
use super::intake::{Format, open};
use super::json::JsonEvents;
use super::names::Names;
use super::node::{Key, Node, Reader, Shape};
use super::objective::objective;
use super::origin::Allowed;
use super::problems::{At, Mark, Problems, Step, Trouble, shown};
use super::schedules::schedules;
use super::trace::Trace;
use super::yaml::YamlEvents;

/// What a document turned out to be.
pub(crate) enum Content {
    /// A workflow in the language of this crate.
    Document(Box<Unit>),
    /// A trace in WfFormat.
    Trace(Box<Trace>),
}

/// One document, read and checked task by task, its names not yet resolved.
#[derive(Debug, Default)]
pub(crate) struct Unit {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) on_failure: OnFailure,
    pub(crate) objective: Objective,
    pub(crate) defaults: Settings,
    pub(crate) schedules: Vec<Declared>,
    pub(crate) names: Names,
    /// The document's own tasks first, then its sub-workflows.
    pub(crate) parts: Vec<Part>,
}

/// One list of tasks: the document's, or that of a sub-workflow.
#[derive(Debug, Default)]
pub(crate) struct Part {
    /// Its name in `workflows`; empty for the document's own.
    pub(crate) name: String,
    pub(crate) mark: Mark,
    pub(crate) params: Vec<Parameter>,
    pub(crate) drafts: Vec<Draft>,
    pub(crate) outputs: Vec<Mapping>,
}

/// One parameter of a part.
#[derive(Debug, Clone)]
pub(crate) struct Parameter {
    pub(crate) name: String,
    pub(crate) default: Option<Value>,
}

impl Part {
    /// The path of one of its fields, for messages.
    pub(crate) fn path(&self, rest: &str) -> String {
        if self.name.is_empty() {
            rest.to_owned()
        } else {
            format!("workflows.{}.{rest}", self.name)
        }
    }
}

/// Reads a document of at most `limit` bytes. `None` when it is not even clear what it is; the problems say why.
pub(crate) fn read<'r>(
    reader: impl Read + 'r,
    limit: u64,
    problems: &mut Problems,
) -> Option<Content> {
    let reader = match open(reader, limit) {
        Ok(intake) if intake.format == Format::Json => Reader::new(JsonEvents::new(intake)),
        Ok(intake) => Reader::new(YamlEvents::new(intake)),
        Err(trouble) => {
            problems.push("", trouble);
            return None;
        }
    };
    let mut pass = Pass {
        reader,
        header: Vec::new(),
        names: Names::default(),
        drafts: Vec::new(),
        place: Vec::new(),
        problems,
        trace: None,
        begin: Mark::default(),
    };
    if let Err(trouble) = pass.document() {
        let path = super::problems::path_text(&pass.place);
        pass.problems.push(path, trouble);
        // Names that the rest would have declared cannot be told from names that do not exist.
        return None;
    }
    pass.content()
}

/// One pass over the events of a document.
struct Pass<'s, 'p> {
    reader: Reader<'s>,
    /// The fields of the document that are kept as values: all but the tasks.
    header: Vec<(Key, Node)>,
    names: Names,
    drafts: Vec<Draft>,
    /// Where the pass is, for troubles that end it.
    place: Vec<Step>,
    problems: &'p mut Problems,
    trace: Option<Box<Trace>>,
    begin: Mark,
}

impl Pass<'_, '_> {
    fn document(&mut self) -> Result<(), Trouble> {
        let event = self.reader.event()?;
        self.begin = event.mark;
        if event.kind != Kind::Map {
            let node = self.reader.value(event)?;
            return Err(Trouble::new(
                Code::NotAWorkflow,
                node.mark,
                format!(
                    "expected an object with `foreshard`, found {}",
                    node.found()
                ),
            )
            .hint("a workflow begins with `foreshard: 1`"));
        }
        let (mut tasks, mut workflow) = (false, false);
        while let Some(key) = self.reader.key()? {
            self.place.push(Step::Key(key.text.clone()));
            let event = self.reader.event()?;
            if key.text == "tasks" && event.kind == Kind::List && !tasks {
                tasks = true;
                self.tasks()?;
                // Stands for the tasks that were read: the field is there.
                self.header.push((
                    key,
                    Node {
                        mark: event.mark,
                        ..Node::default()
                    },
                ));
            } else if key.text == "workflow" && event.kind == Kind::Map && !workflow {
                workflow = true;
                let trace = self.trace.get_or_insert_default();
                trace.read(&mut self.reader, &mut self.place)?;
                self.header.push((
                    key,
                    Node {
                        mark: event.mark,
                        ..Node::default()
                    },
                ));
            } else {
                let node = self.reader.value(event)?;
                self.header.push((key, node));
            }
            self.place.clear();
        }
        self.reader.finish()
    }

    fn tasks(&mut self) -> Result<(), Trouble> {
        loop {
            let index = self.drafts.len();
            self.place.truncate(1);
            self.place.push(Step::Index(index));
            let event = self.reader.event()?;
            if event.kind == Kind::End {
                if index == 0 {
                    let trouble = super::decode::empty_list(event.mark);
                    self.problems.push("tasks", trouble);
                }
                return Ok(());
            }
            if index == WORKFLOW_TASKS {
                let message = format!("more than {WORKFLOW_TASKS} tasks");
                return Err(Trouble::new(Code::TooManyTasks, event.mark, message));
            }
            let node = self.reader.value(event)?;
            let names = &mut self.names;
            let draft = At::root(self.problems).within(Step::Field("tasks"), |at| {
                at.within(Step::Index(index), |at| {
                    draft(Task::decode(node, at), names, at)
                })
            });
            self.drafts.push(draft);
        }
    }

    fn content(self) -> Option<Content> {
        let has = |name: &str| self.header.iter().any(|(key, _)| key.text == name);
        if let Some(mut trace) = self.trace
            && !has("foreshard")
            && !has("tasks")
        {
            let node = Node {
                mark: self.begin,
                shape: Shape::Map(self.header),
            };
            trace.header(node, self.problems);
            return Some(Content::Trace(trace));
        }
        if !has("foreshard") && !has("tasks") {
            let found: Vec<String> = self
                .header
                .iter()
                .map(|(key, _)| shown(&key.text))
                .collect();
            let message = format!(
                "neither `foreshard` nor WfFormat's `workflow` is here; found: {}",
                shown(&found.join(", "))
            );
            let hint = "a workflow begins with `foreshard: 1`";
            let trouble = Trouble::new(Code::NotAWorkflow, self.begin, message).hint(hint);
            self.problems.push("", trouble);
            return None;
        }
        let node = Node {
            mark: self.begin,
            shape: Shape::Map(self.header),
        };
        let unit = unit(node, self.drafts, self.names, self.problems);
        Some(Content::Document(Box::new(unit)))
    }
}

fn unit(header: Node, drafts: Vec<Draft>, mut names: Names, problems: &mut Problems) -> Unit {
    let begin = header.mark;
    let mut at = At::root(problems);
    let document = Document::decode(header, &mut at);
    let mut parts = vec![Part {
        name: String::new(),
        mark: begin,
        params: parameters(&document.params, &mut at),
        drafts,
        outputs: mappings(
            "outputs",
            &document.outputs,
            Allowed::Values,
            &mut names,
            &mut at,
        ),
    }];
    at.within(Step::Field("workflows"), |at| {
        for (name, definition) in document.workflows.0 {
            let key = name.value.0;
            let part = at.within(Step::Key(key.clone()), |at| {
                part(key, name.mark, definition, &mut names, at)
            });
            parts.push(part);
        }
    });
    let schedules = schedules(document.schedules, &mut at);
    let objective = objective(document.objective, &mut at);
    Unit {
        name: document.name.0,
        version: document.version.0,
        on_failure: document.on_failure,
        objective,
        defaults: Settings::of_defaults(&document.defaults),
        schedules,
        names,
        parts,
    }
}

fn part(
    name: String,
    mark: Mark,
    definition: Definition,
    names: &mut Names,
    at: &mut At<'_>,
) -> Part {
    let drafts = at.within(Step::Field("tasks"), |at| {
        let tasks = definition.tasks.0.into_iter().enumerate();
        tasks
            .map(|(index, task)| at.within(Step::Index(index), |at| draft(task, names, at)))
            .collect()
    });
    Part {
        name,
        mark,
        params: parameters(&definition.params, at),
        drafts,
        outputs: mappings("outputs", &definition.outputs, Allowed::Values, names, at),
    }
}

/// Parameters of one workflow. Each use of a sub-workflow goes through all of them.
const PARAMETERS: usize = 256;

fn parameters(params: &Entries<Name, Param>, at: &mut At<'_>) -> Vec<Parameter> {
    if let Some((name, _)) = params.0.get(PARAMETERS) {
        let message = format!("more than {PARAMETERS} parameters");
        at.within(Step::Field("params"), |at| {
            at.report(Trouble::new(Code::OutOfRange, name.mark, message));
        });
    }
    let entries = params.0.iter().take(PARAMETERS);
    entries
        .map(|(name, param)| Parameter {
            name: name.value.0.clone(),
            default: param.default.0.clone().map(|json| json.0),
        })
        .collect()
}
