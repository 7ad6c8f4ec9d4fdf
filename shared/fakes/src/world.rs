//! The world that the stages see in a test: every item, object, execution and token, behind one lock.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::pin::pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use foreshard_model::frontier::{LaneItem, ShardItem};
use foreshard_model::ids::{LaneId, Round, RunId, ShardId, TargetId, Tenant};
use foreshard_model::ledger::Event;
use foreshard_model::run::RunItem;
use foreshard_model::target::Pool;
use foreshard_model::units::{Mib, TimeMs};
use foreshard_stages::ports::{Clock, PortError, PortResult, Sample, Wiring};

use crate::build;
use crate::faults::{Faults, Verdict};
use crate::services::{Assumed, Function, Invoked};

/// Everything in memory. It implements every port of the stages; share it by reference.
pub struct World {
    state: Mutex<State>,
}

/// What the lock guards.
pub(crate) struct State {
    pub(crate) now: TimeMs,
    pub(crate) pool: Pool,
    pub(crate) faults: Faults,
    pub(crate) interleave: bool,
    pub(crate) runs: BTreeMap<RunId, RunItem>,
    pub(crate) active: BTreeSet<RunId>,
    pub(crate) listing: BTreeSet<(Tenant, u64, RunId)>,
    pub(crate) shards: BTreeMap<(RunId, ShardId), ShardItem>,
    pub(crate) lanes: BTreeMap<(RunId, LaneId), LaneItem>,
    pub(crate) ledger: BTreeMap<(RunId, String), Event>,
    pub(crate) blobs: BTreeMap<String, Vec<u8>>,
    pub(crate) executions: BTreeMap<(RunId, Round), bool>,
    pub(crate) started: Vec<(RunId, Round)>,
    pub(crate) tokens: BTreeMap<String, bool>,
    pub(crate) answered: Vec<String>,
    pub(crate) functions: BTreeMap<String, Function>,
    pub(crate) assumed: Vec<Assumed>,
    pub(crate) invoked: Vec<Invoked>,
    pub(crate) samples: Vec<Sample>,
}

impl Default for World {
    fn default() -> Self {
        Self::new()
    }
}

