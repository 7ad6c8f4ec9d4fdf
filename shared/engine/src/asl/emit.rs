//! The tasks that an import makes, and the document that they are written into.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::before::Before;
use super::code::Code;
use super::flow::{Draft, Flow, Guard, condition};
use super::level::{Here, Importer};
use super::symbol::{self, RUN};
use super::{problem, yaml};
use crate::expression::Expression;
use crate::expression::path::Path;

/// Most tasks of an import: a Map unrolled further is no document that people read.
pub(super) const TASKS_MAX: usize = 10_000;

/// Longest id of a task that is made from the name of a state.
const ID_CHARS: usize = 200;

/// Longest path of the language, in bytes.
const PATH_BYTES: usize = 1_024;

/// The tasks so far.
#[derive(Debug, Default)]
pub(super) struct Drafts {
    tasks: Vec<Task>,
    by_id: BTreeMap<String, Draft>,
    /// Tasks that say whether one of several ways was taken.
    whens: BTreeMap<BTreeSet<(Draft, String)>, Draft>,
}

#[derive(Debug)]
struct Task {
    id: String,
    fields: Map<String, Value>,
    needs: BTreeSet<Draft>,
    /// All that come before it.
    before: Before,
}

impl Drafts {
    pub(super) fn len(&self) -> usize {
        self.tasks.len()
    }

    /// The ids of the tasks from `first` on.
    pub(super) fn ids(&self, first: Draft) -> Vec<String> {
        self.tasks[first..]
            .iter()
            .map(|task| task.id.clone())
            .collect()
    }

    /// The output of a task.
    pub(super) fn output_of(&self, task: Draft) -> Expression {
        Expression::input(self.tasks[task].id.as_str())
    }

    /// A condition over the choices' outputs.
    pub(super) fn condition(&self, guard: &Guard) -> Option<Expression> {
        condition(guard, |task| self.tasks[task].id.clone())
    }

    /// An id that no task has yet, as close to `wanted` as ids can be.
    fn id(&self, wanted: &str) -> String {
        let plain = |c: char| {
            if c.is_ascii_alphanumeric() || "_.-".contains(c) {
                c
            } else {
                '_'
            }
        };
        let mut id: String = wanted.chars().map(plain).take(ID_CHARS).collect();
        if !id.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_') {
            id.insert(0, '_');
        }
        let mut numbered = id.clone();
        let mut number = 2;
        while self.by_id.contains_key(&numbered) {
            numbered = format!("{id}-{number}");
            number += 1;
        }
        numbered
    }

    fn push(&mut self, wanted: &str, fields: Map<String, Value>, needs: BTreeSet<Draft>) -> Draft {
        let id = self.id(wanted);
        let mut before = Before::default();
        for need in &needs {
            before.add(*need);
            before.add_all(&self.tasks[*need].before);
        }
        self.by_id.insert(id.clone(), self.tasks.len());
        self.tasks.push(Task {
            id,
            fields,
            needs,
            before,
        });
        self.tasks.len() - 1
    }

    /// The tasks whose outputs an expression reads.
    fn read_by(&self, expression: &Expression) -> BTreeSet<Draft> {
        let read = expression.inputs();
        read.iter()
            .filter_map(|id| self.by_id.get(*id))
            .copied()
            .collect()
    }

    /// The document.
    pub(super) fn document(
        &self,
        name: &str,
        comment: Option<&str>,
        output: Option<Value>,
    ) -> String {
        let mut document = Map::new();
        document.insert("foreshard".into(), 1.into());
        document.insert("name".into(), name.into());
        document.insert("version".into(), "1.0".into());
        if let Some(comment) = comment {
            document.insert("description".into(), comment.into());
        }
        let defaults = json!({"memory_mib": 64, "vcpus": 0.1, "retries": 0});
        document.insert("defaults".into(), defaults);
        let tasks = self.tasks.iter().map(|task| {
            let mut fields = Map::new();
            fields.insert("id".into(), task.id.as_str().into());
            fields.extend(task.fields.clone());
            // What comes before another need need not be said.
            let mut implied = Before::default();
            for need in &task.needs {
                implied.add_all(&self.tasks[*need].before);
            }
            let needs = task.needs.iter().filter(|need| !implied.contains(**need));
            let needs: Vec<&str> = needs.map(|need| self.tasks[*need].id.as_str()).collect();
            if !needs.is_empty() {
                fields.insert("needs".into(), needs.into());
            }
            Value::Object(fields)
        });
        let mut tasks: Vec<Value> = tasks.collect();
        if tasks.is_empty() {
            // A definition that only moves data has no task, and a workflow has one.
            tasks.push(
                json!({"id": "nothing", "kind": "handler", "handler": "collect", "effect": "pure"}),
            );
        }
        document.insert("tasks".into(), tasks.into());
        let output = output.unwrap_or_else(|| json!({"value": null}));
        document.insert("outputs".into(), json!({ "output": output }));
        yaml::document(&document)
    }
}

