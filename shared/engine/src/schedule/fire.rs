//! What an event means for a schedule: which scheduled times get a run, which were missed, and why nothing is done.
//!
//! A decision is recorded before it is carried out, and names the run by the scheduled time. So an event may come twice,
//! late or never: the same decision is carried out again, and the run is the same.

use foreshard_model::run::RunState;
use foreshard_model::schedule::{Firing, Outcome, Overlap, REMEMBERED, ScheduleItem};
use foreshard_model::units::TimeMs;

use super::Schedule;

/// Missed times that one event catches up on: a day of an hourly schedule. The rest is left to `backfill`.
pub const CAUGHT_UP: usize = REMEMBERED - 1;

/// What an event asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Due {
    /// Decided before, and perhaps not carried out: their runs are submitted again, which changes nothing if they were.
    pub again: Vec<TimeMs>,
    /// Get a run, unless they overlap; oldest first.
    pub fire: Vec<TimeMs>,
    /// Are recorded as missed.
    pub missed: Vec<TimeMs>,
    /// Why nothing is fired.
    pub because: String,
}

/// What an event means that arrives `now`; `stated` is the scheduled time that the service names, if it does.
#[must_use]
pub fn due(item: &ScheduleItem, schedule: &Schedule, stated: Option<TimeMs>, now: TimeMs) -> Due {
    let starting = item.recent.iter();
    let starting = starting.filter(|f| matches!(f.outcome, Outcome::Starting { .. }));
    let mut due = Due {
        again: starting.map(|firing| firing.time).collect(),
        ..Due::default()
    };
    match asked(item, schedule, stated, now) {
        Err(because) => due.because = because,
        Ok((time, upto)) => {
            let from = item.since.max(item.last.unwrap_or_default());
            let gap = schedule.latest(from, upto, CAUGHT_UP);
            if item.catch_up {
                due.fire = gap;
            } else {
                due.missed = gap;
            }
            due.fire.extend(time);
        }
    }
    due
}

/// The time to fire, if there is one, and the moment up to which others have gone by.
fn asked(
    item: &ScheduleItem,
    schedule: &Schedule,
    stated: Option<TimeMs>,
    now: TimeMs,
) -> Result<(Option<TimeMs>, TimeMs), String> {
    if item.paused {
        return Err("the schedule is paused".to_owned());
    }
    let Some(time) = schedule.stands_for(stated, now) else {
        // Nothing recent: what has gone by longer ago was missed.
        return match stated {
            None => Ok((None, now)),
            Some(_) => Err("the event stands for no scheduled time".to_owned()),
        };
    };
    if time <= item.since {
        return Err(
            "the scheduled time was before the schedule was made, changed or resumed".to_owned(),
        );
    }
    match item.firing(time).map(|firing| &firing.outcome) {
        None | Some(Outcome::Missed { .. }) => Ok((Some(time), TimeMs(time.0 - 1))),
        Some(decided) => {
            let (word, because) = decided.parts();
            Err(format!("decided before: {word}: {because}"))
        }
    }
}

/// When somebody must look after the schedule next: `None` when nothing will come.
#[must_use]
pub fn look_at(item: &ScheduleItem, schedule: &Schedule) -> Option<TimeMs> {
    let starting = item.recent.iter();
    let mut starting = starting.filter(|f| matches!(f.outcome, Outcome::Starting { .. }));
    match starting.next() {
        Some(firing) => Some(firing.time),
        None if item.paused => None,
        None => schedule.next_after(item.since.max(item.last.unwrap_or_default())),
    }
}

/// Why a scheduled time is to be skipped, if it is: `previous` is the last run that the schedule started.
#[must_use]
pub fn overlapping(overlap: Overlap, previous: Option<(&Firing, RunState)>) -> Option<String> {
    let (firing, state) = previous?;
    let run = firing.outcome.run()?;
    (overlap == Overlap::Skip && !state.is_terminal()).then(|| {
        format!(
            "run `{run}` of {} is {}",
            super::rfc3339(firing.time),
            state.as_str()
        )
    })
}

/// The item with these decisions, one version later; only the last [`REMEMBERED`] are kept.
#[must_use]
pub fn decided(item: &ScheduleItem, decisions: &[Firing], now: TimeMs) -> ScheduleItem {
    let mut next = item.clone();
    next.version += 1;
    next.updated_at = now;
    for firing in decisions {
        next.recent.retain(|old| old.time != firing.time);
        next.recent.push(firing.clone());
        next.last = next.last.max(Some(firing.time));
    }
    next.recent.sort_by_key(|firing| firing.time);
    let surplus = next.recent.len().saturating_sub(REMEMBERED);
    next.recent.drain(..surplus);
    next
}

/// Scheduled times that have gone by without a run, as far as the schedule remembers: those that it recorded, and those
/// since its last decision up to `until`. At most [`REMEMBERED`], the oldest first.
#[must_use]
pub fn missed(item: &ScheduleItem, schedule: &Schedule, until: TimeMs) -> Vec<TimeMs> {
    let recorded = item.recent.iter();
    let mut times: Vec<TimeMs> = recorded
        .filter(|firing| matches!(firing.outcome, Outcome::Missed { .. }))
        .map(|firing| firing.time)
        .collect();
    if !item.paused {
        let from = item.since.max(item.last.unwrap_or_default());
        times.extend(schedule.latest(from, until, REMEMBERED));
    }
    let surplus = times.len().saturating_sub(REMEMBERED);
    times.drain(..surplus);
    times
}