impl World {
    /// An empty world at a fixed moment, with the pool of [`build::pool`].
    #[must_use]
    pub fn new() -> Self {
        Self {
            state: Mutex::new(State {
                now: build::START,
                pool: build::pool(),
                faults: Faults::default(),
                interleave: false,
                runs: BTreeMap::new(),
                active: BTreeSet::new(),
                listing: BTreeSet::new(),
                shards: BTreeMap::new(),
                lanes: BTreeMap::new(),
                ledger: BTreeMap::new(),
                blobs: BTreeMap::new(),
                executions: BTreeMap::new(),
                started: Vec::new(),
                tokens: BTreeMap::new(),
                answered: Vec::new(),
                functions: BTreeMap::new(),
                assumed: Vec::new(),
                invoked: Vec::new(),
                samples: Vec::new(),
            }),
        }
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Moves the clock on.
    pub fn advance(&self, ms: u64) {
        let mut state = self.lock();
        state.now = state.now.plus(ms);
    }

    /// Sets the clock.
    pub fn set_now(&self, now: TimeMs) {
        self.lock().now = now;
    }

    /// Replaces the pool.
    pub fn set_pool(&self, pool: Pool) {
        self.lock().pool = pool;
    }

    /// Uses the fault switch: arms faults, reads the counts.
    pub fn faults<T>(&self, with: impl FnOnce(&mut Faults) -> T) -> T {
        with(&mut self.lock().faults)
    }

    /// Makes every call of a port give way once before it acts, so that a scheduler can let another stage act in between.
    pub fn set_interleave(&self, on: bool) {
        self.lock().interleave = on;
    }

    /// A read: gives way, and fails when the invocation has crashed.
    pub(crate) async fn read<T>(&self, act: impl FnOnce(&State) -> PortResult<T>) -> PortResult<T> {
        self.give_way().await;
        let mut state = self.lock();
        state.faults.read()?;
        act(&state)
    }

    /// A write under the fault switch. `act` is called once, twice (a duplicate), or not at all.
    pub(crate) async fn write<T>(
        &self,
        name: &str,
        act: impl Fn(&mut State) -> PortResult<T>,
    ) -> PortResult<T> {
        self.give_way().await;
        let mut state = self.lock();
        match state.faults.write(name)? {
            Verdict::Apply => act(&mut state),
            Verdict::Twice => {
                let _first = act(&mut state);
                act(&mut state)
            }
            Verdict::ApplyThen(error) => {
                let _applied = act(&mut state);
                Err(error)
            }
        }
    }

    async fn give_way(&self) {
        if !self.lock().interleave {
            return;
        }
        let mut waited = false;
        std::future::poll_fn(|context| {
            if waited {
                return Poll::Ready(());
            }
            waited = true;
            context.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
    }
}

/// Looking into the world, and setting it up; none of this is counted or failed by the switch.
impl World {
    /// The run's item.
    #[must_use]
    pub fn run_item(&self, run: &RunId) -> Option<RunItem> {
        self.lock().runs.get(run).cloned()
    }

    /// Puts a run as it is, active unless terminal.
    pub fn put_run(&self, item: RunItem) {
        crate::runs::store(&mut self.lock(), item);
    }

    /// All shards of a run, by id.
    #[must_use]
    pub fn shard_items(&self, run: &RunId) -> Vec<ShardItem> {
        let state = self.lock();
        let mine = state.shards.iter().filter(|((r, _), _)| r == run);
        mine.map(|(_, item)| item.clone()).collect()
    }

    /// Puts a shard as it is.
    pub fn put_shard(&self, item: ShardItem) {
        let key = (item.run.clone(), item.id);
        self.lock().shards.insert(key, item);
    }

    /// All lanes of a run, by number.
    #[must_use]
    pub fn lane_items(&self, run: &RunId) -> Vec<LaneItem> {
        let state = self.lock();
        let mine = state.lanes.iter().filter(|((r, _), _)| r == run);
        mine.map(|(_, item)| item.clone()).collect()
    }

    /// Puts a lane as it is.
    pub fn put_lane(&self, item: LaneItem) {
        let key = (item.run.clone(), item.lane);
        self.lock().lanes.insert(key, item);
    }

    /// The ledger of a run, oldest first.
    #[must_use]
    pub fn ledger(&self, run: &RunId) -> Vec<Event> {
        let state = self.lock();
        let mine = state.ledger.iter().filter(|((r, _), _)| r == run);
        mine.map(|(_, event)| event.clone()).collect()
    }

    /// Keys of objects with a prefix, in order.
    #[must_use]
    pub fn blob_keys(&self, prefix: &str) -> Vec<String> {
        let state = self.lock();
        let from = state.blobs.range(prefix.to_owned()..);
        from.map(|(key, _)| key)
            .take_while(|key| key.starts_with(prefix))
            .cloned()
            .collect()
    }

    /// The content of an object.
    #[must_use]
    pub fn blob(&self, key: &str) -> Option<Vec<u8>> {
        self.lock().blobs.get(key).cloned()
    }

    /// Puts an object.
    pub fn put_blob(&self, key: &str, bytes: Vec<u8>) {
        self.lock().blobs.insert(key.to_owned(), bytes);
    }

    /// Removes an object, as an expiry would.
    pub fn remove_blob(&self, key: &str) {
        self.lock().blobs.remove(key);
    }
}

impl Clock for World {
    fn now(&self) -> TimeMs {
        self.lock().now
    }
}

impl Wiring for World {
    fn pool(&self) -> Pool {
        self.lock().pool.clone()
    }

    fn target(&self, memory: Mib) -> Option<TargetId> {
        self.lock().pool.of_tier(memory).map(|t| t.id.clone())
    }
}

/// Runs a future that only ever waits for this world: it is polled until it is ready.
pub fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return output;
        }
    }
}

/// The refusal of a conditional write.
pub(crate) fn conflict(what: impl std::fmt::Display) -> PortError {
    PortError::Conflict(what.to_string())
}
