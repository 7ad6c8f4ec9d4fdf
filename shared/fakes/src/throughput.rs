//! What the table takes in a second: by partition key and in all, as the service says, and what it leaves by chance.

use std::collections::BTreeMap;

use foreshard_engine::frontier::creation_units;
use foreshard_model::frontier::ShardItem;
use foreshard_model::ids::ShardId;
use foreshard_model::units::TimeMs;
use foreshard_stages::ports::RunKey;

use crate::seeded::Seeded;
use crate::world::World;

/// Write units that a table has, and how many calls it does not take although it has them.
#[derive(Debug)]
pub struct Throughput {
    partition_per_s: u32,
    table_per_s: u32,
    draws: Seeded,
    unlucky_per_mille: u32,
    used: BTreeMap<(u64, Option<u32>), u32>,
    refused: u64,
}

impl Throughput {
    /// So many units a second for a partition key and for the table; `unlucky_per_mille` of a thousand calls are left whole,
    /// as many others in part.
    #[must_use]
    pub fn new(partition_per_s: u32, table_per_s: u32, seed: u64, unlucky_per_mille: u32) -> Self {
        Self {
            partition_per_s,
            table_per_s,
            draws: Seeded::new(seed, "throughput"),
            unlucky_per_mille,
            used: BTreeMap::new(),
            refused: 0,
        }
    }

    /// What is left of a call: all of it where this second has no more units, some of it by chance.
    pub(crate) fn left(&mut self, run: &RunKey, items: &[ShardItem], now: TimeMs) -> Vec<ShardId> {
        let Some(first) = items.first() else {
            return Vec::new();
        };
        let all = || items.iter().map(|item| item.id).collect();
        let partition = first.id.0 % run.partitions.max(1);
        let units: u32 = items.iter().map(creation_units).sum();
        let second = now.0 / 1_000;
        let limits = [
            ((second, Some(partition)), self.partition_per_s),
            ((second, None), self.table_per_s),
        ];
        let used = |has: &Self, key| has.used.get(key).copied().unwrap_or(0);
        if limits
            .iter()
            .any(|(key, limit)| used(self, key) + units > *limit)
        {
            self.refused += 1;
            return all();
        }
        if self.draws.hits(self.unlucky_per_mille) {
            return all();
        }
        for (key, _) in limits {
            *self.used.entry(key).or_default() += units;
        }
        if self.draws.hits(self.unlucky_per_mille) {
            return items.iter().step_by(2).map(|item| item.id).collect();
        }
        Vec::new()
    }
}

impl World {
    /// From now on the table takes no more than this.
    pub fn limit_throughput(&self, throughput: Throughput) {
        self.lock().throughput = Some(throughput);
    }

    /// Calls that came when a second had no more units.
    #[must_use]
    pub fn calls_refused(&self) -> u64 {
        self.lock().throughput.as_ref().map_or(0, |has| has.refused)
    }

    /// Most units that one second saw: of one partition key, and of the table.
    #[must_use]
    pub fn busiest_second(&self) -> (u32, u32) {
        let state = self.lock();
        let used = state.throughput.iter().flat_map(|has| &has.used);
        used.fold((0, 0), |(one, all), (key, &units)| match key.1 {
            Some(_) => (one.max(units), all),
            None => (one, all.max(units)),
        })
    }
}
