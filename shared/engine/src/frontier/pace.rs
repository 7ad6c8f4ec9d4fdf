//! The pace at which a plan's shards are created: what the table takes, and how long to wait for it.

use foreshard_model::frontier::ShardItem;
use foreshard_model::ids::RunId;
use foreshard_model::limits::{PARTITION_WRITES_PER_S, TABLE_WRITES_PER_S};
use foreshard_model::units::TimeMs;

use super::seed;

/// Share of the limits that is used: the rest is for lanes of other runs, and for the service's own idea of a second, which
/// sees this, a burst and one batch.
const SHARE: f64 = 0.75;
/// Milliseconds whose units may be used at once.
const BURST_MS: f64 = 100.0;
/// After a throttle the pace is this share of what it was; it never falls below [`SLOWEST`].
const SLOWER: f64 = 0.5;
/// After a batch that was taken the pace grows by this share of the full one.
const FASTER: f64 = 0.005;
/// The slowest pace, as a share of the full one.
const SLOWEST: f64 = 0.05;
/// Wait before what was left is asked again, in milliseconds; it doubles each time that nothing at all was taken.
const FIRST_WAIT_MS: u64 = 100;
/// The longest such wait.
const LONGEST_WAIT_MS: u64 = 10_000;
/// How often in a row nothing at all may be taken: about a minute of waiting.
const FRUITLESS: u32 = 12;

/// Write units that creating an item takes: two for each KiB because it is part of a transaction, and as many for each of
/// the two indexes that a shard enters when it is ready.
#[must_use]
pub fn creation_units(item: &ShardItem) -> u32 {
    let indexes = u32::from(item.ready_rank().is_some()) + u32::from(item.live().is_some());
    let kib = 1 + item.arrived.len() as u32 / 128;
    2 * (kib + indexes)
}

/// Units by partition key and for the whole table, each refilled with time.
#[derive(Debug, Clone)]
pub struct Pace {
    /// When all that was taken so far is refilled, in milliseconds: of each partition, and last of the table.
    refilled: Vec<f64>,
    /// Share of the full pace.
    share: f64,
    fruitless: u32,
    seed: u64,
}

impl Pace {
    /// For a run over so many partition keys.
    #[must_use]
    pub fn new(run: &RunId, partitions: u32, now: TimeMs) -> Self {
        Self {
            refilled: vec![now.0 as f64; partitions.max(1) as usize + 1],
            share: 1.0,
            fruitless: 0,
            seed: seed::of_run(run),
        }
    }

    /// The milliseconds to wait before further units of a partition may be used.
    #[must_use]
    pub fn wait_ms(&self, partition: u32, now: TimeMs) -> u64 {
        let refilled = self.limits(partition).map(|(at, _)| self.refilled[at]);
        let latest = refilled.into_iter().fold(0.0, f64::max);
        (latest - now.0 as f64 - BURST_MS).max(0.0).ceil() as u64
    }

    /// Uses units of a partition.
    pub fn take(&mut self, partition: u32, units: u32, now: TimeMs) {
        for (at, limit) in self.limits(partition) {
            let per_ms = f64::from(limit) * SHARE * self.share / 1000.0;
            let refilled = self.refilled[at].max(now.0 as f64);
            self.refilled[at] = refilled + f64::from(units) / per_ms;
        }
    }

    /// What limits a partition: its own rate, and the table's.
    fn limits(&self, partition: u32) -> [(usize, u32); 2] {
        let table = self.refilled.len() - 1;
        [
            (partition as usize % table, PARTITION_WRITES_PER_S),
            (table, TABLE_WRITES_PER_S),
        ]
    }

    /// Notes how many items a round of batches was to create, and how many of them the table did not take: answers the
    /// milliseconds to wait before those are asked again; `None` when it has taken nothing for too long.
    pub fn note(&mut self, asked: usize, left: usize) -> Option<u64> {
        if left == 0 {
            self.fruitless = 0;
            self.share = (self.share + FASTER).min(1.0);
            return Some(0);
        }
        self.share = (self.share * SLOWER).max(SLOWEST);
        self.fruitless = if left < asked { 0 } else { self.fruitless + 1 };
        if self.fruitless > FRUITLESS {
            return None;
        }
        let doubled = FIRST_WAIT_MS << self.fruitless.min(16);
        let longest = doubled.min(LONGEST_WAIT_MS);
        self.seed = seed::mix(&[self.seed, asked as u64, left as u64]);
        // Between half of it and all of it: those who were throttled together do not come back together.
        Some(longest / 2 + self.seed % (longest / 2 + 1))
    }
}

#[cfg(test)]
mod tests {
    use foreshard_model::frontier::ShardState;
    use foreshard_model::ids::ShardId;

    use super::*;

    fn pace(partitions: u32) -> Pace {
        Pace::new(&RunId("r".to_owned()), partitions, TimeMs(0))
    }

    /// Milliseconds until so many batches of 50 units are through, over the partitions in turns.
    fn takes_ms(partitions: u32, batches: u32) -> u64 {
        let mut pace = pace(partitions);
        let mut now = 0;
        for batch in 0..batches {
            now += pace.wait_ms(batch % partitions, TimeMs(now));
            pace.take(batch % partitions, 50, TimeMs(now));
        }
        now
    }

    #[test]
    fn a_partition_takes_three_quarters_of_its_limit_and_the_table_four_times_as_many() {
        // 40,000 units: 53 s over one partition, 13 s over sixteen; the last batch and the burst need not be waited for.
        assert_eq!(takes_ms(1, 800), 53_334 - 100 - 67);
        assert_eq!(takes_ms(16, 800), 13_334 - 100 - 17);
        assert_eq!(takes_ms(2, 3), 0);
    }

    #[test]
    fn throttles_slow_it_down_and_success_brings_it_back() {
        let mut pace = pace(1);
        let wait = pace.note(25, 25).unwrap();
        assert!((100..=200).contains(&wait), "{wait}");
        let longer = pace.note(25, 25).unwrap();
        assert!((200..=400).contains(&longer), "{longer}");
        assert_eq!((0..200).find(|_| pace.note(25, 0) != Some(0)), None);
        assert_eq!(pace.share, 1.0);
    }

    #[test]
    fn a_table_that_takes_nothing_is_given_up() {
        let mut pace = pace(1);
        let waits: Vec<u64> = std::iter::from_fn(|| pace.note(25, 25)).collect();
        assert_eq!(waits.len(), FRUITLESS as usize);
        assert!((30_000..=90_000).contains(&waits.iter().sum::<u64>()));
        assert_eq!(pace.share, SLOWEST);
    }

    #[test]
    fn a_ready_shard_enters_both_indexes() {
        let mut item = ShardItem::default();
        assert_eq!(creation_units(&item), 2);
        item.state = ShardState::Ready;
        assert_eq!(creation_units(&item), 6);
        item.state = ShardState::Waiting;
        item.arrived = (0..256).map(ShardId).collect();
        assert_eq!(creation_units(&item), 6);
    }
}
