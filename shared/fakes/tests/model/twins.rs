//! Shards that change places: a state in which two have what the other has, and come after and before the same, is the same state.
//!
//! Nobody prefers a shard. Where there are such twins, a lane may draw any that is ready, whatever its rank, and a sweep takes what it
//! finds in any order: that is more than may happen. Only shards change places by which no process, branch or lane goes, and of which
//! nothing is anywhere but in their items: those that were never begun, and those that are done and released. So of some that are
//! ready, and differ by their numbers only, it is enough to draw the first. Whether a lane can be spared goes by what comes after and
//! before what runs: for twins that is the same.

use foreshard_model::frontier::{ShardItem, ShardState};
use foreshard_model::ids::ShardId;
use foreshard_model::plan::ShardKind;
use foreshard_model::topology::{ShardNode, Topology};

use crate::machine::Machine;
use crate::state::State;
use crate::store::{Item, Stores};
use crate::tape::{Op, Reply};
use crate::worker;

/// Shards of one task each that come after and before the same, two or more of them.
pub(crate) fn all(plan: &Topology) -> Vec<Vec<ShardId>> {
    let mut twins: Vec<Vec<ShardId>> = Vec::new();
    let plain = |node: &&ShardNode| node.kind == ShardKind::Work && node.tasks == 1 && !node.once;
    for node in plan.shards.iter().filter(plain) {
        let like = |some: &&mut Vec<ShardId>| {
            let first = plan.node(some[0]);
            first.is_some_and(|first| are_alike(plan, first, node))
        };
        match twins.iter_mut().find(like) {
            Some(some) => some.push(node.id),
            None => twins.push(vec![node.id]),
        }
    }
    twins.retain(|some| some.len() > 1);
    twins
}

fn are_alike(plan: &Topology, one: &ShardNode, other: &ShardNode) -> bool {
    let before = |id: ShardId| {
        let before = plan.shards.iter();
        before.filter(move |node| node.successors.contains(&id))
    };
    let ids = |node: &ShardNode| before(node.id).map(|node| node.id).collect::<Vec<_>>();
    one.successors == other.successors && ids(one) == ids(other)
}

impl Machine {
    /// Puts twins by which nobody goes in the order of what they have.
    pub(crate) fn order_twins(&mut self, state: &mut State) {
        if self.stores.has_twins() {
            let mentioned = self.mentioned(state);
            state.store = self.stores.with_ordered_twins(state.store, mentioned);
        }
    }

    /// Whether it comes to the same to draw another one of what is ready, which comes before.
    pub(crate) fn is_drawn_before(&mut self, state: &State, op: u32, turn: u32) -> bool {
        let request = self.nodes.ops.thing(op);
        if turn == 0 || !matches!(*request, Op::Ready(..)) || !self.stores.has_twins() {
            return false;
        }
        let mentioned = self.mentioned(state);
        let effect = self.stores.effect(state.store, op, &request);
        let reply = self.stores.replies.thing(effect.reply);
        let Reply::Shards(Ok(items)) = &*reply else {
            return false;
        };
        let (before, from) = items.split_at(items.len().min(turn as usize));
        let like = |other: &ShardItem, one: &ShardItem| {
            let unknown = [one, other].iter().all(|item| is_free(item, mentioned));
            unknown && self.stores.are_twins(one.id, other.id) && has(one) == has(other)
        };
        from.first()
            .is_some_and(|one| before.iter().any(|other| like(other, one)))
    }
}

impl Stores {
    pub(crate) fn has_twins(&self) -> bool {
        !self.twins.is_empty()
    }

    fn are_twins(&self, one: ShardId, other: ShardId) -> bool {
        let mut twins = self.twins.iter();
        twins.any(|some| some.contains(&one) && some.contains(&other))
    }

    fn with_ordered_twins(&mut self, store: u32, mentioned: u64) -> u32 {
        if let Some(ordered) = self.ordered.get(&(store, mentioned)) {
            return *ordered;
        }
        let all = self.of(store);
        let all = all.iter().filter_map(|item| match &**item {
            Item::Shard(item) => Some(item),
            Item::Run(_) | Item::Lane(_) => None,
        });
        let mut places: Vec<(ShardId, ShardId)> = Vec::new();
        for some in &self.twins {
            let free = all.clone().filter(|item| some.contains(&item.id));
            let free: Vec<&ShardItem> = free.filter(|item| is_free(item, mentioned)).collect();
            let mut ordered = free.clone();
            ordered.sort_by_cached_key(|item| has(item));
            let pairs = ordered.iter().zip(&free);
            places.extend(pairs.map(|(item, place)| (item.id, place.id)));
        }
        let ordered = match places.iter().all(|(from, to)| from == to) {
            true => store,
            false => self.with_moved(store, &places),
        };
        self.ordered.insert((store, mentioned), ordered);
        ordered
    }

    /// The store in which shards have gone from places to others.
    fn with_moved(&mut self, store: u32, places: &[(ShardId, ShardId)]) -> u32 {
        let mut contents = (*self.contents[store as usize - 1]).clone();
        for number in std::mem::take(&mut contents.shards) {
            let Item::Shard(item) = self.items.at(number) else {
                unreachable!("it is a shard")
            };
            let moved = self.moved(item.clone(), places);
            let number = self.items.number(Item::Shard(moved));
            contents = self.with(contents, number);
        }
        self.keep(contents)
    }

    /// The shard at its new place, with those that have arrived at theirs.
    fn moved(&self, item: ShardItem, places: &[(ShardId, ShardId)]) -> ShardItem {
        let to = |id: ShardId| {
            let mut places = places.iter();
            places.find(|(from, _)| *from == id).map_or(id, |p| p.1)
        };
        let id = to(item.id);
        let mut moved = ShardItem {
            id,
            // By the order of appearance.
            rank: if id == item.id { item.rank } else { id.0 },
            arrived: item.arrived.iter().map(|id| to(*id)).collect(),
            ..item
        };
        if id != item.id && moved.output.is_some() {
            moved.output = Some(worker::output(&self.ground, &moved));
        }
        moved
    }
}

/// What a shard has, as text: all but its number, and what goes by that.
fn has(item: &ShardItem) -> String {
    let item = ShardItem {
        id: ShardId(0),
        rank: 0,
        output: None,
        ..item.clone()
    };
    format!("{item:?}")
}

/// Nobody goes by the shard, and nothing of it is anywhere but in its item.
fn is_free(item: &ShardItem, mentioned: u64) -> bool {
    let new = matches!(item.state, ShardState::Waiting | ShardState::Ready) && item.attempt.0 == 0;
    // As if its first attempt had done it: that is how it is kept.
    let done = item.state == ShardState::Done && item.released && item.attempt.0 == 1;
    mentioned & 1 << item.id.0 == 0 && (new || done)
}
