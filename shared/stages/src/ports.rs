//! What the stages need of the world, split by ability: a stage's ports are its least privilege.
//!
//! Every method may be repeated: a repeat with the same arguments is harmless. Reads that decide are consistent.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use async_trait::async_trait;
use foreshard_model::claim::Claim;
use foreshard_model::frontier::{Arrival, Checkpoint, LaneItem, Live, ShardItem, Write};
use foreshard_model::ids::{LaneId, Round, RunId, Sha256Hex, ShardId, TargetId, Tenant};
use foreshard_model::ledger::Event;
use foreshard_model::policy::StartRate;
use foreshard_model::run::RunItem;
use foreshard_model::units::TimeMs;
use serde_json::Value;
use thiserror::Error;

use crate::error::StageError;

mod account;
mod learnt;
mod schedules;
mod warm;
pub use account::*;
pub use learnt::*;
pub use schedules::*;
pub use warm::*;

/// Why a port did not do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PortError {
    /// A condition did not hold: read again, decide again.
    #[error("condition not met: {0}")]
    Conflict(String),
    /// What was asked for does not exist.
    #[error("not found: {0}")]
    NotFound(String),
    /// The service did not answer, throttled, or answered nonsense.
    #[error("service unavailable: {0}")]
    Unavailable(String),
    /// What came back is not what its digest says, or cannot be read.
    #[error("corrupt: {0}")]
    Corrupt(String),
    /// The service refused the request as it is: a repeat would be refused too.
    #[error("refused: {0}")]
    Refused(String),
}

impl From<PortError> for StageError {
    fn from(error: PortError) -> Self {
        match error {
            PortError::Conflict(text) => Self::Conflict(text),
            PortError::NotFound(text) | PortError::Corrupt(text) | PortError::Refused(text) => {
                Self::Rejected(text)
            }
            PortError::Unavailable(text) => Self::Unavailable(text),
        }
    }
}

/// Result of a port.
pub type PortResult<T> = Result<T, PortError>;

/// Where the shards and lanes of a run are: its id and the number of its partition keys.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct RunKey {
    /// The run.
    pub run: RunId,
    /// Partition keys over which its shards spread; at least 1.
    pub partitions: u32,
}

/// What a lane's question begins with.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Opening {
    /// The run's item.
    pub run: Option<RunItem>,
    /// The lane; `None` before its first answer.
    pub lane: Option<LaneItem>,
    /// The shard that it has finished, where it was asked for.
    pub finished: Option<ShardItem>,
}

/// One page of a listing.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Page<T> {
    /// The items.
    pub items: Vec<T>,
    /// Where to go on; `None` at the end.
    pub next: Option<String>,
}

/// A run in the listing of its tenant, which is ordered by time of acceptance.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Listed {
    /// When it was accepted.
    pub accepted_at: TimeMs,
    /// The run.
    pub run: RunId,
}

impl Listed {
    /// Its place as text: orders as the listing does.
    #[must_use]
    pub fn place(&self) -> String {
        format!("{:013}#{}", self.accepted_at.0, self.run)
    }

    /// What [`Listed::place`] has written; `None` for everything else.
    #[must_use]
    pub fn parse(place: &str) -> Option<Self> {
        let (time, run) = place.split_once('#')?;
        let digits = time.len() == 13 && time.bytes().all(|b| b.is_ascii_digit());
        (digits && RunId::is_well_formed(run)).then(|| Self {
            accepted_at: TimeMs(time.parse().unwrap_or_default()),
            run: run.into(),
        })
    }
}

/// A stretch of time: from `since` on, and before `until`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Span {
    /// First moment in it; from the beginning when `None`.
    pub since: Option<TimeMs>,
    /// First moment after it; without an end when `None`.
    pub until: Option<TimeMs>,
}

/// Reads of runs.
#[async_trait]
pub trait RunReads: Send + Sync {
    /// The run's item, read consistently.
    async fn run(&self, run: &RunId) -> PortResult<Option<RunItem>>;
    /// Runs of a tenant that were accepted in `span`, newest first, those behind `after`; fewer than `limit` at the end
    /// only.
    async fn runs_of(
        &self,
        tenant: &Tenant,
        span: &Span,
        after: Option<&Listed>,
        limit: usize,
    ) -> PortResult<Vec<Listed>>;
    /// Runs that are not terminal.
    async fn active_runs(&self, after: Option<&str>) -> PortResult<Page<RunId>>;
}

/// Writes of runs that touch more than the run's item.
#[async_trait]
pub trait RunWrites: Send + Sync {
    /// Creates the run, its listing and its active marker in one transaction.
    ///
    /// # Errors
    /// [`PortError::Conflict`] when the run exists.
    async fn create_run(&self, item: &RunItem) -> PortResult<()>;
    /// Writes the run's item if its version is `item.version - 1`; removes the active marker when the new state is
    /// terminal, and sets it when it is not.
    ///
    /// # Errors
    /// [`PortError::Conflict`] when the version is another one.
    async fn update_run(&self, item: &RunItem) -> PortResult<()>;
}

