//! What bounds the lanes of a run, and what its tasks would cost as plain states.

use foreshard_model::target::Architecture;

use crate::place::{Profile, Sites};
use crate::price::{Counted, Rates};

use super::constants::Constants;
use super::rules::Rules;

/// Most partition keys of a run: dispatch looks into each of them when it finds nothing to do.
pub const PARTITIONS_MAX: u32 = 16;

/// A rate that busy lanes together may not exceed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Quota {
    /// Name of the limit.
    pub limit: &'static str,
    /// What is counted.
    pub unit: &'static str,
    /// How many a second.
    pub per_s: f64,
    /// Whether each partition key has it for itself.
    pub per_key: bool,
    /// How many one shard takes.
    pub each_shard: f64,
    /// What binds a run that has as many lanes as it allows.
    pub binds: &'static str,
}

impl Quota {
    /// Lanes that it allows, busy with shards of average length.
    fn lanes(&self, duration_ms: &[f64]) -> u32 {
        let keys = if self.per_key { PARTITIONS_MAX } else { 1 };
        (self.per_s * f64::from(keys) * average_s(duration_ms) / self.each_shard) as u32
    }

    /// How many a second so many lanes take. A lane alone calls one after the other: what is too many is held back, and there
    /// are no fewer lanes.
    #[must_use]
    pub fn used(&self, lanes: u32, duration_ms: &[f64]) -> f64 {
        let used = f64::from(lanes) * self.each_shard / average_s(duration_ms);
        if lanes > 1 {
            used
        } else {
            used.min(self.per_s)
        }
    }
}

/// What the judge compares with.
#[derive(Debug, Clone, Copy)]
pub struct Market<'a> {
    /// Most lanes that the run can have, and what bounds them.
    pub lanes: (u32, &'static str),
    /// Memory that all lanes share, in MiB; `None` where it is not shared.
    pub lane_memory: Option<u32>,
    /// Where shards can run.
    pub sites: &'a Sites<'a>,
    /// Unit prices.
    pub rates: &'a Rates,
    /// Rates that lanes share.
    pub quotas: &'a [Quota],
    /// What the tasks use whatever their shards: number, objects, gigabyte-seconds each alone.
    pub tasks: Counted,
    /// Architecture of each target of the pool, for the energy.
    pub chips: &'a [Architecture],
    /// What the judge weighs by.
    pub constants: Constants,
}

impl Market<'_> {
    /// Lanes that some shards can have, and what bounds them: also the memory of the largest, and the rates that lanes share
    /// when all of them are busy with shards of average length.
    #[must_use]
    pub fn lanes_for(
        &self,
        profiles: &[Profile],
        duration_ms: &[f64],
        rules: &Rules<'_>,
    ) -> (u32, &'static str) {
        let peak = profiles
            .iter()
            .filter_map(|p| rules.ladders[p.class as usize].rungs().get(p.rung))
            .map(|rung| rung.memory)
            .max()
            .unwrap_or(1);
        let fitting = self
            .lane_memory
            .map_or(u32::MAX, |memory| memory / peak.max(1));
        let quotas = self.quotas.iter();
        [self.lanes, (fitting, "the memory that all lanes share")]
            .into_iter()
            .chain(quotas.map(|quota| (quota.lanes(duration_ms), quota.binds)))
            .min_by_key(|(lanes, _)| *lanes)
            .map_or(self.lanes, |(lanes, name)| (lanes.max(1), name))
    }
}

/// Average length of some shards, in seconds.
fn average_s(duration_ms: &[f64]) -> f64 {
    (duration_ms.iter().sum::<f64>() / 1000.0 / duration_ms.len().max(1) as f64).max(0.001)
}
