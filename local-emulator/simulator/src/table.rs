//! DynamoDB: what reads and writes cost in units, and what a partition key and the table take of them in a second.

use std::collections::BTreeMap;

use foreshard_model::frontier::{LaneItem, ShardItem, Write};
use foreshard_model::ids::RunId;
use foreshard_model::units::TimeMs;
use foreshard_stages::ports::RunKey;
use serde::Serialize;

use crate::account::Account;
use crate::bucket::Bucket;
use crate::parameters::{READ_UNIT_BYTES, TABLE_GROWS_EVERY_MS, WRITE_UNIT_BYTES};

/// A partition key of the table.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Partition {
    /// A run's item.
    Run(RunId),
    /// What happened in a run.
    Ledger(RunId),
    /// One of those over which the shards and lanes of a run spread.
    Part(RunId, u32),
    /// What belongs to no run: listings of tenants, markers, schedules.
    Other,
}

impl Partition {
    /// That of a shard or a lane.
    pub(crate) fn of(run: &RunKey, number: u32) -> Self {
        Self::Part(run.run.clone(), number % run.partitions.max(1))
    }
}

/// Units of one kind: of each partition key, and of the table.
struct Units {
    each_per_s: f64,
    parts: BTreeMap<Partition, Bucket>,
    table: Bucket,
    table_per_s: f64,
    most_per_s: f64,
    /// Units of this second and the second.
    second: (u64, f64),
    grown: TimeMs,
}

impl Units {
    fn new(each_per_s: u32, table_per_s: u32, most_per_s: u32) -> Self {
        let table_per_s = f64::from(table_per_s);
        Self {
            each_per_s: f64::from(each_per_s),
            parts: BTreeMap::new(),
            table: Bucket::new(table_per_s, table_per_s),
            table_per_s,
            most_per_s: f64::from(most_per_s),
            second: (0, 0.0),
            grown: TimeMs(0),
        }
    }

    /// Takes units of a partition key and of the table, or none of them.
    fn take(&mut self, of: &Partition, units: f64, now: TimeMs) -> bool {
        self.turn(now);
        let each = self.each_per_s;
        let part = self
            .parts
            .entry(of.clone())
            .or_insert_with(|| Bucket::new(each, each));
        // What is larger than a second's units takes the whole second.
        if !part.take(units.min(each), now) || !self.table.take(units.min(self.table_per_s), now) {
            return false;
        }
        self.second.1 += units;
        true
    }

    /// With a new second, the table takes twice what the last one saw, if that is more and a while has passed.
    fn turn(&mut self, now: TimeMs) {
        let second = now.0 / 1_000;
        if self.second.0 == second {
            return;
        }
        let peak = self.second.1;
        self.second = (second, 0.0);
        if 2.0 * peak > self.table_per_s && now.since(self.grown) >= TABLE_GROWS_EVERY_MS {
            self.table_per_s = (2.0 * peak).min(self.most_per_s);
            self.table = Bucket::new(self.table_per_s, self.table_per_s);
            self.grown = now;
        }
    }
}

/// The table's throughput.
pub(crate) struct Table {
    writes: Units,
    reads: Units,
}

impl Table {
    pub(crate) fn new(account: &Account) -> Self {
        let most = account.table_most_per_s;
        let (writes, reads) = account.table_per_s;
        Self {
            writes: Units::new(account.partition_writes_per_s, writes, most),
            reads: Units::new(account.partition_reads_per_s, reads, most),
        }
    }

    pub(crate) fn takes_writes(&mut self, of: &Partition, units: f64, now: TimeMs) -> bool {
        self.writes.take(of, units, now)
    }

    pub(crate) fn takes_reads(&mut self, of: &Partition, units: f64, now: TimeMs) -> bool {
        self.reads.take(of, units, now)
    }
}

/// Bytes of an item, nearly: DynamoDB counts names and values, as JSON does, without most of the punctuation.
pub(crate) fn bytes(item: &impl Serialize) -> usize {
    serde_json::to_vec(item).map_or(0, |json| json.len())
}

/// Units of reading items of so many bytes in one consistent request: a query adds them up, at least one.
pub(crate) fn read_units(bytes: usize) -> f64 {
    bytes.div_ceil(READ_UNIT_BYTES).max(1) as f64
}

/// Units of writing an item of so many bytes once.
pub(crate) fn write_units(bytes: usize) -> f64 {
    bytes.div_ceil(WRITE_UNIT_BYTES).max(1) as f64
}

/// Writes to one index whose entries hold the whole item: none where neither the old nor the new item is in it, one where
/// either is or the place is the same, two where the entry moves. Source: DynamoDB, "Local secondary indexes", write operations.
fn index_writes(before: Option<String>, after: Option<String>) -> f64 {
    match (before, after) {
        (None, None) => 0.0,
        (Some(before), Some(after)) if before != after => 2.0,
        _ => 1.0,
    }
}

/// Units of writing a shard over the one before.
pub(crate) fn shard_units(before: Option<&ShardItem>, after: &ShardItem) -> f64 {
    let writes = 1.0
        + index_writes(before.and_then(ShardItem::ready_rank), after.ready_rank())
        + index_writes(before.and_then(ShardItem::live), after.live());
    write_units(bytes(after)) * writes
}

/// Units of writing a lane over the one before.
pub(crate) fn lane_units(before: Option<&LaneItem>, after: &LaneItem) -> f64 {
    let writes = 1.0 + index_writes(before.and_then(LaneItem::live), after.live());
    write_units(bytes(after)) * writes
}

/// The partition key of a write.
pub(crate) fn partition(run: &RunKey, write: &Write) -> Partition {
    match write {
        Write::Run(item, _) => Partition::Run(item.run.clone()),
        Write::Shard(item, _) => Partition::of(run, item.id.0),
        Write::Lane(item, _) => Partition::of(run, item.lane.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_counter_that_every_lane_writes_is_throttled_and_spread_items_are_not() {
        let mut table = Table::new(&Account::in_region("us-east-1"));
        let run = RunKey {
            run: "r".into(),
            partitions: 4,
        };
        let taken = |table: &mut Table, part: &dyn Fn(u32) -> u32| {
            let writes = (0..2_000)
                .filter(|n| table.takes_writes(&Partition::of(&run, part(*n)), 1.0, TimeMs(0)));
            writes.count()
        };
        assert_eq!(taken(&mut table, &|_| 0), 1_000);
        let mut table = Table::new(&Account::in_region("us-east-1"));
        assert_eq!(taken(&mut table, &|n| n), 2_000);
    }

    #[test]
    fn a_table_grows_to_twice_its_peak_after_a_while() {
        let mut table = Table::new(&Account::in_region("us-east-1"));
        let mut taken = |second: u64| {
            let part = |n| Partition::Part("r".into(), n);
            let writes =
                (0..20).filter(|n| table.takes_writes(&part(*n), 400.0, TimeMs(second * 1_000)));
            writes.count()
        };
        assert_eq!(taken(100), 10);
        assert_eq!(taken(101), 20);
    }

    #[test]
    fn an_index_entry_that_moves_is_written_twice() {
        let key = |text: &str| Some(text.to_owned());
        assert_eq!(index_writes(None, None), 0.0);
        assert_eq!(index_writes(None, key("a")), 1.0);
        assert_eq!(index_writes(key("a"), key("a")), 1.0);
        assert_eq!(index_writes(key("a"), key("b")), 2.0);
        assert_eq!(read_units(0), 1.0);
        assert_eq!(read_units(4_097), 2.0);
        assert_eq!(write_units(1_024), 1.0);
    }
}
