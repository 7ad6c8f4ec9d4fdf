//! Runs of the examples as the simulator's tests read them. `FORESHARD_RECORD=1` writes them to the simulator's fixtures.

use std::collections::BTreeMap;
use std::path::PathBuf;

use foreshard_model::ids::RunId;
use foreshard_model::ledger::{Event, EventKind};
use foreshard_model::plan::{Plan, ShardKind};
use foreshard_model::target::Pool;
use foreshard_stages::ports::LedgerReads as _;
use serde_json::{Value, json};

use super::command_line::foreshard;
use super::history::History;
use super::runs;
use super::stack::{Deployment, deployment};

/// The examples, with how many lanes and how many tasks a shard has at most. Nothing of them is known before: they are run once.
const RUNS: [(&str, u32, u32); 4] = [
    ("word-count", 3, 1),
    ("sales-report", 4, 2),
    ("pipeline", 2, 1),
    ("access-log", 3, 1),
];

/// States of a run's lanes, by what they do: their names end with the mode of the lanes.
const OF_LANES: [&str; 4] = ["Dispatch", "Execute", "Park", "Wait"];

fn fixture(on: &Deployment, name: &str) -> PathBuf {
    let folder = "local-emulator/simulator/tests/fixtures";
    on.stack.root().join(folder).join(format!("{name}.json"))
}

/// Attempts that were committed, in the order of their commits; times in milliseconds after the run was accepted.
fn commits(events: &[Event], begun_ms: u64) -> Vec<Value> {
    let mut claimed = BTreeMap::new();
    let mut commits = Vec::new();
    for event in events {
        let key = (event.shard, event.attempt);
        match event.kind {
            EventKind::Claimed => drop(claimed.insert(key, event)),
            EventKind::Settled => {
                let Some(claim) = claimed.get(&key) else {
                    continue;
                };
                commits.push(json!({
                    "shard": event.shard,
                    "attempt": event.attempt,
                    "lane": claim.lane,
                    "target": claim.target,
                    "from_ms": claim.at.0.saturating_sub(begun_ms),
                    "to_ms": event.at.0.saturating_sub(begun_ms),
                }));
            }
            _ => {}
        }
    }
    commits
}

/// Each shard with what it waits for, and where it is to run.
fn shards(plan: &Plan) -> Vec<Value> {
    let each = plan.shards.iter().map(|shard| {
        json!({
            "id": shard.id, "kind": shard.kind, "tasks": shard.tasks, "predecessors": shard.predecessors, "target": shard.target,
        })
    });
    each.collect()
}

/// What the simulation of the run is held against.
async fn recorded(on: &Deployment, pool: &Pool, run: &RunId) -> Value {
    let item = runs::succeeded(on, run, runs::PATIENCE).await;
    let plan = runs::plan(on, run).await;
    let events = on.table.events(run, "", 1000).await.expect("a ledger");
    let history = History::of(on, &item).await;
    let states: BTreeMap<&str, usize> = OF_LANES.map(|state| (state, history.count(state))).into();
    let begun = item.accepted_at.0;
    json!({
        "options": plan.options,
        "pool": pool,
        "lanes": plan.lanes,
        "shards": shards(&plan),
        "commits": commits(&events, begun),
        "states": states,
        "transitions": history.stays.len(),
        "executions": history.rounds.len(),
        "makespan_ms": item.ended_at.unwrap_or_default().0.saturating_sub(begun),
    })
}

/// Every shard with tasks was committed once, after those that it waits for.
fn is_in_order(name: &str, run: &Value) {
    let commits = run["commits"].as_array().expect("commits");
    let of = |id: &Value| {
        commits
            .iter()
            .filter(|c| c["shard"] == *id)
            .collect::<Vec<_>>()
    };
    for shard in run["shards"].as_array().expect("shards") {
        if shard["kind"] != json!(ShardKind::Work) {
            continue;
        }
        let [this] = of(&shard["id"])[..] else {
            panic!("{name}: {shard} in {commits:?}");
        };
        for before in shard["predecessors"].as_array().expect("predecessors") {
            for earlier in of(before) {
                assert!(
                    earlier["to_ms"].as_u64() <= this["from_ms"].as_u64(),
                    "{name}: {earlier} {this}"
                );
            }
        }
    }
}

#[tokio::test]
async fn examples_as_the_simulator_has_them() {
    let on = deployment().await;
    let pool = on.api.pool().await.expect("the deployment has targets");
    let write = std::env::var_os("FORESHARD_RECORD").is_some();
    for (name, lanes, tasks) in RUNS {
        let document = format!("examples/{name}/workflow.yaml");
        let (lanes, tasks) = (lanes.to_string(), tasks.to_string());
        let arguments = [
            "run",
            &document,
            "--lanes",
            &lanes,
            "--shard-tasks",
            &tasks,
            "--format",
            "json",
        ];
        let said = foreshard(on.stack, &arguments);
        assert_eq!(said.code, 0, "{name}: {}", said.err);
        let figures: Value = serde_json::from_str(&said.out).expect("JSON");
        let run = RunId::from(figures["run"].as_str().expect("a run"));
        let mut this = recorded(&on, &pool, &run).await;
        this["document"] = json!(document);
        is_in_order(name, &this);
        println!(
            "{name}: {} transitions, {} ms",
            this["transitions"], this["makespan_ms"]
        );
        if write {
            let text = serde_json::to_string_pretty(&this).expect("JSON") + "\n";
            std::fs::write(fixture(&on, name), text).expect("it is written");
        }
    }
}
