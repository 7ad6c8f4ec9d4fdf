//! Of what can happen in a state, what is enough to go through: the rest comes to the same afterwards.

use foreshard_model::frontier::{Live, ShardState, Write};
use foreshard_model::message::{Finished, OutcomeStatus};
use foreshard_model::plan::ShardKind;
use foreshard_model::run::RunState;

use crate::faults::Fault;
use crate::forget::{Look, Part};
use crate::machine::{Action, Machine};
use crate::process::{Ending, Input};
use crate::setup::{Going, Lanes};
use crate::state::{Branch, Slot, Stage, State, Sweep};
use crate::tape::{Op, Reply};

/// The branch whose step something may strike before, and whether the items are others by the step.
type Struck = (usize, bool);

impl Machine {
    /// What is enough, where not everything has to be gone through.
    pub(crate) fn enough(&mut self, state: &State) -> Option<Vec<Action>> {
        let (step, strikes) = self.decided(state).or_else(|| self.private(state))?;
        let mut enough = vec![step];
        if let Some((at, writes)) = strikes {
            self.strikes(state, at, writes, &mut enough);
        }
        Some(enough)
    }

    /// What may go wrong before a private step of a branch, as long as something may: what strikes this branch.
    ///
    /// That is enough. Take any way on from here, and of it the first action that is among these or is the step. Whatever comes
    /// before it are steps of others and what strikes others: none of them touches what this branch has, so the action may as well
    /// come first; what may go wrong is only counted. On a way without any the branch stands still, and since nothing but it ends its
    /// lane, the run comes to its end only if the execution ends before. That is the one thing that strikes all: it is as if the branch
    /// vanished now, and the execution ended at any time later, and not by another thing gone wrong ([`Fault::Doom`]).
    ///
    /// A process that begins by it reads something first, and when it does so makes a difference: so that is a step of its own.
    ///
    /// Of a step that changes no item, nothing is left where the execution ends after it: then that need not come first.
    fn strikes(&mut self, state: &State, at: usize, writes: bool, actions: &mut Vec<Action>) {
        let mut faults = Vec::new();
        if state.faults > 0 {
            self.faults_of_branch(state, at, &mut faults);
        }
        if writes && (state.faults > 0 || state.doomed) {
            faults.push(Fault::Doom(at));
        }
        actions.extend(faults.into_iter().map(Action::Strike));
    }

    /// A request whose reply is certain, whatever others do meanwhile, and which changes nothing: a write that comes too late,
    /// mostly. When it is carried out makes no difference to anybody, so it is at once, and nothing else before it; unless it is
    /// the last of a process that somebody waits for, whose answer may be lost.
    fn decided(&mut self, state: &State) -> Option<(Action, Option<Struck>)> {
        for slot in state.slots() {
            let Some(process) = state.process(slot) else {
                continue;
            };
            let step = |op| Action::Step(slot, op, 0);
            for op in &self.nodes.node(process).pending {
                let reply = match self.certain(state, *op) {
                    Some(reply) => reply,
                    None if self.is_idle(state, process)
                        || self.is_still(state, slot, process, *op) =>
                    {
                        self.found(state, process, *op)
                    }
                    None => continue,
                };
                let replies = &mut self.stores.replies;
                let after = self.nodes.after(process, *op, reply, replies);
                let last = self.nodes.node(after).output.is_some();
                match slot {
                    // What follows a worker reads the run at once.
                    Slot::Branch(at)
                        if last && matches!(state.branches[at], Branch::Working { .. }) => {}
                    Slot::Branch(at) if last => return Some((step(*op), Some((at, false)))),
                    Slot::Stage if last => {}
                    _ => return Some((step(*op), None)),
                }
            }
        }
        None
    }

