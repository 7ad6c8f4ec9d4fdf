//! Decides how the items follow when unfinished shards are cut again: one transaction, or nothing.
//!
//! ```text
//!   before            split                                merged
//!   x ─► s ─► t       x ─► gate ─► s/1, s/2 ─► s ─► t      x ─► m ─► a ─► t      (m has the tasks of a and b)
//!                                                              └──► b ─► u
//! ```
//! Who gave up its tasks keeps its id and its successors: it becomes virtual and waits for whoever has them now, so nothing
//! behind it changes. Who is new has an id of its own. The plan's pointer moves in the same transaction, so an item of a
//! later generation than a plan's is the sign that the plan is [behind](is_behind), and a plan is never ahead of the items.

use std::collections::{BTreeMap, BTreeSet};

use foreshard_model::frontier::{ShardItem, ShardState, Write};
use foreshard_model::ids::{RunId, ShardId};
use foreshard_model::ledger::{Event, EventKind};
use foreshard_model::limits::TRANSACTION_WRITES;
use foreshard_model::plan::{Recut, ShardKind};
use foreshard_model::run::{PlanPointer, RunItem, RunState};
use foreshard_model::topology::{ShardNode, Topology};
use foreshard_model::units::TimeMs;

use super::initial::waiting;
use super::{is_complete, put_run, put_shard, touched};

/// Why a re-cut is not written: read again and decide anew, or leave it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotCut {
    /// The run does not run by the plan that was cut again.
    Run,
    /// The shard has gone on: it runs, is finished, or is about to become ready.
    Shard(ShardId),
    /// The plan takes tasks from a shard of which no item was read, or that must not be touched.
    Plan(ShardId),
    /// So many writes are more than a transaction holds.
    Writes(usize),
}

/// Whether the plan is older than the item: a decision by it would be about a shard that is no more. Read run and plan again.
#[must_use]
pub fn is_behind(topology: &Topology, item: &ShardItem) -> bool {
    item.generation > topology.generation
}

/// The one transaction by which a run goes over from the plan `before` to the plan `after`.
///
/// `items` are the shards that give up their tasks, as read: each must be waiting, with somebody still to arrive, or ready.
/// A checkpoint of theirs becomes their output, so finished tasks stay finished. New shards know already who has arrived at
/// those that they replace. Everything is under the version that was read, so a claim, an arrival or another re-cut in
/// between refuses the whole.
///
/// # Errors
/// [`NotCut`], and then nothing is to be written.
///
/// # Complexity
/// Linear in shards and edges of `after`.
pub fn recut(
    run: &RunItem,
    before: &Topology,
    after: &Topology,
    pointer: &PlanPointer,
    items: &[ShardItem],
    now: TimeMs,
) -> Result<Vec<Write>, NotCut> {
    let current = run.plan.as_ref().map(|plan| plan.generation);
    let follows =
        after.generation == before.generation.next() && pointer.generation == after.generation;
    if run.state != RunState::Running || current != Some(before.generation) || !follows {
        return Err(NotCut::Run);
    }
    let items: BTreeMap<ShardId, &ShardItem> = items.iter().map(|item| (item.id, item)).collect();
    let touched_nodes = || {
        let nodes = after.shards.iter();
        nodes.filter(|node| node.generation == after.generation)
    };
    let mut writes = vec![put_run(RunItem {
        version: run.version + 1,
        plan: Some(pointer.clone()),
        updated_at: now,
        ..run.clone()
    })];
    let mut arrived: BTreeSet<ShardId> = BTreeSet::new();
    for node in touched_nodes() {
        let Some(old) = before.node(node.id) else {
            continue;
        };
        let item = items.get(&node.id).ok_or(NotCut::Plan(node.id))?;
        writes.push(put_shard(joins(item, old, node)?));
        arrived.extend(&item.arrived);
    }
    let new = touched_nodes().filter(|node| before.node(node.id).is_none());
    let expected = predecessors(after, before.shards.len());
    for node in new {
        let known = expected.get(&node.id).into_iter().flatten();
        let known = known.filter(|id| arrived.contains(id)).copied().collect();
        writes.push(put_shard(begins(after, node, known, now)));
    }
    match writes.len() {
        many if many > TRANSACTION_WRITES => Err(NotCut::Writes(many)),
        _ => Ok(writes),
    }
}

/// Whoever gave up its tasks: virtual from now on, with what it had finished as its output.
fn joins(item: &ShardItem, old: &ShardNode, node: &ShardNode) -> Result<ShardItem, NotCut> {
    let cut_well = old.kind == ShardKind::Work && node.kind == ShardKind::Relay && !old.once;
    if !cut_well {
        return Err(NotCut::Plan(item.id));
    }
    let open = match item.state {
        ShardState::Ready => true,
        ShardState::Waiting => !is_complete(item, old),
        _ => false,
    };
    if !open || item.generation != old.generation {
        return Err(NotCut::Shard(item.id));
    }
    Ok(ShardItem {
        kind: ShardKind::Relay,
        state: ShardState::Waiting,
        generation: node.generation,
        arrived: BTreeSet::new(),
        output: item.progress.clone(),
        progress: None,
        not_before: None,
        ..touched(item)
    })
}

/// A new shard: what it waits for may have arrived already.
fn begins(
    after: &Topology,
    node: &ShardNode,
    arrived: BTreeSet<ShardId>,
    now: TimeMs,
) -> ShardItem {
    let mut item = ShardItem {
        arrived,
        ..waiting(after, node)
    };
    if is_complete(&item, node) {
        match node.kind {
            ShardKind::Work => item.state = ShardState::Ready,
            ShardKind::Relay | ShardKind::End => {
                item.state = ShardState::Done;
                item.settled_at = now;
            }
        }
    }
    item
}

/// Whom each shard from `first` on waits for.
fn predecessors(topology: &Topology, first: usize) -> BTreeMap<ShardId, Vec<ShardId>> {
    let mut expected: BTreeMap<ShardId, Vec<ShardId>> = BTreeMap::new();
    for node in &topology.shards {
        for successor in node.successors.iter().filter(|id| id.index() >= first) {
            expected.entry(*successor).or_default().push(node.id);
        }
    }
    expected
}

/// What the ledger says of a re-cut: derived from the plan, so a repeat says the same at the same place.
#[must_use]
pub fn recut_event(run: &RunId, recut: &Recut) -> Event {
    let mut numbers = recut.numbers.clone();
    for (name, value) in [
        ("generation", recut.generation.0),
        ("parent", recut.parent.0),
        ("replaced", recut.replaced),
        ("made", recut.made),
    ] {
        numbers.insert(name.to_owned(), f64::from(value));
    }
    Event {
        run: run.clone(),
        at: recut.at,
        kind: EventKind::Recut,
        shard: None,
        attempt: None,
        lane: None,
        target: None,
        because: recut.because.clone(),
        numbers,
    }
}
