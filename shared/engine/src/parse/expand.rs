//! Puts sub-workflows in the place of the tasks that refer to them, and makes the workflow that the engine knows.

mod formed;

use std::collections::{BTreeMap, BTreeSet};

use foreshard_model::ids::{TaskId, TaskIndex};
use foreshard_model::limits::TASK_ID_CHARS;
use foreshard_model::workflow::{
    Effect, FileInput, FileSource, Need, Task, TaskKind, ValueSource, Workflow,
};

use super::code::Code;
use super::draft::{Body, Draft, Mapping, Settings, Work};
use super::order::{Lists, position};
use super::origin::Origin;
use super::problems::{Mark, Trouble, shown};
use super::scope::Scopes;
use super::settings::{RETRIES, TIMEOUT_MS, cpu_ms, default_timeout_ms, default_type, resources};
use super::world::{MAIN, PartId, World};
use crate::sculpt::PART_ID_CHARS;

use formed::with_memory;

/// The handler that a reference becomes: its output is its input. Built into the worker.
pub(crate) const COLLECT: &str = "collect";

/// Expands the submitted tasks. The world has been checked; what only shows here is reported in it.
pub(crate) fn expand(
    mut world: World,
    scopes: &Scopes,
    needs: &BTreeMap<PartId, Lists>,
) -> (Workflow, Vec<String>, World) {
    // The submitted tasks are used once: they are moved, not copied, because there can be a million of them.
    let parts = &mut world.members[MAIN.unit].unit.parts;
    let drafts = std::mem::take(&mut parts[MAIN.part].drafts);
    let count = scopes.of(MAIN);
    let size = drafts.len().checked_sub(1);
    let size = size.map_or(0, |last| count.offset(position(last)) + 1);
    let mut expansion = Expansion {
        world: &world,
        scopes,
        needs,
        tasks: Vec::with_capacity(size as usize),
        bundles: BTreeSet::new(),
        found: Vec::new(),
    };
    let frame = Frame {
        part: MAIN,
        base: 0,
        prefix: String::new(),
        entry: Vec::new(),
        bound: expansion.run_params(),
        origin: None,
    };
    for (index, draft) in drafts.into_iter().enumerate() {
        expansion.draft(index, draft, &frame);
    }
    let outputs = expansion.values(0, world.part(MAIN).outputs.clone(), &frame);
    let Expansion {
        mut tasks,
        bundles,
        found,
        ..
    } = expansion;
    bytes_on_edges(&mut tasks);
    let unit = &world.members[MAIN.unit].unit;
    let workflow = Workflow {
        name: unit.name.clone(),
        version: unit.version.clone(),
        tasks,
        outputs: outputs.into_iter().collect(),
        on_failure: unit.on_failure,
        objective: unit.objective.clone(),
    };
    for (id, rest, trouble) in found {
        world.report(id, &rest, trouble);
    }
    (workflow, bundles.into_iter().collect(), world)
}

struct Expansion<'w> {
    world: &'w World,
    scopes: &'w Scopes,
    needs: &'w BTreeMap<PartId, Lists>,
    tasks: Vec<Task>,
    bundles: BTreeSet<String>,
    found: Vec<(PartId, String, Trouble)>,
}

/// One use of a part.
struct Frame {
    part: PartId,
    /// Where its tasks begin.
    base: u32,
    /// What their ids begin with.
    prefix: String,
    /// What the tasks that need nothing need: what the reference needs.
    entry: Vec<TaskIndex>,
    /// The parameters.
    bound: BTreeMap<String, Bound>,
    /// The reference of the submitted document that led here, for messages.
    origin: Option<usize>,
}

/// What is known of a task before its settings.
struct Made<'n> {
    id: String,
    stem: &'n str,
    needs: Vec<TaskIndex>,
    /// The task of the submitted document that led here, for messages.
    origin: usize,
}

