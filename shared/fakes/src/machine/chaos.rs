//! What goes wrong beside the writes, each kind with its own seeded generator.

use crate::faults::Fault;
use crate::seeded::Seeded;

/// How often, in a thousand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chaos {
    /// Writes that break.
    pub write_faults: u32,
    /// By what they break.
    pub kinds: Vec<Fault>,
    /// Invocations of dispatch that happen twice, the second up to two minutes later.
    pub repeated: u32,
    /// Answers of dispatch that never reach the state machine.
    pub lost_answers: u32,
    /// Wake-ups that never reach the lane.
    pub lost_wakes: u32,
    /// Steps at which a lane vanishes.
    pub lost_lanes: u32,
    /// Executions that end before their last state.
    pub lost_executions: u32,
    /// Calls of a port that take up to most of a dispatch's time.
    pub pauses: u32,
    /// Reads whose answer takes as long.
    pub stale_reads: u32,
    /// Invocations whose clock is wrong by up to half a minute.
    pub skewed: u32,
}

impl Chaos {
    /// Nothing goes wrong.
    #[must_use]
    pub fn none() -> Self {
        Self {
            write_faults: 0,
            kinds: Fault::ALL.to_vec(),
            repeated: 0,
            lost_answers: 0,
            lost_wakes: 0,
            lost_lanes: 0,
            lost_executions: 0,
            pauses: 0,
            stale_reads: 0,
            skewed: 0,
        }
    }

    /// Everything goes wrong now and then.
    #[must_use]
    pub fn heavy() -> Self {
        Self {
            write_faults: 30,
            repeated: 60,
            lost_answers: 30,
            lost_wakes: 30,
            lost_lanes: 10,
            lost_executions: 60,
            pauses: 15,
            stale_reads: 15,
            skewed: 100,
            ..Self::none()
        }
    }
}

/// The generators.
pub(crate) struct Dice {
    chaos: Chaos,
    repeated: Seeded,
    answers: Seeded,
    wakes: Seeded,
    lanes: Seeded,
    executions: Seeded,
    delays: Seeded,
}

impl Dice {
    pub(crate) fn new(seed: u64, chaos: &Chaos) -> Self {
        Self {
            chaos: chaos.clone(),
            repeated: Seeded::new(seed, "repeated"),
            answers: Seeded::new(seed, "answers"),
            wakes: Seeded::new(seed, "wakes"),
            lanes: Seeded::new(seed, "lanes"),
            executions: Seeded::new(seed, "executions"),
            delays: Seeded::new(seed, "delays"),
        }
    }

    pub(crate) fn repeats(&mut self) -> Option<u64> {
        let repeats = self.repeated.hits(self.chaos.repeated);
        repeats.then(|| self.repeated.below(120_000))
    }

    pub(crate) fn loses_answer(&mut self) -> bool {
        self.answers.hits(self.chaos.lost_answers)
    }

    pub(crate) fn loses_wake(&mut self) -> bool {
        self.wakes.hits(self.chaos.lost_wakes)
    }

    pub(crate) fn loses_lane(&mut self) -> bool {
        self.lanes.hits(self.chaos.lost_lanes)
    }

    pub(crate) fn loses_execution(&mut self) -> bool {
        self.executions.hits(self.chaos.lost_executions)
    }

    /// A delay below `end_ms`.
    pub(crate) fn delay(&mut self, end_ms: u64) -> u64 {
        self.delays.below(end_ms)
    }
}
