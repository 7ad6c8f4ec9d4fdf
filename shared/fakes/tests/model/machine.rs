//! The state machine of the model: what each request and each end of a process leads to.

use foreshard_fakes::build;
use foreshard_model::frontier::{Live, ShardItem};
use foreshard_model::ids::Round;
use foreshard_model::message::PlanRequest;
use foreshard_stages::StageError;

use crate::ahead::Again;
use crate::asked::Asked;
use crate::broken::{Broken, Exchange};
use crate::faults::Fault;
use crate::few::Few;
use crate::forget::Look;
use crate::memo::Memo;
use crate::nodes::Nodes;
use crate::process::{Ending, Input, Output};
use crate::setup::Setup;
use crate::state::{Branch, Slot, Stage, State, Sweep, Token};
use crate::store::Stores;
use crate::symmetry::Orders;
use crate::tape::{Op, Reply};

/// What happens next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Action {
    /// A request is carried out; of a choice that the reply leaves, this is taken.
    Step(Slot, u32, u32),
    /// A worker begins, and ends so unless it is lost.
    Begin(usize, Ending),
    /// Nothing else moves: the sweep comes.
    Sweep,
    /// A token that was answered in vain times out.
    TimeOut(usize),
    /// Something goes wrong.
    Fault(Fault),
    /// Something goes wrong with a branch before a step that is nobody else's; what begins by it has not asked anything yet.
    Strike(Fault),
    /// The execution ends, as was to come.
    Close,
}

/// How a request is carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum How {
    /// Of what may be drawn from its reply, this is.
    Turn(u32),
    /// A wake-up that nobody hears.
    Lost,
}

/// The model of one run.
pub(crate) struct Machine {
    pub(crate) setup: Setup,
    pub(crate) nodes: Nodes,
    pub(crate) stores: Stores,
    pub(crate) asked: Asked,
    /// Questions with lower steps, by question and by how much.
    pub(crate) lower: Memo<(u32, u32), u32>,
    /// The ways in which lanes and shards can change places, and processes as they are then.
    pub(crate) orders: Orders,
    pub(crate) processes: Memo<(u32, usize), Option<u32>>,
}

impl Machine {
    /// The machine, and the state in which the first round's lanes begin.
    pub(crate) fn new(setup: Setup) -> (Self, State) {
        let (ground, run, topology) = setup.ground();
        let mut stores = Stores::new(&ground, &setup);
        let store = stores.first(run, &topology);
        let mut machine = Self {
            nodes: Nodes::new(&ground, setup.reduced),
            orders: Orders::new(setup.lanes, &stores.twins, &ground),
            stores,
            asked: Asked::default(),
            lower: Memo::default(),
            processes: Memo::default(),
            setup,
        };
        let lanes = machine.setup.lanes;
        let mut state = State {
            store,
            round: 0,
            stage: Stage::Lanes,
            branches: Few::of(lanes as usize),
            sweep: Sweep::Due,
            orphans: Few::none(),
            faults: machine.setup.faults,
            started: 0,
            cancelled: false,
            doomed: false,
            wrong: 0,
        };
        machine.open_lanes(&mut state, lanes);
        (machine, state)
    }

    pub(crate) fn root(&mut self, input: Input) -> u32 {
        self.nodes.root(input, &self.stores.replies)
    }

    /// The state after an action.
    pub(crate) fn next(&mut self, state: &State, action: &Action) -> State {
        let mut next = state.clone();
        match action {
            Action::Step(slot, op, turn) => self.step(&mut next, *slot, *op, How::Turn(*turn)),
            Action::Begin(at, ending) => self.begin(&mut next, *at, *ending),
            Action::Sweep => {
                // Functions end after a minute, and deadlines pass later than that.
                next.orphans.clear();
                let process = self.root(Input::Sweep { late: true });
                let wrote = false;
                next.sweep = Sweep::Under { process, wrote };
                self.first_step(&mut next, Slot::Sweep);
            }
            Action::TimeOut(at) => {
                if let Branch::Parked { then, .. } = next.branches[*at] {
                    next.sweep = Sweep::Due;
                    self.ask(&mut next, *at, then);
                }
            }
            Action::Fault(fault) => {
                next.faults -= 1;
                self.fault(&mut next, fault, true);
            }
            Action::Strike(fault) => {
                let counts = !(state.doomed && matches!(fault, Fault::Doom(_)));
                next.faults -= u8::from(counts);
                self.fault(&mut next, fault, false);
            }
            Action::Close => {
                next.doomed = false;
                self.fault(&mut next, &Fault::LoseExecution, true);
            }
        }
        if self.has_ended(&next) {
            // What they could still write they could have written a moment before.
            next.orphans.clear();
        }
        next.orphans.sort_unstable();
        if !self.setup.reduced {
            return next;
        }
        self.forget_past(&mut next);
        let processes = next.slots().filter_map(|slot| next.process(slot));
        let touched = processes.fold(0, |bits, p| bits | self.nodes.node(p).touched);
        next.store = self.stores.settled(next.store, touched);
        self.low_steps(&mut next);
        if self.setup.changes_places {
            self.ordered(&mut next);
        }
        next
    }

