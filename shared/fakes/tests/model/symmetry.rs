//! Lanes and shards that change places: a state in which two have what the other has is the same state.
//!
//! Nobody prefers a lane. What is drawn by its number is gone through in every way, and so is the order in which a sweep wakes; but a
//! process that has a choice among several lanes behind it is left as it is, since it would choose otherwise under another number. Of
//! shards the same is so of twins ([`crate::twins`]). A process that has changed places is begun anew with what it would have been told:
//! if what it asks then is not what it asked, as it is now called, it is left as it is, too.

use std::rc::Rc;

use foreshard_model::ids::ShardId;

use crate::dags;
use crate::machine::Machine;
use crate::memo::Memo;
use crate::places::Places;
use crate::process::Ground;
use crate::state::{Branch, Slot, State};

/// Every way in which lanes and shards can change places, by number: 0 is the one in which they do not.
pub(crate) struct Orders {
    all: Vec<Places>,
    lanes: usize,
    /// By the new number of each shard.
    shards: Memo<Rc<[ShardId]>, usize>,
}

impl Orders {
    /// The orders of so many lanes, and of these shards among each other.
    pub(crate) fn new(lanes: u32, twins: &[Vec<ShardId>], ground: &Ground) -> Self {
        let lanes = of_lanes(lanes);
        let shards = of_twins(twins);
        let ground = Rc::new(ground.clone());
        let all = lanes.iter().flat_map(|lanes| {
            shards.iter().map(|shards| Places {
                lanes: Rc::clone(lanes),
                shards: Rc::clone(shards),
                ground: Rc::clone(&ground),
            })
        });
        Self {
            all: all.collect(),
            lanes: lanes.len(),
            shards: (0..).zip(shards).map(|(at, places)| (places, at)).collect(),
        }
    }

    /// The orders of lanes in which no shard has another place.
    fn of_lanes(&self) -> impl Iterator<Item = usize> + use<> {
        (0..self.all.len()).step_by(self.all.len() / self.lanes)
    }

    /// The order of lanes, with shards at these places.
    pub(crate) fn with_shards(&self, order: usize, places: &[ShardId]) -> usize {
        order + self.shards[places]
    }

    pub(crate) fn places(&self, order: usize) -> &Places {
        &self.all[order]
    }
}

/// Every order of so many lanes, beginning with the one that they have.
fn of_lanes(lanes: u32) -> Vec<Rc<[u32]>> {
    let orders = dags::orders(lanes as usize).into_iter();
    let orders = orders.map(|order| order.into_iter().map(|place| place as u32).collect());
    let mut orders: Vec<Rc<[u32]>> = orders.collect();
    orders.sort();
    orders
}

/// Every way in which twins can change places, beginning with the one in which they do not.
fn of_twins(twins: &[Vec<ShardId>]) -> Vec<Rc<[ShardId]>> {
    let last = twins.iter().flatten().max();
    let first: Vec<ShardId> =
        last.map_or_else(Vec::new, |last| (0..=last.0).map(ShardId).collect());
    let mut ways = vec![first];
    for some in twins {
        let orders = dags::orders(some.len());
        let longer = ways.iter().flat_map(|way| {
            orders.iter().map(|order| {
                let mut way = way.clone();
                for (id, place) in some.iter().zip(order) {
                    way[id.0 as usize] = some[*place];
                }
                way
            })
        });
        ways = longer.collect();
    }
    ways.sort();
    ways.into_iter().map(Rc::from).collect()
}

type Key<'a> = (&'a [Branch], u32, [Option<u32>; 2], &'a [u32]);

fn key(state: &State) -> Key<'_> {
    let others = [Slot::Stage, Slot::Sweep].map(|slot| state.process(slot));
    (&state.branches, state.store, others, &state.orphans)
}

impl Machine {
    /// Of all orders of the lanes the one with the lowest numbers, with twins in the order of what they have there.
    pub(crate) fn ordered(&mut self, state: &mut State) {
        let mut least: Option<State> = None;
        for lanes in self.orders.of_lanes() {
            let order = self.twins_in_order(state, lanes);
            let tried = self.swapped(state, order).map(|other| (order, other));
            let tried = tried.or_else(|| Some((lanes, self.swapped(state, lanes)?)));
            let Some((order, mut other)) = tried else {
                continue;
            };
            // Mostly the branches tell which is lower: then the items need not be looked at.
            if least
                .as_ref()
                .is_some_and(|least| *other.branches > *least.branches)
            {
                continue;
            }
            other.store = self
                .stores
                .swapped(state.store, order, self.orders.places(order));
            if least.as_ref().is_none_or(|least| key(&other) < key(least)) {
                least = Some(other);
            }
        }
        if let Some(least) = least {
            *state = least;
        }
    }

    /// The state with lanes and shards at other places, but for the items.
    fn swapped(&mut self, state: &State, order: usize) -> Option<State> {
        let mut other = state.clone();
        for (at, branch) in state.branches.iter().enumerate() {
            let mut branch = *branch;
            match &mut branch {
                Branch::Asking { process } => *process = self.process_of(*process, order)?,
                Branch::Working { process, then } | Branch::Parking { process, then, .. } => {
                    *process = self.process_of(*process, order)?;
                    *then = self.question_of(*then, order);
                }
                Branch::Parked { then, .. } | Branch::Claimed { then } => {
                    *then = self.question_of(*then, order);
                }
                Branch::Ended => {}
            }
            let place = self.orders.places(order).lanes[at];
            other.branches[place as usize] = branch;
        }
        for slot in [Slot::Stage, Slot::Sweep] {
            if let Some(process) = state.process(slot) {
                other.moved(slot, self.process_of(process, order)?);
            }
        }
        for orphan in &mut *other.orphans {
            *orphan = self.process_of(*orphan, order)?;
        }
        other.orphans.sort_unstable();
        Some(other)
    }

    fn question_of(&mut self, question: u32, order: usize) -> u32 {
        let of = (order, self.orders.places(order));
        self.nodes.input_swapped(question, of)
    }

    fn process_of(&mut self, process: u32, order: usize) -> Option<u32> {
        if order == 0 {
            return Some(process);
        }
        if let Some(other) = self.processes.get(&(process, order)) {
            return *other;
        }
        let of = (order, self.orders.places(order));
        let other = self.nodes.swapped(process, of, &mut self.stores.replies);
        self.processes.insert((process, order), other);
        other
    }
}
