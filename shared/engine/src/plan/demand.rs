//! From the workflow to what the planner calculates with; whatever no target can run is found here.

use std::collections::BTreeMap;

use foreshard_model::limits::PROBLEMS_REPORTED;
use foreshard_model::problem::Problem;
use foreshard_model::workflow::{Affinity, Effect, Task, TaskKind};

use crate::graph::{Csr, Edge, topological_order, upward_ranks};
use crate::objective;
use crate::place::{
    Ladder, Load, Lying, Needs, Rung, Sites, TASK_MS, TRANSFER_BYTES_PER_MS, UNKNOWN_TASK_MS,
};
use crate::shard::{Apart, Demand};

use super::PlanInput;
use super::refusal::{MIB, no_target, problem};
use super::residency::residency;
use super::scale::Scale;

/// Processor share of a task that waits for somebody else's answer.
pub(crate) const WAITING_VCPUS: f64 = 0.05;
/// Memory of such a task at most, in MiB: its request and the answer; the work is done elsewhere.
pub(crate) const WAITING_MIB: u32 = 32;

/// What the planner calculates with.
///
/// # Errors
///
/// Every task that no target can run, and every missing bundle; at most [`PROBLEMS_REPORTED`] of them, the rest counted.
pub(super) fn demand(
    input: &PlanInput<'_>,
    scale: Scale,
    sites: &Sites<'_>,
) -> Result<Demand, Vec<Problem>> {
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
    let (regions, apart) = residency(tasks);
    problems.extend(apart);
    let mut classes = Classes::new(sites);
    let mut lying = Vec::new();
    let mut loads = Vec::with_capacity(tasks.len());
    let mut unknown = 0;
    for (at, task) in tasks.iter().enumerate() {
        let regions = regions.get(at).map_or(&[][..], Vec::as_slice);
        lying.extend(elsewhere(at, task, scale, sites));
        match load(task, input, scale, regions, &mut classes) {
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
        sequence: by_rank(&graph, &order, &position, &loads),
        graph: graph.into(),
        order,
        position,
        loads,
        ladders: classes.ladders,
        together,
        apart,
        lying,
        unknown,
    })
}

/// The tasks by upward rank: what much waits for is executed first within its shard, too.
fn by_rank(graph: &Csr, order: &[u32], position: &[u32], loads: &[Load]) -> Vec<u32> {
    let ms: Vec<f64> = loads.iter().map(|load| load.ms).collect();
    let ranks = upward_ranks(graph, order, &ms, 0.0);
    let mut sequence = order.to_vec();
    sequence.sort_by(|&a, &b| {
        ranks[b as usize]
            .total_cmp(&ranks[a as usize])
            .then(position[a as usize].cmp(&position[b as usize]))
    });
    sequence
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
    regions: &[String],
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
    let (class, needs) = classes.of(affinity, resources.gpu.map(|gpu| gpu.0), regions);
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
            task, &needs, memory, disk_bytes, input.pool,
        )));
    };
    let cpu_ms = scale.estimate_ms(task).unwrap_or(UNKNOWN_TASK_MS);
    let at = &ladder.rungs()[rung];
    let ms = cpu_ms / speed(at.vcpus, vcpus) + TASK_MS + written as f64 / TRANSFER_BYTES_PER_MS;
    let in_time = |on: &Rung| ms / on.speed <= on.limit_ms as f64;
    if !ladder.choices(rung).any(in_time) {
        return Err(Box::new(too_long(
            task,
            ms / at.speed,
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

/// The data that a task reads and no task writes, where the outlook tells in which region it lies.
fn elsewhere(at: usize, task: &Task, scale: Scale, sites: &Sites<'_>) -> Option<Lying> {
    let bytes = scale.generated(&task.files);
    let region = sites.home_of(&task.task_type).filter(|_| bytes > 0)?;
    Some(Lying {
        reader: at as u32,
        region,
        bytes,
    })
}

/// How fast a tier with `share` vCPUs runs a task that can use `vcpus`, one vCPU being 1.
pub(crate) fn speed(share: f64, vcpus: f64) -> f64 {
    if vcpus <= 1.0 {
        (share / vcpus.max(0.01)).clamp(0.01, 1.0)
    } else {
        share.min(vcpus).max(0.01)
    }
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

/// The table of ladders, one for each set of requirements that leads to different targets.
struct Classes<'a> {
    sites: &'a Sites<'a>,
    known: BTreeMap<Needs, u32>,
    ladders: Vec<Ladder>,
    unreported: usize,
}

impl<'a> Classes<'a> {
    fn new(sites: &'a Sites<'a>) -> Self {
        Self {
            sites,
            known: BTreeMap::new(),
            ladders: vec![Ladder::new(sites, &Needs::default())],
            unreported: 0,
        }
    }

    fn of(
        &mut self,
        affinity: Option<&Affinity>,
        gpu: Option<u32>,
        regions: &[String],
    ) -> (u32, Needs) {
        let plain = affinity.is_none_or(|a| a.require.is_empty() && a.prefer.is_empty());
        if plain && gpu.is_none() && regions.is_empty() {
            return (0, Needs::default());
        }
        let affinity = affinity.cloned().unwrap_or_default();
        let needs = Needs {
            require: affinity.require,
            prefer: affinity.prefer,
            gpu,
            regions: regions.to_vec(),
        };
        if let Some(&class) = self.known.get(&needs) {
            return (class, needs);
        }
        let ladder = Ladder::new(self.sites, &needs);
        let same = self.ladders.iter().position(|known| *known == ladder);
        let class = same.unwrap_or_else(|| {
            self.ladders.push(ladder);
            self.ladders.len() - 1
        }) as u32;
        self.known.insert(needs.clone(), class);
        (class, needs)
    }
}
