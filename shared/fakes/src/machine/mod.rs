//! Plays the state machine over a world: rounds, lanes, retries, tokens and sweeps, in virtual time and seeded order.
//!
//! The stages are the production ones. Plan, aggregate and the worker are handed in, so that a test can use the
//! production ones too, or the small ones of this module.

mod chaos;
mod check;
mod generations;
mod lane;
mod recut;
mod rounds;
mod skew;
mod trouble;
mod wish;
mod work;

use std::cell::RefCell;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;

use foreshard_engine::frontier;
use foreshard_model::ids::{RunId, TargetId};
use foreshard_model::message::{
    AggregateAnswer, AggregateRequest, CaughtError, ExecuteRequest, Outcome, PlanAnswer,
    PlanRequest, ReshardRequest,
};
use foreshard_model::run::RunItem;
use foreshard_model::topology::Topology;
use foreshard_stages::ports::{Clock as _, Executions as _, PortError};
use foreshard_stages::{StageError, dispatch, reshard};

pub use chaos::Chaos;
pub use check::violations;
pub use rounds::{Counts, aggregate, plan};
pub use skew::skewed;
pub use trouble::Trouble;
pub use wish::Wish;
pub use work::{Ending, Fates, Work, executes};

use crate::executor::{Executor, Spawner, Stopped, Watch};
use crate::wire;
use crate::world::World;
use crate::{build, chunks};
use chaos::Dice;
use skew::Skewed;

/// Longest pause of a call: a dispatch is ended after 60 s.
const PAUSE_MS: u64 = 50_000;

/// A future on the machine's one thread.
pub type Local<T> = Pin<Box<dyn Future<Output = T>>>;

/// The execute state: the target and what it is to execute.
pub type Execute = Rc<dyn Fn(TargetId, ExecuteRequest) -> Local<Result<Outcome, CaughtError>>>;

/// The plan state.
pub type Plan = Rc<dyn Fn(PlanRequest) -> Local<Result<PlanAnswer, StageError>>>;

/// The aggregate state.
pub type Aggregate = Rc<dyn Fn(AggregateRequest) -> Local<Result<AggregateAnswer, StageError>>>;

/// What the parts of the machine share.
pub(crate) struct Shared {
    pub(crate) world: Arc<World>,
    pub(crate) spawner: Spawner,
    pub(crate) dispatch: dispatch::Ports,
    pub(crate) reshard: reshard::Ports,
    pub(crate) plan: Plan,
    pub(crate) aggregate: Aggregate,
    pub(crate) execute: Execute,
    pub(crate) dice: RefCell<Dice>,
    pub(crate) counts: RefCell<Counts>,
    pub(crate) wishes: RefCell<usize>,
}

/// The state machine, its executions under way, and the sweep of each minute.
pub struct Machine {
    shared: Rc<Shared>,
    executor: Executor,
    seen: usize,
}

/// How a played run ended.
#[derive(Debug, Clone)]
pub struct Played {
    /// Why the machine stopped.
    pub stopped: Stopped,
    /// The run.
    pub run: RunItem,
    /// From the first execution to the last event, in virtual milliseconds.
    pub took_ms: u64,
    /// What happened.
    pub counts: Counts,
}

impl Machine {
    /// A machine over this world with the small plan and aggregate. Faults at writes are those armed in the world.
    #[must_use]
    pub fn new(world: &Arc<World>, seed: u64, chaos: &Chaos, execute: Execute) -> Self {
        Self::staged(world, seed, chaos, execute, (plan(world), aggregate(world)))
    }

    /// A machine over this world with these plan and aggregate states.
    #[must_use]
    pub fn staged(
        world: &Arc<World>,
        seed: u64,
        chaos: &Chaos,
        execute: Execute,
        stages: (Plan, Aggregate),
    ) -> Self {
        world.set_interleave(true);
        if chaos.write_faults > 0 {
            world.faults(|f| f.set_random(seed, chaos.write_faults, &chaos.kinds));
        }
        if chaos.pauses > 0 {
            world.set_pauses(seed, chaos.pauses, PAUSE_MS);
        }
        if chaos.stale_reads > 0 {
            world.set_stale_reads(seed, chaos.stale_reads, PAUSE_MS);
        }
        let (mut dispatch, mut reshard) = (wire::dispatch(world), wire::reshard(world));
        if chaos.skewed > 0 {
            let clock = Skewed::new(world, seed, chaos.skewed);
            dispatch.clock = clock.clone();
            reshard.dispatch.clock = clock;
        }
        let executor = Executor::new(Arc::clone(world), seed);
        let shared = Shared {
            world: Arc::clone(world),
            spawner: executor.spawner(),
            dispatch,
            reshard,
            plan: stages.0,
            aggregate: stages.1,
            execute,
            dice: RefCell::new(Dice::new(seed, chaos)),
            counts: RefCell::default(),
            wishes: RefCell::new(0),
        };
        Self {
            shared: Rc::new(shared),
            executor,
            seen: 0,
        }
    }

