//! What wakes functions by the clock: the sweep of each minute, timers of schedules, forecast and prewarm every five minutes.

use std::rc::Rc;
use std::sync::Arc;

use foreshard_engine::schedule::{Schedule, rfc3339};
use foreshard_fakes::block_on;
use foreshard_model::message::{ForecastRequest, PrewarmRequest, ReshardRequest};
use foreshard_model::schedule::ScheduleKey;
use foreshard_stages::ports::ScheduleReads as _;
use foreshard_stages::{StageError, forecast, prewarm, reshard, submit};

use super::{FORECAST, Machine, PREWARM, RESHARD, SUBMIT};
use crate::cloud::Cloud;
use crate::parameters::{STAGE_CPU_MS, TIMER_WITHIN_MS};

/// Between two sweeps, in milliseconds. Source: the rules of the deployment.
const SWEEP_MS: u64 = 60_000;
/// Between two forecasts, and two decisions of prewarm, in milliseconds. Source: the rules of the deployment.
const LOOK_AHEAD_MS: u64 = 300_000;
/// How long a timer's event may be late before the sweep starts its run. Source: the function submit.
const TIMER_GRACE_MS: u64 = 120_000;
/// Repeats of an event that was not taken. Source: the timers of the deployment.
const EVENT_RETRIES: u32 = 2;

impl Machine {
    /// The sweep of runs, until the end of the world.
    pub(crate) async fn sweeps(self: Rc<Self>) {
        loop {
            self.cloud.timeline.sleep(SWEEP_MS).await;
            let (cloud, ports) = (&self.cloud, &self.reshard);
            let swept = cloud.invoke(RESHARD, |_| async move {
                cloud.computes(STAGE_CPU_MS, RESHARD).await;
                // A sweep that fails is followed by the next one.
                let _swept: Result<_, StageError> =
                    reshard::reshard(ports, &ReshardRequest::default()).await;
                Ok(())
            });
            let _refused: Result<(), _> = swept.await;
        }
    }

    /// The sweep of schedules: it starts what a lost event should have.
    pub(crate) async fn sweeps_schedules(self: Rc<Self>) {
        loop {
            self.cloud.timeline.sleep(SWEEP_MS).await;
            let (cloud, ports) = (&self.cloud, &self.submit);
            let swept = cloud.invoke(SUBMIT, |_| async move {
                cloud.computes(STAGE_CPU_MS, SUBMIT).await;
                let _swept: Result<_, StageError> = submit::sweep(ports, TIMER_GRACE_MS).await;
                Ok(())
            });
            let _refused: Result<(), _> = swept.await;
        }
    }

    /// The forecast of every five minutes, unless it is kept from being made.
    pub(crate) async fn forecasts(self: Rc<Self>) {
        loop {
            self.cloud.timeline.sleep(LOOK_AHEAD_MS).await;
            if self.cloud.strikes_forecast() {
                continue;
            }
            let (cloud, ports) = (&self.cloud, &self.forecast);
            let made = cloud.invoke(FORECAST, |_| async move {
                cloud.computes(STAGE_CPU_MS, FORECAST).await;
                let _made: Result<_, StageError> =
                    forecast::forecast(ports, &ForecastRequest::default()).await;
                Ok(())
            });
            let _refused: Result<(), _> = made.await;
        }
    }

    /// The decision of every five minutes, and the one of each minute in which a run was admitted.
    pub(crate) async fn prewarms(self: Rc<Self>) {
        let mut minute = 0;
        loop {
            self.cloud.timeline.sleep(SWEEP_MS).await;
            minute += SWEEP_MS;
            let request = &match minute % LOOK_AHEAD_MS {
                0 => PrewarmRequest::default(),
                _ => PrewarmRequest::admitted(),
            };
            let (cloud, ports) = (&self.cloud, &self.prewarm);
            let decided = cloud.invoke(PREWARM, |_| async move {
                cloud.computes(STAGE_CPU_MS, PREWARM).await;
                let _decided: Result<_, StageError> = prewarm::prewarm(ports, request).await;
                Ok(())
            });
            let _refused: Result<(), _> = decided.await;
        }
    }

    /// A schedule's timer: its event comes within a minute of each scheduled time, and again when it was not taken.
    pub(crate) async fn timer(self: Rc<Self>, key: ScheduleKey) {
        let cloud = &self.cloud;
        let mut after = cloud.timeline.now();
        loop {
            let item = block_on(cloud.world.schedule(&key));
            let schedule = item.ok().flatten().map(|item| Schedule::of(&item.timing));
            let Some(Ok(schedule)) = schedule else {
                return;
            };
            let Some(at) = schedule.next_after(after) else {
                return;
            };
            let late_ms = cloud.lock().timers.below(TIMER_WITHIN_MS);
            cloud.timeline.sleep_until(at.plus(late_ms)).await;
            self.fires(&key, &rfc3339(at)).await;
            after = at;
        }
    }

    async fn fires(&self, key: &ScheduleKey, time: &str) {
        let (cloud, ports) = (&self.cloud, &self.submit);
        for _ in 0..=EVENT_RETRIES {
            let fired = cloud.invoke(SUBMIT, |_| async move {
                cloud.computes(STAGE_CPU_MS, SUBMIT).await;
                Ok(submit::fire(ports, key, Some(time)).await)
            });
            if matches!(fired.await, Ok(Ok(_))) {
                return;
            }
        }
    }
}

pub(super) fn forecast_ports(cloud: &Arc<Cloud>) -> forecast::Ports {
    forecast::Ports {
        metrics: cloud.clone(),
        runs: cloud.clone(),
        frontier: cloud.clone(),
        schedules: cloud.clone(),
        blobs: cloud.clone(),
        forecasts: cloud.clone(),
        limits: cloud.clone(),
        wiring: cloud.clone(),
        clock: cloud.clone(),
    }
}

pub(super) fn prewarm_ports(cloud: &Arc<Cloud>) -> prewarm::Ports {
    prewarm::Ports {
        runs: cloud.clone(),
        frontier: cloud.clone(),
        schedules: cloud.clone(),
        blobs: cloud.clone(),
        lists: cloud.clone(),
        forecasts: cloud.clone(),
        records: cloud.clone(),
        metrics: cloud.clone(),
        limits: cloud.clone(),
        warm: cloud.clone(),
        wiring: cloud.clone(),
        clock: cloud.clone(),
    }
}
