//! What can happen in a state, and whether it is one in which something is wrong.

use foreshard_model::run::RunState;

use crate::carried::{drawn, orders};
use crate::faults::Fault;
use crate::machine::{Action, Machine};
use crate::nodes::Node;
use crate::process::{Choice, Ending, Input};
use crate::setup::Going;
use crate::state::{Branch, Slot, Stage, State, Sweep, Token};
use crate::tape::{Op, Reply};

impl Machine {
    /// Everything that can happen, and whether any of it must happen some day: what nobody waits for may never go on.
    pub(crate) fn actions(&mut self, state: &State) -> (Vec<Action>, bool) {
        if self.setup.reduced
            && let Some(enough) = self.enough(state)
        {
            return (enough, true);
        }
        let mut actions = Vec::new();
        for slot in state.awaited() {
            self.steps(state, slot, &mut actions);
        }
        for (at, branch) in state.branches.iter().enumerate() {
            match branch {
                Branch::Claimed { .. } => actions.push(Action::Begin(at, Ending::Done)),
                Branch::Parked {
                    token: Token::Lost, ..
                } if self.waits_for(state) == Some(Sweep::Vain) => {
                    actions.push(Action::TimeOut(at));
                }
                _ => {}
            }
        }
        if self.waits_for(state) == Some(Sweep::Due) {
            actions.push(Action::Sweep);
        }
        if state.doomed {
            actions.push(Action::Close);
        }
        let goes_on = !actions.is_empty();
        for at in 0..state.orphans.len() {
            // Two that are at the same place do the same.
            if at == 0 || state.orphans[at] != state.orphans[at - 1] {
                self.steps(state, Slot::Orphan(at), &mut actions);
            }
        }
        if state.faults > 0 && !self.has_ended(state) {
            let mut faults = Vec::new();
            self.faults(state, &mut faults);
            actions.extend(faults.into_iter().map(Action::Fault));
        }
        (actions, goes_on)
    }

    /// What happens next, where nothing else can, and nothing is wrong.
    pub(crate) fn only_way(&mut self, state: &State) -> Option<Action> {
        if !self.setup.reduced || state.faults > 0 && self.enough(state).is_none() {
            return None;
        }
        let (mut actions, goes_on) = self.actions(state);
        let only = if actions.len() == 1 {
            actions.pop()
        } else {
            None
        };
        only.filter(|_| self.violation(state, goes_on).is_none())
    }

    fn steps(&mut self, state: &State, slot: Slot, actions: &mut Vec<Action>) {
        let Some(process) = state.process(slot) else {
            return;
        };
        let node = self.nodes.node(process);
        for op in &node.pending {
            for turn in 0..self.turns(state, &node, *op) {
                if !self.is_drawn_before(state, *op, turn) {
                    actions.push(Action::Step(slot, *op, turn));
                }
            }
        }
    }

    /// In how many ways one may choose by the reply: which of the ready shards a lane claims, and whom it wakes. Dispatch draws
    /// that by lane and step; here each is tried. A sweep takes shards and wakes lanes by their numbers; here every order is tried.
    fn turns(&mut self, state: &State, node: &Node, op: u32) -> u32 {
        let request = self.nodes.ops.thing(op);
        let among: fn(&Reply, u32) -> u32 = match (&*request, self.nodes.inputs.at(node.input)) {
            (Op::Ready(..), Input::Dispatch(asked)) if !asked.park => drawn,
            (Op::Parked(..), Input::Dispatch(_) | Input::Sweep { .. }) => drawn,
            (Op::Live(..), Input::Sweep { .. }) if self.stores.has_twins() => orders,
            _ => return 1,
        };
        if !self.setup.reduced {
            return 1;
        }
        let effect = self.stores.effect(state.store, op, &request);
        let most = match self.stores.has_twins() {
            true => u32::MAX,
            false => self.setup.lanes,
        };
        among(self.stores.replies.at(effect.reply), most)
    }

    /// When the run rests unfinished: what the sweep has found so far.
    fn waits_for(&self, state: &State) -> Option<Sweep> {
        (state.rests() && !state.doomed && !self.has_ended(state)).then_some(state.sweep)
    }

    /// The run has ended, and its execution with it.
    pub(crate) fn has_ended(&self, state: &State) -> bool {
        let run = self.stores.facts(state.store).run;
        run.is_terminal() && state.stage == Stage::Closed && state.rests()
    }

    fn faults(&mut self, state: &State, faults: &mut Vec<Fault>) {
        for at in 0..state.branches.len() {
            self.faults_of_branch(state, at, faults);
        }
        self.faults_of_answers(state, Slot::Stage, faults);
        for slot in state.slots() {
            self.lost_wakes(state, slot, faults);
        }
        if state.stage != Stage::Closed && !state.doomed {
            faults.push(Fault::LoseExecution);
        }
        if self.setup.going != Going::Dies {
            self.intruders(state, faults);
        }
    }