    /// Puts a run of this topology into the world, ready to be started by [`Machine::play`].
    pub fn admit(&self, topology: &Topology, change: impl FnOnce(&mut RunItem)) {
        let world = &self.shared.world;
        let topology = &Topology {
            chunks: vec![chunks::stored(world, topology)],
            ..topology.clone()
        };
        let mut run = build::running(world, topology);
        if let Some(plan) = &mut run.plan {
            plan.plan = chunks::stored_plan(world, topology);
        }
        change(&mut run);
        for item in frontier::initial_items(topology) {
            world.put_shard(item);
        }
        world.put_run(run);
    }

    /// Lets the owner wish something after some virtual milliseconds.
    pub fn wish(&self, run: &RunId, after_ms: u64, wish: Wish) {
        *self.shared.wishes.borrow_mut() += 1;
        let job = wish::act(Rc::clone(&self.shared), run.clone(), after_ms, wish);
        drop(self.shared.spawner.spawn(job));
    }

    /// Starts the run's round and plays until the run has ended and nothing is under way, at most `hours` of virtual time.
    pub fn play(&mut self, run: &RunId, hours: u64) -> Played {
        let world = Arc::clone(&self.shared.world);
        let begun = world.now();
        drop(self.shared.spawner.spawn(sweeps(Rc::clone(&self.shared))));
        let first = world.run_item(run).unwrap_or_default().round;
        let start = world.clone();
        let id = run.clone();
        drop(self.shared.spawner.spawn(async move {
            // A start that fails is found by the sweep.
            let _started: Result<(), PortError> = start.start(&id, first).await;
        }));
        let mut watch = Watcher {
            shared: Rc::clone(&self.shared),
            run: run.clone(),
            seen: self.seen,
            streak_ms: 0,
        };
        let end = begun.plus(hours * 3_600_000);
        let stopped = self.executor.run(end, &mut watch);
        self.seen = watch.seen;
        Played {
            stopped,
            run: world.run_item(run).unwrap_or_default(),
            took_ms: world.now().since(begun),
            counts: self.shared.counts.borrow().clone(),
        }
    }
}

/// Starts executions, sees the end, and measures how long lanes sleep while there is work.
struct Watcher {
    shared: Rc<Shared>,
    run: RunId,
    seen: usize,
    streak_ms: u64,
}

impl Watch for Watcher {
    fn stops(&mut self, jobs: usize) -> bool {
        let shared = &self.shared;
        let started = shared.world.executions_started();
        for (run, round) in started.iter().skip(self.seen) {
            let execution = rounds::execution(Rc::clone(shared), run.clone(), *round);
            drop(shared.spawner.spawn(execution));
        }
        let quiet = started.len() == self.seen && *shared.wishes.borrow() == 0;
        self.seen = started.len();
        // One job is left: the sweep itself.
        quiet && jobs <= 1 && shared.world.has_ended(&self.run)
    }

    fn rests(&mut self, ms: u64) {
        if self.shared.world.sleeps_in_vain(&self.run) {
            self.streak_ms += ms;
        } else {
            self.streak_ms = 0;
        }
        let mut counts = self.shared.counts.borrow_mut();
        counts.idle_while_ready_ms = counts.idle_while_ready_ms.max(self.streak_ms);
    }
}

/// The rule of each minute.
async fn sweeps(shared: Rc<Shared>) {
    loop {
        shared.world.sleep(60_000).await;
        let ports = shared.reshard.clone();
        let swept = shared.spawner.spawn(async move {
            // A sweep that fails is followed by the next one.
            let _swept: Result<_, StageError> =
                reshard::reshard(&ports, &ReshardRequest::default()).await;
        });
        swept.await;
        shared.counts.borrow_mut().sweeps += 1;
    }
}
