//! Why a task cannot run: which requirement fails, and the target that comes nearest.

use std::cmp::Reverse;

use foreshard_model::problem::{Problem, Severity};
use foreshard_model::target::{Pool, Target};
use foreshard_model::workflow::Task;

use crate::place::{Lack, Needs, WORKER_MIB};

/// Bytes of a MiB.
pub(super) const MIB: u64 = 1024 * 1024;

/// A problem of the planner.
pub(super) fn problem(code: &str, path: &str, message: String, hint: &str) -> Problem {
    Problem {
        code: code.to_owned(),
        severity: Severity::Error,
        path: path.to_owned(),
        place: None,
        message,
        hint: Some(hint.to_owned()),
    }
}

/// What one target lacks for a task.
struct Short<'a> {
    target: &'a Target,
    lacks: Vec<Lack>,
    memory: bool,
    disk: bool,
}

impl Short<'_> {
    fn count(&self) -> usize {
        self.lacks.len() + usize::from(self.memory) + usize::from(self.disk)
    }
}

/// No target can run the task: the nearest is the one that fails fewest requirements, of those the largest.
///
/// The code is that of the first requirement that the nearest fails; the others are named behind it.
pub(super) fn no_target(
    task: &Task,
    needs: &Needs,
    memory: u32,
    disk_bytes: u64,
    pool: &Pool,
) -> Problem {
    let short = pool.targets.iter().map(|target| Short {
        target,
        lacks: needs.lacks(target),
        memory: memory.saturating_add(WORKER_MIB) > target.memory.0,
        disk: disk_bytes > u64::from(target.disk().0) * MIB,
    });
    let nearest = short.min_by_key(|short| {
        let gpu = short.lacks.iter().find_map(|lack| match lack {
            Lack::Gpu(has) => Some(*has),
            _ => None,
        });
        let size = (
            gpu.unwrap_or(u32::MAX),
            short.target.disk(),
            short.target.memory,
        );
        (short.count(), short.lacks.len(), Reverse(size))
    });
    let Some(nearest) = nearest else {
        return problem(
            "FS2002",
            "pool",
            "the pool has no target".to_owned(),
            "deploy at least one execute function",
        );
    };
    let mut fails = failures(task, needs, memory, disk_bytes, &nearest).into_iter();
    let Some((code, field, message, hint)) = fails.next() else {
        return too_small_together(task, memory, disk_bytes, nearest.target);
    };
    let also: Vec<String> = fails.map(|(code, ..)| named(code).to_owned()).collect();
    let also = match also.as_slice() {
        [] => String::new(),
        more => format!("; it fails {}, too", more.join(" and ")),
    };
    problem(
        code,
        &format!("tasks.{}.{field}", task.id),
        format!("{message}{also}"),
        hint,
    )
}

/// Code, field, message and hint of each requirement that the target fails.
type Failure = (&'static str, &'static str, String, &'static str);

/// What is lacking of labels, GPU and residency, and then of memory and disk.
fn failures(
    task: &Task,
    needs: &Needs,
    memory: u32,
    disk_bytes: u64,
    nearest: &Short<'_>,
) -> Vec<Failure> {
    let id = &nearest.target.id;
    let mut fails = lacking(task, needs, nearest);
    if nearest.memory {
        fails.push((
            "FS2003",
            "resources.memory",
            format!(
                "{memory} MiB and the worker's own {WORKER_MIB} MiB fit on no target; the nearest, `{id}`, has {} MiB",
                nearest.target.memory.0
            ),
            "lower the memory, split the task, or add a larger target to the pool",
        ));
    }
    if nearest.disk {
        fails.push((
            "FS2005",
            "resources.disk",
            format!(
                "{} MiB of scratch disk and files fit on no target; the nearest, `{id}`, has {} MiB",
                disk_bytes.div_ceil(MIB),
                nearest.target.disk().0
            ),
            "split the task, or stream the data",
        ));
    }
    fails
}

fn lacking(task: &Task, needs: &Needs, nearest: &Short<'_>) -> Vec<Failure> {
    let id = &nearest.target.id;
    let mut fails: Vec<Failure> = Vec::new();
    if nearest.lacks.contains(&Lack::Residency) {
        fails.push((
            "FS2009",
            "affinity.residency",
            format!(
                "no target that could run it is in {}; the nearest, `{id}`, is in {}",
                needs.regions.join(" or "),
                nearest.target.region
            ),
            "add a target there, or allow a further region",
        ));
    }
    let lacked = nearest.lacks.iter().filter_map(|lack| match lack {
        Lack::Label(name, value, has) => Some(match has {
            Some(has) => format!("{name}={value} (it has {has})"),
            None => format!("{name}={value}"),
        }),
        _ => None,
    });
    let lacked: Vec<String> = lacked.collect();
    if !lacked.is_empty() {
        let wanted = needs
            .require
            .iter()
            .map(|(name, value)| format!("{name}={value}"));
        fails.push((
            "FS2006",
            "affinity.require",
            format!(
                "no target that could run it has the labels {}; the nearest, `{id}`, lacks {}",
                wanted.collect::<Vec<_>>().join(", "),
                lacked.join(", ")
            ),
            "drop a label, use `prefer`, or add a target that has them",
        ));
    }
    if let (Some(Lack::Gpu(has)), Some(gpu)) = (nearest.lacks.last(), task.resources.gpu) {
        let has = match has {
            0 => "none".to_owned(),
            mib => format!("one with {mib} MiB"),
        };
        fails.push((
            "FS2004",
            "resources.gpu",
            format!(
                "no target that could run it has a GPU with {gpu}; the nearest, `{id}`, has {has}"
            ),
            "add a target with the label `gpu_mib` to the pool",
        ));
    }
    fails
}

fn named(code: &str) -> &'static str {
    match code {
        "FS2009" => "its residency",
        "FS2006" => "its labels",
        "FS2004" => "its GPU",
        "FS2003" => "its memory",
        _ => "its disk",
    }
}

/// A target has everything, and still no tier was found: only when a pool changes between two looks.
fn too_small_together(task: &Task, memory: u32, disk_bytes: u64, nearest: &Target) -> Problem {
    problem(
        "FS2003",
        &format!("tasks.{}.resources", task.id),
        format!(
            "no target has both {memory} MiB and {} MiB of disk; the nearest is `{}`",
            disk_bytes.div_ceil(MIB),
            nearest.id
        ),
        "lower one of them, or add a larger target to the pool",
    )
}
