//! From the workflow to what the planner calculates with; whatever no target can run is found here.

use std::collections::BTreeMap;

use foreshard_model::limits::PROBLEMS_REPORTED;
use foreshard_model::problem::{Problem, Severity};
use foreshard_model::target::Pool;
use foreshard_model::workflow::{Affinity, Effect, Task, TaskKind};

use crate::graph::{Csr, Edge, topological_order};
use crate::objective;
use crate::place::{Ladder, Load, TASK_MS, TRANSFER_BYTES_PER_MS, UNKNOWN_TASK_MS, WORKER_MIB};
use crate::shard::{Apart, Demand};

use super::PlanInput;
use super::scale::Scale;

/// Bytes of a MiB.
const MIB: u64 = 1024 * 1024;

/// Processor share of a task that waits for somebody else's answer.
const WAITING_VCPUS: f64 = 0.05;
/// Memory of such a task at most, in MiB: its request and the answer; the work is done elsewhere.
const WAITING_MIB: u32 = 32;

/// What the planner calculates with.
///
/// # Errors
///
/// Every task that no target can run, and every missing bundle; at most [`PROBLEMS_REPORTED`] of them, the rest counted.
pub(super) fn demand(input: &PlanInput<'_>, scale: Scale) -> Result<Demand, Vec<Problem>> {
    let tasks = &input.workflow.tasks;
    let mut problems = check_input(input);
    let edges = tasks.iter().enumerate().flat_map(|(to, task)| {
        task.needs.iter().map(move |need| Edge {
            from: need.task.0,
            to: to as u32,
            bytes: scale.bytes(need.bytes),
        })
    });
    let graph = Csr::new(tasks.len(), edges);
    let order = topological_order(&graph);
    if order.is_none() {
        problems.push(problem(
            "FS2011",
            "tasks",
            "the tasks' needs form a cycle".to_owned(),
            "a workflow is a graph without cycles",
        ));
    }
    let mut classes = Classes::new(input.pool);
    let mut loads = Vec::with_capacity(tasks.len());
    let mut unknown = 0;
    for task in tasks {
        match load(task, input, scale, &mut classes) {
            Ok(load) => loads.push(load),
            Err(problem) if problems.len() < PROBLEMS_REPORTED => problems.push(*problem),
            Err(_) => classes.unreported += 1,
        }
        unknown += u32::from(task.estimate_ms.is_none());
    }
    if classes.unreported > 0 {
        problems.push(problem(
            "FS2099",
            "tasks",
            format!("{} further problems are not listed", classes.unreported),
            "mend those above first",
        ));
    }
    let (Some(order), true) = (order, problems.is_empty()) else {
        return Err(problems);
    };
    let mut position = vec![0; order.len()];
    for (at, &task) in order.iter().enumerate() {
        position[task as usize] = at as u32;
    }
    let (together, apart) = neighbours(tasks);
    Ok(Demand {
        graph,
        order,
        position,
        loads,
        ladders: classes.ladders,
        together,
        apart,
        unknown,
    })
}

fn check_input(input: &PlanInput<'_>) -> Vec<Problem> {
    let mut problems = Vec::new();
    if input.workflow.tasks.is_empty() {
        problems.push(problem(
            "FS2001",
            "tasks",
            "the workflow has no task".to_owned(),
            "add one",
        ));
    }
    if input.pool.targets.is_empty() {
        problems.push(problem(
            "FS2002",
            "pool",
            "the pool has no target".to_owned(),
            "deploy at least one execute function",
        ));
    }
    for (name, factor) in [
        ("scale", input.options.scale),
        ("memory_scale", input.options.memory_scale),
    ] {
        if !factor.is_finite() || factor < 0.0 {
            problems.push(problem(
                "FS2010",
                &format!("options.{name}"),
                format!("`{factor}` is not a factor"),
                "a finite number, 0 or more",
            ));
        }
    }
    problems.extend(objective::problems(
        &input.options.objective,
        "options.objective",
    ));
    problems
}

