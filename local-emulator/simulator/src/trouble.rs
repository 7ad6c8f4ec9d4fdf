//! What goes wrong with targets when a scenario says so: each kind draws from a generator of its own.

use std::collections::BTreeMap;

use foreshard_fakes::{Seeded, build};
use foreshard_model::units::{Mib, TimeMs};
use serde::Serialize;
use thiserror::Error;

/// How many times longer a task takes on the targets of a degraded region that do not refuse it.
const DEGRADED_SLOWER: f64 = 5.0;

/// A worker that is lost, is lost within so many milliseconds; one that ends earlier is not.
const LOST_WITHIN_MS: u64 = 60_000;

/// What is wrong. The default is nothing.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Trouble {
    /// Tasks on the targets of this tier take so many times longer.
    pub slow: Option<(Mib, f64)>,
    /// So many in a thousand invocations of this tier fail.
    pub failing: Option<(Mib, u32)>,
    /// From so many milliseconds after the beginning, for so many: every target of the region is slow or refuses.
    pub degraded: Option<(u64, u64)>,
    /// So many in a thousand invocations of any target are throttled.
    pub throttled: u32,
    /// So many in a thousand workers die on the way.
    pub lost: u32,
    /// So many in a thousand writes of the table and the store break, in each of the ways of the fakes.
    pub writes: u32,
    /// So many in a thousand invocations have a clock that is wrong by up to half a minute.
    pub skewed: u32,
    /// From so many milliseconds after the beginning, for so many: no forecast is made, and the last one gets old.
    pub stale: Option<(u64, u64)>,
    /// So many in a thousand minutes of a metric never come.
    pub unseen: u32,
}

/// `--trouble` that says nothing.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "`{0}` is no trouble: `slow=MIBxTIMES`, `failing=MIBxPER_MILLE`, `degraded=FROM_S+FOR_S`, `stale=FROM_S+FOR_S`; `throttled`, `lost`, `writes`, `skewed` or `unseen` with `=PER_MILLE`"
)]
pub struct NoTrouble(String);

impl Trouble {
    /// Adds what a word says: `slow=1769x10`, `failing=1769x200`, `degraded=60+300`, `throttled=50`, `lost=20`.
    ///
    /// # Errors
    /// The word is none of these.
    pub fn add(&mut self, word: &str) -> Result<(), NoTrouble> {
        let taken = word.split_once('=').and_then(|(kind, figures)| {
            let pair = |by| figures.split_once(by);
            match kind {
                "slow" => {
                    let (mib, times) = pair('x')?;
                    self.slow = Some((Mib(mib.parse().ok()?), times.parse().ok()?));
                }
                "failing" => {
                    let (mib, share) = pair('x')?;
                    self.failing = Some((Mib(mib.parse().ok()?), share.parse().ok()?));
                }
                "degraded" | "stale" => {
                    let (from, long) = pair('+')?;
                    let ms = |s: &str| s.parse::<u64>().ok()?.checked_mul(1_000);
                    let span = Some((ms(from)?, ms(long)?));
                    match kind {
                        "stale" => self.stale = span,
                        _ => self.degraded = span,
                    }
                }
                "throttled" => self.throttled = figures.parse().ok()?,
                "lost" => self.lost = figures.parse().ok()?,
                "writes" => self.writes = figures.parse().ok()?,
                "skewed" => self.skewed = figures.parse().ok()?,
                "unseen" => self.unseen = figures.parse().ok()?,
                _ => return None,
            }
            Some(())
        });
        taken.ok_or_else(|| NoTrouble(word.to_owned()))
    }
}

fn is_within(span: Option<(u64, u64)>, now: TimeMs) -> bool {
    let since = now.since(build::START);
    span.is_some_and(|(from, long)| (from..from + long).contains(&since))
}

/// How often each kind has struck.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Struck(pub BTreeMap<&'static str, u64>);

/// What an invocation meets.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Met {
    /// Refused before it begins: throttled, or by the service.
    pub(crate) refused: Option<Refusal>,
    /// The process fails as soon as it has begun.
    pub(crate) fails: bool,
    /// Its tasks take so many times longer; 0 is as long as they do.
    pub(crate) slower: f64,
    /// It dies after so many milliseconds, if it has not ended.
    pub(crate) lost_after_ms: Option<u64>,
}

/// Who refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    Throttled,
    Service,
}