    fn intruders(&self, state: &State, faults: &mut Vec<Fault>) {
        let facts = self.stores.facts(state.store);
        if !facts.run.is_terminal() {
            faults.extend([Fault::Sweep { late: false }, Fault::Sweep { late: true }]);
        }
        if facts.run == RunState::Running {
            if !state.cancelled {
                faults.push(Fault::Cancel);
            }
            let mut cut = |old: Vec<_>, parts| faults.push(Fault::Recut(Choice { old, parts }));
            for (place, id) in facts.uncut.iter().enumerate() {
                cut(vec![*id], 2);
                for other in &facts.uncut[place + 1..] {
                    cut(vec![*id, *other], 1);
                }
            }
        }
    }

    /// A process that dies before it has written anything, and is repeated, was as good as not begun.
    fn may_repeat(&self, state: &State, slot: Slot) -> bool {
        let works = match slot {
            Slot::Branch(at) => matches!(state.branches[at], Branch::Working { .. }),
            _ => false,
        };
        let process = state.process(slot).filter(|_| !works);
        process.is_some_and(|p| self.setup.going == Going::Lingers || self.nodes.node(p).wrote)
    }

    /// The process dies, or is taken for dead, before it has answered; or right after its last write.
    fn faults_of_answers(&mut self, state: &State, slot: Slot, faults: &mut Vec<Fault>) {
        if self.may_repeat(state, slot) {
            faults.push(Fault::Repeat(slot));
        }
        let Some(process) = state.process(slot) else {
            return;
        };
        if let [only] = *self.nodes.node(process).pending
            && self.is_last_write(state, process, only)
        {
            faults.push(Fault::LoseAnswer(slot, only));
        }
    }

    pub(crate) fn faults_of_branch(&mut self, state: &State, at: usize, faults: &mut Vec<Fault>) {
        self.faults_of_answers(state, Slot::Branch(at), faults);
        match state.branches[at] {
            Branch::Asking { .. } => {}
            Branch::Parking { .. } => faults.push(Fault::ParkFails(at)),
            Branch::Claimed { then } => {
                faults.extend([Fault::LoseWorker(at), Fault::Ends(at, Ending::Failed)]);
                let process = self.worker(then, Ending::Yielded);
                if self.nodes.node(process).output.is_none() {
                    faults.push(Fault::Ends(at, Ending::Yielded));
                }
            }
            Branch::Working { .. } => faults.push(Fault::LoseWorker(at)),
            Branch::Parked { .. } | Branch::Ended => {}
        }
        if state.branches[at] != Branch::Ended {
            faults.push(Fault::LoseLane(at));
        }
    }

    fn lost_wakes(&mut self, state: &State, slot: Slot, faults: &mut Vec<Fault>) {
        let Some(process) = state.process(slot) else {
            return;
        };
        for op in &self.nodes.node(process).pending {
            if let Op::Answer(token) = &*self.nodes.ops.thing(*op)
                && self.is_alive(state, token)
            {
                faults.push(Fault::LoseWake(slot, *op));
            }
        }
    }

    /// What is wrong with a state, in which nothing else can happen unless `goes_on`.
    pub(crate) fn violation(&self, state: &State, goes_on: bool) -> Option<String> {
        if state.wrong > 0 {
            return Some((*self.stores.wrongs.thing(state.wrong)).clone());
        }
        if !goes_on && !self.has_ended(state) {
            return Some("the run can neither finish nor fail".to_owned());
        }
        let facts = self.stores.facts(state.store);
        let asleep = |branch: &Branch| {
            matches!(
                branch,
                Branch::Parked {
                    token: Token::Alive,
                    ..
                }
            )
        };
        let in_vain = state.rests()
            && state.faults == self.setup.faults
            && state.branches.iter().any(asleep)
            && (facts.ready || !facts.open);
        if in_vain {
            return Some("a lane sleeps beside work, and nothing went wrong".to_owned());
        }
        (facts.ready && self.has_spared(state) && self.is_quiet(state))
            .then(|| "work waits for a lane that has ended, and nothing went wrong".to_owned())
    }

    /// A lane has ended although the run goes on, and nothing went wrong.
    pub(crate) fn has_spared(&self, state: &State) -> bool {
        let goes_on = state.stage == Stage::Lanes && self.stores.facts(state.store).open;
        goes_on && state.faults == self.setup.faults && state.branches.contains(&Branch::Ended)
    }

    /// No lane is on its way to dispatch or in it, unless it has to settle first what it has run.
    fn is_quiet(&self, state: &State) -> bool {
        state.branches.iter().all(|branch| match branch {
            Branch::Asking { process } => {
                let node = self.nodes.node(*process);
                let asked = self.nodes.inputs.at(node.input);
                let settles = matches!(asked, Input::Dispatch(asked) if asked.finished.is_some());
                settles && !node.wrote
            }
            Branch::Parking { .. } => false,
            Branch::Parked { .. }
            | Branch::Claimed { .. }
            | Branch::Working { .. }
            | Branch::Ended => true,
        })
    }
}
