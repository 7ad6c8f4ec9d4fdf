//! Decides how a lane parks and who wakes it, so that no wake-up is lost while there is work.

use foreshard_model::frontier::{LaneItem, ShardItem, Write};
use foreshard_model::ids::{LaneId, Round, Step};
use foreshard_model::message::{AnswerKind, DispatchRequest};
use foreshard_model::run::RunItem;
use foreshard_model::units::TimeMs;

use super::{Turn, claimable, is_open, put_lane, seed};

/// Lanes that one dispatch wakes: each of them wakes as many, so n lanes wake in log₂ n steps.
pub const WAKE_WIDTH: usize = 2;

/// What becomes of a lane that wants to be parked.
#[derive(Debug, Clone, PartialEq)]
pub enum Park {
    /// Store the token, then look whether there is work after all ([`works_for_parked`]).
    Store {
        /// The lane with its token.
        write: Box<Write>,
        /// The lane as it is after that.
        parked: Box<LaneItem>,
    },
    /// The lane is not at this step any more: answer the token, nobody else would.
    Answer(&'static str),
}

/// Parks a lane if it is still at the step of its `idle` answer.
#[must_use]
pub fn park(lane: Option<&LaneItem>, request: &DispatchRequest) -> Park {
    let Some(item) = lane else {
        return Park::Answer("the lane is unknown");
    };
    let step = request.step.unwrap_or(Step(0));
    if item.round != request.round || item.step != step {
        return Park::Answer("the lane has gone on");
    }
    let idle = item
        .answer
        .as_ref()
        .is_some_and(|a| a.kind == AnswerKind::Idle);
    if !idle {
        return Park::Answer("the lane was not told to park");
    }
    let parked = LaneItem {
        version: item.version + 1,
        token: request.token.clone(),
        ..item.clone()
    };
    Park::Store {
        write: Box::new(put_lane(parked.clone())),
        parked: Box::new(parked),
    }
}

/// Whether a parked lane has something to do: work that can be claimed now, or an end to reach. The text says what.
#[must_use]
pub fn works_for_parked(
    run: &RunItem,
    lane: &LaneItem,
    ready: &[ShardItem],
    now: TimeMs,
) -> Option<&'static str> {
    if !is_open(run, lane.round) {
        return Some("the round is over");
    }
    (!claimable(ready, now).is_empty()).then_some("a shard is ready")
}

/// Whether others may be parked while there is work that only this lane knows of.
///
/// No lane parks while something is ready ([`works_for_parked`]), so whatever is ready beside parked lanes has become so
/// since, and whoever made it ready wakes them. That is this lane when it `readied` shards or put its own back, and when it
/// comes from a wake-up, a wait or its start: of `n` lanes to wake each wakes [`WAKE_WIDTH`] further ones. A lane that goes
/// from shard to shard need not look, and in a large run hardly ever does; what is lost between two lanes finds the sweep.
#[must_use]
pub fn has_news(turn: &Turn, readied: usize, put_back: bool) -> bool {
    readied > 1 || put_back || turn.last() != Some(AnswerKind::Run)
}

/// How many lanes to wake: `beyond` shards are ready beside the one that was claimed, or the round is over.
#[must_use]
pub fn wake_width(run: &RunItem, round: Round, beyond: usize) -> usize {
    if is_open(run, round) {
        beyond.min(WAKE_WIDTH)
    } else {
        WAKE_WIDTH
    }
}

/// The order in which parked lanes are tried, drawn by lane and step of whoever wakes them: two who wake at once mostly
/// begin with different ones.
///
/// Answer the token of each, then [`forget`] it, until enough were alive; a dead token counts as answered.
#[must_use]
pub fn wake_order(parked: &[LaneItem], (lane, step): (LaneId, Step)) -> Vec<LaneItem> {
    let draw = seed::mix(&[u64::from(lane.0), u64::from(step.0)]);
    let (before, from) = parked.split_at(seed::below(draw, parked.len()).min(parked.len()));
    let order = from.iter().chain(before);
    order.filter(|lane| lane.token.is_some()).cloned().collect()
}

/// Forgets the token that was answered; refused, and rightly, when the lane was written meanwhile.
#[must_use]
pub fn forget(lane: &LaneItem) -> Write {
    put_lane(LaneItem {
        version: lane.version + 1,
        token: None,
        ..lane.clone()
    })
}
