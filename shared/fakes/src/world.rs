//! The world that the stages see in a test: every item, object, execution and token, behind one lock.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::pin::pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use async_trait::async_trait;
use foreshard_engine::frontier::is_open;
use foreshard_model::frontier::{LaneItem, ShardItem, ShardState};
use foreshard_model::ids::{Attempt, Round, RunId, ShardId, TargetId, Tenant};
use foreshard_model::ledger::Event;
use foreshard_model::run::RunItem;
use foreshard_model::schedule::{ScheduleItem, ScheduleKey};
use foreshard_model::target::Pool;
use foreshard_model::units::{Mib, TimeMs};
use foreshard_stages::ports::{Clock, Listed, PortError, PortResult, Sample, Timer, Wiring};

use crate::build;
use crate::faults::{Fault, Faults, Verdict};
use crate::index::{Lanes, Shards};
use crate::learnt::Learnt;
use crate::seeded::Seeded;
use crate::services::{Assumed, Function, Invoked};
use crate::throughput::Throughput;
use crate::warm::{Provisioned, WarmCall};

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
    pub(crate) pauses: Option<Pauses>,
    pub(crate) stale: Option<Pauses>,
    pub(crate) runs: BTreeMap<RunId, RunItem>,
    pub(crate) active: BTreeSet<RunId>,
    pub(crate) listing: BTreeSet<(Tenant, Listed)>,
    pub(crate) booked: BTreeMap<Tenant, TimeMs>,
    pub(crate) shards: Shards,
    pub(crate) lanes: Lanes,
    pub(crate) ledger: BTreeMap<(RunId, String), Event>,
    pub(crate) schedules: BTreeMap<ScheduleKey, ScheduleItem>,
    pub(crate) look_at: BTreeMap<ScheduleKey, TimeMs>,
    pub(crate) timers: BTreeMap<ScheduleKey, Timer>,
    pub(crate) blobs: BTreeMap<String, Vec<u8>>,
    pub(crate) executions: BTreeMap<(RunId, Round), bool>,
    pub(crate) started: Vec<(RunId, Round)>,
    pub(crate) tokens: BTreeMap<String, bool>,
    pub(crate) answered: Vec<String>,
    pub(crate) functions: BTreeMap<String, Function>,
    pub(crate) assumed: Vec<Assumed>,
    pub(crate) invoked: Vec<Invoked>,
    pub(crate) samples: Vec<Sample>,
    pub(crate) learnt: Learnt,
    pub(crate) warm: BTreeMap<TargetId, Provisioned>,
    pub(crate) warm_most: Option<u32>,
    pub(crate) warm_calls: Vec<WarmCall>,
    pub(crate) unreserved: Option<u32>,
    pub(crate) sleepers: BTreeMap<(TimeMs, u64), Waker>,
    pub(crate) sleeps: u64,
    pub(crate) throughput: Option<Throughput>,
    pub(crate) token_wakers: BTreeMap<String, Waker>,
    pub(crate) changes: Vec<Change>,
    pub(crate) witnessed: bool,
}

/// Calls of ports that take long, as when a process is held up.
pub(crate) struct Pauses {
    draws: Seeded,
    per_mille: u32,
    longest_ms: u64,
}

impl Pauses {
    fn draw(&mut self) -> u64 {
        let paused = self.draws.hits(self.per_mille);
        let ms = self.draws.below(self.longest_ms);
        if paused { ms } else { 0 }
    }
}

