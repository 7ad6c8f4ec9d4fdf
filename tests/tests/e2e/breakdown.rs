//! Where the time of a run goes: the promise M6, measured, and taken apart by state of the machine.

use foreshard_local_emulator::machine::Machine;
use foreshard_model::output::Manifest;
use foreshard_model::policy::RunOptions;
use foreshard_model::run::RunItem;
use foreshard_stages::ports::BlobReads as _;

use super::history::{History, Stay};
use super::real_workflows::bound_s;
use super::recorded::Recorded;
use super::runs;
use super::stack::{Deployment, deployment, recorded_folder};

/// The workflow and the scale of the promise.
const WORKFLOW: &str = "montage-chameleon-2mass-005d-001.json.gz";
const SCALE: f64 = 0.01;

/// The first run finds every function cold; the others are what a user sees who works.
const RUNS: usize = 3;

/// What is going on in a moment, the most useful first: a moment belongs to the first that any lane is in.
const ACTIVITIES: [(&str, &str); 5] = [
    ("Execute", "some lane executes a shard"),
    ("Dispatch", "no lane executes, some lane dispatches"),
    ("Plan", "planning"),
    ("Aggregate", "collecting the result"),
    ("Park", "all lanes parked"),
];

/// Milliseconds between `from` and `to` in which the first matching activity goes on; the last entry is the rest.
fn partition(history: &History, from: f64, to: f64) -> Vec<f64> {
    let mut edges: Vec<f64> = history
        .stays
        .iter()
        .flat_map(|s| [s.from_ms, s.to_ms])
        .collect();
    edges.extend([from, to]);
    edges.retain(|edge| (from..=to).contains(edge));
    edges.sort_by(f64::total_cmp);
    let mut sums = vec![0.0; ACTIVITIES.len() + 1];
    for pair in edges.windows(2) {
        let middle = f64::midpoint(pair[0], pair[1]);
        let busy = |prefix: &str| {
            history
                .stays(prefix)
                .any(|s| s.from_ms <= middle && middle < s.to_ms)
        };
        let activity = ACTIVITIES.iter().position(|(prefix, _)| busy(prefix));
        sums[activity.unwrap_or(ACTIVITIES.len())] += pair[1] - pair[0];
    }
    sums
}

/// Wall and CPU time of all tasks, by their manifests, in milliseconds.
async fn in_tasks(on: &Deployment, item: &RunItem) -> (u64, u64) {
    let (mut wall, mut cpu) = (0, 0);
    for shard in runs::shards(on, item).await {
        let Some(output) = shard.output else { continue };
        let bytes = on
            .bucket
            .get(&output.key)
            .await
            .expect("the manifest is there");
        let manifest: Manifest = serde_json::from_slice(&bytes).expect("it is one");
        for task in manifest.tasks.values() {
            wall += task.usage.duration_ms;
            cpu += task.usage.cpu_ms;
        }
    }
    (wall, cpu)
}

async fn show(on: &Deployment, recorded: &Recorded, number: usize) {
    let run = recorded
        .submit(
            on,
            RunOptions {
                scale: SCALE,
                ..RunOptions::default()
            },
        )
        .await;
    let item = runs::succeeded(on, &run, runs::PATIENCE).await;
    let history = History::of(on, &item).await;
    let (from, to) = (
        item.accepted_at.0 as f64,
        item.ended_at.unwrap_or_default().0 as f64,
    );
    let summary = item.summary.expect("figures");
    println!(
        "run {number}: {:.2} s from accepted to terminal; promised {:.2} s (path {:.2} s, work {:.2} s, {} cores)",
        (to - from) / 1_000.0,
        bound_s(recorded, SCALE),
        recorded.critical_path_s * SCALE,
        recorded.work_s * SCALE,
        Machine::here().cores
    );
    println!(
        "  {} shards, {} lanes, measured path {:.2} s",
        summary.shards, summary.lanes, summary.critical_path_s
    );
    println!("  by the clock, each moment counted once:");
    let sums = partition(&history, from, to);
    for ((_, what), ms) in ACTIVITIES.iter().zip(&sums) {
        println!("    {:<44}{ms:>8.0} ms", what);
    }
    println!(
        "    {:<44}{:>8.0} ms",
        "between states (Step Functions, start)",
        sums[ACTIVITIES.len()]
    );
    println!("  by lane, all lanes together:");
    for state in ["Dispatch", "Execute", "Park", "Plan", "Aggregate"] {
        let stays: Vec<&Stay> = history.stays(state).collect();
        let total: f64 = stays.iter().map(|s| s.ms()).sum();
        let mean = total / stays.len().max(1) as f64;
        println!(
            "    {state:<12}{:>5} times{total:>9.0} ms, {mean:>6.1} ms each",
            stays.len()
        );
    }
    let (wall, cpu) = in_tasks(on, &item).await;
    let executed: f64 = history.stays("Execute").map(Stay::ms).sum();
    println!(
        "    in tasks {wall} ms ({cpu} ms CPU); worker and invocation beside them {:.0} ms",
        executed - wall as f64
    );
}

#[tokio::test]
async fn m6_breakdown() {
    let on = deployment().await;
    let Some(folder) = recorded_folder(on.stack.root(), "m6_breakdown") else {
        return;
    };
    let recorded = Recorded::read(&folder.join(WORKFLOW));
    assert_eq!(recorded.tasks, 58);
    for number in 1..=RUNS {
        show(&on, &recorded, number).await;
    }
}
