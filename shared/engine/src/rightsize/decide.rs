//! Decides on which size a task runs: large enough first, then by what the run is for.

use foreshard_model::units::Mib;

use super::curve::Duration;
use super::need::Need;
use super::size::{Aim, Trial, choose, explore};

/// What a size is wanted for.
#[derive(Debug, Clone, Copy)]
pub struct Wish<'a> {
    /// Sizes that there are.
    pub sizes: &'a [Mib],
    /// Cost, speed, or between.
    pub aim: Aim,
    /// Longest duration of one attempt, in milliseconds.
    pub limit_ms: u64,
    /// Runs of such tasks that are expected: a neighbouring size is only tried when it pays within them.
    pub runs: f64,
}

/// A decided size.
#[derive(Debug, Clone, PartialEq)]
pub struct Sized {
    /// The size.
    pub memory: Mib,
    /// Whether it is thought to be enough. Otherwise it is the largest that there is.
    pub enough: bool,
    /// Expected duration on it.
    pub duration: Duration,
    /// A neighbouring size that is worth a try.
    pub trial: Option<Trial>,
    /// Why.
    pub reasons: Vec<String>,
}

/// The size for a need; `None` where there are no sizes.
#[must_use]
pub fn decide(need: &Need, wish: &Wish<'_>) -> Option<Sized> {
    let mut reasons = need.reasons.clone();
    let holds = |size: &Mib| *size >= need.peak && *size > need.above;
    let in_time = |size: &Mib| need.curve.duration(*size).high <= wish.limit_ms as f64;
    let large: Vec<Mib> = wish.sizes.iter().copied().filter(holds).collect();
    let enough: Vec<Mib> = large.iter().copied().filter(in_time).collect();
    let sizes = if enough.is_empty() { &large } else { &enough };
    if enough.is_empty() {
        reasons.push(format!(
            "no size holds {} above {} and ends in {} s nine times in ten",
            need.peak,
            need.above,
            wish.limit_ms / 1000
        ));
    }
    let memory = match choose(&need.curve, sizes, wish.aim) {
        Some(memory) if !enough.is_empty() => memory,
        _ => *wish.sizes.iter().max()?,
    };
    let duration = need.curve.duration(memory);
    reasons.push(format!(
        "{memory}: {:.0} ms expected ({:.0} to {:.0}), {}",
        duration.mid,
        duration.low,
        duration.high,
        match wish.aim {
            Aim::Cost => "the cheapest",
            Aim::Speed => "the quickest",
            Aim::Balanced => "the cheapest that is nearly as quick as any",
        }
    ));
    let trial = explore(
        &need.curve,
        &enough,
        memory,
        &need.tried,
        wish.aim,
        wish.runs,
    );
    if let Some(trial) = trial {
        reasons.push(format!(
            "{} is worth one try: over {:.0} runs it is expected to gain {:.2} runs' worth and to lose {:.2}",
            trial.size, wish.runs, trial.gain, trial.loss
        ));
    }
    Some(Sized {
        memory,
        enough: !enough.is_empty(),
        duration,
        trial,
        reasons,
    })
}