/// One change of a shard's state, as a store sees it: the witness of what was committed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The run.
    pub run: RunId,
    /// The shard.
    pub shard: ShardId,
    /// Its attempt after the change.
    pub attempt: Attempt,
    /// From.
    pub from: ShardState,
    /// To.
    pub to: ShardState,
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
                pauses: None,
                stale: None,
                runs: BTreeMap::new(),
                active: BTreeSet::new(),
                listing: BTreeSet::new(),
                booked: BTreeMap::new(),
                shards: Shards::default(),
                lanes: Lanes::default(),
                ledger: BTreeMap::new(),
                schedules: BTreeMap::new(),
                look_at: BTreeMap::new(),
                timers: BTreeMap::new(),
                blobs: BTreeMap::new(),
                executions: BTreeMap::new(),
                started: Vec::new(),
                tokens: BTreeMap::new(),
                answered: Vec::new(),
                functions: BTreeMap::new(),
                assumed: Vec::new(),
                invoked: Vec::new(),
                samples: Vec::new(),
                learnt: Learnt::default(),
                warm: BTreeMap::new(),
                warm_most: None,
                warm_calls: Vec::new(),
                unreserved: None,
                sleepers: BTreeMap::new(),
                sleeps: 0,
                throughput: None,
                token_wakers: BTreeMap::new(),
                changes: Vec::new(),
                witnessed: true,
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

    /// Makes `per_mille` of a thousand calls take up to `longest_ms`: the caller then acts on what it read long before.
    /// Only an executor moves the clock on for them.
    pub fn set_pauses(&self, seed: u64, per_mille: u32, longest_ms: u64) {
        self.lock().pauses = Some(Pauses {
            draws: Seeded::new(seed, "pauses"),
            per_mille,
            longest_ms,
        });
    }

    /// Makes what `per_mille` of a thousand reads have found arrive up to `longest_ms` later. Each is consistent when it is
    /// made: older than that no read of a port may be.
    pub fn set_stale_reads(&self, seed: u64, per_mille: u32, longest_ms: u64) {
        self.lock().stale = Some(Pauses {
            draws: Seeded::new(seed, "stale reads"),
            per_mille,
            longest_ms,
        });
    }

    /// A read: gives way, and fails when the invocation has crashed.
    pub(crate) async fn read<T>(&self, act: impl FnOnce(&State) -> PortResult<T>) -> PortResult<T> {
        self.give_way().await;
        let (found, late_ms) = {
            let mut state = self.lock();
            state.faults.read()?;
            let found = act(&state);
            let late_ms = if state.interleave {
                let late_ms = state.stale.as_mut().map_or(0, Pauses::draw);
                state.held_up(late_ms, Fault::StaleRead)
            } else {
                0
            };
            (found, late_ms)
        };
        if late_ms > 0 {
            self.sleep(late_ms).await;
        }
        found
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
        let pause_ms = {
            let mut state = self.lock();
            if !state.interleave {
                return;
            }
            let pause_ms = state.pauses.as_mut().map_or(0, Pauses::draw);
            state.held_up(pause_ms, Fault::HeldUp)
        };
        if pause_ms > 0 {
            self.sleep(pause_ms).await;
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
        self.lock().shards.of(run).cloned().collect()
    }

    /// Puts a shard as it is.
    pub fn put_shard(&self, item: ShardItem) {
        self.lock().shards.insert(item);
    }

    /// All lanes of a run, by number.
    #[must_use]
    pub fn lane_items(&self, run: &RunId) -> Vec<LaneItem> {
        self.lock().lanes.of(run).cloned().collect()
    }

    /// Puts a lane as it is.
    pub fn put_lane(&self, item: LaneItem) {
        self.lock().lanes.insert(item);
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

/// Virtual time.
impl World {
    /// Waits until the clock says so; only an executor moves the clock while somebody sleeps.
    pub async fn sleep_until(&self, at: TimeMs) {
        std::future::poll_fn(|context| {
            let mut state = self.lock();
            if state.now >= at {
                return Poll::Ready(());
            }
            state.sleep(at, context.waker());
            Poll::Pending
        })
        .await;
    }

    /// Waits for some virtual milliseconds.
    pub async fn sleep(&self, ms: u64) {
        let at = self.now().plus(ms);
        self.sleep_until(at).await;
    }

    /// When the next sleeper wakes.
    pub(crate) fn next_sleeper(&self) -> Option<TimeMs> {
        self.lock().sleepers.keys().next().map(|(at, _)| *at)
    }

    /// Moves the clock to this moment and wakes whoever slept until then.
    pub(crate) fn wake_sleepers(&self, at: TimeMs) {
        let mut state = self.lock();
        state.now = state.now.max(at);
        let later = state.sleepers.split_off(&(at, u64::MAX));
        let due = std::mem::replace(&mut state.sleepers, later);
        drop(state);
        due.into_values().for_each(Waker::wake);
    }

    /// Whether the run is over.
    pub(crate) fn has_ended(&self, run: &RunId) -> bool {
        let state = self.lock();
        let item = state.runs.get(run);
        item.is_some_and(|item| item.state.is_terminal())
    }

    /// Whether a lane is parked although a shard could be claimed, or although its round is over.
    pub(crate) fn sleeps_in_vain(&self, run: &RunId) -> bool {
        let state = self.lock();
        let mut lanes = state.lanes.of(run);
        let asleep = lanes.find(|lane| {
            let token = lane.token.as_ref();
            token.is_some_and(|t| state.tokens.get(t) == Some(&true))
        });
        let (Some(lane), Some(item)) = (asleep, state.runs.get(run)) else {
            return false;
        };
        let mut shards = state.shards.of(run);
        !is_open(item, lane.round)
            || shards.any(|shard| {
                shard.state == ShardState::Ready
                    && shard.not_before.is_none_or(|at| at <= state.now)
            })
    }

    /// Keeps no changes of states from now on: a long run would have many.
    pub fn set_unwitnessed(&self) {
        self.lock().witnessed = false;
    }

    /// Every change of a shard's state so far.
    #[must_use]
    pub fn changes(&self) -> Vec<Change> {
        self.lock().changes.clone()
    }
}

impl State {
    /// Counts a call that takes longer.
    fn held_up(&mut self, ms: u64, fault: Fault) -> u64 {
        if ms > 0 {
            self.faults.note(fault);
        }
        ms
    }

    pub(crate) fn sleep(&mut self, at: TimeMs, waker: &Waker) {
        self.sleeps += 1;
        self.sleepers.insert((at, self.sleeps), waker.clone());
    }
}

#[async_trait]
impl Clock for World {
    fn now(&self) -> TimeMs {
        self.lock().now
    }

    /// Under an executor others go on meanwhile; without one, the clock moves on at once.
    async fn pause(&self, ms: u64) {
        if self.lock().interleave {
            self.sleep(ms).await;
        } else {
            self.advance(ms);
        }
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
