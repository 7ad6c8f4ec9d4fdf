//! Decides whether a lane's question is new, a repeat, or of the past.

use foreshard_model::frontier::{LaneItem, Write};
use foreshard_model::ids::{LaneId, Round, RunId, Step};
use foreshard_model::message::{Answer, AnswerKind, DispatchRequest};

use super::answer::done;
use super::put_lane;

/// A question that is to be answered: the lane as it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Turn {
    item: LaneItem,
    version: u64,
}

/// What a question is.
#[derive(Debug, Clone, PartialEq)]
pub enum Replay {
    /// A repeat of the step last answered: this was the answer.
    Stored(Box<Answer>),
    /// New: answer it.
    Turn(Box<Turn>),
    /// Of a step or a round that is over; whoever asked has no effect any more.
    Gone(Box<Answer>),
}

impl Turn {
    /// The step that the answer has.
    #[must_use]
    pub fn step(&self) -> Step {
        Step(self.item.step.0 + 1)
    }

    /// The lane.
    #[must_use]
    pub fn lane(&self) -> LaneId {
        self.item.lane
    }

    /// The run.
    #[must_use]
    pub fn run(&self) -> &RunId {
        &self.item.run
    }

    /// The lane's round.
    #[must_use]
    pub fn round(&self) -> Round {
        self.item.round
    }

    /// What the lane was last told to do; `None` before its first answer.
    #[must_use]
    pub fn last(&self) -> Option<AnswerKind> {
        self.item.answer.as_ref().map(|answer| answer.kind)
    }

    /// Events of history that the lane has used in this round.
    #[must_use]
    pub fn events(&self) -> u32 {
        self.item.events
    }

    /// Stores the answer as that of this turn; refused when the lane was answered meanwhile.
    #[must_use]
    pub fn answered(&self, answer: &Answer) -> Write {
        put_lane(LaneItem {
            version: self.version + 1,
            step: answer.step,
            events: self.item.events + super::events_of(answer.kind),
            answer: Some(answer.clone()),
            token: None,
            ..self.item.clone()
        })
    }
}

/// Decides what a lane's question is: step k+1 asks after the answer to step k.
///
/// A lane item of an earlier round is taken over by the first question of a later one.
#[must_use]
pub fn replay(lane: Option<&LaneItem>, request: &DispatchRequest) -> Replay {
    let last = request.next.as_ref().map_or(Step(0), |n| n.answer.step);
    let asked = Step(last.0 + 1);
    let fresh = |version| {
        let item = LaneItem {
            run: request.run.clone(),
            lane: request.lane,
            round: request.round,
            ..LaneItem::default()
        };
        Replay::Turn(Box::new(Turn { item, version }))
    };
    let gone = |because: &str| Replay::Gone(Box::new(done(asked, because)));
    match lane {
        None if last == Step(0) => fresh(0),
        Some(item) if item.round < request.round && last == Step(0) => fresh(item.version),
        Some(item) if item.round == request.round && item.step == asked => match &item.answer {
            Some(answer) => Replay::Stored(Box::new(answer.clone())),
            None => gone("the lane has no answer to this step"),
        },
        Some(item) if item.round == request.round && item.step == last => {
            Replay::Turn(Box::new(Turn {
                item: item.clone(),
                version: item.version,
            }))
        }
        Some(item) if item.round > request.round => gone("a later round has the lane"),
        Some(item) if item.round == request.round && item.step > asked => {
            gone("the lane has gone on")
        }
        _ => gone("the lane was never given the answer that it names"),
    }
}
