//! Reads a stored outlook as of now: its steps count from when it was made, those of a run from when it is planned.

use foreshard_model::outlook::{Expected, Outlook, Step, StoredOutlook};
use foreshard_model::plan::Reason;
use foreshard_model::units::TimeMs;

use crate::forecast::reason;

/// How old an outlook may be, in milliseconds: six forecasts have failed since, and nobody knows what has changed.
pub const STALE_MS: u64 = 1_800_000;

/// The outlook from now on, and why it is what it is. One that is too old says nothing: everything is expected to be free.
#[must_use]
pub fn as_of(stored: &StoredOutlook, now: TimeMs) -> (Outlook, Vec<Reason>) {
    let age_ms = now.since(stored.made_at);
    let age_s = age_ms / 1_000;
    let age = [("age_s", age_s as f64)];
    if age_ms > STALE_MS {
        let because = "the last outlook is too old: all of the quota is taken to be free";
        let told = vec![reason("forecast", because.to_owned(), &age)];
        return (Outlook::default(), told);
    }
    let mut outlook = stored.outlook.clone();
    let regions = outlook.regions.values_mut();
    for expected in regions.chain(outlook.targets.values_mut()) {
        *expected = Expected {
            free: later(&expected.free, age_s),
            ..expected.clone()
        };
    }
    let because = "what is free where is that of the last outlook".to_owned();
    let mut told = vec![reason("forecast", because, &age)];
    told.extend(stored.reasons.iter().cloned());
    (outlook, told)
}

/// The steps as they are `age_s` later: of those that have begun by then, the last.
fn later(steps: &[Step], age_s: u64) -> Vec<Step> {
    let begun = steps.partition_point(|step| step.from_s <= age_s);
    let now = begun.saturating_sub(1);
    let left = steps.get(now..).unwrap_or_default();
    left.iter()
        .map(|step| Step {
            from_s: step.from_s.saturating_sub(age_s),
            lanes: step.lanes.clone(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn step(from_s: u64, lanes: f64) -> Step {
        Step {
            from_s,
            lanes: BTreeMap::from([("0.5".to_owned(), lanes)]),
        }
    }

    fn stored() -> StoredOutlook {
        let expected = Expected {
            free: vec![step(0, 10.0), step(300, 20.0), step(600, 30.0)],
            failures_per_h: 0.5,
        };
        StoredOutlook {
            made_at: TimeMs(1_000_000),
            outlook: Outlook {
                regions: BTreeMap::from([("r".to_owned(), expected)]),
                ..Outlook::default()
            },
            ..StoredOutlook::default()
        }
    }

    #[test]
    fn steps_move_with_the_time_that_has_passed() {
        let at = |age_s: u64| {
            let (outlook, _) = as_of(&stored(), TimeMs(1_000_000 + age_s * 1_000));
            let free = &outlook.regions["r"].free;
            free.iter()
                .map(|s| (s.from_s, s.lanes["0.5"]))
                .collect::<Vec<_>>()
        };
        assert_eq!(at(0), [(0, 10.0), (300, 20.0), (600, 30.0)]);
        assert_eq!(at(299), [(0, 10.0), (1, 20.0), (301, 30.0)]);
        assert_eq!(at(300), [(0, 20.0), (300, 30.0)]);
        assert_eq!(at(1_500), [(0, 30.0)]);
        let early = TimeMs(999_000);
        assert_eq!(as_of(&stored(), early).0, stored().outlook);
    }

    #[test]
    fn an_old_outlook_says_nothing() {
        let (outlook, told) = as_of(&stored(), TimeMs(1_000_000 + STALE_MS + 1));
        assert_eq!(outlook, Outlook::default());
        assert!(told[0].because.contains("too old"), "{told:?}");
    }
}
