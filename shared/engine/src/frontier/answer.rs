//! Decides what a lane does when it claims nothing: wait, park, or end.

use foreshard_model::frontier::ShardItem;
use foreshard_model::ids::Step;
use foreshard_model::message::{Answer, AnswerKind};
use foreshard_model::run::{RunItem, RunState};
use foreshard_model::topology::Topology;
use foreshard_model::units::TimeMs;

use super::{Turn, claimable, is_open, seed};

/// Longest wait of a lane before it looks again, in seconds: as long as the sweep's interval, no wait is of use beyond it.
pub const WAIT_MAX_S: u32 = 60;

/// Decides the answer of a lane that has claimed nothing.
///
/// - The run is not running, or the round closes: `done`.
/// - Something is ready, but not before a moment to come: a few lanes `wait` for it. Those are the lane that put it back
///   (`put_back`) and about two for each such shard, drawn by lane and step: were it all of them, ten thousand lanes
///   would spin around one throttled shard.
/// - Otherwise `idle`: the lane parks.
#[must_use]
pub fn answer_without_claim(
    run: &RunItem,
    topology: &Topology,
    turn: &Turn,
    ready: &[ShardItem],
    put_back: bool,
    now: TimeMs,
) -> Answer {
    let step = turn.step();
    if !is_open(run, turn.round()) {
        return done(step, &closed_because(run, turn));
    }
    let later: Vec<TimeMs> = ready
        .iter()
        .filter_map(|item| item.not_before.filter(|at| *at > now))
        .collect();
    let Some(soonest) = later.iter().min() else {
        return without(
            step,
            AnswerKind::Idle,
            if claimable(ready, now).is_empty() {
                "nothing is ready"
            } else {
                "other lanes were quicker"
            },
        );
    };
    let lanes = u64::from(topology.lanes.max(1));
    let round = u64::from(turn.round().0);
    let draw = seed::mix(&[u64::from(turn.lane().0), u64::from(step.0), round]) % lanes;
    if !put_back && draw >= 2 * later.len() as u64 {
        return without(
            step,
            AnswerKind::Idle,
            "what is ready backs off, and other lanes wait for it",
        );
    }
    let wait_s = u32::try_from(soonest.since(now).div_ceil(1_000)).unwrap_or(WAIT_MAX_S);
    Answer {
        wait_s: Some(wait_s.clamp(1, WAIT_MAX_S)),
        ..without(
            step,
            AnswerKind::Wait,
            &format!("{} ready shards back off", later.len()),
        )
    }
}

fn closed_because(run: &RunItem, turn: &Turn) -> String {
    if run.state != RunState::Running {
        return format!("the run is {}", run.state.as_str());
    }
    if run.round != turn.round() {
        return format!("round {} has taken over", run.round);
    }
    "the round hands over to the next: its history is used up".to_owned()
}

/// An answer that gives nothing to execute.
fn without(step: Step, kind: AnswerKind, because: &str) -> Answer {
    Answer {
        step,
        kind,
        target: None,
        shard: None,
        wait_s: None,
        because: because.to_owned(),
    }
}

/// The lane ends.
#[must_use]
pub fn done(step: Step, because: &str) -> Answer {
    without(step, AnswerKind::Done, because)
}
