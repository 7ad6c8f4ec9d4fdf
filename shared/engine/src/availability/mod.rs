//! How much concurrency will be free in each region and on each target, as a distribution over time, and to which of several
//! deployments a run goes.

mod choose;
mod deployment;
mod free;
mod stored;

pub use choose::Candidate;
pub use deployment::{Deployment, DeploymentChoice, Submission, choose_deployment};
pub use stored::{STALE_MS, as_of};

use std::collections::BTreeMap;

use foreshard_model::forecast::Forecast;
use foreshard_model::ids::TargetId;
use foreshard_model::outlook::{Expected, Outlook};
use foreshard_model::plan::Reason;

use crate::calendar::Calendar;
use crate::forecast::Load;

#[cfg(test)]
mod tests;

/// Hours of running without a failure that a place is taken to have had before anything was seen of it.
const FAILURE_PRIOR_H: f64 = 1.0;

/// What is known when availability is asked for.
#[derive(Debug, Clone)]
pub struct Known<'a> {
    /// Now: seconds since 1970. Steps of the outlook count from here.
    pub now_s: i64,
    /// How far to look, in seconds.
    pub horizon_s: u32,
    /// Regions by name.
    pub regions: BTreeMap<String, Seen>,
    /// Targets that have lanes of their own, or failures of their own.
    pub targets: BTreeMap<TargetId, Seen>,
    /// Runs that are scheduled and not admitted yet, and other load that is known to come, by region or target.
    pub planned: &'a [Load],
    /// Events: those with `lanes` take them, those with a factor change what is claimed.
    pub calendar: &'a Calendar,
}

/// What was seen of one region or target.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Seen {
    /// Calls that may be in flight at once: the region's quota, a function's reserved concurrency. None, for a target: it shares its
    /// region's.
    pub quota: Option<u32>,
    /// Of the quota, what is left to others whatever happens.
    pub kept_free: u32,
    /// Concurrency that others claim, forecast from now on. Load of runs in flight is not in it: plans count that themselves.
    pub claimed: Option<Forecast>,
    /// Calls, and calls that were refused for lack of concurrency, of the last minutes: the newest last.
    pub minutes: Vec<Minute>,
    /// Attempts that failed or were killed, beside failures of the tasks' own.
    pub failures: f64,
    /// Hours of running in which they did.
    pub running_h: f64,
}

/// One minute of a place.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Minute {
    /// Calls that ran.
    pub calls: f64,
    /// Calls that were throttled.
    pub throttled: f64,
}

/// An outlook and why.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Availability {
    /// As the planner reads it.
    pub outlook: Outlook,
    /// What moved it.
    pub reasons: Vec<Reason>,
}

/// The outlook of regions and targets from now on.
///
/// Free at a quantile is the quota, less what is kept free, what is claimed at the opposite quantile, planned load and what events
/// take; of that, the share that throttles leave, which is forgotten with time.
#[must_use]
pub fn availability(known: &Known<'_>) -> Availability {
    let mut answer = Availability::default();
    for (name, seen) in &known.regions {
        let calendar = known.calendar.of_region(name);
        let expected = expected(name, seen, known, &calendar, &mut answer.reasons);
        answer.outlook.regions.insert(name.clone(), expected);
    }
    for (target, seen) in &known.targets {
        // Events are a region's: they have been counted there.
        let none = Calendar::default();
        let expected = expected(target.as_str(), seen, known, &none, &mut answer.reasons);
        answer.outlook.targets.insert(target.clone(), expected);
    }
    answer
}

fn expected(
    name: &str,
    seen: &Seen,
    known: &Known<'_>,
    calendar: &Calendar,
    reasons: &mut Vec<Reason>,
) -> Expected {
    let free = match seen.quota {
        None => Vec::new(),
        Some(quota) => free::free(name, quota, seen, known, calendar, reasons),
    };
    Expected {
        free,
        failures_per_h: seen.failures.max(0.0) / (seen.running_h.max(0.0) + FAILURE_PRIOR_H),
    }
}
