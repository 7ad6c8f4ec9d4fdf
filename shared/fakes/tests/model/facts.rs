//! What the rest of the model wants to know of the items.

use foreshard_engine::frontier;
use foreshard_model::frontier::{ShardItem, ShardState};
use foreshard_model::ids::ShardId;
use foreshard_model::plan::ShardKind;
use foreshard_model::run::{RunItem, RunState};
use foreshard_model::topology::Topology;

/// What the rest of the model wants to know of a store.
#[derive(Debug, Clone)]
pub(crate) struct Facts {
    pub(crate) run: RunState,
    pub(crate) run_version: u64,
    /// Lanes of the run's round still claim.
    pub(crate) open: bool,
    /// Some shard can be claimed.
    pub(crate) ready: bool,
    /// Some shard has failed, or was skipped.
    pub(crate) failed: bool,
    /// No two shards can run at once any more.
    pub(crate) narrow: bool,
    /// Of every shard its successors know.
    pub(crate) released: bool,
    /// Shards with tasks that wait or are ready: those that can be cut again.
    pub(crate) uncut: Vec<ShardId>,
    /// What is wrong with it, by number.
    pub(crate) wrong: u32,
}

impl Facts {
    /// Those of a run and its shards; nothing is wrong with them as far as this knows.
    pub(crate) fn of(run: &RunItem, plan: &Topology, shards: &[&ShardItem]) -> Self {
        let is = |state: ShardState| shards.iter().any(|item| item.state == state);
        let uncut = shards.iter().filter(|item| {
            let open = matches!(item.state, ShardState::Ready | ShardState::Waiting);
            open && item.kind == ShardKind::Work
        });
        Self {
            run: run.state,
            run_version: run.version,
            open: frontier::is_open(run, run.round),
            ready: is(ShardState::Ready),
            failed: is(ShardState::Failed) || is(ShardState::Skipped),
            narrow: is_narrow(plan, shards),
            released: shards.iter().all(|item| item.released),
            uncut: uncut.map(|item| item.id).collect(),
            wrong: 0,
        }
    }
}

/// Whether of any two shards with tasks that are not settled one comes after the other.
fn is_narrow(plan: &Topology, shards: &[&ShardItem]) -> bool {
    let over = [ShardState::Done, ShardState::Failed, ShardState::Skipped];
    let open = shards
        .iter()
        .filter(|item| item.kind == ShardKind::Work && !over.contains(&item.state));
    let open: Vec<ShardId> = open.map(|item| item.id).collect();
    open.iter().enumerate().all(|(place, one)| {
        let mut others = open[place + 1..].iter();
        others.all(|other| leads(plan, *one, *other) || leads(plan, *other, *one))
    })
}

/// Whether a shard comes before another one.
fn leads(plan: &Topology, from: ShardId, to: ShardId) -> bool {
    let next = plan.node(from).map_or(&[][..], |node| &node.successors);
    next.iter()
        .any(|next| *next == to || leads(plan, *next, to))
}
