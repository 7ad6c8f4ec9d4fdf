//! The deployed control plane: its functions, its state machine and the rule of each minute, around the production stages.

mod lane;
mod round;
mod rules;

use std::cell::{Ref, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use foreshard_model::ids::{Round, RunId};
use foreshard_model::message::CaughtError;
use foreshard_model::policy::StartRate;
use foreshard_model::target::{Architecture, Target};
use foreshard_model::units::Mib;
use foreshard_stages::{StageError, aggregate, dispatch, forecast, plan, prewarm, reshard, submit};

use crate::cloud::Cloud;
use crate::executor::Spawner;
use crate::lambda::Shape;
use crate::meter::Usage;
use crate::parameters::Package;
use crate::scenario::Scenario;
use crate::worker::Worker;

pub(crate) use round::execution;

/// Names of the control functions.
pub(crate) const SUBMIT: &str = "submit";
const PLAN: &str = "plan";
const DISPATCH: &str = "dispatch";
const AGGREGATE: &str = "aggregate";
const RESHARD: &str = "reshard";
const FORECAST: &str = "forecast";
const PREWARM: &str = "prewarm";

/// Memory in MiB and longest invocation in seconds of each. Source: `CONTROL_FUNCTIONS` of the deployment.
const CONTROL: [(&str, u32, u64); 7] = [
    (SUBMIT, 512, 29),
    (PLAN, 3_008, 900),
    (DISPATCH, 512, 30),
    (AGGREGATE, 1_024, 300),
    (RESHARD, 1_024, 300),
    (FORECAST, 1_024, 240),
    (PREWARM, 512, 120),
];

/// Words after which a control state is repeated. Source: `RETRIED_ERRORS` of the deployment.
const RETRIED: [&str; 7] = [
    "Conflict",
    "Unavailable",
    "Lambda.ServiceException",
    "Lambda.TooManyRequestsException",
    "Sandbox.Timedout",
    "States.Timeout",
    "Runtime.ExitError",
];

/// The first wait before a repeat and the longest, in milliseconds; each is twice the one before, with full jitter. Source:
/// the definition of the state machine.
const RETRY_MS: u64 = 1_000;
/// See [`RETRY_MS`].
const RETRY_MAX_MS: u64 = 30_000;

/// What the parts of the control plane share.
pub(crate) struct Machine {
    pub(crate) cloud: Arc<Cloud>,
    pub(crate) spawner: Spawner,
    worker: Worker,
    targets: BTreeMap<String, Target>,
    pub(crate) submit: submit::Ports,
    plan: plan::Ports,
    dispatch: dispatch::Ports,
    aggregate: aggregate::Ports,
    reshard: reshard::Ports,
    forecast: forecast::Ports,
    prewarm: prewarm::Ports,
    begun: RefCell<Vec<Begun>>,
}

/// A run that was started, and what had been used by then.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Begun {
    pub(crate) run: RunId,
    pub(crate) usage: Usage,
}

impl Machine {
    /// Deploys the functions and wires the stages.
    pub(crate) fn deployed(
        cloud: &Arc<Cloud>,
        scenario: &Scenario,
        spawner: Spawner,
        worker: Worker,
    ) -> Rc<Self> {
        let pool = &scenario.pool;
        cloud.world.set_pool(pool.clone());
        for (name, memory, seconds) in CONTROL {
            let shape = Shape {
                memory: Mib(memory),
                disk: Mib(0),
                architecture: Architecture::Arm64,
                package: Package::Zip,
                region: cloud.account.region.clone(),
                limit_ms: seconds * 1_000,
                works: false,
            };
            cloud.lock().lambda.deploy(name, shape);
        }
        for target in &pool.targets {
            let shape = Shape {
                memory: target.memory,
                disk: target.disk(),
                architecture: target.architecture,
                package: if scenario.image {
                    Package::Image
                } else {
                    Package::Zip
                },
                region: target.region.clone(),
                limit_ms: target.limit_ms,
                works: true,
            };
            cloud.lock().lambda.deploy(&target.id.0, shape);
        }
        let targets = pool.targets.iter().map(|t| (t.id.0.clone(), t.clone()));
        let dispatch = dispatch_ports(cloud);
        Rc::new(Self {
            spawner,
            worker,
            targets: targets.collect(),
            submit: submit_ports(cloud),
            plan: plan_ports(cloud),
            aggregate: aggregate_ports(cloud),
            forecast: rules::forecast_ports(cloud),
            prewarm: rules::prewarm_ports(cloud),
            begun: RefCell::default(),
            reshard: reshard::Ports {
                dispatch: dispatch.clone(),
                forecasts: cloud.clone(),
                plans: cloud.clone(),
                run_writes: cloud.clone(),
                executions: cloud.clone(),
                execution_reads: cloud.clone(),
            },
            dispatch,
            cloud: Arc::clone(cloud),
        })
    }

