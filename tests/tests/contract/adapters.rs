//! The ports under test, behind one struct.

use std::pin::Pin;
use std::sync::Arc;

use foreshard_model::ids::TargetId;
use foreshard_stages::ports::{
    AccountLimits, Allowances, AttemptWrites, BlobLists, BlobPresigns, BlobReads, BlobWrites,
    ExecutionReads, Executions, ForecastReads, ForecastWrites, FrontierReads, FrontierWrites,
    FunctionCalls, LaneTokens, LedgerReads, LedgerWrites, MetricReads, Metrics, OutputPointers,
    ProfileReads, ProfileWrites, RunReads, RunWrites, ScheduleReads, ScheduleWrites, TaskIdentity,
    Timers, WarmPool,
};

/// One implementation of every port.
pub struct Adapters {
    pub runs: Arc<dyn RunReads>,
    pub run_writes: Arc<dyn RunWrites>,
    pub allowances: Arc<dyn Allowances>,
    pub frontier: Arc<dyn FrontierReads>,
    pub writes: Arc<dyn FrontierWrites>,
    pub attempts: Arc<dyn AttemptWrites>,
    pub pointers: Arc<dyn OutputPointers>,
    pub ledger: Arc<dyn LedgerReads>,
    pub ledger_writes: Arc<dyn LedgerWrites>,
    pub blobs: Arc<dyn BlobReads>,
    pub blob_lists: Arc<dyn BlobLists>,
    pub blob_writes: Arc<dyn BlobWrites>,
    pub presigns: Arc<dyn BlobPresigns>,
    pub executions: Arc<dyn Executions>,
    pub execution_reads: Arc<dyn ExecutionReads>,
    pub tokens: Arc<dyn LaneTokens>,
    pub identity: Arc<dyn TaskIdentity>,
    pub calls: Arc<dyn FunctionCalls>,
    pub metrics: Arc<dyn Metrics>,
    pub metric_reads: Arc<dyn MetricReads>,
    pub profiles: Arc<dyn ProfileReads>,
    pub profile_writes: Arc<dyn ProfileWrites>,
    pub forecasts: Arc<dyn ForecastReads>,
    pub forecast_writes: Arc<dyn ForecastWrites>,
    pub limits: Arc<dyn AccountLimits>,
    pub warm: Arc<dyn WarmPool>,
    /// A target that is there.
    pub warm_target: TargetId,
    pub schedules: Arc<dyn ScheduleReads>,
    pub schedule_writes: Arc<dyn ScheduleWrites>,
    /// Every way of waking submit.
    pub timers: Vec<Arc<dyn Timers>>,
    /// Lets something wait, and gives its token.
    pub park: Box<dyn Fn() -> Parking + Send + Sync>,
    /// Where the ports' services are, when they are not in memory.
    pub endpoint: Option<String>,
}

/// A token that is waited for, soon.
pub type Parking = Pin<Box<dyn Future<Output = String> + Send>>;
