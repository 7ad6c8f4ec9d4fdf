//! What a lane still goes by: two calls of dispatch that go on in the same way are at one place.
//!
//! A call settles what its lane has run, looks for work until it has an answer, and wakes others. What it takes from one of these into
//! the next is little ([`At`]). So all that go by the same are put where the first of them was, and are begun anew with what that one was
//! told ([`Past`]). A call that parks its lane goes by its token and by whether the round is over.
//!
//! What a lane has run is kept as long as the lane may be asked again what comes next. Once nothing can go wrong any more nobody asks
//! again ([`Again`]): then it is forgotten as soon as its successors know, and the lane's item need not say it either.

use foreshard_model::frontier::LaneItem;
use foreshard_model::message::{Answer, DispatchRequest};
use foreshard_model::run::RunItem;

use crate::intern::Interned;
use crate::machine::Machine;
use crate::mentioned::shards_in;
use crate::nodes::Nodes;
use crate::process::Input;
use crate::setup::Going;
use crate::state::{Branch, State};
use crate::tape::Reply;
use crate::touched::{lane_bit, touched_by};

/// Whether a process may be begun anew by what it was begun with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Again {
    Maybe,
    Never,
}

/// What has become of a process that has forgotten what it was told: it goes on as another one, which was there first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Past {
    /// That one.
    pub(crate) number: u32,
    pub(crate) again: Again,
    /// It still goes by what it was begun with, and by shards that it was told of before.
    pub(crate) settles: bool,
    /// Items whose versions it still goes by.
    pub(crate) touched: u64,
    /// Shards that it still goes by beside those that it asks about.
    pub(crate) goes_by: u64,
}

/// Where a call of dispatch is, with all that it goes by from here on.
#[derive(Debug)]
#[expect(dead_code, reason = "told apart by their `Debug` texts")]
pub(crate) enum At {
    /// It settles what the lane has run: it goes by all that it was told.
    Settles { told: Vec<(u32, String)> },
    /// It is about to end the run by this.
    Ends { by: u32, known: Known },
    /// It is about to look for work: once more before the lane ends, or first.
    Looks { last: bool, known: Known },
    /// It has its answer, and is about to see who is parked, to wake so many.
    Wakes { answer: Answer, wanted: usize },
    /// It has stored its token by this, and is about to ask; where nothing is ready, it asks this then.
    Parks { by: u32, asks: u32, then: Vec<u32> },
}

/// What a call that has settled goes by.
#[derive(Debug)]
#[expect(dead_code, reason = "told apart by their `Debug` texts")]
pub(crate) struct Known {
    pub(crate) run: RunItem,
    /// The lane, without what it was told to run.
    pub(crate) lane: Option<LaneItem>,
    /// Shards that became ready by what it has settled.
    pub(crate) readied: usize,
    /// What it has settled waits, and the lane with it.
    pub(crate) put_back: bool,
}

impl Machine {
    /// Forgets what lanes have run, where nobody is asked again.
    pub(crate) fn forget_past(&mut self, state: &mut State) {
        if state.faults > 0 || self.setup.going != Going::Dies {
            return;
        }
        for at in 0..state.branches.len() {
            if let Branch::Asking { process } = state.branches[at] {
                let replies = &mut self.stores.replies;
                let process = self.nodes.forgotten(process, Again::Never, replies);
                state.branches[at] = Branch::Asking { process };
                if self.is_repeat(state, at, process) {
                    continue;
                }
            }
            state.store = self.stores.with_bare(state.store, at);
        }
    }

    /// Whether a lane is about to be told what it was told before: it has asked again what was answered.
    fn is_repeat(&self, state: &State, at: usize, process: u32) -> bool {
        let node = self.nodes.node(process);
        let next = self.question(node.input).next.as_ref();
        let last = next.map_or(0, |next| next.answer.step.0);
        let stored = self.stores.lane(state.store, at);
        node.fresh && stored.is_some_and(|item| item.step.0 != last)
    }
}

impl Nodes {
    /// The place of the first process that goes on as this one does.
    pub(crate) fn forgotten(
        &mut self,
        number: u32,
        again: Again,
        replies: &mut Interned<Reply>,
    ) -> u32 {
        if let Some(known) = self.forgotten.get(&(number, again)) {
            return *known;
        }
        let place = match &*self.input_of(number) {
            Input::Dispatch(asked) => self.first_alike(number, asked, again, replies),
            _ => None,
        };
        let place = place.unwrap_or(number);
        self.forgotten.insert((number, again), place);
        place
    }

    fn first_alike(
        &mut self,
        number: u32,
        asked: &DispatchRequest,
        again: Again,
        replies: &mut Interned<Reply>,
    ) -> Option<u32> {
        let at = self.at_of(number, asked, again, replies)?;
        let node = self.node(number);
        let (run, lane) = (1, lane_bit(asked.lane.0));
        let touched = match &at {
            At::Settles { .. } => node.touched,
            At::Ends { by, .. } => lane | touched_by(self.ops.at(*by)),
            At::Looks { .. } => run | lane,
            At::Wakes { .. } => 0,
            At::Parks { .. } => lane,
        };
        let goes_by = match &at {
            At::Wakes { answer, .. } => shards_in(answer),
            _ => 0,
        };
        let settles = matches!(at, At::Settles { .. });
        let begun = (again == Again::Maybe || settles || asked.park).then_some(node.input);
        let step = asked.next.as_ref().map(|next| next.answer.step);
        let key = (begun, asked.round, asked.lane, step, node.wrote, at);
        let number = self.first_by(format!("{key:?}"), number);
        let past = Past {
            number,
            again,
            settles,
            touched,
            goes_by,
        };
        Some(self.as_past(past, replies))
    }
}

/// The item without what the lane was told to run: whoever writes it over goes by the kind of the answer only.
pub(crate) fn bare(item: LaneItem) -> LaneItem {
    LaneItem {
        answer: item.answer.map(|answer| Answer {
            target: None,
            shard: None,
            ..answer
        }),
        ..item
    }
}
