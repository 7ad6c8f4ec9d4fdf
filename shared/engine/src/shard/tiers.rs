//! Memory tiers as a lever: shards of independent tasks run faster where there are more vCPUs, and cost more.

use std::fmt;

use crate::place::Profile;

use super::Demand;
use super::atoms::Atoms;
use super::market::Market;
use super::rules::Rules;
use super::trial::{Trial, trial};

/// On which tiers shards run.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub enum Tiers {
    /// The smallest that holds their tasks.
    #[default]
    Smallest,
    /// For every shard whose tasks can use them: so many tasks at once.
    Parallel(u32),
    /// As many at once as there can be, for shards on the critical path only; in so many rounds, as the path changes.
    Critical(u32),
}

/// A larger tier has to make a shard shorter by this factor: what is gained must be more than what is not known.
const SHORTER: f64 = 0.98;

/// A shard counts as critical when the longest path through it ends within this share of the end of the run.
const CRITICAL: f64 = 0.99;

impl Tiers {
    /// All that are worth a try with the tiers of these ladders, `many` or the two most promising ones.
    #[must_use]
    pub fn worth_trying(rules: &Rules<'_>, many: bool) -> Vec<Self> {
        let mut threads: Vec<u32> = rules
            .ladders
            .iter()
            .flat_map(|ladder| ladder.rungs().iter().map(|rung| rung.threads))
            .filter(|threads| *threads > 1)
            .collect();
        threads.sort_unstable_by(|a, b| b.cmp(a));
        threads.dedup();
        if threads.is_empty() {
            return Vec::new();
        }
        if !many {
            return vec![Self::Parallel(threads[0]), Self::Critical(1)];
        }
        let parallel = threads.into_iter().map(Self::Parallel);
        parallel
            .chain([Self::Critical(1), Self::Critical(2), Self::Critical(4)])
            .collect()
    }

    /// The trial of some shards on these tiers; `None` when no shard has another tier than before.
    pub(super) fn trial(
        self,
        demand: &Demand,
        shards: Atoms,
        rules: &Rules<'_>,
        market: &Market<'_>,
    ) -> Option<Trial> {
        match self {
            Self::Smallest => Some(trial(demand, shards, rules, market)),
            Self::Parallel(threads) => {
                let raised = raise(shards, rules, threads, |_| true)?;
                Some(trial(demand, raised, rules, market))
            }
            Self::Critical(rounds) => {
                let mut at = trial(demand, shards, rules, market);
                for round in 0..rounds {
                    let late_ms = at.schedule.makespan_us as f64 / 1000.0 * CRITICAL;
                    let (start_us, ranks) = (&at.schedule.start_us, &at.ranks);
                    let critical = |s: usize| start_us[s] as f64 / 1000.0 + ranks[s] >= late_ms;
                    match raise(at.shards.clone(), rules, u32::MAX, critical) {
                        Some(raised) => at = trial(demand, raised, rules, market),
                        None if round == 0 => return None,
                        None => break,
                    }
                }
                Some(at)
            }
        }
    }
}

/// Some of the shards on larger tiers; `None` when that changes none.
fn raise(
    mut shards: Atoms,
    rules: &Rules<'_>,
    threads: u32,
    wanted: impl Fn(usize) -> bool,
) -> Option<Atoms> {
    let mut changed = false;
    for (at, profile) in shards.profiles.iter_mut().enumerate() {
        if wanted(at)
            && let Some(raised) = raised(profile, rules, threads)
        {
            *profile = raised;
            changed = true;
        }
    }
    changed.then_some(shards)
}

/// The shard where so many of its tasks run at once; `None` when that is no faster, or nothing has the memory.
fn raised(profile: &Profile, rules: &Rules<'_>, threads: u32) -> Option<Profile> {
    let threads = threads.min(profile.width());
    // What is known of the order on the threads so far says nothing about more of them.
    let profile = &Profile {
        serial_ms: profile.chain_ms,
        ..*profile
    };
    let rungs = rules.ladders[profile.class as usize].rungs();
    if threads < 2 || rungs.get(profile.rung)?.threads >= threads {
        return None;
    }
    let enough = rungs.iter().position(|rung| rung.threads >= threads);
    let rung = enough.unwrap_or(rungs.len() - 1).max(profile.rung);
    let raised = rules.settled(Profile { rung, ..*profile })?;
    (rules.ms(&raised) < rules.ms(profile) * SHORTER).then_some(raised)
}

impl fmt::Display for Tiers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Smallest => Ok(()),
            Self::Parallel(threads) => write!(f, ", {threads} tasks at once"),
            Self::Critical(rounds) => write!(f, ", critical shards on larger tiers, {rounds}x"),
        }
    }
}