/// What a parameter stands for.
#[derive(Debug, Clone)]
enum Bound {
    Value(ValueSource),
    File(FileSource),
}

impl Expansion<'_> {
    /// The parameters of the submitted document are members of the run's input.
    fn run_params(&self) -> BTreeMap<String, Bound> {
        let params = self.world.part(MAIN).params.iter();
        params
            .map(|param| {
                let source = ValueSource::Run {
                    path: Some(format!("$['{}']", param.name)),
                    default: param.default.clone().map(Box::new),
                };
                (param.name.clone(), Bound::Value(source))
            })
            .collect()
    }

    fn draft(&mut self, index: usize, draft: Draft, frame: &Frame) {
        let names = &self.world.members[frame.part.unit].unit.names;
        let id = format!("{}{}", frame.prefix, names.text(draft.id));
        let origin = frame.origin.unwrap_or(index);
        let is_split = draft.body.forms.as_ref().is_some_and(|f| f.split.is_some());
        let most = TASK_ID_CHARS - if is_split { PART_ID_CHARS } else { 0 };
        if id.len() > most {
            let message = format!("`{}` is longer than {most} characters", shown(&id));
            let trouble = Trouble::new(Code::OutOfRange, draft.mark, message)
                .hint("ids inside sub-workflows are `reference/task`: shorten them");
            self.found.push((MAIN, format!("tasks[{origin}]"), trouble));
        }
        let place = position(index);
        let scope = self.scopes.of(frame.part);
        let needs: Vec<TaskIndex> = match self.needs.get(&frame.part).map(|n| n.get(place)) {
            Some([]) | None => frame.entry.clone(),
            Some(needs) => needs
                .iter()
                .map(|need| TaskIndex(frame.base + scope.offset(*need)))
                .collect(),
        };
        match draft.work {
            Work::Task(kind) => {
                let made = Made {
                    id,
                    stem: super::stem::stem(names.text(draft.id)),
                    needs,
                    origin,
                };
                self.task(made, kind, draft.body, frame);
            }
            Work::Reference(reference) => {
                let Some(part) = self.world.target(frame.part, &reference.workflow) else {
                    return;
                };
                let bound = self.bind(reference.params, frame);
                let inner = Frame {
                    part,
                    base: frame.base + scope.start(place),
                    prefix: format!("{id}/"),
                    entry: needs,
                    bound: self.with_defaults(bound, part),
                    origin: Some(origin),
                };
                self.reference(id, &inner);
            }
        }
    }

    fn reference(&mut self, id: String, inner: &Frame) {
        let part = self.world.part(inner.part);
        for (index, draft) in part.drafts.iter().enumerate() {
            self.draft(index, draft.clone(), inner);
        }
        let scope = self.scopes.of(inner.part);
        let at = |task: u32| TaskIndex(inner.base + scope.offset(task));
        let sinks = self.sinks(inner.part);
        let given = self.world.members[inner.part.unit].unit.defaults;
        let mut needs: BTreeSet<TaskIndex> = sinks.iter().map(|sink| at(*sink)).collect();
        let inputs = if part.outputs.is_empty() {
            let names = &self.world.members[inner.part.unit].unit.names;
            let whole = |sink: &u32| {
                let task = at(*sink);
                let source = ValueSource::Task { task, path: None };
                (
                    names.text(part.drafts[*sink as usize].id).to_owned(),
                    source,
                )
            };
            sinks.iter().map(whole).collect()
        } else {
            self.values(inner.origin.unwrap_or(0), part.outputs.clone(), inner)
        };
        needs.extend(inputs.iter().filter_map(|(_, source)| match source {
            ValueSource::Task { task, .. } if task.0 >= inner.base => Some(*task),
            _ => None,
        }));
        self.tasks.push(Task {
            id: TaskId(id),
            task_type: format!("handler:{COLLECT}"),
            kind: TaskKind::Handler {
                handler: COLLECT.to_owned(),
            },
            needs: needs
                .into_iter()
                .map(|task| Need { task, bytes: 0 })
                .collect(),
            inputs,
            files: Vec::new(),
            writes: Vec::new(),
            resources: resources(&Settings::default(), &given),
            estimate_ms: None,
            timeout_ms: TIMEOUT_MS,
            effect: Effect::Pure,
            retries: RETRIES,
            extras: None,
        });
    }

    /// The tasks of a part that no other needs.
    fn sinks(&self, part: PartId) -> Vec<u32> {
        let count = self.world.part(part).drafts.len();
        let mut is_sink = vec![true; count];
        if let Some(needs) = self.needs.get(&part) {
            for task in 0..position(count) {
                for need in needs.get(task) {
                    is_sink[*need as usize] = false;
                }
            }
        }
        let all = 0..position(count);
        all.filter(|task| is_sink[*task as usize]).collect()
    }

    fn task(&mut self, made: Made<'_>, kind: TaskKind, body: Body, frame: &Frame) {
        let own = body.settings;
        let given = self.world.members[frame.part.unit].unit.defaults;
        let resources = resources(&own, &given);
        let kind = with_memory(self.kind(kind, frame), resources.memory);
        let task_type = match body.task_type {
            Some(given) => given.into_string(),
            None => default_type(&kind, made.stem),
        };
        let estimate_ms = own.estimate_ms.or_else(|| cpu_ms(&kind));
        let effect = own.effect.or(given.effect).unwrap_or_default();
        let retries = match (own.retries, effect) {
            (Some(own), _) => own,
            (None, Effect::Once) => 0,
            (None, _) => given.retries.unwrap_or(RETRIES),
        };
        let timeout_ms = own.timeout_ms.or(given.timeout_ms);
        let (inputs, files) = (
            self.values(made.origin, body.inputs, frame),
            self.files(made.origin, body.files, frame),
        );
        let extras = match body.forms {
            Some(forms) => Some(self.formed(*forms, body.extras, &kind, &own, frame)),
            None => body.extras,
        };
        self.tasks.push(Task {
            id: TaskId(made.id),
            task_type,
            kind,
            needs: made.needs.into_iter().map(without_bytes).collect(),
            inputs,
            files,
            writes: body.writes,
            resources,
            estimate_ms,
            timeout_ms: timeout_ms.unwrap_or_else(|| default_timeout_ms(estimate_ms)),
            effect,
            retries,
            extras,
        });
    }

    /// Bundles of registered workflows are told apart by the workflow's name.
    fn kind(&mut self, kind: TaskKind, frame: &Frame) -> TaskKind {
        let label = &self.world.members[frame.part.unit].label;
        match kind {
            TaskKind::Command(mut command) => {
                if let Some(folder) = &mut command.bundle {
                    if !label.is_empty() {
                        *folder = format!("{label}:{folder}");
                    }
                    self.bundles.insert(folder.clone());
                }
                TaskKind::Command(command)
            }
            other => other,
        }
    }

    fn bind(&mut self, params: Vec<Mapping>, frame: &Frame) -> BTreeMap<String, Bound> {
        let bound = params.into_iter().filter_map(|mapping| {
            let bound = self.bound(mapping.origin, frame)?;
            Some((mapping.name, bound))
        });
        bound.collect()
    }

    fn with_defaults(
        &self,
        mut bound: BTreeMap<String, Bound>,
        part: PartId,
    ) -> BTreeMap<String, Bound> {
        for param in &self.world.part(part).params {
            if let Some(default) = &param.default {
                let value = || Bound::Value(ValueSource::Constant(Box::new(default.clone())));
                bound.entry(param.name.clone()).or_insert_with(value);
            }
        }
        bound
    }

    /// What an origin stands for in a frame; `None` only for what has been reported.
    fn bound(&self, origin: Origin, frame: &Frame) -> Option<Bound> {
        let at = |task| {
            let slot = self.scopes.slot(self.world, frame.part, task)?;
            Some(TaskIndex(frame.base + slot.offset))
        };
        Some(match origin {
            Origin::Task { task, path } => Bound::Value(ValueSource::Task {
                task: at(task)?,
                path,
            }),
            Origin::File { task, file } => Bound::File(FileSource::Task {
                task: at(task)?,
                file,
            }),
            Origin::Run { path, default } => Bound::Value(ValueSource::Run { path, default }),
            Origin::Param(name) => frame.bound.get(&name)?.clone(),
            Origin::Constant(value) => Bound::Value(ValueSource::Constant(value)),
        })
    }

    /// The sources of values, by name.
    fn values(
        &mut self,
        origin: usize,
        mappings: Vec<Mapping>,
        frame: &Frame,
    ) -> Vec<(String, ValueSource)> {
        let mut values = Vec::with_capacity(mappings.len());
        for Mapping {
            name,
            origin: from,
            mark,
        } in mappings
        {
            let param = from.param();
            match self.bound(from, frame) {
                Some(Bound::Value(source)) => values.push((name, source)),
                Some(Bound::File(_)) => self.wrong_sort(origin, param, &name, mark, true),
                None => {}
            }
        }
        values.sort_by(|(a, _), (b, _)| a.cmp(b));
        values
    }

    fn files(&mut self, origin: usize, mappings: Vec<Mapping>, frame: &Frame) -> Vec<FileInput> {
        let mut files = Vec::with_capacity(mappings.len());
        for Mapping {
            name,
            origin: from,
            mark,
        } in mappings
        {
            let param = from.param();
            match self.bound(from, frame) {
                Some(Bound::File(source)) => files.push(FileInput { name, source }),
                Some(Bound::Value(_)) => self.wrong_sort(origin, param, &name, mark, false),
                None => {}
            }
        }
        files
    }

    /// Reports a parameter that is given a file and taken as a value, or the other way round.
    fn wrong_sort(
        &mut self,
        origin: usize,
        param: Option<String>,
        name: &str,
        mark: Mark,
        is_file: bool,
    ) {
        let (given, wanted) = if is_file {
            ("a file", "a value")
        } else {
            ("a value", "a file")
        };
        let param = param.unwrap_or_default();
        let message =
            format!("the parameter `{param}` is given {given}, but `{name}` takes it as {wanted}");
        let hint = "a file is given as {task: id, file: name}; it cannot come from the run's input";
        let trouble = Trouble::new(Code::Parameter, mark, message).hint(hint);
        self.found.push((MAIN, format!("tasks[{origin}]"), trouble));
    }
}

fn without_bytes(task: TaskIndex) -> Need {
    Need { task, bytes: 0 }
}

/// Puts on each dependency the expected bytes of the files that move along it, each file once.
fn bytes_on_edges(tasks: &mut [Task]) {
    for index in 0..tasks.len() {
        if tasks[index].files.is_empty() {
            continue;
        }
        let mut moved: Vec<(TaskIndex, &str)> = tasks[index]
            .files
            .iter()
            .filter_map(|file| match &file.source {
                FileSource::Task { task, file } => Some((*task, file.as_str())),
                FileSource::Generated { .. } => None,
            })
            .collect();
        moved.sort_unstable();
        moved.dedup();
        let mut sums: BTreeMap<TaskIndex, u64> = BTreeMap::new();
        for (task, file) in moved {
            let writes = &tasks[task.index()].writes;
            let found = writes.binary_search_by(|w| w.name.as_str().cmp(file)).ok();
            let bytes = found.and_then(|place| writes[place].bytes).unwrap_or(0);
            let sum = sums.entry(task).or_default();
            *sum = sum.saturating_add(bytes);
        }
        for need in &mut tasks[index].needs {
            need.bytes = sums.get(&need.task).copied().unwrap_or(0);
        }
    }
}
