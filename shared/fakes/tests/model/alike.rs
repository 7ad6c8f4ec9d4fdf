//! Stores that are as good as others: with lower versions, with lower steps, with lanes that have changed places.

use foreshard_model::frontier::ShardState;

use crate::places::Places;
use crate::store::{Item, Stores};
use crate::touched::{lane_bit, shard_bit};
use crate::{ahead, steps, worker};

impl Stores {
    /// The same store with versions as low as nobody can tell: those of items that no living process has `touched`.
    ///
    /// A version is only ever compared with what a process has read or written itself; but the first one says that nothing has
    /// happened to the item since it was made.
    pub(crate) fn settled(&mut self, store: u32, touched: u64) -> u32 {
        if let Some(settled) = self.settled.get(&(store, touched)) {
            return *settled;
        }
        let mut contents = (*self.contents[store as usize - 1]).clone();
        let numbers = [&mut contents.run].into_iter().chain(&mut contents.shards);
        for number in numbers.chain(&mut contents.lanes) {
            if *number > 0 {
                *number = self.lowest(*number, touched);
            }
        }
        let settled = self.keep(contents);
        self.settled.insert((store, touched), settled);
        settled
    }

    fn lowest(&mut self, number: u32, touched: u64) -> u32 {
        let bit = match self.items.at(number) {
            Item::Run(_) => 1,
            Item::Shard(item) => shard_bit(item.id.0),
            Item::Lane(item) => lane_bit(item.lane.0),
        };
        if touched & bit != 0 {
            return number;
        }
        if let Some(lowest) = self.lowest.get(&number) {
            return *lowest;
        }
        let mut item = self.items.at(number).clone();
        match &mut item {
            Item::Run(item) => item.version = 1,
            Item::Shard(item) => {
                item.version = item.version.min(2);
                if self.plain && item.state == ShardState::Done && item.released {
                    worker::at_once(item, &self.ground);
                }
            }
            Item::Lane(item) => item.version = 1,
        }
        let lowest = self.items.number(item);
        self.lowest.insert(number, lowest);
        lowest
    }

    /// The store with the steps of a lane moved down.
    pub(crate) fn with_lower(&mut self, store: u32, lane: usize, down: u32) -> u32 {
        let mut contents = (*self.contents[store as usize - 1]).clone();
        let number = contents.lanes[lane];
        contents.lanes[lane] = match self.lower.get(&(number, down)) {
            Some(lower) => *lower,
            None => {
                let Item::Lane(item) = self.items.at(number) else {
                    unreachable!("it is a lane")
                };
                let lower = self.items.number(Item::Lane(steps::lower(item, down)));
                self.lower.insert((number, down), lower);
                lower
            }
        };
        self.keep(contents)
    }

    /// The store in which a lane's item does not say what it was told to run.
    pub(crate) fn with_bare(&mut self, store: u32, lane: usize) -> u32 {
        let Some(item) = self.lane(store, lane) else {
            return store;
        };
        if item
            .answer
            .as_ref()
            .is_none_or(|answer| answer.shard.is_none())
        {
            return store;
        }
        let bare = ahead::bare(item.clone());
        let mut contents = (*self.contents[store as usize - 1]).clone();
        contents.lanes[lane] = self.items.number(Item::Lane(bare));
        self.keep(contents)
    }

    /// The store in which lanes and shards have changed places, by this order of them.
    pub(crate) fn swapped(&mut self, store: u32, order: usize, places: &Places) -> u32 {
        if order == 0 {
            return store;
        }
        if let Some(other) = self.swapped.get(&(store, order)) {
            return *other;
        }
        let mut contents = (*self.contents[store as usize - 1]).clone();
        let lanes = std::mem::take(&mut contents.lanes);
        for (at, number) in lanes.into_iter().enumerate() {
            let place = places.lanes.get(at).map_or(at, |place| *place as usize);
            contents.lanes[place] = self.item_swapped(number, (order, places));
        }
        for number in std::mem::take(&mut contents.shards) {
            let number = self.item_swapped(number, (order, places));
            contents = self.with(contents, number);
        }
        let other = self.keep(contents);
        self.swapped.insert((store, order), other);
        other
    }

    pub(crate) fn item_swapped(&mut self, number: u32, (order, places): (usize, &Places)) -> u32 {
        if number == 0 || order == 0 {
            return number;
        }
        let known = self.items_swapped.entry((number, order));
        *known.or_insert_with(|| {
            let other = match self.items.at(number) {
                Item::Run(_) => return number,
                Item::Shard(item) => Item::Shard(places.shard_item(item)),
                Item::Lane(item) => Item::Lane(places.lane_item(item)),
            };
            self.items.number(other)
        })
    }
}
