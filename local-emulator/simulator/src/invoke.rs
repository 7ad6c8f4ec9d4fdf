//! An invocation from the outside: refused, begun cold or warm, ended in time or not, and charged whatever became of it.

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;

use foreshard_model::message::CaughtError;
use foreshard_model::units::TimeMs;

use crate::cloud::{Cloud, Service, Services};
use crate::lambda::{Refused, Start};
use crate::metrics::Ended;
use crate::parameters::{INVOKE_MS, LOG_BYTES, PLAIN_LOG_BYTES};
use crate::trouble::{Met, Refusal};

/// Scratch disk that is free, in MiB. Source: AWS Lambda pricing.
const FREE_DISK_MIB: u32 = 512;

/// Why an invocation has no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Unanswered {
    /// It was refused before it began.
    Throttled(Refused),
    /// The service failed before it began.
    Service,
    /// The function's time was up.
    TimedOut {
        /// The function's limit, in milliseconds.
        limit_ms: u64,
    },
    /// The process died: signal or status, as Lambda says it.
    Died(String),
}

impl Unanswered {
    /// As Step Functions hands it on.
    pub(crate) fn caught(&self) -> CaughtError {
        let (error, cause) = match self {
            Self::Throttled(_) => (
                "Lambda.TooManyRequestsException",
                "Rate Exceeded.".to_owned(),
            ),
            Self::Service => ("Lambda.ServiceException", "Service unavailable".to_owned()),
            Self::TimedOut { limit_ms } => {
                let seconds = *limit_ms as f64 / 1_000.0;
                (
                    "Sandbox.Timedout",
                    format!("Task timed out after {seconds:.2} seconds"),
                )
            }
            Self::Died(how) => (
                "Runtime.ExitError",
                format!("Runtime exited with error: {how}"),
            ),
        };
        CaughtError {
            error: error.to_owned(),
            cause,
        }
    }
}

/// An invocation under way: charged and released when it is dropped.
struct Running<'a> {
    cloud: &'a Cloud,
    function: &'a str,
    start: Start,
    begun: TimeMs,
    died: bool,
    /// Whether it found all provisioned environments busy.
    spilled: bool,
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        let now = self.cloud.timeline.now();
        let mut services = self.cloud.lock();
        let services = &mut *services;
        services
            .lambda
            .end(self.function, self.start, now, self.died);
        let ended = Ended {
            function: self.function,
            begun: self.begun,
            took_ms: now.since(self.begun),
            failed: self.died,
            provisioned: self.start == Start::Provisioned,
            spilled: self.spilled,
        };
        services.metrics.ended(&ended, now);
        services.measures(self.function, now);
        let Some(shape) = services.lambda.shape(self.function) else {
            return;
        };
        let init_ms = match self.start {
            Start::Cold { init_ms, .. } => init_ms,
            Start::Warm | Start::Provisioned => 0,
        };
        // Billed by the millisecond, at least one (AWS Lambda pricing).
        let seconds = (now.since(self.begun) + init_ms).max(1) as f64 / 1_000.0;
        let gb_s = f64::from(shape.memory.0) / 1_024.0 * seconds;
        let disk = f64::from(shape.disk.0.saturating_sub(FREE_DISK_MIB)) / 1_024.0 * seconds;
        let usage = &mut services.usage;
        usage.disk_gb_s += disk;
        if self.start == Start::Provisioned {
            usage.provisioned_gb_s += gb_s;
            return;
        }
        let key = (shape.region.clone(), shape.architecture);
        *usage.gb_s.entry(key).or_default() += gb_s;
        if shape.works {
            usage.work_gb_s += gb_s;
        }
    }
}

/// What an invocation knows of itself.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Context {
    /// Whether the environment is new.
    pub(crate) cold: bool,
    /// How many times longer its tasks take than they should.
    pub(crate) slower: f64,
}

impl Services {
    /// What of a function is in use, for whoever measures it.
    fn measures(&mut self, function: &str, now: TimeMs) {
        let all = self.lambda.in_flight();
        if let Some((own, provisioned)) = self.lambda.running(function) {
            self.metrics.running(function, own, all, now);
            if provisioned.ready(now) > 0 {
                let share = provisioned.utilization(now);
                self.metrics.utilized(function, share, now);
            }
        }
    }
}