impl Importer<'_> {
    /// Adds the task of a state, or with `part` one beside it: `head` with its input, condition and needs.
    pub(super) fn add(
        &mut self,
        here: &Here<'_>,
        part: &str,
        mut head: Map<String, Value>,
        payload: Expression,
        guard: &Guard,
        after: &BTreeSet<Draft>,
    ) -> Draft {
        let wanted = named(&here.id, part);
        let payload = self.presentable(here, payload);
        let mut needs = after.clone();
        needs.extend(self.drafts.read_by(&payload));
        if let Some(fields) = inputs(&payload) {
            head.extend(fields);
        } else {
            let composed = named(part, "input");
            let task = self.compose(
                here,
                composed.trim_start_matches('.'),
                payload,
                guard,
                after,
            );
            head.insert("input".into(), json!({"task": self.drafts.tasks[task].id}));
            needs = after.clone();
            needs.insert(task);
        }
        self.finish(here, &wanted, head, needs, guard)
    }

    /// Adds a task that computes a value.
    pub(super) fn compose(
        &mut self,
        here: &Here<'_>,
        part: &str,
        expression: Expression,
        guard: &Guard,
        after: &BTreeSet<Draft>,
    ) -> Draft {
        let mut expression = self.presentable(here, expression);
        let mut needs = after.clone();
        needs.extend(self.drafts.read_by(&expression));
        let head = self.composing(&mut expression);
        self.finish(here, &named(&here.id, part), head, needs, guard)
    }

    /// The fields of a task that computes an expression; its inputs get the names by which they are given.
    fn composing(&self, expression: &mut Expression) -> Map<String, Value> {
        let mut names: BTreeMap<String, String> = BTreeMap::new();
        let mut inputs = Map::new();
        let read: Vec<String> = expression.inputs().into_iter().map(str::to_owned).collect();
        for id in read {
            if names.contains_key(&id) {
                continue;
            }
            let (name, source) = if id == RUN {
                ("run".to_owned(), json!({"run": "$"}))
            } else {
                let plain = is_name(&id) && !["run", "expression"].contains(&id.as_str());
                let name = if plain {
                    id.clone()
                } else {
                    format!("t{}", names.len())
                };
                (name, json!({"task": id}))
            };
            let taken = inputs.contains_key(&name);
            let name = if taken {
                format!("t{}_{}", names.len(), inputs.len())
            } else {
                name
            };
            inputs.insert(name.clone(), source);
            names.insert(id, name);
        }
        rename(expression, &names);
        let mut all = Map::new();
        all.insert("expression".into(), json!({ "value": expression }));
        all.extend(inputs);
        let mut head = Map::new();
        head.insert("kind".into(), "handler".into());
        head.insert("handler".into(), "compose".into());
        head.insert("effect".into(), "pure".into());
        head.insert("inputs".into(), all.into());
        head
    }

    fn finish(
        &mut self,
        here: &Here<'_>,
        wanted: &str,
        mut head: Map<String, Value>,
        mut needs: BTreeSet<Draft>,
        guard: &Guard,
    ) -> Draft {
        if self.drafts.len() == TASKS_MAX {
            let message = format!("the workflow would have more than {TASKS_MAX} tasks");
            self.find(problem(Code::TooMany, &here.path, message));
        }
        if let Some((task, path)) = self.when(guard) {
            let id = &self.drafts.tasks[task].id;
            let when = match path {
                Some(path) => json!({"task": id, "path": path}),
                None => json!({ "task": id }),
            };
            head.insert("when".into(), when);
            needs.insert(task);
        }
        self.drafts.push(wanted, head, needs)
    }

    /// The task that says whether a condition holds, and where in its output when that is not the whole.
    fn when(&mut self, guard: &Guard) -> Option<(Draft, Option<String>)> {
        let ways = guard.as_ref()?;
        if let (1, Some((task, way))) = (ways.len(), ways.first()) {
            return Some((*task, Some(member(way))));
        }
        if let Some(task) = self.drafts.whens.get(ways) {
            return Some((*task, None));
        }
        let mut expression = self.drafts.condition(guard)?;
        let needs: BTreeSet<Draft> = ways.iter().map(|(task, _)| *task).collect();
        let names: Vec<&str> = needs
            .iter()
            .map(|task| self.drafts.tasks[*task].id.as_str())
            .collect();
        let wanted = format!("{}.or", names.first().copied().unwrap_or_default());
        let head = self.composing(&mut expression);
        let task = self.drafts.push(&wanted, head, needs);
        self.drafts.whens.insert(ways.clone(), task);
        Some((task, None))
    }

    /// The value without what only Step Functions gives; said where something was left out.
    fn presentable(&mut self, here: &Here<'_>, mut expression: Expression) -> Expression {
        if symbol::leave_metadata_out(&mut expression) {
            let message = "the metadata of a call (`ExecutedVersion`, `SdkHttpMetadata`, `SdkResponseMetadata`) is left out";
            self.note(Code::Metadata, &here.path, message);
        }
        if let Some(name) = symbol::metadata_in(&expression) {
            let message = format!("`{name}` is computed with, and only Step Functions gives it");
            return self.refuse(Code::Answer, &here.path, message);
        }
        expression
    }

    /// Where the output of the whole comes from.
    pub(super) fn output(&mut self, flow: Flow) -> Value {
        let end = super::definition::State::default();
        let place = super::level::Place {
            path: String::new(),
            ids: String::new(),
            item: None,
            apart: false,
        };
        let here = Here {
            state: &end,
            path: String::new(),
            id: "output".to_owned(),
            place: &place,
        };
        let value = self.presentable(&here, flow.value);
        match (source(&value), &flow.guard) {
            (Some(source), None) => source,
            _ => {
                let task = self.compose(&here, "", value, &flow.guard, &flow.after);
                json!({"task": self.drafts.tasks[task].id})
            }
        }
    }
}