    /// When a process begins makes no difference before it asks something.
    pub(crate) fn first_step(&mut self, state: &mut State, slot: Slot) {
        let process = state.process(slot);
        let first = process.and_then(|p| match self.nodes.node(p).pending.as_slice() {
            [only] => Some(*only),
            _ => None,
        });
        if let Some(op) = first {
            self.step(state, slot, op, How::Turn(0));
        }
    }

    /// Carries out one request of the process in a slot.
    pub(crate) fn step(&mut self, state: &mut State, slot: Slot, op: u32, how: How) {
        if let Some(process) = state.process(slot) {
            let reply = self.reply(state, process, op, how);
            self.told(state, (slot, process), op, reply);
        }
    }

    /// Carries out the last write of the process in a slot: what follows from how it has ended is left to the caller.
    pub(crate) fn write_last(&mut self, state: &mut State, slot: Slot, op: u32) {
        if let Some(process) = state.process(slot) {
            let reply = self.reply(state, process, op, How::Turn(0));
            let replies = &mut self.stores.replies;
            state.moved(slot, self.nodes.after(process, op, reply, replies));
        }
    }

    fn reply(&mut self, state: &mut State, process: u32, op: u32, how: How) -> u32 {
        let request = self.nodes.ops.thing(op);
        match &*request {
            Op::Answer(token) => {
                let alive = self.woken(state, token, how == How::Lost);
                self.stores.replies.number(Reply::Whether(Ok(alive)))
            }
            Op::Start(round) => {
                self.started(state, *round);
                self.stores.replies.number(Reply::Done(Ok(())))
            }
            Op::IsOpen(_) => self.is_open(state, &request),
            _ => {
                let before = state.store;
                let reply = self.carried_out(state, process, op, &request);
                let turn = if let How::Turn(turn) = how { turn } else { 0 };
                self.heard(before, process, (&request, reply), turn)
            }
        }
    }

    /// Whether the execution of a round is under way.
    pub(crate) fn is_open(&mut self, state: &State, request: &Op) -> u32 {
        let Op::IsOpen(round) = request else {
            unreachable!("it asks for a round")
        };
        let open = match round.0.cmp(&state.round) {
            std::cmp::Ordering::Less => Some(false),
            std::cmp::Ordering::Equal => Some(state.stage != Stage::Closed),
            std::cmp::Ordering::Greater => None,
        };
        self.stores.replies.number(Reply::Open(Ok(open)))
    }

    /// What a process hears of a reply: of a shard that it tells the ledger of, its number; a lane that is needed whatever else it finds, of that nothing.
    pub(crate) fn heard(&mut self, store: u32, process: u32, of: (&Op, u32), turn: u32) -> u32 {
        let unreleased = matches!(of.0, Op::Live(_, Live::Unreleased, _));
        if self.setup.reduced && unreleased && self.nodes.stays(process, &self.stores.replies) {
            return self.stores.replies.number(Reply::Shards(Ok(Vec::new())));
        }
        if self.setup.reduced
            && let Op::Shard(id) = *of.0
            && self.nodes.look(process, &mut self.stores.replies) == Look::Idle
        {
            let item = ShardItem {
                id,
                ..ShardItem::default()
            };
            return self.stores.replies.number(Reply::Shard(Ok(Some(item))));
        }
        let input = self.nodes.input_of(process);
        self.stores.heard(store, of, &input, turn)
    }

    /// The process that was in a slot gets its reply.
    fn told(&mut self, state: &mut State, of: (Slot, u32), op: u32, reply: u32) {
        let (slot, process) = of;
        let after = self
            .nodes
            .after(process, op, reply, &mut self.stores.replies);
        // Its own request may have let the state machine go on without it.
        let slot = if state.process(slot) == Some(process) {
            slot
        } else {
            let place = state.orphans.iter().position(|p| *p == process);
            Slot::Orphan(place.expect("it was abandoned"))
        };
        state.moved(slot, after);
        self.ended(state, slot, after);
    }

