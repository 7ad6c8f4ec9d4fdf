//! Which shards a process goes by: those that it has heard of, or was begun with, as long as that counts.

use std::fmt::Debug;

use crate::ahead::{Again, Past};
use crate::intern::Interned;
use crate::machine::Machine;
use crate::nodes::Nodes;
use crate::state::{Branch, LANES, Slot, State};
use crate::tape::Reply;

/// Who may go by a shard: of each lane three, and three others.
const WHO: usize = 3 * LANES + 3;

impl Machine {
    /// The shards that any process or branch goes by, or a lane's item, as bits.
    pub(crate) fn mentioned(&mut self, state: &State) -> u64 {
        let same: Vec<u32> = (0..state.branches.len() as u32).collect();
        let who = self.who_mentions(state, &same);
        who.into_iter().fold(0, |bits, of| bits | of)
    }

    /// The same for each who does: for the process of each lane and for what it asks next, for its item, by their new numbers, and for all
    /// other processes.
    pub(crate) fn who_mentions(&mut self, state: &State, places: &[u32]) -> [u64; WHO] {
        let mut who = [0; WHO];
        for slot in state.slots() {
            if let Some(process) = state.process(slot) {
                let of = match slot {
                    Slot::Branch(at) => places[at] as usize,
                    Slot::Stage => WHO - 3,
                    Slot::Sweep => WHO - 2,
                    Slot::Orphan(_) => WHO - 1,
                };
                who[of] |= self.nodes.mentioned(process, &self.stores.replies);
            }
        }
        for (at, place) in places.iter().enumerate() {
            let item = self.stores.lane(state.store, at);
            let told = item.and_then(|item| item.answer.as_ref()?.shard.as_ref());
            let told = told.map_or(0, |asked| 1 << asked.shard.0);
            who[2 * LANES + *place as usize] |= told;
            if let Branch::Parking { then, .. }
            | Branch::Parked { then, .. }
            | Branch::Claimed { then }
            | Branch::Working { then, .. } = state.branches[at]
            {
                who[LANES + *place as usize] |= self.nodes.given(then);
            }
        }
        who
    }
}

impl Nodes {
    /// The shards that a process goes by, and maybe some by which it does not.
    fn mentioned(&mut self, number: u32, replies: &Interned<Reply>) -> u64 {
        if let Some(known) = self.mentioned.get(&number) {
            return *known;
        }
        let node = self.node(number);
        let (mut bits, told) = match self.past(number) {
            Some(Past {
                again: Again::Never,
                settles: false,
                goes_by,
                ..
            }) => (goes_by, self.exchanges(number).to_vec()),
            Some(past) => (past.goes_by | self.given(node.input), self.whole(number)),
            None => (self.given(node.input), self.whole(number)),
        };
        for (op, reply) in told {
            bits |= shards_in(&(self.ops.at(op), replies.at(reply)));
        }
        for op in &node.pending {
            bits |= shards_in(self.ops.at(*op));
        }
        bits |= shards_in(&node.output);
        self.mentioned.insert(number, bits);
        bits
    }

    /// The shards that whoever is begun with this has heard of.
    fn given(&mut self, input: u32) -> u64 {
        let known = self.given.entry(input);
        *known.or_insert_with(|| shards_in(self.inputs.at(input)))
    }
}

/// The shards whose numbers are in the `Debug` text of a thing, as bits.
pub(crate) fn shards_in(thing: &impl Debug) -> u64 {
    let text = format!("{thing:?}");
    let numbers = text.split("ShardId(").skip(1).map(|rest| {
        let digits = rest.split(')').next().unwrap_or_default();
        digits.parse::<u32>().expect("a shard is a number")
    });
    numbers.fold(0, |bits, number| bits | 1 << number)
}