fn load(
    task: &Task,
    input: &PlanInput<'_>,
    scale: Scale,
    classes: &mut Classes<'_>,
) -> Result<Load, Box<Problem>> {
    if let TaskKind::Command(command) = &task.kind
        && let Some(bundle) = &command.bundle
        && !input.bundles.contains_key(bundle)
    {
        return Err(Box::new(problem(
            "FS2007",
            &format!("tasks.{}.bundle", task.id),
            format!("no bundle was uploaded for the folder `{bundle}`"),
            "submit with the command line, which uploads it, or name it in `bundles`",
        )));
    }
    let resources = scale.resources(task);
    let affinity = task.extras.as_deref().map(|extras| &extras.affinity);
    let class = classes.of(affinity, resources.gpu.map(|gpu| gpu.0));
    let ladder = &classes.ladders[class as usize];
    let (vcpus, memory) = match task.kind {
        TaskKind::Http(_) | TaskKind::Lambda { .. } => {
            (WAITING_VCPUS, resources.memory.0.min(WAITING_MIB))
        }
        _ => (f64::from(resources.vcpus), resources.memory.0),
    };
    let written: u64 = task
        .writes
        .iter()
        .filter_map(|file| file.bytes)
        .map(|bytes| scale.bytes(bytes))
        .fold(0, u64::saturating_add);
    let moved = task.needs.iter().map(|need| scale.bytes(need.bytes));
    let files = moved.fold(scale.generated(&task.files), u64::saturating_add);
    let asked = u64::from(resources.disk.0) * MIB;
    let disk_bytes = files.saturating_add(written).max(asked);
    let Some(rung) = ladder.alone(memory, vcpus, disk_bytes) else {
        return Err(Box::new(no_target(
            task, memory, disk_bytes, ladder, input.pool,
        )));
    };
    let cpu_ms = scale.estimate_ms(task).unwrap_or(UNKNOWN_TASK_MS);
    let at = &ladder.rungs()[rung];
    let ms = cpu_ms / speed(at.vcpus, vcpus) + TASK_MS + written as f64 / TRANSFER_BYTES_PER_MS;
    if ms > at.limit_ms as f64 {
        return Err(Box::new(too_long(
            task,
            ms,
            at.limit_ms,
            &input.pool.targets[at.target].id.0,
        )));
    }
    let extras = task.extras.as_deref();
    Ok(Load {
        ms,
        cpu_ms,
        memory,
        rung,
        class,
        disk_bytes,
        objects: task.writes.len() as u32,
        priority: extras.map_or(0, |extras| extras.priority),
        alone: task.effect == Effect::Once,
        ends: extras.is_some_and(|extras| extras.cut.after),
    })
}

/// How fast a tier with `share` vCPUs runs a task that can use `vcpus`, one vCPU being 1.
fn speed(share: f64, vcpus: f64) -> f64 {
    if vcpus <= 1.0 {
        (share / vcpus.max(0.01)).clamp(0.01, 1.0)
    } else {
        share.min(vcpus).max(0.01)
    }
}

fn no_target(task: &Task, memory: u32, disk_bytes: u64, ladder: &Ladder, pool: &Pool) -> Problem {
    if let Some(largest) = ladder.rungs().last() {
        let nearest = &pool.targets[largest.target].id;
        if memory.saturating_add(WORKER_MIB) > largest.memory {
            return problem(
                "FS2003",
                &format!("tasks.{}.resources.memory", task.id),
                format!(
                    "{memory} MiB and the worker's own {WORKER_MIB} MiB fit on no target; the nearest, `{nearest}`, has {} MiB",
                    largest.memory
                ),
                "lower the memory, split the task, or add a larger target to the pool",
            );
        }
        return problem(
            "FS2005",
            &format!("tasks.{}.resources.disk", task.id),
            format!(
                "{} MiB of scratch disk and files fit on no target; the nearest, `{nearest}`, has {} MiB",
                disk_bytes.div_ceil(MIB),
                largest.disk_bytes / MIB
            ),
            "split the task, or stream the data",
        );
    }
    if let Some(gpu) = task.resources.gpu {
        return problem(
            "FS2004",
            &format!("tasks.{}.resources.gpu", task.id),
            format!("no target has a GPU with {gpu}"),
            "add a target with the label `gpu_mib` to the pool",
        );
    }
    let wanted = task.extras().affinity.require;
    let nearest = pool
        .targets
        .iter()
        .max_by_key(|target| {
            wanted
                .iter()
                .filter(|(name, value)| target.labels.get(*name) == Some(value))
                .count()
        })
        .map_or_else(String::new, |target| {
            format!("; the nearest is `{}`", target.id)
        });
    let wanted: Vec<String> = wanted
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    problem(
        "FS2006",
        &format!("tasks.{}.affinity.require", task.id),
        format!("no target has the labels {}{nearest}", wanted.join(", ")),
        "drop a label, use `prefer`, or add a target that has them",
    )
}

