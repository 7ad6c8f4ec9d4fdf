//! Twins: shards of one task each that come after and before the same.
//!
//! Nobody prefers one of them. Where there are such twins, a lane may draw any that is ready, whatever its rank, and a sweep takes what it
//! finds in any order: that is more than may happen. So they change places, as lanes do ([`crate::symmetry`]), with all who go by them;
//! and of some that are ready, of which nothing is anywhere but in their items, and which differ by their numbers only, it is enough to
//! draw the first. Whether a lane can be spared goes by what comes after and before what runs: for twins that is the same.

use foreshard_model::frontier::{ShardItem, ShardState};
use foreshard_model::ids::ShardId;
use foreshard_model::plan::ShardKind;
use foreshard_model::topology::{ShardNode, Topology};

use crate::machine::Machine;
use crate::places::Places;
use crate::state::State;
use crate::store::{Item, Stores};
use crate::tape::{Op, Reply};

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
    /// The order in which lanes are as in this one, and twins by what they have then, and by who goes by them.
    pub(crate) fn twins_in_order(&mut self, state: &State, lanes: usize) -> usize {
        if !self.stores.has_twins() {
            return lanes;
        }
        let order = self.orders.places(lanes).clone();
        let who = self.who_mentions(state, &order.lanes);
        let mut places = order.shards.to_vec();
        for some in &self.stores.twins.clone() {
            let mut ordered: Vec<(u32, u64, ShardId)> = Vec::with_capacity(some.len());
            for id in some {
                let has = self.stores.likeness(state.store, *id, (lanes, &order));
                let by = who.iter().enumerate();
                let by = by.fold(0, |by, (at, bits)| by | (bits >> id.0 & 1) << at);
                ordered.push((has, by, *id));
            }
            ordered.sort_unstable();
            for ((_, _, id), place) in ordered.iter().zip(some) {
                places[id.0 as usize] = *place;
            }
        }
        self.orders.with_shards(lanes, &places)
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

    /// The number of what a shard has, where lanes are at these places.
    fn likeness(&mut self, store: u32, id: ShardId, of: (usize, &Places)) -> u32 {
        let contents = &self.contents[store as usize - 1];
        // Nobody cuts again: so they are where they were in the plan.
        let number = self.item_swapped(contents.shards[id.0 as usize], of);
        if let Some(known) = self.likenesses.get(&number) {
            return *known;
        }
        let Item::Shard(item) = self.items.at(number) else {
            unreachable!("it is a shard")
        };
        let likeness = self.likeness_of.number(has(item));
        self.likenesses.insert(number, likeness);
        likeness
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

/// Nobody goes by the shard, and it was never begun.
fn is_free(item: &ShardItem, mentioned: u64) -> bool {
    let new = item.state == ShardState::Ready && item.attempt.0 == 0;
    mentioned & 1 << item.id.0 == 0 && new
}
