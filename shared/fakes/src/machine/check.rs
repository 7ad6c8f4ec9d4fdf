//! What must hold of every run, however much went wrong.

use std::collections::BTreeMap;

use foreshard_model::frontier::{ShardItem, ShardState};
use foreshard_model::ids::ShardId;
use foreshard_model::ledger::EventKind;
use foreshard_model::limits::{EVENTS_PER_PARKING, EVENTS_PER_SHARD};
use foreshard_model::plan::ShardKind;
use foreshard_model::run::RunState;
use foreshard_model::topology::Topology;

use super::work::tasks_of;
use super::{Played, Work};
use crate::executor::Stopped;
use crate::world::World;

/// What is wrong with a played run; empty when every task was committed exactly once, or the run ended with a cause.
#[must_use]
pub fn violations(world: &World, topology: &Topology, work: &Work, played: &Played) -> Vec<String> {
    let mut wrong = work.early();
    let run = &played.run;
    if played.stopped != Stopped::Idle || !run.state.is_terminal() {
        let (stopped, state) = (played.stopped, run.state.as_str());
        wrong.push(format!("{stopped:?}: the run is {state}, not ended"));
    }
    if run.state == RunState::Failed && run.cause.is_none() {
        wrong.push("the run failed without a cause".to_owned());
    }
    let items = world.shard_items(&run.run);
    let commits = changes(world, topology, &mut wrong);
    for item in &items {
        let count = commits.get(&item.id).copied().unwrap_or_default();
        let done = item.state == ShardState::Done;
        if count != u32::from(done) {
            wrong.push(format!("shard {} was committed {count} times", item.id));
        }
        if run.state == RunState::Succeeded && !done {
            let state = item.state;
            wrong.push(format!("succeeded, but shard {} is {state:?}", item.id));
        }
        let own = format!("/shards/{}/{}/", item.id, item.attempt);
        if item.output.as_ref().is_some_and(|o| !o.key.contains(&own)) {
            let (attempt, output) = (item.attempt, &item.output);
            wrong.push(format!(
                "shard {}, attempt {attempt}, has the output {output:?}",
                item.id
            ));
        }
        if let Some(node) = topology.node(item.id).filter(|n| n.once) {
            for task in tasks_of(node) {
                let starts = work.starts().get(&task).copied().unwrap_or_default();
                if starts > 1 {
                    wrong.push(format!(
                        "`{task}` must not run twice, and ran {starts} times"
                    ));
                }
            }
        }
    }
    let most = topology.lane_events.max(EVENTS_PER_SHARD) + EVENTS_PER_PARKING;
    for lane in world.lane_items(&run.run) {
        if lane.events > most {
            let (number, events) = (lane.lane, lane.events);
            wrong.push(format!(
                "lane {number} used {events} events of history in a round"
            ));
        }
    }
    witnesses(world, topology, &items, played, &mut wrong);
    wrong
}

/// Follows every change: only lawful ones, nothing started early. Gives how often each shard became done.
fn changes(world: &World, topology: &Topology, wrong: &mut Vec<String>) -> BTreeMap<ShardId, u32> {
    let mut states: BTreeMap<ShardId, ShardState> = BTreeMap::new();
    let mut commits: BTreeMap<ShardId, u32> = BTreeMap::new();
    let mut before: BTreeMap<ShardId, Vec<ShardId>> = BTreeMap::new();
    for node in &topology.shards {
        for successor in &node.successors {
            before.entry(*successor).or_default().push(node.id);
        }
    }
    for change in world.changes().iter().filter(|c| c.run == topology.run) {
        let (id, from, to) = (change.shard, change.from, change.to);
        let virtual_one = topology.node(id).is_some_and(|n| n.kind != ShardKind::Work);
        let lawful = match (from, to) {
            (ShardState::Waiting | ShardState::Skipped, ShardState::Done) => virtual_one,
            (ShardState::Waiting, ShardState::Ready | ShardState::Skipped)
            | (ShardState::Ready, ShardState::Running | ShardState::Failed)
            | (ShardState::Running, ShardState::Ready | ShardState::Done | ShardState::Failed)
            | (ShardState::Failed, ShardState::Ready)
            | (ShardState::Skipped, ShardState::Waiting | ShardState::Ready) => true,
            _ => false,
        };
        if !lawful {
            wrong.push(format!("shard {id} went from {from:?} to {to:?}"));
        }
        if matches!(to, ShardState::Running) || (virtual_one && to == ShardState::Done) {
            for other in before.get(&id).into_iter().flatten() {
                let initial = topology
                    .node(*other)
                    .is_some_and(|n| n.kind != ShardKind::Work && n.predecessors == 0);
                if states.get(other) != Some(&ShardState::Done) && !initial {
                    wrong.push(format!(
                        "shard {id} became {to:?} before shard {other} was done"
                    ));
                }
            }
        }
        states.insert(id, to);
        if to == ShardState::Done {
            *commits.entry(id).or_default() += 1;
        }
    }
    commits
}

/// The ledger and the independent trace tell the same as the items.
fn witnesses(
    world: &World,
    topology: &Topology,
    items: &[ShardItem],
    played: &Played,
    wrong: &mut Vec<String>,
) {
    let run = &played.run.run;
    let mut settled: BTreeMap<ShardId, u32> = BTreeMap::new();
    for event in world.ledger(run) {
        if let (EventKind::Settled, Some(shard)) = (event.kind, event.shard) {
            *settled.entry(shard).or_default() += 1;
        }
    }
    let succeeded = played.run.state == RunState::Succeeded;
    let mut notes: BTreeMap<String, u32> = BTreeMap::new();
    for key in world.blob_keys(&format!("runs/{run}/trace/commit/")) {
        let body = world.blob(&key).unwrap_or_default();
        let body: serde_json::Value = serde_json::from_slice(&body).unwrap_or_default();
        let task = body["task"].as_str().unwrap_or_default().to_owned();
        *notes.entry(task).or_default() += 1;
    }
    for item in items.iter().filter(|i| i.kind == ShardKind::Work) {
        let done = item.state == ShardState::Done;
        let told = settled.get(&item.id).copied().unwrap_or_default();
        if told > u32::from(done) {
            wrong.push(format!("the ledger settles shard {} {told} times", item.id));
        }
        let Some(node) = topology.node(item.id) else {
            continue;
        };
        for task in tasks_of(node) {
            let noted = notes.get(task.as_str()).copied().unwrap_or_default();
            let missing = succeeded && played.run.options.trace && noted == 0;
            if noted > u32::from(done) || missing {
                wrong.push(format!("`{task}` has {noted} commits in the trace"));
            }
        }
    }
}