fn too_long(task: &Task, ms: f64, limit_ms: u64, target: &str) -> Problem {
    problem(
        "FS2008",
        &format!("tasks.{}.estimate_ms", task.id),
        format!(
            "the task is expected to take {:.0} s and cannot be cut; `{target}` stops after {} s",
            ms / 1000.0,
            limit_ms / 1000
        ),
        "split the task, or give it more vCPUs if it can use them",
    )
}

fn problem(code: &str, path: &str, message: String, hint: &str) -> Problem {
    Problem {
        code: code.to_owned(),
        severity: Severity::Error,
        path: path.to_owned(),
        place: None,
        message,
        hint: Some(hint.to_owned()),
    }
}

/// Groups of `affinity.together`, in order of their names, and the tasks with `affinity.apart`.
fn neighbours(tasks: &[Task]) -> (Vec<Vec<u32>>, Apart) {
    let mut together: BTreeMap<&str, Vec<u32>> = BTreeMap::new();
    let mut values: BTreeMap<&str, u32> = BTreeMap::new();
    let mut apart: Vec<(u32, u32)> = Vec::new();
    for (at, task) in tasks.iter().enumerate() {
        let Some(extras) = task.extras.as_deref() else {
            continue;
        };
        if let Some(name) = &extras.affinity.together {
            together.entry(name).or_default().push(at as u32);
        }
        if let Some(name) = &extras.affinity.apart {
            let next = values.len() as u32;
            apart.push((at as u32, *values.entry(name).or_insert(next)));
        }
    }
    let together = together
        .into_values()
        .filter(|group| group.len() > 1)
        .collect();
    (together, Apart::new(apart.into_iter()))
}

/// The requirements of some tasks: required labels, preferred labels, GPU memory.
type Requirements = (
    BTreeMap<String, String>,
    BTreeMap<String, String>,
    Option<u32>,
);

/// Requirements met so far, each with its ladder.
struct Classes<'a> {
    pool: &'a Pool,
    known: BTreeMap<Requirements, u32>,
    ladders: Vec<Ladder>,
    unreported: u32,
}

impl<'a> Classes<'a> {
    fn new(pool: &'a Pool) -> Self {
        let none = BTreeMap::new();
        Self {
            pool,
            known: BTreeMap::new(),
            ladders: vec![Ladder::new(pool, &none, &none, None)],
            unreported: 0,
        }
    }

    fn of(&mut self, affinity: Option<&Affinity>, gpu: Option<u32>) -> u32 {
        let plain = affinity.is_none_or(|a| a.require.is_empty() && a.prefer.is_empty());
        if plain && gpu.is_none() {
            return 0;
        }
        let affinity = affinity.cloned().unwrap_or_default();
        let key = (affinity.require, affinity.prefer, gpu);
        if let Some(&class) = self.known.get(&key) {
            return class;
        }
        let ladder = Ladder::new(self.pool, &key.0, &key.1, gpu);
        let same = self.ladders.iter().position(|known| *known == ladder);
        let class = same.unwrap_or_else(|| {
            self.ladders.push(ladder);
            self.ladders.len() - 1
        }) as u32;
        self.known.insert(key, class);
        class
    }
}
