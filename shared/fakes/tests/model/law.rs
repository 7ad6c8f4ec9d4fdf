//! What must hold of the items whenever somebody has written them.

use std::collections::{BTreeMap, BTreeSet};

use foreshard_fakes::block_on;
use foreshard_model::frontier::{ShardItem, ShardState};
use foreshard_model::ids::{ShardId, TaskId};
use foreshard_model::plan::ShardKind;
use foreshard_model::run::{RunItem, RunState};
use foreshard_model::topology::Topology;
use foreshard_stages::ports::BlobReads as _;

use crate::process::Ground;
use crate::worker;

/// What is wrong with the items after a write, the first of it; `None` when nothing is.
pub(crate) fn broken(
    ground: &Ground,
    plan: &Topology,
    run: &RunItem,
    shards: &[&ShardItem],
) -> Option<String> {
    let states: BTreeMap<ShardId, ShardState> = shards.iter().map(|s| (s.id, s.state)).collect();
    let each = shards.iter().copied();
    each.clone()
        .find_map(|item| started_early(plan, &states, item))
        .or_else(|| each.clone().find_map(fenced_off))
        .or_else(|| each.clone().find_map(backs_off))
        .or_else(|| ended_wrongly(ground, run, shards))
}

/// What is wrong with what a write has made of the shards before it.
pub(crate) fn undone(before: &[ShardItem], after: &[ShardItem]) -> Option<String> {
    after.iter().find_map(|item| goes_back(before, item))
}

/// Whoever can be claimed, runs or is done has nobody before it that is not done.
fn started_early(
    plan: &Topology,
    states: &BTreeMap<ShardId, ShardState>,
    item: &ShardItem,
) -> Option<String> {
    let begun = [ShardState::Ready, ShardState::Running, ShardState::Done];
    if !begun.contains(&item.state) {
        return None;
    }
    let mut before = plan
        .shards
        .iter()
        .filter(|n| n.successors.contains(&item.id));
    let missing = before.find(|node| states.get(&node.id) != Some(&ShardState::Done))?;
    let (id, state) = (item.id, item.state);
    Some(format!(
        "shard {id} is {state:?} before shard {} is done",
        missing.id
    ))
}

/// An output that can be read is that of the attempt that was committed, which is the last one.
fn fenced_off(item: &ShardItem) -> Option<String> {
    if item.kind != ShardKind::Work || item.state != ShardState::Done {
        return None;
    }
    let own = format!("/shards/{}/{}/", item.id, item.attempt);
    let right = item.output.as_ref().is_some_and(|o| o.key.contains(&own));
    (!right).then(|| format!("shard {} shows an output that is fenced off", item.id))
}

/// Done is for ever, with the same output, and attempts only rise: so nothing is committed twice.
fn goes_back(before: &[ShardItem], item: &ShardItem) -> Option<String> {
    let old = before.iter().find(|old| old.id == item.id)?;
    let (id, from, to) = (item.id, old.state, item.state);
    if old.state == ShardState::Done && (to != ShardState::Done || old.output != item.output) {
        return Some(format!(
            "shard {id} was done, and is {to:?} with {:?}",
            item.output
        ));
    }
    if old.attempt > item.attempt {
        return Some(format!(
            "shard {id} goes back from attempt {} to {}",
            old.attempt, item.attempt
        ));
    }
    let begins = item.attempt != old.attempt;
    (begins && (from, to) != (ShardState::Ready, ShardState::Running))
        .then(|| format!("shard {id} has a new attempt by going from {from:?} to {to:?}"))
}

/// Time is left out of the model, so nothing in it may have to wait.
fn backs_off(item: &ShardItem) -> Option<String> {
    item.not_before
        .map(|_| format!("shard {} backs off", item.id))
}

/// A run that has ended has done all of it, each task once, or says why not.
fn ended_wrongly(ground: &Ground, run: &RunItem, shards: &[&ShardItem]) -> Option<String> {
    let end = shards.iter().find(|item| item.kind == ShardKind::End)?;
    let completes = matches!(run.state, RunState::Completing | RunState::Succeeded);
    if completes && end.state != ShardState::Done {
        return Some(format!(
            "the run is {:?}, and its end is {:?}",
            run.state, end.state
        ));
    }
    if run.state == RunState::Failed && run.cause.is_none() {
        return Some("the run failed without a cause".to_owned());
    }
    if run.state != RunState::Succeeded {
        return None;
    }
    let mut committed: BTreeMap<TaskId, u32> = BTreeMap::new();
    for output in shards.iter().filter_map(|item| item.output.as_ref()) {
        let bytes = block_on(ground.objects.get(&output.key)).expect("an output is stored");
        for task in worker::read(&bytes).tasks.into_keys() {
            *committed.entry(task).or_default() += 1;
        }
    }
    let once: BTreeMap<TaskId, u32> = ground
        .tasks
        .values()
        .flatten()
        .map(|t| (t.clone(), 1))
        .collect();
    let wrong: BTreeSet<&TaskId> = once
        .keys()
        .chain(committed.keys())
        .filter(|task| once.get(*task) != committed.get(*task))
        .collect();
    (!wrong.is_empty()).then(|| format!("not committed exactly once: {wrong:?} of {committed:?}"))
}
