//! A task becomes its parts and what puts them together: as tasks like any other.

use foreshard_model::ids::{TaskId, TaskIndex};
use foreshard_model::sculpt::{Merge, Slice, Split};
use foreshard_model::units::Mib;
use foreshard_model::workflow::{
    CONDITION, Effect, Extras, FileInput, FileOutput, FileSource, Need, Resources, Task, TaskKind,
    ValueSource,
};
use serde_json::Value;

/// Longest addition to a task's id for one of its parts: `/part-1000`.
pub const PART_ID_CHARS: usize = 10;

/// The handler that puts parts together; built into the worker.
pub const JOIN: &str = "join";

/// The input of [`JOIN`] that says how.
pub const JOIN_INPUT: &str = "merge";

/// Memory of a merge in the worker, in MiB: the outputs are read and written once more, each of at most 64 MiB as text.
const JOIN_MIB: u32 = 256;

/// Longest duration of a merge in the worker, in milliseconds: it reads and writes what a worker can hold.
const JOIN_TIMEOUT_MS: u64 = 300_000;

/// Cuts the task at `index` into `parts`, which go to the end; the task itself becomes the merge, under its own id, so that
/// whatever takes from it finds what it found before.
pub(super) fn cut(tasks: &mut Vec<Task>, index: TaskIndex, split: &Split, parts: u32) {
    let first = tasks.len() as u32;
    let whole = tasks[index.index()].clone();
    tasks.extend((0..parts).map(|at| part(&whole, split, at, parts)));
    let all: Vec<TaskIndex> = (first..first + parts).map(TaskIndex).collect();
    let bytes = part_writes(&whole, parts)
        .iter()
        .filter_map(|file| file.bytes)
        .fold(0, u64::saturating_add);
    let needs = all.iter().map(|&task| Need { task, bytes }).collect();
    tasks[index.index()] = merge(whole, split, needs, all);
}

/// One of as few parts as a task may be cut into; `None`: it is never cut.
pub(crate) fn largest_part(whole: &Task) -> Option<Task> {
    let split = whole.extras.as_deref()?.split.as_deref()?;
    (split.max_parts >= 2).then(|| part(whole, split, 0, split.min_parts.max(2)))
}

fn part(whole: &Task, split: &Split, at: u32, parts: u32) -> Task {
    let mut task = whole.clone();
    task.id = TaskId(format!("{}/part-{}", whole.id, at + 1));
    task.task_type = format!("{}/part", whole.task_type);
    task.writes = part_writes(whole, parts);
    task.resources = part_resources(whole, split, parts);
    task.estimate_ms = part_estimate_ms(whole.estimate_ms, split, parts);
    let mut extras = whole.extras();
    extras.split = None;
    extras.slice = Some(Slice {
        by: split.by.clone(),
        part: at,
        parts,
    });
    task.extras = Some(Box::new(extras));
    task
}

/// Expected sizes of the files that one part writes.
fn part_writes(whole: &Task, parts: u32) -> Vec<FileOutput> {
    let share = |file: &FileOutput| FileOutput {
        name: file.name.clone(),
        bytes: file.bytes.map(|bytes| bytes.div_ceil(u64::from(parts))),
    };
    whole.writes.iter().map(share).collect()
}

/// What one part needs: what parts were measured to need, or of the memory what every part needs and its share of the rest.
pub(super) fn part_resources(whole: &Task, split: &Split, parts: u32) -> Resources {
    if let Some(measured) = split.measured {
        return measured;
    }
    let all = whole.resources.memory.0;
    let fixed = split.fixed_memory.map_or(all, |fixed| fixed.0.min(all));
    Resources {
        memory: Mib(fixed + (all - fixed).div_ceil(parts)),
        ..whole.resources
    }
}

/// Expected duration of one part: what every part takes and its share of the rest.
pub(super) fn part_estimate_ms(whole_ms: Option<u64>, split: &Split, parts: u32) -> Option<u64> {
    let whole = whole_ms?;
    let fixed = split.fixed_ms.min(whole);
    Some(fixed + (whole - fixed).div_ceil(u64::from(parts)))
}

/// What the merge runs, needs, and is expected to take.
pub(super) fn merge_form(split: &Split) -> (TaskKind, Resources, Option<u64>, u64) {
    match &split.merge {
        Merge::BuiltIn(_) => (
            TaskKind::Handler {
                handler: JOIN.to_owned(),
            },
            Resources {
                memory: Mib(JOIN_MIB),
                vcpus: 1.0,
                gpu: None,
                disk: Mib(0),
                network_mbps: 0,
            },
            Some(0),
            JOIN_TIMEOUT_MS,
        ),
        Merge::Task(own) => (
            own.kind.clone(),
            own.resources,
            own.estimate_ms,
            own.timeout_ms,
        ),
    }
}

fn merge(whole: Task, split: &Split, needs: Vec<Need>, parts: Vec<TaskIndex>) -> Task {
    let (kind, resources, estimate_ms, timeout_ms) = merge_form(split);
    let mut inputs: Vec<(String, ValueSource)> = Vec::new();
    if let Merge::BuiltIn(join) = &split.merge {
        let how = Value::from(join.as_str());
        inputs.push((JOIN_INPUT.to_owned(), ValueSource::Constant(Box::new(how))));
    }
    // Where the whole does not run, neither do its parts, nor is there anything to put together.
    let condition = whole.inputs.iter().find(|(name, _)| name == CONDITION);
    inputs.extend(condition.cloned());
    inputs.sort_by(|(a, _), (b, _)| a.cmp(b));
    let files = whole.writes.iter().flat_map(|file| {
        let of_part = |(at, &task): (usize, &TaskIndex)| FileInput {
            name: format!("{}.{}", file.name, at + 1),
            source: FileSource::Task {
                task,
                file: file.name.clone(),
            },
        };
        parts.iter().enumerate().map(of_part)
    });
    let mut needs = needs;
    if let Some((_, ValueSource::Task { task, .. })) = condition
        && !needs.iter().any(|need| need.task == *task)
    {
        needs.push(Need {
            task: *task,
            bytes: 0,
        });
    }
    let of_whole = whole.extras();
    let mut extras = Extras {
        priority: of_whole.priority,
        cut: of_whole.cut,
        parts: parts.clone(),
        ..Extras::default()
    };
    extras.affinity.together = of_whole.affinity.together;
    extras.affinity.apart = of_whole.affinity.apart;
    extras.affinity.residency = of_whole.affinity.residency;
    Task {
        files: files.collect(),
        task_type: format!("{}/merge", whole.task_type),
        kind,
        needs,
        inputs,
        resources,
        estimate_ms,
        timeout_ms,
        effect: match split.merge {
            Merge::BuiltIn(_) => Effect::Pure,
            Merge::Task(_) => whole.effect,
        },
        extras: Some(Box::new(extras)),
        ..whole
    }
}
