//! What one trial comes to: everything that plans are compared by.

use foreshard_model::limits::MIB_PER_VCPU;
use foreshard_model::price::Price;

use crate::objective::{Measures, Used, kwh};
use crate::place::SHARD_MS;
use crate::plan::relay::virtual_shards;
use crate::price::{Counted, EACH_SHARD, expected_usd, forecast, orchestration_usd, transitions};

use super::market::Market;
use super::rules::Rules;
use super::strategy::Strategy;
use super::tiers::Tiers;
use super::trial::Trial;

/// One outcome.
#[derive(Debug, Clone, PartialEq)]
pub struct Judged {
    /// How the shards were made.
    pub strategy: Strategy,
    /// On which tiers they run.
    pub tiers: Tiers,
    /// Whether local search has changed them since.
    pub polished: bool,
    /// Shards that it makes.
    pub shards: u32,
    /// Lanes that it keeps busy.
    pub lanes: u32,
    /// The largest tier that a shard runs on, in MiB.
    pub memory_mib: u32,
    /// Expected end of the run, in milliseconds.
    pub makespan_ms: f64,
    /// The same, and a quarter of the longest shard that could have been cut: estimates are not exact.
    pub judged_ms: f64,
    /// Expected cost, in dollars.
    pub usd: f64,
    /// The part of it that is neither memory nor scratch disk while tasks run, in dollars.
    pub orchestration_usd: f64,
    /// Expected energy, in kilowatt-hours.
    pub energy_kwh: f64,
    /// Bytes that move between shards.
    pub moved_bytes: u64,
    /// Transitions of Step Functions.
    pub transitions: f64,
}

impl Judged {
    /// Whether the shards were made so, and not changed since.
    pub(super) fn is(&self, strategy: Strategy, tiers: Tiers) -> bool {
        !self.polished && self.strategy == strategy && self.tiers == tiers
    }

    /// How the shards were made, as people read it.
    #[must_use]
    pub fn name(&self) -> String {
        let changed = if self.polished {
            ", changed step by step"
        } else {
            ""
        };
        format!("{}{}{changed}", self.strategy, self.tiers)
    }
}

/// MiB of one vCPU in gigabytes: a gigabyte-second holds so much less of a vCPU.
const GB_PER_VCPU: f64 = MIB_PER_VCPU as f64 / 1024.0;

impl Trial {
    /// What it comes to.
    pub(super) fn judged(
        &self,
        strategy: Strategy,
        tiers: Tiers,
        rules: &Rules<'_>,
        market: &Market<'_>,
    ) -> Judged {
        let profiles = &self.shards.profiles;
        let cuttable = profiles
            .iter()
            .filter(|p| p.tasks > p.depth)
            .map(|p| rules.ms(p))
            .fold(0.0, f64::max);
        let makespan_ms = self.schedule.makespan_us as f64 / 1000.0;
        let counted = self.counted(rules, &market.tasks);
        Judged {
            strategy,
            tiers,
            polished: false,
            shards: profiles.len() as u32,
            lanes: self.schedule.width,
            memory_mib: profiles
                .iter()
                .filter_map(|p| rules.ladders[p.class as usize].rungs().get(p.rung))
                .map(|rung| rung.memory)
                .max()
                .unwrap_or(0),
            makespan_ms,
            judged_ms: makespan_ms + market.constants.uncertainty * cuttable,
            usd: expected_usd(&counted, market.rates),
            orchestration_usd: orchestration_usd(&counted, market.rates),
            energy_kwh: self.energy_kwh(rules, market),
            moved_bytes: self.moved_bytes(),
            transitions: transitions(&counted),
        }
    }

    /// Its price as the plan will print it, virtual shards included, and what it is compared by.
    pub(super) fn priced(&self, rules: &Rules<'_>, market: &Market<'_>) -> (Price, Measures) {
        let (virtual_shards, edges) = virtual_shards(&self.shards.graph);
        let counted = Counted {
            virtual_shards,
            edges,
            ..self.counted(rules, &market.tasks)
        };
        let price = forecast(&counted, market.rates);
        let measures = Measures {
            time_s: price.makespan_s.high,
            usd: price.total_usd.high,
            energy_kwh: self.energy_kwh(rules, market),
            moved_bytes: self.moved_bytes(),
        };
        (price, measures)
    }

    fn moved_bytes(&self) -> u64 {
        let shards = 0..self.shards.profiles.len() as u32;
        shards
            .flat_map(|shard| self.shards.graph.incoming_bytes(shard))
            .map(|(_, bytes)| bytes)
            .fold(0, u64::saturating_add)
    }

    fn energy_kwh(&self, rules: &Rules<'_>, market: &Market<'_>) -> f64 {
        let dispatch_s = EACH_SHARD.gb_s / GB_PER_VCPU;
        let shards = self.shards.profiles.iter().zip(&self.duration_ms);
        shards
            .enumerate()
            .map(|(at, (profile, ms))| {
                let choice = self.placed.choice.get(at).copied().unwrap_or(0);
                let rung = rules.ladders[profile.class as usize].choice(profile.rung, choice);
                let chip = market.chips.get(rung.target).copied().unwrap_or_default();
                let used = Used {
                    held_s: dispatch_s + rung.vcpus * (ms - SHARD_MS) / 1000.0,
                    busy_s: dispatch_s + profile.cpu_ms / 1000.0,
                };
                kwh(used, chip)
            })
            .sum()
    }
}
