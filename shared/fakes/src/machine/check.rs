//! What must hold of every run, however much went wrong and however often it was cut again.

use std::collections::{BTreeMap, BTreeSet};

use foreshard_model::frontier::{ShardItem, ShardState};
use foreshard_model::ids::{ShardId, TaskId};
use foreshard_model::ledger::EventKind;
use foreshard_model::limits::{EVENTS_PER_PARKING, EVENTS_PER_SHARD};
use foreshard_model::plan::ShardKind;
use foreshard_model::run::RunState;
use foreshard_model::topology::Topology;
use foreshard_model::workflow::Effect;

use super::generations::Generations;
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
    let generations = Generations::of(world, topology, run);
    wrong.extend(generations.malformed());
    let items = world.shard_items(&run.run);
    let commits = changes(world, &generations, &mut wrong);
    shards(&generations, &items, &commits, played, &mut wrong);
    starts(&generations, work, &mut wrong);
    let most = topology.lane_events.max(EVENTS_PER_SHARD) + EVENTS_PER_PARKING;
    for lane in world.lane_items(&run.run) {
        if lane.events > most {
            let (number, events) = (lane.lane, lane.events);
            wrong.push(format!(
                "lane {number} used {events} events of history in a round"
            ));
        }
    }
    settlements(world, &items, played, &mut wrong);
    traces(world, &generations, &items, played, &mut wrong);
    wrong
}

/// Every shard of the plan has an item, was committed as often as it says, and has an output of its own.
fn shards(
    generations: &Generations,
    items: &[ShardItem],
    commits: &BTreeMap<ShardId, u32>,
    played: &Played,
    wrong: &mut Vec<String>,
) {
    let there: BTreeSet<ShardId> = items.iter().map(|item| item.id).collect();
    for node in &generations.last().shards {
        if !there.contains(&node.id) {
            wrong.push(format!("shard {} has no item", node.id));
        }
    }
    for item in items {
        let count = commits.get(&item.id).copied().unwrap_or_default();
        let done = item.state == ShardState::Done;
        if count != u32::from(done) {
            wrong.push(format!("shard {} was committed {count} times", item.id));
        }
        if played.run.state == RunState::Succeeded && !done {
            let state = item.state;
            wrong.push(format!("succeeded, but shard {} is {state:?}", item.id));
        }
        let own = match item.kind {
            ShardKind::Work => format!("/shards/{}/{}/", item.id, item.attempt),
            // What it had finished when it was cut again.
            ShardKind::Relay | ShardKind::End => format!("/shards/{}/", item.id),
        };
        if item.output.as_ref().is_some_and(|o| !o.key.contains(&own)) {
            let (attempt, output) = (item.attempt, &item.output);
            wrong.push(format!(
                "shard {}, attempt {attempt}, has the output {output:?}",
                item.id
            ));
        }
    }
}

/// What must not run twice has not.
fn starts(generations: &Generations, work: &Work, wrong: &mut Vec<String>) {
    let starts = work.starts();
    for task in generations.tasks().filter(|t| t.effect == Effect::Once) {
        let times = starts.get(&task.id).copied().unwrap_or_default();
        if times > 1 {
            let id = &task.id;
            wrong.push(format!("`{id}` must not run twice, and ran {times} times"));
        }
    }
}

/// Follows every change: only lawful ones, nothing started early. Gives how often each shard became done.
fn changes(
    world: &World,
    generations: &Generations,
    wrong: &mut Vec<String>,
) -> BTreeMap<ShardId, u32> {
    let mut states: BTreeMap<ShardId, ShardState> = BTreeMap::new();
    let mut commits: BTreeMap<ShardId, u32> = BTreeMap::new();
    let run = &generations.last().run;
    for change in world.changes().iter().filter(|c| c.run == *run) {
        let (id, from, to) = (change.shard, change.from, change.to);
        let virtual_one = generations.is_virtual(id);
        let cut_again = virtual_one && !generations.was_virtual(id);
        let lawful = match (from, to) {
            (ShardState::Waiting | ShardState::Skipped, ShardState::Done) => virtual_one,
            (ShardState::Ready, ShardState::Waiting) => cut_again,
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
        let needed: &[ShardId] = match to {
            ShardState::Running => generations.needed_to_run(id),
            ShardState::Done if virtual_one => generations.needed_to_join(id),
            _ => &[],
        };
        for other in needed {
            let done = states.get(other) == Some(&ShardState::Done);
            if !done && !generations.is_done_from_the_start(*other) {
                wrong.push(format!(
                    "shard {id} became {to:?} before shard {other} was done"
                ));
            }
        }
        states.insert(id, to);
        if to == ShardState::Done {
            *commits.entry(id).or_default() += 1;
        }
    }
    commits
}

/// The ledger settles each shard once.
fn settlements(world: &World, items: &[ShardItem], played: &Played, wrong: &mut Vec<String>) {
    let mut settled: BTreeMap<ShardId, u32> = BTreeMap::new();
    for event in world.ledger(&played.run.run) {
        if let (EventKind::Settled, Some(shard)) = (event.kind, event.shard) {
            *settled.entry(shard).or_default() += 1;
        }
    }
    for item in items {
        let done = item.state == ShardState::Done && item.kind == ShardKind::Work;
        let told = settled.get(&item.id).copied().unwrap_or_default();
        if told > u32::from(done) {
            wrong.push(format!("the ledger settles shard {} {told} times", item.id));
        }
    }
}

/// The independent trace tells the same as the items: each task is committed once, by whichever shard has it in the end.
fn traces(
    world: &World,
    generations: &Generations,
    items: &[ShardItem],
    played: &Played,
    wrong: &mut Vec<String>,
) {
    let run = &played.run.run;
    let mut notes: BTreeMap<TaskId, u32> = BTreeMap::new();
    for key in world.blob_keys(&format!("runs/{run}/trace/commit/")) {
        let body = world.blob(&key).unwrap_or_default();
        let body: serde_json::Value = serde_json::from_slice(&body).unwrap_or_default();
        let task = body["task"].as_str().unwrap_or_default();
        *notes.entry(TaskId::from(task)).or_default() += 1;
    }
    let traced = played.run.options.trace;
    let missing = played.run.state == RunState::Succeeded && traced;
    for task in generations.tasks() {
        let noted = notes.get(&task.id).copied().unwrap_or_default();
        if noted > 1 || (missing && noted == 0) {
            let id = &task.id;
            wrong.push(format!("`{id}` has {noted} commits in the trace"));
        }
    }
    for item in items.iter().filter(|i| i.state != ShardState::Done) {
        for task in generations.tasks_now(item.id) {
            if notes.contains_key(&task.id) {
                let (id, shard) = (&task.id, item.id);
                wrong.push(format!(
                    "`{id}` is committed, and shard {shard} is not done"
                ));
            }
        }
    }
}