    /// A read of what nobody writes any more before the execution ends, or of which the process makes nothing.
    ///
    /// Where the run is completing its shards are done: so nothing is ready, nothing runs, and where each is noted as released
    /// nothing is unreleased. A lane is its own where it has no token, and whoever parks goes by nothing else of what it opens with.
    /// A lane is needed unless two others run ([`foreshard_engine::frontier::spare`]): so it looks in vain where that cannot be.
    fn is_still(&self, state: &State, slot: Slot, process: u32, op: u32) -> bool {
        let facts = self.stores.facts(state.store);
        let alone = matches!(state.stage, Stage::Lanes) && state.orphans.is_empty();
        let uninvited = state.faults > 0 && self.setup.going != Going::Dies;
        if !alone || uninvited {
            return false;
        }
        let over = facts.run == RunState::Completing;
        let asks = matches!(slot, Slot::Branch(_));
        match self.nodes.ops.at(op) {
            Op::Run => over && asks,
            Op::Ready(..) | Op::Live(_, Live::Ready, _) => over,
            Op::Live(_, Live::Running, _) => over || asks && facts.narrow,
            Op::Live(_, Live::Unreleased, _) => {
                over && facts.released || asks && self.nodes.stays(process, &self.stores.replies)
            }
            Op::Shard(_) => over && facts.released,
            Op::Opening(lane, finished) => {
                let at = lane.0 as usize;
                let parks = matches!(state.branches[at], Branch::Parking { .. });
                let known = over && (facts.released || finished.is_none());
                slot == Slot::Branch(at) && !self.has_token(state, at) && (parks || known)
            }
            _ => false,
        }
    }

    /// Whether a lane's item has a token, by which others may find it.
    fn has_token(&self, state: &State, at: usize) -> bool {
        let stored = self.stores.lane(state.store, at);
        stored.is_some_and(|item| item.token.is_some())
    }

    /// Whoever has answered a token, or has found that nobody waits for it, forgets it at once, as long as nothing can go wrong.
    ///
    /// Others may find a token in between, and find that nobody waits for it, which leads to nothing. The lane itself may have read
    /// its item before, and be refused when it writes: then it reads the lane again and looks for work again, as it would have
    /// done had it been slower.
    fn forgets(&mut self, state: &State) -> Option<Action> {
        if state.faults > 0 || state.doomed {
            return None;
        }
        for slot in state.awaited() {
            let Some((op, token)) = state.process(slot).and_then(|p| self.forgetting(state, p))
            else {
                continue;
            };
            if !self.is_alive(state, &token) {
                return Some(Action::Step(slot, op, 0));
            }
        }
        None
    }

    /// What a process is about to ask, where it forgets a token that is still stored.
    fn forgetting(&self, state: &State, process: u32) -> Option<(u32, String)> {
        let [only] = *self.nodes.node(process).pending else {
            return None;
        };
        let Op::Commit(writes) = self.nodes.ops.at(only) else {
            return None;
        };
        let [Write::Lane(item, _)] = writes.as_slice() else {
            return None;
        };
        let stored = self.stores.lane(state.store, item.lane.0 as usize)?;
        let forgets = item.token.is_none() && item.step == stored.step;
        let token = stored.token.clone().filter(|_| forgets)?;
        Some((only, token))
    }

    /// A request about what nobody else can know of: a lane's answer where no token is stored, since others write a lane only if
    /// they have found its token; and of a shard its attempt, its settlement by the lane that was given it, and that its
    /// successors know. When it is carried out makes no difference either. A sweep looks at shards, until it has nothing but lanes
    /// to wake. Where lanes may end early, a settlement makes a difference: they look at who runs what.
    ///
    /// Once nothing can go wrong any more, that is so of a worker as well: nobody makes the run another one while it works.
    fn private(&mut self, state: &State) -> Option<(Action, Option<Struck>)> {
        let alone = matches!(state.stage, Stage::Lanes) && state.orphans.is_empty();
        if !alone || (state.faults > 0 && self.setup.going != Going::Dies) {
            return None;
        }
        if let Some(step) = self.forgets(state) {
            return Some((step, None));
        }
        if let Some(step) = self.own_lane(state) {
            return Some(step);
        }
        if !self.is_past_shards(state) {
            return None;
        }
        let calm = state.faults == 0 && self.is_calm(state);
        let unseen = self.setup.lanes_do() == Lanes::Stay || self.nobody_looks(state);
        (0..state.branches.len()).find_map(|at| {
            if let Branch::Claimed { then } = state.branches[at] {
                let own = calm && self.stores.is_running(state.store, self.given(then));
                return own.then_some((Action::Begin(at, Ending::Done), Some((at, true))));
            }
            let only = self.only(state, at)?;
            let own = match self.nodes.ops.at(only) {
                Op::Checkpoint(_) => calm,
                Op::Commit(writes) => matches!(
                    writes.as_slice(),
                    [Write::Shard(item, _)]
                        if unseen && item.state == ShardState::Done && item.kind == ShardKind::Work
                ),
                _ => false,
            };
            own.then_some((Action::Step(Slot::Branch(at), only, 0), Some((at, true))))
        })
    }