/// The id of what stands beside the task of a state.
fn named(id: &str, part: &str) -> String {
    if part.is_empty() {
        id.to_owned()
    } else {
        format!("{id}.{part}")
    }
}

fn member(name: &str) -> String {
    let step = crate::expression::path::Step::Key(name.to_owned());
    let path = Path {
        steps: vec![step],
        rest: String::new(),
    };
    path.text()
}

/// The fields that give a task a value as its input without computing; `None` when it must be computed.
fn inputs(payload: &Expression) -> Option<Map<String, Value>> {
    let mut fields = Map::new();
    let members: Option<Map<String, Value>> = match payload {
        Expression::Object(members) => {
            let sources = members.0.iter();
            let sources = sources
                .map(|(name, part)| Some((is_name(name).then(|| name.clone())?, source(part)?)));
            sources.collect()
        }
        Expression::Value(Value::Object(members)) => {
            let sources = members.iter();
            let sources = sources.map(|(name, value)| {
                Some((
                    is_name(name).then(|| name.clone())?,
                    json!({"value": value}),
                ))
            });
            sources.collect()
        }
        _ => None,
    };
    match members {
        Some(members) if members.is_empty() => {}
        Some(members) => {
            fields.insert("inputs".into(), members.into());
        }
        None => {
            fields.insert("input".into(), source(payload)?);
        }
    }
    Some(fields)
}

/// A value as a source of the language; `None` when it must be computed.
fn source(value: &Expression) -> Option<Value> {
    Some(match value {
        Expression::Value(value) => json!({ "value": value }),
        Expression::Input(id) if id == RUN => json!({"run": "$"}),
        Expression::Input(id) => json!({ "task": id }),
        Expression::Path(of, path) => {
            let definite = Path::parse(path).is_some_and(|path| path.is_definite());
            if !definite || path.len() > PATH_BYTES {
                return None;
            }
            match &**of {
                Expression::Input(id) if id == RUN => json!({ "run": path }),
                Expression::Input(id) => json!({"task": id, "path": path}),
                _ => return None,
            }
        }
        _ => return None,
    })
}

fn rename(expression: &mut Expression, names: &BTreeMap<String, String>) {
    if let Expression::Input(id) = expression
        && let Some(name) = names.get(id)
    {
        *id = name.clone();
    }
    for part in expression.parts_mut() {
        rename(part, names);
    }
}

/// Whether the language takes it as the name of an input.
fn is_name(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    (1..=64).contains(&name.len())
        && name.chars().all(plain)
        && name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
}
