//! Creates the shards of a plan: in small batches over all partition keys in turns, no faster than the table takes them.

use std::ops::Range;

use foreshard_engine::frontier::{Pace, creation_units};
use foreshard_model::frontier::ShardItem;
use foreshard_model::limits::CREATION_BATCH;
use futures_util::future::join_all;

use super::Ports;
use crate::ports::{PortError, PortResult, RunKey};

/// Batches that are under way at the same time.
const AT_ONCE: usize = 8;
/// Shards after which the progress is told again.
const TOLD_EVERY: usize = 5_000;

/// Creates what is missing; what exists already stays as it is, so that a repeat is harmless at any point. An item's position
/// is its shard's id.
///
/// ```text
///   partition 0 │ 25 │    │ 25 │            what the table leaves waits, and comes again with the next round
///   partition 1 │    │ 25 │    │ 25 │
/// ```
pub(super) async fn create(ports: &Ports, key: &RunKey, items: &[ShardItem]) -> PortResult<()> {
    let mut creation = Creation {
        ports,
        key,
        items,
        pace: Pace::new(&key.run, key.partitions, ports.clock.now()),
        created: 0,
        told: 0,
    };
    let mut open: Vec<u32> = (0..items.len() as u32).collect();
    while !open.is_empty() {
        open = creation.round(open).await?;
    }
    Ok(())
}

struct Creation<'a> {
    ports: &'a Ports,
    key: &'a RunKey,
    items: &'a [ShardItem],
    pace: Pace,
    created: usize,
    told: usize,
}

impl Creation<'_> {
    /// Asks for each of these positions once; gives those that are left.
    async fn round(&mut self, open: Vec<u32>) -> PortResult<Vec<u32>> {
        let mut left = Vec::new();
        let (sorted, batches) = self.batches(open);
        let mut rest: &[Range<usize>] = &batches;
        while !rest.is_empty() {
            let (wave, wait_ms) = self.wave(&sorted, rest);
            rest = &rest[wave.len()..];
            self.pass(wait_ms).await;
            left.extend(self.ask(wave).await?);
            self.tell(left.len());
        }
        Ok(left)
    }

    /// The batches that may go at once, at least one, and how long they have to wait.
    fn wave(&mut self, sorted: &[u32], rest: &[Range<usize>]) -> (Vec<Vec<ShardItem>>, u64) {
        let mut now = self.ports.clock.now();
        let mut wave: Vec<Vec<ShardItem>> = Vec::new();
        let mut waited = 0;
        for range in rest.iter().take(AT_ONCE) {
            let at = |&at: &u32| self.items[at as usize].clone();
            let batch: Vec<ShardItem> = sorted[range.clone()].iter().map(at).collect();
            let partition = batch.first().map_or(0, |item| self.partition(item));
            let wait_ms = self.pace.wait_ms(partition, now);
            if wave.is_empty() {
                waited = wait_ms;
                now = now.plus(wait_ms);
            } else if wait_ms > 0 {
                break;
            }
            let units = batch.iter().map(creation_units).sum();
            self.pace.take(partition, units, now);
            wave.push(batch);
        }
        (wave, waited)
    }

    /// Asks for these batches, and waits when the table did not take them whole; gives the positions that are left.
    async fn ask(&mut self, wave: Vec<Vec<ShardItem>>) -> PortResult<Vec<u32>> {
        let frontier = &self.ports.frontier;
        let asked: usize = wave.iter().map(Vec::len).sum();
        let calls = wave.iter().map(|b| frontier.create_shards(self.key, b));
        let mut left = Vec::new();
        for answer in join_all(calls).await {
            left.extend(answer?.iter().map(|id| id.0));
        }
        self.created += asked - left.len();
        let Some(wait_ms) = self.pace.note(asked, left.len()) else {
            let text = format!("the table takes no shards of `{}`", self.key.run);
            return Err(PortError::Unavailable(text));
        };
        self.pass(wait_ms).await;
        Ok(left)
    }

    async fn pass(&self, ms: u64) {
        if ms > 0 {
            self.ports.clock.pause(ms).await;
        }
    }

    /// Positions by partition, and batches of one partition each, the partitions taking turns.
    fn batches(&self, mut open: Vec<u32>) -> (Vec<u32>, Vec<Range<usize>>) {
        let partition = |at: u32| self.partition(&self.items[at as usize]);
        open.sort_unstable_by_key(|&at| (partition(at), at));
        let mut batches: Vec<(usize, Range<usize>)> = Vec::new();
        let mut begin = 0;
        for group in open.chunk_by(|&a, &b| partition(a) == partition(b)) {
            for (turn, chunk) in group.chunks(CREATION_BATCH).enumerate() {
                batches.push((turn, begin..begin + chunk.len()));
                begin += chunk.len();
            }
        }
        batches.sort_by_key(|(turn, _)| *turn);
        (open, batches.into_iter().map(|(_, range)| range).collect())
    }

    fn partition(&self, item: &ShardItem) -> u32 {
        item.id.0 % self.key.partitions.max(1)
    }

    fn tell(&mut self, left: usize) {
        let whole = self.created == self.items.len();
        if self.created >= self.told + TOLD_EVERY || (whole && self.told > 0) {
            self.told = self.created;
            let (created, shards) = (self.created, self.items.len());
            tracing::info!(run = %self.key.run, created, shards, left, "creating shards");
        }
    }
}
