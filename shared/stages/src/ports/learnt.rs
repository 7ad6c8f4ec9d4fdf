//! What the stages learn from and what they have learnt: recorded metrics, profiles of task types, forecasts, decisions.

use async_trait::async_trait;
use foreshard_model::forecast::{Quantity, StoredForecast};
use foreshard_model::ids::{TargetId, Tenant};
use foreshard_model::outlook::StoredOutlook;
use foreshard_model::prewarm::PrewarmRecord;
use foreshard_model::profile::{Profile, ProfileKey};
use foreshard_model::units::TimeMs;

use super::PortResult;

/// Namespace of the metrics that a deployment publishes itself.
pub const NAMESPACE: &str = "Foreshard";

/// How the samples of one period become one value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Statistic {
    /// Their sum.
    Sum,
    /// Their mean.
    Average,
    /// The smallest.
    Minimum,
    /// The largest.
    Maximum,
    /// How many there are.
    SampleCount,
}

/// One metric, as it was published.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct MetricQuery {
    /// Namespace, such as `Foreshard` or `AWS/Lambda`.
    pub namespace: &'static str,
    /// Name, such as `TaskDuration`.
    pub name: &'static str,
    /// All of its dimensions: a metric with others is another one.
    pub dimensions: Vec<(&'static str, String)>,
    /// What is wanted of each period.
    pub statistic: Statistic,
}

/// The periods that are asked for: from the one that holds `from` to the last that begins before `until`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MetricSpan {
    /// First moment.
    pub from: TimeMs,
    /// First moment after it.
    pub until: TimeMs,
    /// Length of a period in seconds: a multiple of 60. What is older than 15 days is kept by 300 s only, and what is older
    /// than 63 days by 3,600 s.
    pub period_s: u32,
}

/// The value of a period and when that begins.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// Start of the period.
    pub at: TimeMs,
    /// The statistic over its samples.
    pub value: f64,
}

/// Reads recorded metrics.
#[async_trait]
pub trait MetricReads: Send + Sync {
    /// The points of each query, in the queries' order, by time. A period without samples has no point: missing is not zero.
    /// The newest minutes may still be incomplete, or missing.
    async fn points(
        &self,
        queries: &[MetricQuery],
        span: &MetricSpan,
    ) -> PortResult<Vec<Vec<Point>>>;
}

/// Reads of profiles, all consistent.
#[async_trait]
pub trait ProfileReads: Send + Sync {
    /// One profile of a tenant.
    async fn profile(&self, tenant: &Tenant, key: &ProfileKey) -> PortResult<Option<Profile>>;
    /// All profiles that a tenant has of a task type: every target and input size, by key; at most `limit`.
    async fn profiles_of(
        &self,
        tenant: &Tenant,
        task_type: &str,
        limit: usize,
    ) -> PortResult<Vec<Profile>>;
}

/// Writes of profiles.
#[async_trait]
pub trait ProfileWrites: Send + Sync {
    /// Writes the profile if its version is `profile.version - 1`, or if there is none for version 1.
    ///
    /// # Errors
    /// [`PortError::Conflict`](super::PortError::Conflict) when the version is another one.
    async fn put_profile(&self, tenant: &Tenant, profile: &Profile) -> PortResult<()>;
}

/// Reads of what was forecast and decided from it.
#[async_trait]
pub trait ForecastReads: Send + Sync {
    /// What was last expected of regions and targets.
    async fn outlook(&self) -> PortResult<Option<StoredOutlook>>;
    /// The last forecast of a quantity of a place.
    async fn forecast(&self, place: &str, quantity: Quantity)
    -> PortResult<Option<StoredForecast>>;
    /// The last forecast of every place and quantity, by place; at most `limit`.
    async fn forecasts(&self, limit: usize) -> PortResult<Vec<StoredForecast>>;
    /// What was decided for a target, the newest first; at most `limit`.
    async fn prewarm_records(
        &self,
        target: &TargetId,
        limit: usize,
    ) -> PortResult<Vec<PrewarmRecord>>;
}

/// Writes of what was forecast and decided.
#[async_trait]
pub trait ForecastWrites: Send + Sync {
    /// Keeps the outlook unless a later one is there.
    async fn put_outlook(&self, outlook: &StoredOutlook) -> PortResult<()>;
    /// Keeps the forecast unless a later one of its place and quantity is there.
    async fn put_forecast(&self, forecast: &StoredForecast) -> PortResult<()>;
    /// Records what was decided for a target at a moment; who records it again replaces it.
    async fn put_prewarm_record(&self, record: &PrewarmRecord) -> PortResult<()>;
}
