//! What goes wrong, or is wished, and what it does.

use crate::machine::{How, Machine, written};
use crate::nodes::changes;
use crate::process::{Choice, Ending, Input};
use crate::setup::Going;
use crate::state::{Branch, Slot, Stage, State};
use crate::tape::Op;

/// What goes wrong, or is wished, at any moment: each costs one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Whoever waits for this process gives it up and asks again. It may have died, be slow, have answered in vain, or have
    /// been invoked twice: it goes on at any time, or never.
    Repeat(Slot),
    /// The last write of this process is carried out, and nobody hears how the process ended.
    LoseAnswer(Slot, u32),
    /// A wake-up never arrives.
    LoseWake(Slot, u32),
    /// The park state ends in an error; what was asked goes on, or not.
    ParkFails(usize),
    /// The worker is taken for lost; it goes on, or not.
    LoseWorker(usize),
    /// A task fails for good, or the worker yields.
    Ends(usize, Ending),
    /// The branch vanishes.
    LoseLane(usize),
    /// The execution ends.
    LoseExecution,
    /// The execution ends some time, and before that nothing comes of this branch.
    Doom(usize),
    /// A sweep comes while others are at work; a late one takes every attempt for expired.
    Sweep {
        late: bool,
    },
    Recut(Choice),
    Cancel,
}

impl Machine {
    /// Lets it go wrong. What begins by it asks something at once, or whenever it comes to that.
    pub(crate) fn fault(&mut self, state: &mut State, fault: &Fault, at_once: bool) {
        match fault {
            Fault::Repeat(slot) => self.repeat(state, *slot, at_once),
            Fault::LoseAnswer(slot, op) => {
                self.write_last(state, *slot, *op);
                self.unheard(state, *slot, at_once);
            }
            Fault::LoseWake(slot, op) => self.step(state, *slot, *op, How::Lost),
            Fault::ParkFails(at) | Fault::LoseWorker(at) => {
                self.unheard(state, Slot::Branch(*at), at_once);
            }
            Fault::Ends(at, ending) => self.begin(state, *at, *ending),
            Fault::LoseLane(at) => {
                self.lose(state, *at);
                written(state);
                self.close_lanes(state);
            }
            Fault::Doom(at) => {
                state.doomed = true;
                self.lose(state, *at);
            }
            Fault::LoseExecution => {
                for at in 0..state.branches.len() {
                    self.lose(state, at);
                }
                if let Some(process) = state.process(Slot::Stage) {
                    self.abandon(state, process);
                }
                state.stage = Stage::Closed;
                written(state);
            }
            Fault::Sweep { late } => self.intrude(state, Input::Sweep { late: *late }),
            Fault::Recut(choice) => self.intrude(state, Input::Recut(choice.clone())),
            Fault::Cancel => {
                state.cancelled = true;
                self.intrude(state, Input::Cancel);
            }
        }
    }

    /// Whoever waits for the process asks again.
    fn repeat(&mut self, state: &mut State, slot: Slot, at_once: bool) {
        let Some(process) = state.process(slot) else {
            return;
        };
        let input = self.nodes.node(process).input;
        let again = self.nodes.root_of(input, &self.stores.replies);
        self.abandon(state, process);
        state.moved(slot, again);
        if at_once {
            self.first_step(state, slot);
        }
    }

    /// Whoever waits for the process hears nothing of it: a park state ends in an error, a worker is taken for lost, others are
    /// asked again.
    fn unheard(&mut self, state: &mut State, slot: Slot, at_once: bool) {
        let Slot::Branch(at) = slot else {
            return self.repeat(state, slot, at_once);
        };
        match state.branches[at] {
            Branch::Parking { process, then, .. } => {
                self.abandon(state, process);
                self.ask(state, at, then);
                if at_once {
                    self.first_step(state, slot);
                }
            }
            Branch::Working { process, then } => {
                self.abandon(state, process);
                self.finished(state, at, then, None);
            }
            Branch::Claimed { then } => {
                let process = self.worker(then, Ending::Done);
                self.abandon(state, process);
                self.finished(state, at, then, None);
            }
            Branch::Asking { .. } => self.repeat(state, slot, at_once),
            Branch::Parked { .. } | Branch::Ended => {}
        }
    }

    /// Whether this write is the last of a process, which then has only to answer.
    pub(crate) fn is_last_write(&mut self, state: &State, process: u32, op: u32) -> bool {
        let request = self.nodes.ops.thing(op);
        let writes = matches!(
            *request,
            Op::Commit(_) | Op::Arrive(_) | Op::UpdateRun(_) | Op::Checkpoint(_)
        );
        if !writes {
            return false;
        }
        let reply = self.stores.effect(state.store, op, &request).reply;
        let reply = self.heard(state.store, process, (&request, reply), 0);
        let after = self
            .nodes
            .after(process, op, reply, &mut self.stores.replies);
        let reply = self.stores.replies.at(reply);
        changes(&request, reply) && self.nodes.node(after).output.is_some()
    }

    pub(crate) fn lose(&mut self, state: &mut State, at: usize) {
        if let Some(process) = state.process(Slot::Branch(at)) {
            self.abandon(state, process);
        }
        if let Branch::Claimed { then } = state.branches[at] {
            let process = self.worker(then, Ending::Done);
            self.abandon(state, process);
        }
        state.branches[at] = Branch::Ended;
    }

    /// A process that nobody waits for begins, and makes its first request.
    fn intrude(&mut self, state: &mut State, input: Input) {
        let process = self.root(input);
        state.orphans.push(process);
        self.first_step(state, Slot::Orphan(state.orphans.len() - 1));
    }

    /// Nobody waits for the process any more.
    fn abandon(&mut self, state: &mut State, process: u32) {
        if self.setup.going == Going::Lingers && self.nodes.node(process).output.is_none() {
            state.orphans.push(process);
        }
    }
}
