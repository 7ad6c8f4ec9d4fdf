//! Decides every step of the run protocol: items in, items to write out, with the reason and the ledger's entries.
//!
//! ```text
//!             arrived          claim            settle: done
//! waiting ─────────────► ready ─────► running ───────────────► done ── release ─► successors arrive
//!    │                     ▲             │ yielded, repeated
//!    │ skip                └─────────────┤
//!    ▼                                   └───────────────────► failed ── release ─► run fails, or skip
//! skipped
//! ```
//! A shard that waits or is ready may be [cut again](recut): it becomes virtual, waits for the shards that take its tasks
//! over, and is done when they are, so that whoever follows it need not know.
//!
//! Nothing here reads or writes: a stage reads items, asks, and writes what it is told, each write under the version
//! that was read. When a store refuses, the stage reads again and asks again. So any step may run twice, late or never.

mod answer;
mod claim;
mod classify;
mod events;
mod expire;
mod failure;
mod history;
mod initial;
mod pace;
mod park;
mod recut;
mod release;
mod replay;
mod resume;
mod seed;
mod settle;
mod spare;
mod target;

pub use answer::{WAIT_MAX_S, answer_without_claim, done};
pub use claim::{
    Claimed, DELIVERY_MS, LOOK_AHEAD_MAX, SETTLE_MS, View, claim, claimable, look_ahead,
};
pub use classify::classify;
pub use events::claimed_event;
pub use expire::expire;
pub use failure::{Seen, after_failure, allowed_failures, failed_by};
pub use history::{close_round, events_of, is_used_up};
pub use initial::initial_items;
pub use pace::{Pace, creation_units};
pub use park::{
    Park, WAKE_WIDTH, forget, has_news, park, wake_order, wake_width, works_for_parked,
};
pub use recut::{NotCut, is_behind, recut, recut_event};
pub use release::{
    Arrived, Release, Skip, arrived, arrived_alone, completes, fails, is_complete, noted, release,
    released, skip,
};
pub use replay::{Replay, Turn, replay};
pub use resume::{is_beyond_resume, resume};
pub use settle::{Settled, settle};
pub use spare::{RUNNING_READ, may_spare, spare};

use foreshard_model::frontier::{Expect, LaneItem, ShardItem, Write};
use foreshard_model::run::{RunItem, RunState};

/// The write of an item that carries the version that it will have.
#[must_use]
pub fn put_shard(item: ShardItem) -> Write {
    let expect = expect(item.version);
    Write::Shard(Box::new(item), expect)
}

/// The write of an item that carries the version that it will have.
#[must_use]
pub fn put_lane(item: LaneItem) -> Write {
    let expect = expect(item.version);
    Write::Lane(Box::new(item), expect)
}

/// The write of an item that carries the version that it will have.
#[must_use]
pub fn put_run(item: RunItem) -> Write {
    let expect = expect(item.version);
    Write::Run(Box::new(item), expect)
}

/// Whether lanes of this round still claim: the run is running, in this round, and the round is not closing.
#[must_use]
pub fn is_open(run: &RunItem, round: foreshard_model::ids::Round) -> bool {
    run.state == RunState::Running && run.round == round && run.closing_round != Some(round)
}

fn expect(next: u64) -> Expect {
    match next {
        0 | 1 => Expect::Absent,
        version => Expect::Version(version - 1),
    }
}

/// The item with its version raised: what every transition begins with.
fn touched(item: &ShardItem) -> ShardItem {
    ShardItem {
        version: item.version + 1,
        ..item.clone()
    }
}

#[cfg(test)]
mod tests;