/// What became of a start that was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// It is taken off the allowance.
    Taken,
    /// There is none left: one will be there after a while.
    Wait {
        /// How long, in milliseconds.
        ms: u64,
    },
}

/// What tenants may do in a while, counted over all environments of a function.
#[async_trait]
pub trait Allowances: Send + Sync {
    /// Takes one start off the tenant's allowance; a repeat takes another one, which comes back with time.
    async fn take_start(&self, tenant: &Tenant, rate: StartRate, now: TimeMs) -> PortResult<Taken>;
}

/// Reads of the frontier, all consistent.
#[async_trait]
pub trait FrontierReads: Send + Sync {
    /// One shard.
    async fn shard(&self, run: &RunKey, id: ShardId) -> PortResult<Option<ShardItem>>;
    /// Some shards, in any order; missing ones are left out.
    async fn shards(&self, run: &RunKey, ids: &[ShardId]) -> PortResult<Vec<ShardItem>>;
    /// All shards of one partition, by id, in pages.
    async fn shards_of(
        &self,
        run: &RunKey,
        partition: u32,
        after: Option<&str>,
    ) -> PortResult<Page<ShardItem>>;
    /// One lane.
    async fn lane(&self, run: &RunKey, lane: LaneId) -> PortResult<Option<LaneItem>>;
    /// Everything that a lane's question begins with, in one call: each item is read consistently, each by itself.
    async fn opening(
        &self,
        run: &RunKey,
        lane: LaneId,
        finished: Option<ShardId>,
    ) -> PortResult<Opening>;
    /// The first ready shards of one partition by priority.
    async fn ready(&self, run: &RunKey, partition: u32, limit: usize)
    -> PortResult<Vec<ShardItem>>;
    /// Shards of one partition in the `live` index; not for [`Live::Parked`].
    async fn live(
        &self,
        run: &RunKey,
        partition: u32,
        what: Live,
        limit: usize,
    ) -> PortResult<Vec<ShardItem>>;
    /// Parked lanes of one partition.
    async fn parked(&self, run: &RunKey, partition: u32, limit: usize)
    -> PortResult<Vec<LaneItem>>;
}

/// Writes of the frontier.
#[async_trait]
pub trait FrontierWrites: Send + Sync {
    /// Applies all writes or none: at most [`foreshard_model::limits::TRANSACTION_WRITES`].
    ///
    /// # Errors
    /// [`PortError::Conflict`] when an expectation does not hold.
    async fn commit(&self, run: &RunKey, writes: &[Write]) -> PortResult<()>;
    /// Adds a predecessor to the successor's `arrived` and gives the item as it is then.
    async fn arrive(&self, run: &RunKey, arrival: &Arrival) -> PortResult<ShardItem>;
    /// Creates shards that do not exist, at most [`foreshard_model::limits::CREATION_BATCH`]; existing ones are left alone.
    /// Gives those that the store did not take for want of throughput: they are to be asked again, later.
    async fn create_shards(&self, run: &RunKey, items: &[ShardItem]) -> PortResult<Vec<ShardId>>;
}

/// What a worker may do to the frontier.
#[async_trait]
pub trait AttemptWrites: Send + Sync {
    /// Applies the checkpoint if the shard is running and the attempt is its own; false: the attempt is fenced off.
    async fn checkpoint(&self, run: &RunKey, checkpoint: &Checkpoint) -> PortResult<bool>;
}

/// Where the outputs of a shard's tasks are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pointer {
    /// The committed manifest: of all its tasks, or of those that it had finished when it was cut again.
    pub output: Option<Claim>,
    /// The shards before a virtual one that are finished: of one that was cut again, those that have its other tasks.
    pub behind: BTreeSet<ShardId>,
}

/// What a worker may read of the frontier.
#[async_trait]
pub trait OutputPointers: Send + Sync {
    /// Where the outputs of these shards are; shards that have left nothing behind yet are left out.
    async fn pointers(
        &self,
        run: &RunKey,
        ids: &[ShardId],
    ) -> PortResult<BTreeMap<ShardId, Pointer>>;
}

/// Appends to the ledger.
#[async_trait]
pub trait LedgerWrites: Send + Sync {
    /// Records the events; a repeat changes nothing, because an event's key is derived from what happened.
    async fn record(&self, events: &[Event]) -> PortResult<()>;
}

/// Reads the ledger.
#[async_trait]
pub trait LedgerReads: Send + Sync {
    /// Events after a sort key, oldest first.
    async fn events(&self, run: &RunId, after: &str, limit: usize) -> PortResult<Vec<Event>>;
}

/// Reads of the object store.
#[async_trait]
pub trait BlobReads: Send + Sync {
    /// The whole object.
    async fn get(&self, key: &str) -> PortResult<Vec<u8>>;
    /// The object into a file, streamed; gives its digest and length.
    async fn get_file(&self, key: &str, path: &Path) -> PortResult<(Sha256Hex, u64)>;
    /// Whether it exists, and its length.
    async fn head(&self, key: &str) -> PortResult<Option<u64>>;
}