impl Cloud {
    /// Invokes a function whose handler is `work`; gives what it answers, if it does.
    pub(crate) async fn invoke<T, F>(
        self: &Arc<Self>,
        function: &str,
        work: impl FnOnce(Context) -> F,
    ) -> Result<T, Unanswered>
    where
        F: Future<Output = Result<T, String>>,
    {
        self.takes(Service::Functions, INVOKE_MS).await;
        let met = self.meets(function)?;
        let (start, limit_ms, spilled) = self.begin(function)?;
        let mut running = Running {
            cloud: self,
            function,
            start,
            begun: self.timeline.now(),
            died: false,
            spilled,
        };
        if let Start::Cold { placed_ms, init_ms } = start {
            self.timeline.sleep(placed_ms + init_ms).await;
            running.begun = self.timeline.now();
        }
        let context = Context {
            cold: matches!(start, Start::Cold { .. }),
            slower: met.slower.max(1.0),
        };
        let lost_ms = met.lost_after_ms.unwrap_or(u64::MAX);
        let ended = match met.fails {
            true => Some(Err("exit status 1".to_owned())),
            false => {
                let end_ms = limit_ms.min(lost_ms);
                self.timeline
                    .within(end_ms, self.process(work(context)))
                    .await
            }
        };
        running.died = !matches!(ended, Some(Ok(_)));
        match ended {
            None if lost_ms < limit_ms => Err(Unanswered::Died("exit status 1".to_owned())),
            None => Err(Unanswered::TimedOut { limit_ms }),
            Some(Err(how)) => Err(Unanswered::Died(how)),
            Some(Ok(answer)) => Ok(answer),
        }
    }

    /// A handler in a process of its own: what breaks at a write breaks it alone. It is in a box, so that whoever waits for
    /// something else does not carry it along.
    fn process<'a, T, F>(&'a self, work: F) -> Pin<Box<dyn Future<Output = Result<T, String>> + 'a>>
    where
        F: Future<Output = Result<T, String>> + 'a,
    {
        if !self.faulty {
            return Box::pin(work);
        }
        let id = {
            let mut services = self.lock();
            services.processes += 1;
            services.processes
        };
        Box::pin(async move {
            let mut work = pin!(work);
            std::future::poll_fn(|context| {
                self.world.faults(|faults| faults.enter(id));
                let polled = work.as_mut().poll(context);
                let died = self.world.faults(|faults| {
                    faults.enter(0);
                    faults.is_dead(id)
                });
                match died {
                    true => Poll::Ready(Err("exit status 101".to_owned())),
                    false => polled,
                }
            })
            .await
        })
    }

    /// The trouble that an invocation of a target meets; control functions meet none.
    fn meets(&self, function: &str) -> Result<Met, Unanswered> {
        let now = self.timeline.now();
        let mut services = self.lock();
        let services = &mut *services;
        let shape = services.lambda.shape(function).filter(|shape| shape.works);
        let met = shape.map_or_else(Met::default, |shape| {
            services.troubles.met(shape.memory, now)
        });
        match met.refused {
            None => Ok(met),
            Some(Refusal::Throttled) => {
                services.usage.throttles.lambda += 1;
                services.metrics.throttled(function, now);
                Err(Unanswered::Throttled(Refused::Concurrency))
            }
            Some(Refusal::Service) => Err(Unanswered::Service),
        }
    }

    /// How it begins, its longest time, and whether it found all provisioned environments busy.
    fn begin(&self, function: &str) -> Result<(Start, u64, bool), Unanswered> {
        let now = self.timeline.now();
        let mut services = self.lock();
        let services = &mut *services;
        let start = services.lambda.begin(function, now).map_err(|refused| {
            services.usage.throttles.lambda += 1;
            services.metrics.throttled(function, now);
            Unanswered::Throttled(refused)
        })?;
        services.measures(function, now);
        let running = services.lambda.running(function);
        let ready = running.map_or(0, |(_, provisioned)| provisioned.ready(now));
        let spilled = ready > 0 && start != Start::Provisioned;
        let (limit_ms, works) = services
            .lambda
            .shape(function)
            .map_or((0, false), |shape| (shape.limit_ms, shape.works));
        let plain = works && function.starts_with(crate::plain::PREFIX);
        let usage = &mut services.usage;
        usage.invocations += 1;
        let cold = matches!(start, Start::Cold { .. });
        usage.cold_starts += u64::from(cold);
        usage.work_cold_starts += u64::from(cold && works);
        usage.concurrency = usage.concurrency.max(services.lambda.in_flight());
        usage.log_bytes += if plain { PLAIN_LOG_BYTES } else { LOG_BYTES };
        Ok((start, limit_ms, spilled))
    }

    /// Lets the time pass that so much processor time takes in a function of this size.
    pub(crate) async fn computes(&self, cpu_ms: f64, function: &str) {
        let share = {
            let services = self.lock();
            let shape = services.lambda.shape(function);
            shape.map_or(1.0, |shape| {
                f64::from(shape.memory.0) / f64::from(foreshard_model::limits::MIB_PER_VCPU)
            })
        };
        // One thread: more than one vCPU does not make it faster.
        let ms = cpu_ms / share.min(1.0);
        self.timeline.sleep(ms.ceil() as u64).await;
    }
}
