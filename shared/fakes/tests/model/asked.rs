//! What a branch asks, and what becomes of it by the answer. Each question is made once.

use std::rc::Rc;

use foreshard_fakes::build;
use foreshard_model::ids::{LaneId, Round, Step};
use foreshard_model::message::{
    AggregateRequest, Answer, AnswerKind, DispatchRequest, ExecuteRequest, Finished, Next,
};

use crate::machine::Machine;
use crate::memo::Memo;
use crate::process::{Ending, Input, Output};
use crate::state::{Branch, Slot, Stage, State, Token};
use crate::timeless;

/// What follows an answer.
#[derive(Debug, Clone, Copy)]
enum Follows {
    Claim {
        then: u32,
    },
    /// It parks by this process.
    Park {
        process: u32,
        then: u32,
    },
    End,
    Wait,
}

/// What was made of questions and answers so far.
#[derive(Default)]
pub(crate) struct Asked {
    /// By the process that has answered.
    follows: Memo<u32, Follows>,
    workers: Memo<(u32, Ending), u32>,
    /// What is asked after a worker, by what it was given and its process; 0 where it was lost.
    after: Memo<(u32, u32), u32>,
    /// By question: the token that stands for its branch while it is parked.
    tokens: Memo<u32, Rc<str>>,
}

impl Machine {
    /// Dispatch has answered a branch by this process.
    pub(crate) fn answered(&mut self, state: &mut State, at: usize, process: u32) {
        if let Branch::Parking { then, token, .. } = state.branches[at] {
            self.parked(state, at, then, token);
            return;
        }
        match self.follows(process) {
            Follows::Claim { then } => state.branches[at] = Branch::Claimed { then },
            Follows::Park { process, then } => {
                let token = Token::Alive;
                state.branches[at] = Branch::Parking {
                    process,
                    then,
                    token,
                };
            }
            Follows::End => {
                state.branches[at] = Branch::Ended;
                self.close_lanes(state);
            }
            Follows::Wait => self.wrong(state, "a lane waits, and time is left out"),
        }
    }

    fn follows(&mut self, process: u32) -> Follows {
        if let Some(follows) = self.asked.follows.get(&process) {
            return *follows;
        }
        let node = self.nodes.node(process);
        let Some(Output::Answered(Ok(answer))) = &node.output else {
            unreachable!("dispatch has answered")
        };
        let asked = self.question(node.input).clone();
        let then = self.nodes.inputs.number(Input::Dispatch(DispatchRequest {
            next: Some(Next {
                answer: timeless::answer(answer.clone()),
            }),
            finished: None,
            ..asked.clone()
        }));
        let follows = match answer.kind {
            AnswerKind::Run => Follows::Claim { then },
            AnswerKind::Done => Follows::End,
            AnswerKind::Wait => Follows::Wait,
            AnswerKind::Idle => Follows::Park {
                process: self.root(Input::Dispatch(park(asked, answer))),
                then,
            },
        };
        self.asked.follows.insert(process, follows);
        follows
    }

    /// The branch asks dispatch, whenever that begins.
    pub(crate) fn ask(&mut self, state: &mut State, at: usize, question: u32) {
        let process = self.nodes.root_of(question, &self.stores.replies);
        state.branches[at] = Branch::Asking { process };
    }

    /// The execute state has ended, as this worker has or because it was lost: the branch asks what is next.
    pub(crate) fn finished(
        &mut self,
        state: &mut State,
        at: usize,
        then: u32,
        worker: Option<u32>,
    ) {
        let process = self.after(then, worker);
        state.branches[at] = Branch::Asking { process };
        self.first_step(state, Slot::Branch(at));
    }

    fn after(&mut self, then: u32, worker: Option<u32>) -> u32 {
        let key = (then, worker.unwrap_or(0));
        if let Some(process) = self.asked.after.get(&key) {
            return *process;
        }
        let finished = match worker.map(|worker| self.nodes.node(worker)).as_deref() {
            Some(node) => match &node.output {
                Some(Output::Worked(outcome)) => Finished::Answered {
                    outcome: (**outcome).clone(),
                },
                _ => unreachable!("the worker has ended"),
            },
            None => Finished::Caught {
                error: "Runtime.ExitError".to_owned(),
                cause: "exit status 1".to_owned(),
            },
        };
        let asked = self.question(then).clone();
        let process = self.root(Input::Dispatch(DispatchRequest {
            finished: Some(finished),
            ..asked
        }));
        self.asked.after.insert(key, process);
        process
    }

    pub(crate) fn begin(&mut self, state: &mut State, at: usize, ending: Ending) {
        let Branch::Claimed { then } = state.branches[at] else {
            return;
        };
        let process = self.worker(then, ending);
        state.branches[at] = Branch::Working { process, then };
        self.first_step(state, Slot::Branch(at));
        if state.branches[at] == (Branch::Working { process, then }) {
            self.ended(state, Slot::Branch(at), process);
        }
    }

    pub(crate) fn worker(&mut self, then: u32, ending: Ending) -> u32 {
        if let Some(process) = self.asked.workers.get(&(then, ending)) {
            return *process;
        }
        let given = self.given(then).clone();
        let process = self.root(Input::Work(given, ending));
        self.asked.workers.insert((then, ending), process);
        process
    }

    /// What a branch has been given to execute.
    pub(crate) fn given(&self, then: u32) -> &ExecuteRequest {
        let next = self.question(then).next.as_ref();
        let shard = next.and_then(|next| next.answer.shard.as_ref());
        shard.expect("it was claimed")
    }

    /// The token of a branch that asks this once it is awake.
    pub(crate) fn token(&mut self, then: u32) -> Rc<str> {
        if let Some(token) = self.asked.tokens.get(&then) {
            return Rc::clone(token);
        }
        let asked = self.question(then);
        let step = asked.next.as_ref().map_or(Step(0), |next| next.answer.step);
        let token: Rc<str> = token(asked.round, asked.lane, step).into();
        self.asked.tokens.insert(then, Rc::clone(&token));
        token
    }

    pub(crate) fn open_lanes(&mut self, state: &mut State, lanes: u32) {
        for number in 0..lanes {
            let process = self.root(Input::Dispatch(DispatchRequest {
                run: build::run_id(),
                round: Round(state.round),
                lane: LaneId(number),
                next: None,
                finished: None,
                park: false,
                step: None,
                token: None,
            }));
            state.branches[number as usize] = Branch::Asking { process };
        }
    }

    /// Once every branch has ended, the round is aggregated.
    pub(crate) fn close_lanes(&mut self, state: &mut State) {
        let ended = state.branches.iter().all(|branch| *branch == Branch::Ended);
        if state.stage != Stage::Lanes || !ended || state.doomed {
            return;
        }
        let process = self.root(Input::Aggregate(AggregateRequest {
            run: build::run_id(),
            round: Round(state.round),
            error: None,
        }));
        state.stage = Stage::Aggregating { process };
    }

    /// The question with this number.
    pub(crate) fn question(&self, number: u32) -> &DispatchRequest {
        match self.nodes.inputs.at(number) {
            Input::Dispatch(asked) => asked,
            _ => unreachable!("a branch asks dispatch"),
        }
    }
}

/// The question by which a lane parks that was told to.
fn park(asked: DispatchRequest, answer: &Answer) -> DispatchRequest {
    DispatchRequest {
        park: true,
        step: Some(answer.step),
        token: Some(token(asked.round, asked.lane, answer.step)),
        next: None,
        finished: None,
        ..asked
    }
}

pub(crate) fn token(round: Round, lane: LaneId, step: Step) -> String {
    format!("{round}-{lane}-{step}")
}
