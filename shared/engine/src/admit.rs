//! Whether a tenant may start one more run now: a token bucket, kept as the one moment until which its starts are booked.
//!
//! Each start books one interval. A tenant that has been idle is booked until now; whoever is booked further ahead than the
//! burst allows waits until it is not. Source: the generic cell rate algorithm, ITU-T I.371, annex A.

use foreshard_model::policy::StartRate;
use foreshard_model::units::TimeMs;

/// What becomes of a start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admitted {
    /// It may go; the tenant is booked until then.
    Until(TimeMs),
    /// It may go after so many milliseconds.
    Wait(u64),
}

/// Decides on one start. `booked` is the moment until which starts are booked, `None` before the first.
#[must_use]
pub fn admit(rate: StartRate, booked: Option<TimeMs>, now: TimeMs) -> Admitted {
    let booked = booked.map_or(now, |booked| booked.max(now));
    let latest = now.plus(rate.ahead_ms());
    if booked <= latest {
        Admitted::Until(booked.plus(rate.interval_ms()))
    } else {
        Admitted::Wait(booked.since(latest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const RATE: StartRate = StartRate {
        burst: 3,
        per_minute: 60,
    };

    /// Starts at these milliseconds: `+` may go, a number is the wait.
    fn check(rate: StartRate, starts: &[u64]) -> String {
        let mut booked = None;
        let told = starts
            .iter()
            .map(|at| match admit(rate, booked, TimeMs(*at)) {
                Admitted::Until(until) => {
                    booked = Some(until);
                    "+".to_owned()
                }
                Admitted::Wait(ms) => ms.to_string(),
            });
        told.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn a_burst_goes_at_once_and_then_the_rate_holds() {
        assert_eq!(check(RATE, &[0, 0, 0, 0, 0]), "+ + + 1000 1000");
        assert_eq!(check(RATE, &[0, 0, 0, 400, 1000, 1000]), "+ + + 600 + 1000");
        assert_eq!(
            check(RATE, &[0, 0, 0, 60_000, 60_000, 60_000, 60_000]),
            "+ + + + + + 1000"
        );
        let one = StartRate { burst: 1, ..RATE };
        assert_eq!(check(one, &[0, 0, 999, 1000]), "+ 1000 1 +");
    }

    proptest! {
        #[test]
        fn no_window_has_more_than_the_burst_and_its_share(
            mut at in prop::collection::vec(0u64..20_000, 1..200), burst in 1u32..20, per_minute in 1u32..6_000,
        ) {
            at.sort_unstable();
            let rate = StartRate { burst, per_minute };
            let (mut booked, mut gone) = (None, Vec::new());
            for now in at {
                match admit(rate, booked, TimeMs(now)) {
                    Admitted::Until(until) => {
                        booked = Some(until);
                        gone.push(now);
                    }
                    Admitted::Wait(ms) => {
                        // Whoever waits as long as told may go.
                        let later = TimeMs(now).plus(ms);
                        prop_assert!(matches!(admit(rate, booked, later), Admitted::Until(_)));
                    }
                }
            }
            for (i, from) in gone.iter().enumerate() {
                for (j, to) in gone.iter().enumerate().skip(i) {
                    let share = (to - from) / rate.interval_ms();
                    prop_assert!((j - i + 1) as u64 <= u64::from(burst) + share + 1);
                }
            }
        }
    }
}
