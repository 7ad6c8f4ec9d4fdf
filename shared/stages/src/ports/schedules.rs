//! Schedules: their items, and what wakes submit at their times.

use async_trait::async_trait;
use foreshard_model::ids::Tenant;
use foreshard_model::schedule::{ScheduleItem, ScheduleKey};
use foreshard_model::units::TimeMs;

use super::{Page, PortResult};

/// Reads of schedules, all consistent.
#[async_trait]
pub trait ScheduleReads: Send + Sync {
    /// One schedule.
    async fn schedule(&self, key: &ScheduleKey) -> PortResult<Option<ScheduleItem>>;
    /// Schedules of a tenant whose name begins with `prefix`, by name.
    async fn schedules_of(
        &self,
        tenant: &Tenant,
        prefix: &str,
        limit: usize,
        after: Option<&str>,
    ) -> PortResult<Page<ScheduleItem>>;
    /// Schedules of every tenant that somebody must look after by now, as their last write has said.
    async fn due_schedules(
        &self,
        now: TimeMs,
        after: Option<&str>,
    ) -> PortResult<Page<ScheduleKey>>;
}

/// Writes of schedules.
#[async_trait]
pub trait ScheduleWrites: Send + Sync {
    /// Writes the item if its version is `item.version - 1`, or if there is none for version 1; and that somebody must
    /// look after it at `look_at`, if ever.
    ///
    /// # Errors
    /// [`PortError::Conflict`](super::PortError::Conflict) when the version is another one.
    async fn put_schedule(&self, item: &ScheduleItem, look_at: Option<TimeMs>) -> PortResult<()>;
    /// Removes the item if its version is still this one. One that is gone already is no error.
    ///
    /// # Errors
    /// [`PortError::Conflict`](super::PortError::Conflict) when the version is another one.
    async fn delete_schedule(&self, item: &ScheduleItem) -> PortResult<()>;
}

/// What wakes submit for a schedule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timer {
    /// The schedule.
    pub key: ScheduleKey,
    /// `cron(…)`, `rate(…)` or `at(…)`.
    pub expression: String,
    /// IANA name.
    pub timezone: String,
    /// Where to begin, when that is in the future.
    pub start: Option<TimeMs>,
    /// Where to end.
    pub end: Option<TimeMs>,
    /// Off while the schedule is paused.
    pub enabled: bool,
}

/// Wakes submit with a [`ScheduleEvent`](foreshard_model::schedule::ScheduleEvent) at a schedule's times: at least once
/// for each, unless the service is away.
#[async_trait]
pub trait Timers: Send + Sync {
    /// Makes the timer, or changes it to this.
    async fn set(&self, timer: &Timer) -> PortResult<()>;
    /// Removes the timer, if there is one.
    async fn remove(&self, key: &ScheduleKey) -> PortResult<()>;
}