/// The trouble of a world, with a generator for each kind.
pub(crate) struct Troubles {
    trouble: Trouble,
    failing: Seeded,
    degraded: Seeded,
    throttled: Seeded,
    lost: Seeded,
    pub(crate) struck: Struck,
}

impl Troubles {
    pub(crate) fn new(trouble: Trouble, seed: u64) -> Self {
        Self {
            trouble,
            failing: Seeded::new(seed, "failing target"),
            degraded: Seeded::new(seed, "degraded region"),
            throttled: Seeded::new(seed, "throttled"),
            lost: Seeded::new(seed, "lost worker"),
            struck: Struck::default(),
        }
    }

    /// What an invocation of a target of this size meets now.
    pub(crate) fn met(&mut self, memory: Mib, now: TimeMs) -> Met {
        let mut met = Met::default();
        let of = self.trouble.clone();
        if let Some((_, times)) = of.slow.filter(|(tier, _)| *tier == memory) {
            met.slower = times;
            self.strike("slow_target");
        }
        if let Some((_, share)) = of.failing.filter(|(tier, _)| *tier == memory)
            && self.failing.hits(share)
        {
            met.fails = true;
            self.strike("failing_target");
        }
        if is_within(of.degraded, now) {
            match self.degraded.below(3) {
                0 => met.slower = DEGRADED_SLOWER.max(met.slower),
                1 => met.refused = Some(Refusal::Throttled),
                _ => met.refused = Some(Refusal::Service),
            }
            self.strike("degraded_region");
        }
        if self.throttled.hits(of.throttled) {
            met.refused = Some(Refusal::Throttled);
            self.strike("throttled");
        }
        // Drawn for everybody, so that a different share does not move when the others die.
        let after_ms = self.lost.below(LOST_WITHIN_MS);
        if self.lost.hits(of.lost) {
            met.lost_after_ms = Some(after_ms);
            self.strike("lost_worker");
        }
        met
    }

    /// Whether no forecast is made now.
    pub(crate) fn keeps_forecast(&mut self, now: TimeMs) -> bool {
        let stale = is_within(self.trouble.stale, now);
        if stale {
            self.strike("stale_forecast");
        }
        stale
    }

    fn strike(&mut self, kind: &'static str) {
        *self.struck.0.entry(kind).or_default() += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_say_what_is_wrong() {
        let mut trouble = Trouble::default();
        for word in [
            "slow=1769x10",
            "failing=512x200",
            "degraded=60+300",
            "throttled=50",
            "lost=20",
            "writes=30",
            "skewed=100",
            "stale=5+10",
            "unseen=7",
        ] {
            trouble.add(word).unwrap();
        }
        assert_eq!(trouble.slow, Some((Mib(1_769), 10.0)));
        assert_eq!(trouble.failing, Some((Mib(512), 200)));
        assert_eq!(trouble.degraded, Some((60_000, 300_000)));
        assert_eq!((trouble.throttled, trouble.lost), (50, 20));
        let more = (trouble.writes, trouble.skewed, trouble.unseen);
        assert_eq!(more, (30, 100, 7));
        assert_eq!(trouble.stale, Some((5_000, 10_000)));
        for word in ["slow=10", "quick=1", "lost", "degraded=1x2"] {
            assert!(trouble.add(word).is_err(), "{word}");
        }
    }

    #[test]
    fn each_kind_strikes_as_often_as_it_is_asked_to_and_moves_no_other() {
        let met = |trouble: Trouble| {
            let mut troubles = Troubles::new(trouble, 7);
            let all: Vec<Met> = (0..2_000)
                .map(|_| troubles.met(Mib(512), build::START))
                .collect();
            (all, troubles.struck.0)
        };
        let lost = Trouble {
            lost: 100,
            ..Trouble::default()
        };
        let (all, struck) = met(lost.clone());
        assert!((150..250).contains(&struck["lost_worker"]), "{struck:?}");
        let both = Trouble {
            failing: Some((Mib(512), 100)),
            throttled: 100,
            ..lost
        };
        let (more, struck) = met(both);
        assert_eq!(struck.len(), 3);
        let when = |all: &[Met]| all.iter().map(|met| met.lost_after_ms).collect::<Vec<_>>();
        assert_eq!(when(&all), when(&more));
        let (_, struck) = met(Trouble {
            degraded: Some((1, 10)),
            ..Trouble::default()
        });
        assert!(struck.is_empty(), "it has not begun: {struck:?}");
    }
}
