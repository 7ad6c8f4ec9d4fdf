//! What items and answers are without time, and without what no stage decides by: so that states do not differ by it.

use foreshard_fakes::build;
use foreshard_model::frontier::{LaneItem, ShardItem, ShardState};
use foreshard_model::message::{Answer, ShardUsage};
use foreshard_model::run::RunItem;
use foreshard_model::units::TimeMs;

use crate::process::ESTIMATE_MS;
use crate::setup::Lanes;

/// How long after the beginning every attempt's deadline is, in milliseconds.
const DEADLINE_MS: u64 = 150_000;

/// A run's item as if everything had been written when it began.
pub(crate) fn run(mut run: RunItem) -> RunItem {
    run.updated_at = build::START;
    run.ended_at = run.ended_at.map(|_| build::START);
    run.summary = None;
    run.result = None;
    if let Some(cause) = &mut run.cause {
        cause.message.clear();
    }
    run
}

/// A shard's item without times, and without who has it where nobody goes by that: only a lane that may end early does, by who
/// runs what.
pub(crate) fn shard(mut item: ShardItem, lanes: Lanes) -> ShardItem {
    if lanes == Lanes::Stay || item.state != ShardState::Running {
        item.lane = None;
    }
    item.claimed_at = TimeMs(0);
    item.settled_at = TimeMs(0);
    item.deadline = item.deadline.map(|_| build::START.plus(DEADLINE_MS));
    item.usage = ShardUsage::default();
    if item.state == ShardState::Done {
        item.usage.duration_ms = ESTIMATE_MS;
    }
    if item.state == ShardState::Running {
        item.claimed_at = build::START;
    }
    if let Some(cause) = &mut item.cause {
        cause.message.clear();
    }
    item
}

/// A lane's item without the history that it has used: rounds that end by it are left out.
pub(crate) fn lane(mut item: LaneItem) -> LaneItem {
    item.answer = item.answer.map(answer);
    item.events = 0;
    item
}

/// An answer without its reason, which nobody decides by.
pub(crate) fn answer(mut answer: Answer) -> Answer {
    answer.because.clear();
    if let Some(shard) = &mut answer.shard {
        shard.deadline = build::START;
    }
    answer
}
