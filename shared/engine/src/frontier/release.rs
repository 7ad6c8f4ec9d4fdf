//! Decides what a finished shard means for those that wait for it, and for the run.
//!
//! ```text
//! done ──── ADD me to `arrived` of each successor ── complete? ─► ready; a relay or END: done, and released in turn
//! failed ── stop: the run is failing
//!        └─ continue: successors are skipped, with me in `arrived`; END skipped, once complete: the run is failing
//! ```
//! Whatever a failure does to others is one transaction that also rewrites the failed shard: a stage that slept through
//! a resume cannot skip what is to run again, nor fail the run anew. The arrival of a done shard needs no such care,
//! since done is for ever.

use foreshard_model::frontier::{Arrival, ShardItem, ShardState, Write};
use foreshard_model::ids::ShardId;
use foreshard_model::ledger::{Event, EventKind};
use foreshard_model::message::{Cause, Failure};
use foreshard_model::plan::ShardKind;
use foreshard_model::run::{RunItem, RunState};
use foreshard_model::topology::{ShardNode, Topology};
use foreshard_model::units::TimeMs;
use foreshard_model::workflow::OnFailure;

use super::initial::waiting;
use super::{events, put_run, put_shard, touched};
use crate::lifecycle;

/// What releasing a shard takes, before [`released`] is written.
#[derive(Debug, Clone, PartialEq)]
pub enum Release {
    /// Nothing: it is not finished, or everybody knows.
    Nothing,
    /// It is skipped, but some of its predecessors are still at work: those will come back to it.
    Hold,
    /// Make these arrivals, and look at each successor with [`arrived`].
    Arrive(Vec<Arrival>),
    /// Note the failure in the run ([`noted`]), then [`skip`] each of these and look at it with [`arrived`].
    Skip(Vec<ShardId>),
    /// END is done: write [`completes`].
    Completes,
    /// The run fails by this cause: write [`fails`].
    Fails(Failure),
}

/// Decides how a finished shard is released, by a plan that is not [behind](super::is_behind) it.
#[must_use]
pub fn release(item: &ShardItem, node: &ShardNode, topology: &Topology) -> Release {
    if item.released {
        return Release::Nothing;
    }
    match item.state {
        ShardState::Done if item.kind == ShardKind::End => Release::Completes,
        ShardState::Done => Release::Arrive(
            node.successors
                .iter()
                .map(|successor| Arrival {
                    run: item.run.clone(),
                    successor: *successor,
                    generation: topology.generation_of(*successor),
                    predecessor: item.id,
                })
                .collect(),
        ),
        ShardState::Failed if topology.on_failure == OnFailure::Stop => {
            Release::Fails(cause_of(item))
        }
        ShardState::Failed => Release::Skip(node.successors.clone()),
        ShardState::Skipped if !is_complete(item, node) => Release::Hold,
        ShardState::Skipped if item.kind == ShardKind::End => Release::Fails(cause_of(item)),
        ShardState::Skipped => Release::Skip(node.successors.clone()),
        ShardState::Waiting | ShardState::Ready | ShardState::Running | ShardState::Superseded => {
            Release::Nothing
        }
    }
}

fn cause_of(item: &ShardItem) -> Failure {
    item.cause
        .clone()
        .unwrap_or_else(|| lifecycle::failure(Cause::TaskFailed, "a task before it failed"))
}

/// What a successor is after somebody has arrived.
#[derive(Debug, Clone, PartialEq)]
pub enum Arrived {
    /// Nothing to do: others are missing, or it has gone on.
    Nothing,
    /// Write it: it is ready.
    Ready(Box<ShardItem>),
    /// Write it: it is virtual and done, or it is seen done already; then release it in turn.
    Follow(Option<Box<ShardItem>>),
}

/// Whether every predecessor of the shard has finished. Item and node must be of one generation: who arrived at a shard
/// as it was before it was cut again says nothing of the shard as it is now.
#[must_use]
pub fn is_complete(item: &ShardItem, node: &ShardNode) -> bool {
    item.generation == node.generation && item.arrived.len() as u64 >= u64::from(node.predecessors)
}

/// Decides what a successor becomes, from the item as it is after an arrival.
#[must_use]
pub fn arrived(item: &ShardItem, node: &ShardNode, now: TimeMs) -> Arrived {
    let complete = is_complete(item, node);
    match (item.state, item.kind) {
        (ShardState::Waiting, ShardKind::Work) if complete => Arrived::Ready(Box::new(ShardItem {
            state: ShardState::Ready,
            ..touched(item)
        })),
        (ShardState::Waiting, ShardKind::Relay | ShardKind::End) if complete => {
            Arrived::Follow(Some(Box::new(ShardItem {
                state: ShardState::Done,
                settled_at: now,
                ..touched(item)
            })))
        }
        (ShardState::Skipped, _) if complete && !item.released => Arrived::Follow(None),
        (ShardState::Done, ShardKind::Relay | ShardKind::End) if !item.released => {
            Arrived::Follow(None)
        }
        _ => Arrived::Nothing,
    }
}

