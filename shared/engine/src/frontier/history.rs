//! Decides when a lane has used its share of the execution's history, so that its round hands over to the next.

use foreshard_model::ids::Round;
use foreshard_model::limits::{EVENTS_PER_PARKING, EVENTS_PER_SHARD};
use foreshard_model::message::AnswerKind;
use foreshard_model::run::{RunItem, RunState};
use foreshard_model::topology::Topology;
use foreshard_model::units::TimeMs;

/// Events of history that follow from an answer: dispatch with its choice, and what the answer leads to.
#[must_use]
pub fn events_of(kind: AnswerKind) -> u32 {
    match kind {
        AnswerKind::Idle => EVENTS_PER_PARKING,
        // A Wait state has two events where a Task has five: counted as a shard, which is on the safe side.
        AnswerKind::Run | AnswerKind::Wait | AnswerKind::Done => EVENTS_PER_SHARD,
    }
}

/// Whether the lane's next step could pass its share. A fresh lane always has one step, so that every round gets on.
#[must_use]
pub fn is_used_up(events: u32, topology: &Topology) -> bool {
    events > 0 && events.saturating_add(EVENTS_PER_PARKING) > topology.lane_events
}

/// The lanes of this round are to hand over. `None` when they are told already, or the run is ending anyway.
#[must_use]
pub fn close_round(run: &RunItem, round: Round, now: TimeMs) -> Option<RunItem> {
    let open =
        run.state == RunState::Running && run.round == round && run.closing_round != Some(round);
    open.then(|| RunItem {
        version: run.version + 1,
        closing_round: Some(round),
        updated_at: now,
        ..run.clone()
    })
}