    fn carried_out(&mut self, state: &mut State, process: u32, op: u32, request: &Op) -> u32 {
        let effect = self.stores.effect(state.store, op, request);
        if effect.store != state.store {
            state.store = effect.store;
            written(state);
        }
        if state.wrong == 0 {
            state.wrong = effect.wrong;
        }
        if let Op::Checkpoint(checkpoint) = request
            && checkpoint.started_once
            && *self.stores.replies.thing(effect.reply) == Reply::Whether(Ok(true))
        {
            state.started += 1;
            if state.started > 1 {
                self.wrong(state, "a task that must not run twice was started twice");
            }
        }
        match self.setup.broken {
            Some(broken) => self.told_instead(state, (process, request), effect.reply, broken),
            None => effect.reply,
        }
    }

    fn told_instead(
        &mut self,
        state: &State,
        (process, op): (u32, &Op),
        reply: u32,
        broken: Broken,
    ) -> u32 {
        let exchange = Exchange {
            input: &self.nodes.input_of(process),
            op,
            so_far: &self.nodes.told(process),
            waiting: &self.stores.waiting(state.store),
        };
        let reply = (*self.stores.replies.thing(reply)).clone();
        self.stores.replies.number(broken.told(&exchange, reply))
    }

    pub(crate) fn wrong(&mut self, state: &mut State, text: &str) {
        if state.wrong == 0 {
            state.wrong = self.stores.wrongs.number(text.to_owned());
        }
    }

    /// Answers a token: whether somebody waited for it.
    fn woken(&mut self, state: &mut State, answered: &str, lost: bool) -> bool {
        for at in 0..state.branches.len() {
            let (process, then) = match state.branches[at] {
                Branch::Parking {
                    process,
                    then,
                    token: Token::Alive,
                } => (Some(process), then),
                Branch::Parked {
                    then,
                    token: Token::Alive,
                } => (None, then),
                _ => continue,
            };
            if *self.token(then) != *answered {
                continue;
            }
            written(state);
            let token = if lost { Token::Lost } else { Token::Answered };
            match process {
                Some(process) => {
                    state.branches[at] = Branch::Parking {
                        process,
                        then,
                        token,
                    };
                }
                None => self.parked(state, at, then, token),
            }
            return true;
        }
        false
    }

    /// The branch is parked, or goes on where its token was answered.
    pub(crate) fn parked(&mut self, state: &mut State, at: usize, then: u32, token: Token) {
        match token {
            Token::Answered => self.ask(state, at, then),
            Token::Alive | Token::Lost => {
                state.branches[at] = Branch::Parked { then, token };
            }
        }
    }

    /// Starts the execution of a round, if there was none.
    fn started(&mut self, state: &mut State, round: Round) {
        if round.0 <= state.round {
            return;
        }
        written(state);
        for at in 0..state.branches.len() {
            self.lose(state, at);
        }
        if let Some(process) = state.process(Slot::Stage) {
            state.orphans.push(process);
        }
        state.round = round.0;
        let run = build::run_id();
        let process = self.root(Input::Plan(PlanRequest { run, round }));
        state.stage = Stage::Planning { process };
    }

    /// What follows when the process in a slot has ended.
    pub(crate) fn ended(&mut self, state: &mut State, slot: Slot, process: u32) {
        let node = self.nodes.node(process);
        let Some(output) = &node.output else { return };
        match (slot, output) {
            (Slot::Orphan(at), _) => {
                state.orphans.remove(at);
            }
            (Slot::Sweep, _) => {
                let wrote = matches!(state.sweep, Sweep::Under { wrote: true, .. });
                state.sweep = if wrote { Sweep::Due } else { Sweep::Vain };
            }
            (Slot::Stage, Output::Planned(Ok(lanes))) => {
                state.stage = Stage::Lanes;
                self.open_lanes(state, *lanes);
                self.close_lanes(state);
            }
            (Slot::Stage, Output::Aggregated(Ok(()))) => {
                state.stage = Stage::Closed;
                written(state);
            }
            (Slot::Branch(at), Output::Worked(_)) => {
                if let Branch::Working { then, .. } = state.branches[at] {
                    self.finished(state, at, then, Some(process));
                }
            }
            (Slot::Branch(at), Output::Answered(Ok(_))) => self.answered(state, at, process),
            (_, Output::Answered(Err(StageError::Rejected(text)))) => {
                let text = format!("dispatch refuses a lane: {text}");
                self.wrong(state, &text);
            }
            _ if self
                .nodes
                .past(process)
                .is_some_and(|past| past.again == Again::Never) =>
            {
                self.wrong(state, "what was forgotten is asked again");
            }
            (slot, _) => {
                let again = self.nodes.root_of(node.input, &self.stores.replies);
                state.moved(slot, again);
            }
        }
    }
}

/// Something has changed that a sweep which came before has not seen.
pub(crate) fn written(state: &mut State) {
    match &mut state.sweep {
        Sweep::Under { wrote, .. } => *wrote = true,
        sweep => *sweep = Sweep::Due,
    }
}
