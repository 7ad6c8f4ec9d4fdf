//! What goes wrong, or is wished, and what it does.

use crate::machine::{How, Machine, written};
use crate::process::{Choice, Ending, Input};
use crate::setup::Going;
use crate::state::{Branch, Slot, Stage, State};

/// What goes wrong, or is wished, at any moment: each costs one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Whoever waits for this process gives it up and asks again. It may have died, be slow, have answered in vain, or have
    /// been invoked twice: it goes on at any time, or never.
    Repeat(Slot),
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
            Fault::Repeat(slot) => {
                let Some(process) = state.process(*slot) else {
                    return;
                };
                let input = self.nodes.node(process).input;
                let again = self.nodes.root_of(input, &self.stores.replies);
                self.abandon(state, process);
                state.moved(*slot, again);
                if at_once {
                    self.first_step(state, *slot);
                }
            }
            Fault::LoseWake(slot, op) => self.step(state, *slot, *op, How::Lost),
            Fault::ParkFails(at) => {
                if let Branch::Parking { process, then, .. } = state.branches[*at] {
                    self.abandon(state, process);
                    self.ask(state, *at, then);
                    if at_once {
                        self.first_step(state, Slot::Branch(*at));
                    }
                }
            }
            Fault::LoseWorker(at) => {
                let (process, then) = match state.branches[*at] {
                    Branch::Working { process, then } => (process, then),
                    Branch::Claimed { then } => (self.worker(then, Ending::Done), then),
                    _ => return,
                };
                self.abandon(state, process);
                self.finished(state, *at, then, None);
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