    /// Begins the executions that were asked for.
    pub(crate) fn begin_started(self: &Rc<Self>) {
        for (run, round) in self.cloud.take_started() {
            if round == Round(0) {
                self.begun.borrow_mut().push(Begun {
                    run: run.clone(),
                    usage: self.cloud.used(self.cloud.timeline.now()),
                });
            }
            drop(self.spawner.spawn(execution(Rc::clone(self), run, round)));
        }
    }

    /// The runs that were started, the first at the beginning.
    pub(crate) fn begun(&self) -> Ref<'_, Vec<Begun>> {
        self.begun.borrow()
    }

    /// Whether the run has ended and none of its executions is open.
    pub(crate) fn has_ended(
        &self,
        run: &RunId,
        executions: impl Fn(&RunId, Round) -> bool,
    ) -> bool {
        let item = self.cloud.world.run_item(run);
        item.is_some_and(|item| item.state.is_terminal() && !executions(run, item.round))
    }
}

/// An error of a stage as Step Functions sees it.
fn caught(error: &StageError) -> CaughtError {
    CaughtError {
        error: error.word().to_owned(),
        cause: error.to_string(),
    }
}

fn is_retried(error: &CaughtError) -> bool {
    RETRIED.contains(&error.error.as_str())
}

/// The longest wait before a repeat.
fn retry_ms(attempt: u32) -> u64 {
    (RETRY_MS << attempt.min(5)).min(RETRY_MAX_MS)
}

fn submit_ports(cloud: &Arc<Cloud>) -> submit::Ports {
    submit::Ports {
        runs: cloud.clone(),
        run_writes: cloud.clone(),
        allowances: cloud.clone(),
        start_rate: StartRate::default(),
        frontier: cloud.clone(),
        frontier_writes: cloud.clone(),
        ledger: cloud.clone(),
        ledger_writes: cloud.clone(),
        blobs: cloud.clone(),
        blob_lists: cloud.clone(),
        blob_writes: cloud.clone(),
        presigns: cloud.clone(),
        executions: cloud.clone(),
        tokens: cloud.clone(),
        schedules: cloud.clone(),
        schedule_writes: cloud.clone(),
        timers: cloud.clone(),
        forecasts: cloud.clone(),
        wiring: cloud.clone(),
        clock: cloud.clone(),
    }
}

fn plan_ports(cloud: &Arc<Cloud>) -> plan::Ports {
    plan::Ports {
        runs: cloud.clone(),
        run_writes: cloud.clone(),
        frontier: cloud.clone(),
        blobs: cloud.clone(),
        blob_writes: cloud.clone(),
        ledger: cloud.clone(),
        profiles: cloud.world.clone(),
        forecasts: cloud.clone(),
        wiring: cloud.clone(),
        clock: cloud.clone(),
        scratch: std::env::temp_dir(),
    }
}

fn dispatch_ports(cloud: &Arc<Cloud>) -> dispatch::Ports {
    dispatch::Ports {
        runs: cloud.clone(),
        frontier: cloud.clone(),
        writes: cloud.clone(),
        ledger: cloud.clone(),
        blobs: cloud.clone(),
        trace: cloud.clone(),
        tokens: cloud.clone(),
        clock: cloud.clone(),
        topologies: Arc::default(),
    }
}

fn aggregate_ports(cloud: &Arc<Cloud>) -> aggregate::Ports {
    aggregate::Ports {
        runs: cloud.clone(),
        run_writes: cloud.clone(),
        frontier: cloud.clone(),
        blobs: cloud.clone(),
        blob_writes: cloud.clone(),
        ledger: cloud.clone(),
        profiles: cloud.world.clone(),
        profile_writes: cloud.world.clone(),
        executions: cloud.clone(),
        clock: cloud.clone(),
    }
}
