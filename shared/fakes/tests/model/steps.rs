//! The numbers of a lane's steps, as low as nobody can tell.
//!
//! A step is only ever compared with another one of the same lane, and drawn by, which the model does not rely on
//! ([`heard`](crate::carried::heard)). So where nobody but the lane's branch and its item know of them, they are moved down
//! together: a lane that has parked five times is as one that has parked once.

use foreshard_model::frontier::LaneItem;
use foreshard_model::ids::Step;
use foreshard_model::message::{Answer, DispatchRequest, Next};

use crate::asked::token;
use crate::machine::Machine;
use crate::process::Input;
use crate::state::{Branch, Slot, State};
use crate::touched::lane_bit;

impl Machine {
    /// Moves the steps of every lane down that can be.
    pub(crate) fn low_steps(&mut self, state: &mut State) {
        for at in 0..state.branches.len() {
            let step = self.stores.lane(state.store, at).map(|item| item.step.0);
            if let Some(step) = step.filter(|step| *step > 1)
                && self.is_private(state, at)
            {
                self.low(state, at, step);
            }
        }
    }

    /// Whether only the branch and the item know of the lane's steps, and the branch only by a question that nobody works at.
    fn is_private(&self, state: &State, at: usize) -> bool {
        let own = match state.branches[at] {
            Branch::Asking { process } => self.nodes.node(process).fresh,
            Branch::Parking { .. } => false,
            Branch::Parked { .. } | Branch::Claimed { .. } | Branch::Working { .. } => true,
            Branch::Ended => true,
        };
        own && state.slots().filter(|slot| *slot != Slot::Branch(at)).all(|slot| {
            let Some(process) = state.process(slot) else {
                return true;
            };
            let node = self.nodes.node(process);
            let asks = matches!(self.nodes.inputs.at(node.input), Input::Dispatch(asked) if asked.lane.0 as usize == at);
            !asks && node.touched & lane_bit(at as u32) == 0
        })
    }

    fn low(&mut self, state: &mut State, at: usize, step: u32) {
        let question = match state.branches[at] {
            Branch::Asking { process } => Some(self.nodes.node(process).input),
            Branch::Parking { then, .. }
            | Branch::Parked { then, .. }
            | Branch::Claimed { then }
            | Branch::Working { then, .. } => Some(then),
            Branch::Ended => None,
        };
        let known = question.map_or(step, |question| self.step_of(question));
        let down = known.min(step).saturating_sub(1);
        if down == 0 {
            return;
        }
        state.store = self.stores.with_lower(state.store, at, down);
        let Some(question) = question else { return };
        let question = self.lower(question, down);
        match &mut state.branches[at] {
            Branch::Asking { process } => {
                *process = self.nodes.root_of(question, &self.stores.replies);
            }
            Branch::Parking { then, .. }
            | Branch::Parked { then, .. }
            | Branch::Claimed { then }
            | Branch::Working { then, .. } => *then = question,
            Branch::Ended => {}
        }
    }

    /// The step after which a question asks.
    fn step_of(&self, question: u32) -> u32 {
        let next = self.question(question).next.as_ref();
        next.map_or(0, |next| next.answer.step.0)
    }

    fn lower(&mut self, question: u32, down: u32) -> u32 {
        if let Some(lower) = self.lower.get(&(question, down)) {
            return *lower;
        }
        let asked = self.question(question).clone();
        let number = self.nodes.inputs.number(Input::Dispatch(DispatchRequest {
            next: asked.next.map(|next| Next {
                answer: less(next.answer, down),
            }),
            ..asked
        }));
        self.lower.insert((question, down), number);
        number
    }
}

fn less(answer: Answer, down: u32) -> Answer {
    Answer {
        step: Step(answer.step.0 - down),
        ..answer
    }
}

/// The item of a lane with its steps moved down.
pub(crate) fn lower(item: &LaneItem, down: u32) -> LaneItem {
    let step = Step(item.step.0 - down);
    LaneItem {
        step,
        answer: item.answer.clone().map(|answer| less(answer, down)),
        token: item
            .token
            .as_ref()
            .map(|_| token(item.round, item.lane, step)),
        ..item.clone()
    }
}