/// Listings of the object store.
#[async_trait]
pub trait BlobLists: Send + Sync {
    /// Keys with a prefix, in order.
    async fn list(
        &self,
        prefix: &str,
        limit: usize,
        after: Option<&str>,
    ) -> PortResult<Page<String>>;
}

/// Writes of the object store.
#[async_trait]
pub trait BlobWrites: Send + Sync {
    /// The whole object.
    async fn put(&self, key: &str, bytes: Vec<u8>) -> PortResult<()>;
    /// The whole object if there is none; false: something is there already, and stays.
    async fn put_new(&self, key: &str, bytes: Vec<u8>) -> PortResult<bool>;
    /// A file, streamed.
    async fn put_file(&self, key: &str, path: &Path) -> PortResult<()>;
}

/// A presigned upload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Presigned {
    /// Where to PUT.
    pub url: String,
    /// Headers that must go with it.
    pub headers: BTreeMap<String, String>,
}

/// Presigns uploads and downloads.
#[async_trait]
pub trait BlobPresigns: Send + Sync {
    /// A PUT of exactly this content, valid for `valid_s` seconds.
    async fn presign_put(
        &self,
        key: &str,
        sha256: &Sha256Hex,
        bytes: u64,
        valid_s: u64,
    ) -> PortResult<Presigned>;
    /// A URL that gives the object to whoever has it, for `valid_s` seconds; whether it exists is not looked at.
    async fn presign_get(&self, key: &str, valid_s: u64) -> PortResult<String>;
}

/// Starts executions of the state machine.
#[async_trait]
pub trait Executions: Send + Sync {
    /// Starts the round's execution; one that was started before, running or ended, is left alone.
    async fn start(&self, run: &RunId, round: Round) -> PortResult<()>;
}

/// Looks at executions.
#[async_trait]
pub trait ExecutionReads: Send + Sync {
    /// Whether the round's execution is under way; `None`: there is none of that name.
    async fn is_open(&self, run: &RunId, round: Round) -> PortResult<Option<bool>>;
}

/// Wakes parked lanes.
#[async_trait]
pub trait LaneTokens: Send + Sync {
    /// Answers the token; false: it was answered before or has timed out, which counts as answered.
    async fn answer(&self, token: &str) -> PortResult<bool>;
}

/// Short-lived credentials of a task. Its `Debug` shows no secret.
#[derive(Clone, PartialEq, Eq)]
pub struct TaskCredentials {
    /// Access key.
    pub access_key_id: String,
    /// Secret.
    pub secret_access_key: String,
    /// Session token.
    pub session_token: String,
    /// When they end.
    pub expires_at: TimeMs,
}

impl std::fmt::Debug for TaskCredentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TaskCredentials")
            .field("access_key_id", &self.access_key_id)
            .finish_non_exhaustive()
    }
}

/// Assumes the role that tasks run as.
#[async_trait]
pub trait TaskIdentity: Send + Sync {
    /// Credentials of `role` (the deployment's default when `None`) with session name and tags.
    async fn assume(
        &self,
        role: Option<&str>,
        session: &str,
        tags: &BTreeMap<String, String>,
    ) -> PortResult<TaskCredentials>;
}

/// Invokes users' Lambda functions with a task's identity.
#[async_trait]
pub trait FunctionCalls: Send + Sync {
    /// Invokes synchronously; `Ok(Err(text))`: the function answered with an error.
    async fn invoke(
        &self,
        function: &str,
        payload: Value,
        identity: &TaskCredentials,
    ) -> PortResult<Result<Value, String>>;
}

/// One metric value.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// Name, such as `TaskMemory`.
    pub name: &'static str,
    /// CloudWatch unit.
    pub unit: &'static str,
    /// When.
    pub at: TimeMs,
    /// Values and how often each occurred.
    pub values: Vec<(f64, f64)>,
    /// Dimensions, few and capped: `TaskType`, `Target`.
    pub dimensions: Vec<(&'static str, String)>,
}

/// Publishes metrics in the namespace `Foreshard`.
#[async_trait]
pub trait Metrics: Send + Sync {
    /// Publishes at 1-second resolution; more than fits a request is split.
    async fn publish(&self, samples: &[Sample]) -> PortResult<()>;
}

/// The time.
#[async_trait]
pub trait Clock: Send + Sync {
    /// Now, UTC.
    fn now(&self) -> TimeMs;
    /// Lets some milliseconds pass.
    async fn pause(&self, ms: u64);
}

/// The target of a tier, and the pool: wiring that the deployment gives.
pub trait Wiring: Send + Sync {
    /// The targets of the deployment.
    fn pool(&self) -> foreshard_model::target::Pool;
    /// The target that executes a tier.
    fn target(&self, memory: foreshard_model::units::Mib) -> Option<TargetId>;
}
