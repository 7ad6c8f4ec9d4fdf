//! Items of shards and lanes with what the table has beside them: ready shards by priority, live ones, parked lanes.
//!
//! As in the table, a question costs what it finds and not what there is: worlds of ten thousand lanes are played in minutes.

use std::collections::{BTreeMap, BTreeSet};

use foreshard_model::frontier::{LaneItem, ShardItem};
use foreshard_model::ids::{LaneId, RunId, ShardId};
use foreshard_stages::ports::RunKey;

/// Shards by run and id, and both indexes of each run over its partitions.
#[derive(Default)]
pub(crate) struct Shards {
    items: BTreeMap<RunId, BTreeMap<ShardId, ShardItem>>,
    spread: BTreeMap<RunId, Spread>,
}

/// The indexes of one run: for each partition the keys in order, and whose they are.
#[derive(Default)]
struct Spread {
    ready: Vec<BTreeMap<String, ShardId>>,
    live: Vec<BTreeMap<String, ShardId>>,
}

impl Spread {
    fn over(partitions: u32) -> Self {
        let empty = || (0..partitions).map(|_| BTreeMap::new()).collect();
        Self {
            ready: empty(),
            live: empty(),
        }
    }

    fn place(&self, item: &ShardItem) -> usize {
        item.id.0 as usize % self.ready.len().max(1)
    }

    fn add(&mut self, item: &ShardItem) {
        let place = self.place(item);
        if let Some(key) = item.ready_rank() {
            self.ready[place].insert(key, item.id);
        }
        if let Some(key) = item.live() {
            self.live[place].insert(key, item.id);
        }
    }

    fn remove(&mut self, item: &ShardItem) {
        let place = self.place(item);
        if let Some(key) = item.ready_rank() {
            self.ready[place].remove(&key);
        }
        if let Some(key) = item.live() {
            self.live[place].remove(&key);
        }
    }
}

impl Shards {
    pub(crate) fn get(&self, run: &RunId, id: ShardId) -> Option<&ShardItem> {
        self.items.get(run)?.get(&id)
    }

    /// Puts the item in the place of the one before, which is given back.
    pub(crate) fn insert(&mut self, item: ShardItem) -> Option<ShardItem> {
        if let Some(spread) = self.spread.get_mut(&item.run) {
            let before = self.items.get(&item.run).and_then(|of| of.get(&item.id));
            if let Some(before) = before {
                spread.remove(before);
            }
            spread.add(&item);
        }
        let of = self.items.entry(item.run.clone()).or_default();
        of.insert(item.id, item)
    }

    /// All shards of a run, by id.
    pub(crate) fn of(&self, run: &RunId) -> impl Iterator<Item = &ShardItem> {
        self.from(run, ShardId(0))
    }

    /// Those from an id on.
    pub(crate) fn from(&self, run: &RunId, first: ShardId) -> impl Iterator<Item = &ShardItem> {
        let mine = self.items.get(run).into_iter();
        mine.flat_map(move |of| of.range(first..).map(|(_, item)| item))
    }

    /// Sees to it that the run's indexes are there, over as many partitions as the key says.
    pub(crate) fn spread(&mut self, run: &RunKey) {
        let partitions = run.partitions.max(1);
        let there = self.spread.get(&run.run);
        if there.is_some_and(|spread| spread.ready.len() == partitions as usize) {
            return;
        }
        let mut spread = Spread::over(partitions);
        self.of(&run.run).for_each(|item| spread.add(item));
        self.spread.insert(run.run.clone(), spread);
    }

    /// Ready shards of a partition by priority; [`Shards::spread`] comes first.
    pub(crate) fn ready(
        &self,
        run: &RunKey,
        partition: u32,
    ) -> impl Iterator<Item = &ShardItem> + use<'_> {
        self.listed(run, self.index(run, partition, |s| &s.ready), "")
    }

    /// Live shards of a partition whose key begins so; [`Shards::spread`] comes first.
    pub(crate) fn live(
        &self,
        run: &RunKey,
        partition: u32,
        prefix: &'static str,
    ) -> impl Iterator<Item = &ShardItem> + use<'_> {
        self.listed(run, self.index(run, partition, |s| &s.live), prefix)
    }

    fn index(
        &self,
        run: &RunKey,
        partition: u32,
        which: impl Fn(&Spread) -> &Vec<BTreeMap<String, ShardId>>,
    ) -> Option<&BTreeMap<String, ShardId>> {
        which(self.spread.get(&run.run)?).get(partition as usize)
    }

    fn listed<'a>(
        &'a self,
        run: &RunKey,
        index: Option<&'a BTreeMap<String, ShardId>>,
        prefix: &'static str,
    ) -> impl Iterator<Item = &'a ShardItem> + use<'a> {
        let items = self.items.get(&run.run);
        let keys = index.into_iter().flat_map(move |index| {
            index
                .range(prefix.to_owned()..)
                .take_while(move |(key, _)| key.starts_with(prefix))
        });
        keys.filter_map(move |(_, id)| items?.get(id))
    }
}

/// Lanes by run and number, and which of them are parked.
#[derive(Default)]
pub(crate) struct Lanes {
    items: BTreeMap<RunId, BTreeMap<LaneId, LaneItem>>,
    parked: BTreeMap<RunId, BTreeSet<LaneId>>,
}

impl Lanes {
    pub(crate) fn get(&self, run: &RunId, lane: LaneId) -> Option<&LaneItem> {
        self.items.get(run)?.get(&lane)
    }

    pub(crate) fn insert(&mut self, item: LaneItem) {
        let parked = self.parked.entry(item.run.clone()).or_default();
        if item.live().is_some() {
            parked.insert(item.lane);
        } else {
            parked.remove(&item.lane);
        }
        let of = self.items.entry(item.run.clone()).or_default();
        of.insert(item.lane, item);
    }

    /// All lanes of a run, by number.
    pub(crate) fn of(&self, run: &RunId) -> impl Iterator<Item = &LaneItem> {
        self.items.get(run).into_iter().flat_map(BTreeMap::values)
    }

    /// Its parked lanes, by number.
    pub(crate) fn parked(&self, run: &RunId) -> impl Iterator<Item = &LaneItem> {
        let items = self.items.get(run);
        let parked = self.parked.get(run).into_iter().flatten();
        parked.filter_map(move |lane| items?.get(lane))
    }
}
