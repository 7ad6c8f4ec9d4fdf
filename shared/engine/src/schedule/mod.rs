//! Schedules: what an expression means, when it fires in its time zone, and what an event that arrives stands for.
//!
//! The syntax is that of Amazon EventBridge Scheduler, and so is what happens when clocks change: a wall time that spring
//! leaves out is skipped, one that autumn repeats is taken once, the first time. The zones are in the binary, so the
//! answer depends on no machine.

mod cron;
mod expression;
mod field;
mod fire;
mod times;
mod zone;

use foreshard_model::schedule::Timing;
use foreshard_model::units::TimeMs;

use cron::Cron;
use zone::Zone;

pub use expression::{Wanted, timing};
pub use fire::{CAUGHT_UP, Due, decided, due, look_at, missed, overlapping};
pub use zone::{instant, rfc3339};

/// What is wrong with a schedule, before it has a place in a document or a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// The member that is wrong: `expression`, `timezone`, `start` or `end`.
    pub field: &'static str,
    /// Stable code; `docs/errors.md` has a section for each.
    pub code: &'static str,
    /// What is wrong, with the value seen.
    pub message: String,
    /// How to mend it.
    pub hint: String,
}

/// Codes of [`Trouble`].
pub mod code {
    /// Not an expression of EventBridge Scheduler.
    pub const EXPRESSION: &str = "FS1060";
    /// Not an IANA time zone.
    pub const ZONE: &str = "FS1061";
    /// Start and end are no time, or leave nothing between them.
    pub const WINDOW: &str = "FS1062";
    /// There is no scheduled time at all.
    pub const NEVER: &str = "FS1063";
}

/// A schedule that was understood: asks for its times are answered by it.
#[derive(Debug, Clone)]
pub struct Schedule {
    rule: Rule,
    zone: Zone,
    start: Option<TimeMs>,
    end: Option<TimeMs>,
    anchor: TimeMs,
}

/// What an expression says.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Rule {
    /// Wall times of the zone.
    Cron(Box<Cron>),
    /// Every so many milliseconds from the anchor.
    Rate(u64),
    /// Once, at a wall time of the zone.
    At(jiff::civil::DateTime),
}

impl Schedule {
    /// Understands a timing that was stored.
    ///
    /// # Errors
    /// Everything that is wrong with it: nothing, for one that [`timing`] has given.
    pub fn of(timing: &Timing) -> Result<Self, Vec<Trouble>> {
        let mut troubles = Vec::new();
        let rule = expression::rule(&timing.expression, &mut troubles);
        let zone = Zone::named(&timing.timezone, &mut troubles);
        match (rule, zone) {
            (Some(rule), Some(zone)) => Ok(Self {
                rule,
                zone,
                start: timing.start,
                end: timing.end,
                anchor: timing.anchor,
            }),
            _ => Err(troubles),
        }
    }
}

#[cfg(test)]
mod tests;