    fn own_lane(&self, state: &State) -> Option<(Action, Option<Struck>)> {
        (0..state.branches.len()).find_map(|at| {
            let only = self.only(state, at)?;
            let own = match self.nodes.ops.at(only) {
                Op::Lane(lane) => lane.0 as usize == at,
                Op::Commit(writes) => matches!(
                    writes.as_slice(),
                    [Write::Lane(item, _)] if item.lane.0 as usize == at && item.token.is_none()
                ),
                _ => false,
            };
            (own && !self.has_token(state, at))
                .then_some((Action::Step(Slot::Branch(at), only, 0), Some((at, true))))
        })
    }

    /// No lane can end any more by who runs what, and none is about to.
    fn nobody_looks(&self, state: &State) -> bool {
        let looks = |at| {
            let Some(process) = state.process(Slot::Branch(at)) else {
                return false;
            };
            let mut pending = self.nodes.node(process).pending.clone().into_iter();
            let looks = |op| matches!(self.nodes.ops.at(op), Op::Live(_, Live::Unreleased, _));
            pending.any(looks) && !self.nodes.stays(process, &self.stores.replies)
        };
        self.stores.facts(state.store).narrow && !(0..state.branches.len()).any(looks)
    }

    /// The only request that the process of a branch has under way.
    fn only(&self, state: &State, at: usize) -> Option<u32> {
        let process = state.process(Slot::Branch(at))?;
        match *self.nodes.node(process).pending {
            [only] => Some(only),
            _ => None,
        }
    }

    /// No sweep is under way, or it has no shard to read or write any more before the execution ends.
    fn is_past_shards(&self, state: &State) -> bool {
        match state.sweep {
            Sweep::Under { process, .. } => {
                matches!(self.nodes.part(process), Some(Part::Wakes | Part::Round))
            }
            Sweep::Due | Sweep::Vain => true,
        }
    }

    /// Nothing fails any more: so nobody writes the run before the last shard is done.
    fn is_calm(&self, state: &State) -> bool {
        let facts = self.stores.facts(state.store);
        let fails = |slot| {
            let input = state.process(slot).map(|p| self.nodes.input_of(p));
            match input.as_deref() {
                Some(Input::Dispatch(asked)) => match &asked.finished {
                    Some(Finished::Answered { outcome }) => outcome.status != OutcomeStatus::Done,
                    Some(Finished::Caught { .. }) => true,
                    None => false,
                },
                Some(Input::Work(_, ending)) => *ending != Ending::Done,
                Some(_) => true,
                None => false,
            }
        };
        let goes_well = facts.run == RunState::Running && facts.open && !facts.failed;
        goes_well && !(0..state.branches.len()).map(Slot::Branch).any(fails)
    }

    /// A read that leads to no write that is not refused: of what is only counted or told, and, of a sweep, of how the round is that
    /// the run was in when it read it, where somebody has written the run since.
    fn is_idle(&mut self, state: &State, process: u32) -> bool {
        let replies = &mut self.stores.replies;
        match self.nodes.look(process, replies) {
            Look::Idle => true,
            Look::AtRound { round, version } => {
                // A round that has not begun it would start.
                let begun = round.is_none_or(|round| round <= state.round);
                begun && version < self.stores.facts(state.store).run_version
            }
            Look::Other => false,
        }
    }

    /// What a process hears of a read.
    fn found(&mut self, state: &State, process: u32, op: u32) -> u32 {
        let request = self.nodes.ops.thing(op);
        if let Op::IsOpen(_) = *request {
            return self.is_open(state, &request);
        }
        let reply = self.stores.effect(state.store, op, &request).reply;
        self.heard(state.store, process, (&request, reply), 0)
    }

    fn certain(&mut self, state: &State, op: u32) -> Option<u32> {
        let request = self.nodes.ops.thing(op);
        let reply = match &*request {
            Op::Answer(token) if !self.is_alive(state, token) => Reply::Whether(Ok(false)),
            Op::Start(round) if round.0 <= state.round => Reply::Done(Ok(())),
            Op::IsOpen(round) if round.0 < state.round => Reply::Open(Ok(Some(false))),
            Op::Commit(_) | Op::UpdateRun(_) | Op::Arrive(_) | Op::Checkpoint(_) => {
                let effect = self.stores.effect(state.store, op, &request);
                let reply = self.stores.replies.thing(effect.reply);
                let late = matches!(
                    *reply,
                    Reply::Done(Err(_)) | Reply::Arrived(Err(_)) | Reply::Whether(Ok(false))
                );
                return late.then_some(effect.reply);
            }
            _ => return None,
        };
        Some(self.stores.replies.number(reply))
    }
}
