//! A state of the model: the items, how far each process is, what the state machine waits for, and what may still go wrong.

use crate::few::Few;

/// Lanes that there is room for.
pub(crate) const LANES: usize = 4;

/// Processes that there is room for whom nobody waits for.
const ORPHANS: usize = 8;

/// What has become of a parked branch's token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Token {
    Alive,
    /// Answered: the branch goes on as soon as its park state is through.
    Answered,
    /// Answered, but nobody hears it: it times out.
    Lost,
}

/// A branch of the state machine. Questions and processes are numbers.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Branch {
    /// Dispatch is asked.
    Asking { process: u32 },
    /// Dispatch is asked to park it.
    Parking {
        process: u32,
        then: u32,
        token: Token,
    },
    /// Its token waits to be answered, or was answered in vain.
    Parked { then: u32, token: Token },
    /// It has an answer to execute; what it asks after that lacks how that ended.
    Claimed { then: u32 },
    /// The worker is at it.
    Working { process: u32, then: u32 },
    /// It has ended, or never began.
    #[default]
    Ended,
}

/// Where the latest execution of the state machine is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Stage {
    Planning { process: u32 },
    Lanes,
    Aggregating { process: u32 },
    Closed,
}

/// Who acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Slot {
    Branch(usize),
    Stage,
    /// The sweep that comes when nothing else can move.
    Sweep,
    /// Nobody waits for it: it may go on at any time, or never.
    Orphan(usize),
}

/// The sweep of each minute, which heals: it comes when nothing else can move.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Sweep {
    /// None since something was written.
    Due,
    /// Under way; whether anything was written since it began.
    Under { process: u32, wrote: bool },
    /// One has come and found nothing to do.
    Vain,
}

/// A state.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct State {
    pub(crate) store: u32,
    /// The round of the latest execution.
    pub(crate) round: u32,
    pub(crate) stage: Stage,
    pub(crate) branches: Few<Branch, LANES>,
    pub(crate) sweep: Sweep,
    /// In the order of their numbers: who is who makes no difference.
    pub(crate) orphans: Few<u32, ORPHANS>,
    /// Things that may still go wrong.
    pub(crate) faults: u8,
    /// How often a `once` task was started.
    pub(crate) started: u8,
    pub(crate) cancelled: bool,
    /// The execution ends before some branch goes on, which has vanished for that.
    pub(crate) doomed: bool,
    /// What is wrong, by number; 0: nothing.
    pub(crate) wrong: u32,
}

impl State {
    /// The process in a slot.
    pub(crate) fn process(&self, slot: Slot) -> Option<u32> {
        match slot {
            Slot::Branch(at) => match self.branches[at] {
                Branch::Asking { process }
                | Branch::Parking { process, .. }
                | Branch::Working { process, .. } => Some(process),
                Branch::Parked { .. } | Branch::Claimed { .. } | Branch::Ended => None,
            },
            Slot::Stage => match self.stage {
                Stage::Planning { process } | Stage::Aggregating { process } => Some(process),
                Stage::Lanes | Stage::Closed => None,
            },
            Slot::Sweep => match self.sweep {
                Sweep::Under { process, .. } => Some(process),
                Sweep::Due | Sweep::Vain => None,
            },
            Slot::Orphan(at) => self.orphans.get(at).copied(),
        }
    }

    /// Moves a slot's process on.
    pub(crate) fn moved(&mut self, slot: Slot, to: u32) {
        match slot {
            Slot::Branch(at) => match &mut self.branches[at] {
                Branch::Asking { process }
                | Branch::Parking { process, .. }
                | Branch::Working { process, .. } => *process = to,
                Branch::Parked { .. } | Branch::Claimed { .. } | Branch::Ended => {}
            },
            Slot::Stage => match &mut self.stage {
                Stage::Planning { process } | Stage::Aggregating { process } => *process = to,
                Stage::Lanes | Stage::Closed => {}
            },
            Slot::Sweep => {
                if let Sweep::Under { process, .. } = &mut self.sweep {
                    *process = to;
                }
            }
            Slot::Orphan(at) => self.orphans[at] = to,
        }
    }

    /// Slots that somebody waits for.
    pub(crate) fn awaited(&self) -> impl Iterator<Item = Slot> {
        let branches = (0..self.branches.len()).map(Slot::Branch);
        branches.chain([Slot::Stage, Slot::Sweep])
    }

    /// Every slot.
    pub(crate) fn slots(&self) -> impl Iterator<Item = Slot> {
        self.awaited()
            .chain((0..self.orphans.len()).map(Slot::Orphan))
    }

    /// Nothing moves unless it is the sweep, a token that times out, or something that nobody waits for.
    pub(crate) fn rests(&self) -> bool {
        let busy = |branch: &Branch| !matches!(branch, Branch::Parked { .. } | Branch::Ended);
        let waiting = matches!(self.stage, Stage::Lanes | Stage::Closed);
        waiting && !matches!(self.sweep, Sweep::Under { .. }) && !self.branches.iter().any(busy)
    }
}
