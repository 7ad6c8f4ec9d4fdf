//! What bounds the lanes of a run, and what its tasks would cost as plain states.

use foreshard_model::limits::PARTITION_WRITES_PER_S;
use foreshard_model::target::Architecture;

use crate::place::{Profile, Sites};
use crate::price::{Counted, EACH_SHARD, Rates};

use super::constants::Constants;
use super::rules::Rules;

/// Most partition keys of a run: dispatch looks into each of them when it finds nothing to do.
pub const PARTITIONS_MAX: u32 = 16;

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
    /// What the tasks use whatever their shards: number, objects, gigabyte-seconds each alone.
    pub tasks: Counted,
    /// Architecture of each target of the pool, for the energy.
    pub chips: &'a [Architecture],
    /// What the judge weighs by.
    pub constants: Constants,
}

impl Market<'_> {
    /// Lanes that some shards can have, and what bounds them: also the memory of the largest, and the writes that the
    /// table's partitions take when all lanes are busy with shards of average length.
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
        let sustained = f64::from(PARTITION_WRITES_PER_S * PARTITIONS_MAX);
        let written = (sustained / writes_per_s(1, duration_ms)) as u32;
        [
            self.lanes,
            (fitting, "the memory that all lanes share"),
            (written, "the writes that the table's partitions take"),
        ]
        .into_iter()
        .min_by_key(|(lanes, _)| *lanes)
        .map_or(self.lanes, |(lanes, name)| (lanes.max(1), name))
    }
}

/// Writes a second while so many lanes are busy with shards of average length.
#[must_use]
pub fn writes_per_s(lanes: u32, duration_ms: &[f64]) -> f64 {
    let average_s = duration_ms.iter().sum::<f64>() / 1000.0 / duration_ms.len().max(1) as f64;
    f64::from(lanes) * EACH_SHARD.write_units / average_s.max(0.001)
}
