//! What the rest of the model wants to know of the items.

use foreshard_engine::frontier;
use foreshard_model::frontier::{ShardItem, ShardState};
use foreshard_model::ids::ShardId;
use foreshard_model::plan::ShardKind;
use foreshard_model::run::{RunItem, RunState};

/// What the rest of the model wants to know of a store.
#[derive(Debug, Clone)]
pub(crate) struct Facts {
    pub(crate) run: RunState,
    /// Lanes of the run's round still claim.
    pub(crate) open: bool,
    /// Some shard can be claimed.
    pub(crate) ready: bool,
    /// Some shard has failed, or was skipped.
    pub(crate) failed: bool,
    /// Shards with tasks that wait or are ready: those that can be cut again.
    pub(crate) uncut: Vec<ShardId>,
    /// What is wrong with it, by number.
    pub(crate) wrong: u32,
}

impl Facts {
    /// Those of a run and its shards; nothing is wrong with them as far as this knows.
    pub(crate) fn of(run: &RunItem, shards: &[&ShardItem]) -> Self {
        let is = |state: ShardState| shards.iter().any(|item| item.state == state);
        let uncut = shards.iter().filter(|item| {
            let open = matches!(item.state, ShardState::Ready | ShardState::Waiting);
            open && item.kind == ShardKind::Work
        });
        Self {
            run: run.state,
            open: frontier::is_open(run, run.round),
            ready: is(ShardState::Ready),
            failed: is(ShardState::Failed) || is(ShardState::Skipped),
            uncut: uncut.map(|item| item.id).collect(),
            wrong: 0,
        }
    }
}
