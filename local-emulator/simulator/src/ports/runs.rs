//! Runs, schedules and allowances in the table; executions and tokens of Step Functions.

use async_trait::async_trait;
use foreshard_model::ids::{Round, RunId, Tenant};
use foreshard_model::policy::StartRate;
use foreshard_model::run::RunItem;
use foreshard_model::schedule::{ScheduleItem, ScheduleKey};
use foreshard_model::units::TimeMs;
use foreshard_stages::ports::{
    Allowances, ExecutionReads, Executions, LaneTokens, Listed, Page, PortResult, RunReads,
    RunWrites, ScheduleReads, ScheduleWrites, Span, Taken, Timer, Timers,
};

use super::Request;
use crate::cloud::{Cloud, Service};
use crate::parameters::{API_MS, TOKEN_MS};
use crate::table::{Partition, bytes, read_units, write_units};

/// Items that creating or ending a run writes in one transaction, each at twice the price: the run, its listing, its marker.
const RUN_TRANSACTION: f64 = 2.0;
/// Units of the two small items of it.
const LISTING_AND_MARKER: f64 = 4.0;

#[async_trait]
impl RunReads for Cloud {
    async fn run(&self, run: &RunId) -> PortResult<Option<RunItem>> {
        let units = read_units(self.world.run_item(run).as_ref().map_or(0, bytes));
        self.read(Partition::Run(run.clone()), units).await?;
        self.world.run(run).await
    }

    async fn runs_of(
        &self,
        tenant: &Tenant,
        span: &Span,
        after: Option<&Listed>,
        limit: usize,
    ) -> PortResult<Vec<Listed>> {
        self.read(Partition::Other, 1.0).await?;
        self.world.runs_of(tenant, span, after, limit).await
    }

    async fn active_runs(&self, after: Option<&str>) -> PortResult<Page<RunId>> {
        self.read(Partition::Other, 1.0).await?;
        self.world.active_runs(after).await
    }
}

#[async_trait]
impl RunWrites for Cloud {
    async fn create_run(&self, item: &RunItem) -> PortResult<()> {
        self.writes_run(item).await?;
        self.world.create_run(item).await
    }

    async fn update_run(&self, item: &RunItem) -> PortResult<()> {
        self.writes_run(item).await?;
        self.world.update_run(item).await
    }
}

impl Cloud {
    async fn writes_run(&self, item: &RunItem) -> PortResult<()> {
        let units = RUN_TRANSACTION * write_units(bytes(item)) + LISTING_AND_MARKER;
        let of = Partition::Run(item.run.clone());
        self.asks(Request::Transaction, &[(of, units)]).await
    }

    async fn writes_other(&self) -> PortResult<()> {
        self.asks(Request::Write, &[(Partition::Other, 1.0)]).await
    }
}

#[async_trait]
impl Allowances for Cloud {
    async fn take_start(&self, tenant: &Tenant, rate: StartRate, now: TimeMs) -> PortResult<Taken> {
        self.writes_other().await?;
        self.world.take_start(tenant, rate, now).await
    }
}

#[async_trait]
impl ScheduleReads for Cloud {
    async fn schedule(&self, key: &ScheduleKey) -> PortResult<Option<ScheduleItem>> {
        self.read(Partition::Other, 1.0).await?;
        self.world.schedule(key).await
    }

    async fn schedules_of(
        &self,
        tenant: &Tenant,
        prefix: &str,
        limit: usize,
        after: Option<&str>,
    ) -> PortResult<Page<ScheduleItem>> {
        self.read(Partition::Other, 1.0).await?;
        self.world.schedules_of(tenant, prefix, limit, after).await
    }

    async fn due_schedules(
        &self,
        now: TimeMs,
        after: Option<&str>,
    ) -> PortResult<Page<ScheduleKey>> {
        self.read(Partition::Other, 1.0).await?;
        self.world.due_schedules(now, after).await
    }
}

#[async_trait]
impl ScheduleWrites for Cloud {
    async fn put_schedule(&self, item: &ScheduleItem, look_at: Option<TimeMs>) -> PortResult<()> {
        self.writes_other().await?;
        self.world.put_schedule(item, look_at).await
    }

    async fn delete_schedule(&self, item: &ScheduleItem) -> PortResult<()> {
        self.writes_other().await?;
        self.world.delete_schedule(item).await
    }
}

#[async_trait]
impl Timers for Cloud {
    async fn set(&self, timer: &Timer) -> PortResult<()> {
        self.takes(Service::States, API_MS).await;
        self.world.set(timer).await
    }

    async fn remove(&self, key: &ScheduleKey) -> PortResult<()> {
        self.takes(Service::States, API_MS).await;
        self.world.remove(key).await
    }
}

#[async_trait]
impl Executions for Cloud {
    async fn start(&self, run: &RunId, round: Round) -> PortResult<()> {
        self.takes(Service::States, API_MS).await;
        let known = self.world.is_open(run, round).await?.is_some();
        if !known {
            self.starts_execution().await;
        }
        self.world.start(run, round).await?;
        let started = self.world.take_started();
        self.lock().started.extend(started);
        Ok(())
    }
}

#[async_trait]
impl ExecutionReads for Cloud {
    async fn is_open(&self, run: &RunId, round: Round) -> PortResult<Option<bool>> {
        self.takes(Service::States, API_MS).await;
        self.world.is_open(run, round).await
    }
}

#[async_trait]
impl LaneTokens for Cloud {
    async fn answer(&self, token: &str) -> PortResult<bool> {
        let wait_ms = {
            let now = self.timeline.now();
            let mut services = self.lock();
            let wait_ms = services.answers.book(1.0, now);
            services.usage.throttles.step_functions += u64::from(wait_ms > 0);
            wait_ms
        };
        self.timeline.sleep(wait_ms).await;
        self.takes(Service::States, TOKEN_MS).await;
        Ok(self.answer_token(token))
    }
}
