//! Lanes that change places: a state in which two lanes have what the other has is the same state.
//!
//! Nobody prefers a lane. What is drawn by its number is gone through in every way, and so is the order in which a sweep wakes; but a
//! process that has a choice among several lanes behind it is left as it is, since it would choose otherwise under another number.

use foreshard_model::frontier::{LaneItem, ShardItem, Write};
use foreshard_model::ids::LaneId;
use foreshard_model::message::DispatchRequest;
use foreshard_stages::ports::Page;

use crate::machine::Machine;
use crate::process::Input;
use crate::state::{Branch, Slot, State};
use crate::tape::{Op, Reply};

/// The new number of each lane.
pub(crate) type Places = Vec<u32>;

/// Every order of so many lanes but the one that they have.
pub(crate) fn orders(lanes: u32) -> Vec<Places> {
    let orders = crate::dags::orders(lanes as usize).into_iter();
    let orders = orders.map(|order| order.into_iter().map(|place| place as u32).collect());
    let same: Places = (0..lanes).collect();
    orders.filter(|order| *order != same).collect()
}

type Key<'a> = (&'a [Branch], u32, [Option<u32>; 2], &'a [u32]);

fn key(state: &State) -> Key<'_> {
    let others = [Slot::Stage, Slot::Sweep].map(|slot| state.process(slot));
    (&state.branches, state.store, others, &state.orphans)
}

impl Machine {
    /// Of all orders of the lanes the one with the lowest numbers.
    pub(crate) fn ordered(&mut self, state: &mut State) {
        let mut least = state.clone();
        for order in 0..self.orders.len() {
            let Some(mut other) = self.swapped(state, order) else {
                return;
            };
            // Mostly the branches tell which is lower: then the items need not be looked at.
            if *other.branches <= *least.branches {
                other.store = self.stores.swapped(state.store, order, &self.orders[order]);
                if key(&other) < key(&least) {
                    least = other;
                }
            }
        }
        *state = least;
    }

    /// The state with lanes in another order, but for the items.
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
            other.branches[self.orders[order][at] as usize] = branch;
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
        let of = (order, self.orders[order].as_slice());
        self.nodes.input_swapped(question, of)
    }

    fn process_of(&mut self, process: u32, order: usize) -> Option<u32> {
        if let Some(other) = self.processes.get(&(process, order)) {
            return *other;
        }
        let of = (order, self.orders[order].as_slice());
        let other = self.nodes.swapped(process, of, &mut self.stores.replies);
        self.processes.insert((process, order), other);
        other
    }
}

pub(crate) fn input(input: &Input, places: &[u32]) -> Input {
    match input {
        Input::Dispatch(asked) => Input::Dispatch(DispatchRequest {
            lane: lane(asked.lane, places),
            token: asked.token.as_ref().map(|text| token(text, places)),
            ..asked.clone()
        }),
        other => other.clone(),
    }
}

pub(crate) fn op(op: &Op, places: &[u32]) -> Op {
    match op {
        Op::Lane(of) => Op::Lane(lane(*of, places)),
        Op::Opening(of, finished) => Op::Opening(lane(*of, places), *finished),
        Op::Answer(text) => Op::Answer(token(text, places)),
        Op::Commit(writes) => {
            let writes = writes.iter().map(|write| match write {
                Write::Lane(item, expect) => {
                    Write::Lane(Box::new(lane_item(item, places)), *expect)
                }
                Write::Shard(item, expect) => {
                    Write::Shard(Box::new(shard_item(item, places)), *expect)
                }
                Write::Run(..) => write.clone(),
            });
            Op::Commit(writes.collect())
        }
        other => other.clone(),
    }
}

/// `None` where it left a choice among lanes.
pub(crate) fn reply(reply: &Reply, places: &[u32]) -> Option<Reply> {
    let moved = |item: &LaneItem| lane_item(item, places);
    let of_shard = |item: &ShardItem| shard_item(item, places);
    Some(match reply {
        Reply::Lane(Ok(item)) => Reply::Lane(Ok(item.as_ref().map(moved))),
        Reply::Lanes(Ok(items)) if items.len() > 1 => return None,
        Reply::Lanes(Ok(items)) => Reply::Lanes(Ok(items.iter().map(moved).collect())),
        Reply::Opening(Ok(opening)) => {
            let mut opening = opening.clone();
            opening.lane = opening.lane.as_ref().map(moved);
            opening.finished = opening.finished.as_ref().map(of_shard);
            Reply::Opening(Ok(opening))
        }
        Reply::Shard(Ok(item)) => Reply::Shard(Ok(item.as_ref().map(of_shard))),
        Reply::Shards(Ok(items)) => Reply::Shards(Ok(items.iter().map(of_shard).collect())),
        Reply::Arrived(Ok(item)) => Reply::Arrived(Ok(of_shard(item))),
        Reply::Page(Ok(page)) => Reply::Page(Ok(Page {
            items: page.items.iter().map(of_shard).collect(),
            next: page.next.clone(),
        })),
        other => other.clone(),
    })
}

/// The shard with the new number of the lane that runs it.
pub(crate) fn shard_item(item: &ShardItem, places: &[u32]) -> ShardItem {
    ShardItem {
        lane: item.lane.map(|of| lane(of, places)),
        ..item.clone()
    }
}

pub(crate) fn lane_item(item: &LaneItem, places: &[u32]) -> LaneItem {
    LaneItem {
        lane: lane(item.lane, places),
        token: item.token.as_ref().map(|text| token(text, places)),
        ..item.clone()
    }
}

fn lane(lane: LaneId, places: &[u32]) -> LaneId {
    // A lane that a broken protocol makes up has no other number.
    LaneId(places.get(lane.0 as usize).copied().unwrap_or(lane.0))
}

/// The token of the lane's new number: of round, lane and step the second.
fn token(text: &str, places: &[u32]) -> String {
    let mut parts = text.split('-').map(str::to_owned).collect::<Vec<_>>();
    let place = parts[1].parse::<usize>().expect("a lane is a number");
    parts[1] = places[place].to_string();
    parts.join("-")
}
