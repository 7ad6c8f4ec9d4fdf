//! Every recorded workflow runs to its end, and each of its tasks is committed exactly once.

use std::time::Duration;

use foreshard_local_emulator::machine::Machine;
use foreshard_model::plan::{LaneMode, ShardKind};
use foreshard_model::policy::RunOptions;
use foreshard_model::run::RunItem;
use foreshard_model::target::LADDER_MIB;

use super::history::History;
use super::recorded::{Recorded, all};
use super::stack::{Deployment, deployment, is_full, recorded_folder};
use super::witness::{Witness, tasks};
use super::{runs, stack};

/// Workflows that run at scale 0.01 in any case: those of the least work.
const AT_FULL_SCALE: [&str; 3] = [
    "montage-chameleon-2mass-005d-001",
    "blast-chameleon-small-003",
    "sarek-dirt02-001",
];

/// Scale of the promises.
const FULL_SCALE: f64 = 0.01;

/// Processor time that a workflow of the short suite may burn, in seconds; what is larger is scaled further down.
const SHORT_WORK_S: f64 = 8.0;

/// Longest wait for one workflow; with scale 0.01 the largest burns 430 s of processor time.
const LIMIT: Duration = Duration::from_secs(1_800);

/// What the worker itself needs beside its tasks: a tier holds the largest task and this.
const WORKER_MIB: f64 = 64.0;

fn scale(recorded: &Recorded) -> f64 {
    if stack::is_full() || AT_FULL_SCALE.contains(&recorded.name.as_str()) {
        return FULL_SCALE;
    }
    (SHORT_WORK_S / recorded.work_s).min(FULL_SCALE / 10.0)
}

/// Memory that the short suite holds of what a trace states: to touch a page costs processor time that no scale spares.
const SHORT_MEMORY: f64 = 0.1;

/// In the full suite memory is never scaled, unless the tier that the largest task needs is more than the machine can
/// give to lanes.
fn memory_scale(recorded: &Recorded, machine: Machine) -> f64 {
    if !stack::is_full() {
        return SHORT_MEMORY;
    }
    let given = LADDER_MIB
        .iter()
        .rev()
        .find(|tier| **tier <= machine.lane_memory_mib())
        .copied();
    let given = f64::from(given.unwrap_or(LADDER_MIB[0])) - WORKER_MIB;
    if recorded.memory_mib <= given {
        return 1.0;
    }
    let scale = given / recorded.memory_mib;
    println!(
        "{}: memory scaled by {scale:.2}: this machine gives lanes {given} MiB",
        recorded.name
    );
    scale
}

/// The promise M6: twice the longer of the critical path and an even share of the work, and two seconds.
pub fn bound_s(recorded: &Recorded, scale: f64) -> f64 {
    let share = recorded.work_s / f64::from(Machine::here().cores);
    2.0 * scale * recorded.critical_path_s.max(share) + 2.0
}

/// Every shard with tasks was executed, in a lane; so many lanes as the plan says have asked.
fn assert_visible(item: &RunItem, history: &History, shards: usize) {
    let plan = item.plan.as_ref().expect("a plan");
    let mode = if plan.mode == LaneMode::Inline {
        "Inline"
    } else {
        "Distributed"
    };
    let executed = history.count(&format!("Execute{mode}"));
    assert!(
        executed >= shards,
        "{executed} executions of {shards} shards in the history"
    );
    let lanes = history.count(&format!("LaneEnds{mode}"));
    assert_eq!(
        lanes,
        plan.lanes as usize * history.rounds.len(),
        "every lane ends in every round"
    );
}

/// Shards of a run at least: scaled down so far that tasks take milliseconds, a workflow would be one shard.
const SHARDS: usize = 12;

async fn show(on: &Deployment, recorded: &Recorded) -> String {
    let scale = scale(recorded);
    let memory_scale = memory_scale(recorded, Machine::here());
    let options = RunOptions {
        scale,
        memory_scale,
        shard_tasks_max: Some(recorded.tasks.div_ceil(SHARDS) as u32),
        ..runs::traced()
    };
    let run = recorded.submit(on, options).await;
    let item = runs::succeeded(on, &run, LIMIT).await;
    let plan = runs::plan(on, &run).await;
    let tasks = tasks(&plan);
    assert_eq!(
        tasks.len(),
        recorded.tasks,
        "{}: tasks of the plan",
        recorded.name
    );
    let witness = Witness::of(on, &run).await;
    witness.assert_committed_once(&tasks);
    let repeated = witness.repeated(&tasks);
    assert!(
        repeated.is_empty(),
        "{}: repeated without a fault: {repeated:?}",
        recorded.name
    );
    let shards = plan
        .shards
        .iter()
        .filter(|shard| shard.kind == ShardKind::Work)
        .count();
    let history = History::of(on, &item).await;
    assert_visible(&item, &history, shards);
    let summary = item.summary.expect("figures");
    assert_eq!(summary.committed as usize, recorded.tasks);
    format!(
        "{:<42}{:>6}{:>8.4}{:>7}{:>6}{:>7}{:>9.2}{:>9.2}{:>9.2}{:>9.2}{:>11.6}",
        recorded.name,
        recorded.tasks,
        scale,
        shards,
        plan.lanes,
        history.rounds.len(),
        summary.makespan_s,
        summary.critical_path_s,
        summary.work_s,
        bound_s(recorded, scale),
        summary.cost_usd.0
    )
}

#[tokio::test]
async fn real_workflows() {
    let on = deployment().await;
    let Some(folder) = recorded_folder(on.stack.root(), "real_workflows") else {
        return;
    };
    let files = all(&folder);
    assert!(files.len() >= 17, "{} recorded workflows", files.len());
    println!(
        "{:<42}{:>6}{:>8}{:>7}{:>6}{:>7}{:>9}{:>9}{:>9}{:>9}{:>11}",
        "workflow",
        "tasks",
        "scale",
        "shards",
        "lanes",
        "rounds",
        "time s",
        "path s",
        "work s",
        "M6 s",
        "cost $"
    );
    for file in files {
        println!("{}", show(&on, &Recorded::read(&file)).await);
    }
    println!("scale: {}", if is_full() { "full" } else { "short" });
}