/// What a successor of a single predecessor becomes by its arrival, if nothing has happened to it before: no need to ask.
///
/// Written under the version that it was created with, so a store that knows better refuses; then make the arrival.
#[must_use]
pub fn arrived_alone(topology: &Topology, arrival: &Arrival, now: TimeMs) -> Option<Arrived> {
    let node = topology.node(arrival.successor)?;
    if node.predecessors != 1 {
        return None;
    }
    let mut item = waiting(topology, node);
    item.arrived.insert(arrival.predecessor);
    Some(arrived(&item, node, now))
}

/// A successor is skipped.
#[derive(Debug, Clone, PartialEq)]
pub struct Skip {
    /// The transaction.
    pub writes: Vec<Write>,
    /// The successor as it is then.
    pub successor: ShardItem,
    /// The predecessor as it is then.
    pub predecessor: ShardItem,
    /// For the ledger.
    pub event: Event,
}

/// Skips a successor of a shard that failed or was skipped. `None` when it knows already, or has gone on.
#[must_use]
pub fn skip(predecessor: &ShardItem, successor: &ShardItem, now: TimeMs) -> Option<Skip> {
    let open = matches!(successor.state, ShardState::Waiting | ShardState::Skipped);
    if !open || successor.arrived.contains(&predecessor.id) {
        return None;
    }
    let first = successor.state == ShardState::Waiting;
    let mut skipped = ShardItem {
        state: ShardState::Skipped,
        settled_at: if first { now } else { successor.settled_at },
        cause: successor
            .cause
            .clone()
            .or_else(|| predecessor.cause.clone()),
        ..touched(successor)
    };
    skipped.arrived.insert(predecessor.id);
    let rewritten = touched(predecessor);
    let because = format!("shard {} before it has no result", predecessor.id);
    let event = events::of_shard(&skipped, EventKind::Skipped, skipped.settled_at, &because);
    Some(Skip {
        writes: vec![put_shard(skipped.clone()), put_shard(rewritten.clone())],
        successor: skipped,
        predecessor: rewritten,
        event,
    })
}

/// Every successor knows: the last write of a release. `None` when it is written already.
#[must_use]
pub fn released(item: &ShardItem) -> Option<ShardItem> {
    (!item.released).then(|| ShardItem {
        released: true,
        ..touched(item)
    })
}

/// The one transaction that ends a release which ends the run: END is done, so the run is completing.
///
/// `None` when the run is not running: END stays unreleased, so that the run completes when it is resumed.
#[must_use]
pub fn completes(run: &RunItem, end: &ShardItem, now: TimeMs) -> Option<Vec<Write>> {
    (run.state == RunState::Running).then(|| {
        let next = RunItem {
            state: RunState::Completing,
            version: run.version + 1,
            updated_at: now,
            ..run.clone()
        };
        with_run(next, released_as_well(end))
    })
}

/// The one transaction that ends a release which fails the run; the first cause stays.
///
/// `None` when the run is not running: the shard stays unreleased, so that a run which is resumed without being able to
/// repeat it fails again. Nothing is ever released by what the run was some time ago: the transaction holds both.
#[must_use]
pub fn fails(run: &RunItem, item: &ShardItem, cause: &Failure, now: TimeMs) -> Option<Vec<Write>> {
    let first = run.cause.clone().unwrap_or_else(|| cause.clone());
    let next = lifecycle::failing(run, first, now)?;
    Some(with_run(next, released_as_well(item)))
}

fn released_as_well(item: &ShardItem) -> ShardItem {
    ShardItem {
        released: true,
        ..touched(item)
    }
}

/// A shard has failed and the rest goes on: the transaction by which the run keeps the first cause, and the shard as it
/// is then. `None` when the run has one, or is ending.
#[must_use]
pub fn noted(run: &RunItem, item: &ShardItem, now: TimeMs) -> Option<(Vec<Write>, ShardItem)> {
    let missing =
        item.state == ShardState::Failed && run.state == RunState::Running && run.cause.is_none();
    missing.then(|| {
        let next = RunItem {
            cause: Some(cause_of(item)),
            version: run.version + 1,
            updated_at: now,
            ..run.clone()
        };
        let item = touched(item);
        (with_run(next, item.clone()), item)
    })
}

fn with_run(run: RunItem, item: ShardItem) -> Vec<Write> {
    vec![put_run(run), put_shard(item)]
}
