//! A whole run in virtual time: submitted to the production control plane, or as plain states; what it took and what it cost.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use foreshard_fakes::{block_on, build};
use foreshard_model::api::{SubmitAnswer, SubmitRequest};
use foreshard_model::ids::{Round, RunId, Sha256Hex};
use foreshard_model::ledger::{Event, EventKind};
use foreshard_model::plan::Plan;
use foreshard_model::policy::RunOptions;
use foreshard_model::price::Interval;
use foreshard_model::run::RunItem;
use foreshard_model::target::Pool;
use foreshard_model::units::{Mib, TimeMs, Usd};
use foreshard_model::workflow::Workflow;
use foreshard_stages::ports::ExecutionReads as _;
use foreshard_stages::submit::{self, ApiRequest, Identity};
use serde::Serialize;
use thiserror::Error;

use crate::account::Account;
use crate::cloud::Cloud;
use crate::executor::{Executor, Stopped};
use crate::machine::{Machine, SUBMIT};
use crate::meter::{Throttles, Usage};
use crate::parameters::{LONGEST_MS, PROVISION_BILLED_MS, STAGE_CPU_MS};
use crate::plain::{self, Arrangement};
use crate::timeline::Timeline;
use crate::trouble::{Struck, Trouble};
use crate::worker::{Reality, Worker};

/// Who submits: any account will do.
const TENANT: &str = "123456789012";

/// What is simulated.
#[derive(Debug, Clone)]
pub struct Scenario {
    /// The workflow's document, gzipped or not.
    pub document: Vec<u8>,
    /// Folders of the bundles that it names; their content is not run.
    pub bundles: Vec<String>,
    /// What the run asks for.
    pub options: RunOptions,
    /// The targets.
    pub pool: Pool,
    /// The quotas.
    pub account: Account,
    /// Whether execute is deployed as a container image instead of a zip: it starts slower.
    pub image: bool,
    /// Environments that are provisioned before the run, by memory tier.
    pub provisioned: Vec<(Mib, u32)>,
    /// The same seed gives the same run.
    pub seed: u64,
    /// What goes wrong with its targets.
    pub trouble: Trouble,
    /// Factor on what every task takes, over its estimate.
    pub slower: f64,
    /// Factor on what memory every task takes, over its estimate.
    pub larger: f64,
}

impl Scenario {
    /// A document in an account with default quotas, its estimates right.
    #[must_use]
    pub fn of(document: Vec<u8>, region: &str) -> Self {
        Self {
            document,
            bundles: Vec::new(),
            options: RunOptions::default(),
            pool: Pool::default_on_aws(region),
            account: Account::in_region(region),
            image: false,
            provisioned: Vec::new(),
            seed: 0,
            trouble: Trouble::default(),
            slower: 1.0,
            larger: 1.0,
        }
    }

    pub(crate) fn reality(&self) -> Reality {
        Reality {
            seed: self.seed,
            slower: self.slower,
            larger: self.larger,
        }
    }
}

/// Why a simulation has no result.
#[derive(Debug, Error)]
pub enum Failed {
    /// The control plane refused the document.
    #[error("refused: {0}")]
    Refused(String),
    /// The function that accepts runs did not answer.
    #[error("the submission was not answered: {0}")]
    NotAnswered(String),
    /// Lambda does not provision what was asked for.
    #[error(
        "{1} environments of {0} cannot be provisioned: there is no such tier, or less than 100 of the quota would be left"
    )]
    NotProvisioned(Mib, u32),
    /// Nothing more happens, and the run has not ended.
    #[error("the run is stuck in state `{0}`")]
    Stuck(String),
}

/// One attempt of a shard, or one plain task, for a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stretch {
    /// The lane; of a plain task, its place in the document.
    pub lane: u32,
    /// The shard, or the task's place.
    pub shard: u32,
    /// Begin, in milliseconds after the run's.
    pub from_ms: u64,
    /// End.
    pub to_ms: u64,
    /// Whether it was repeated or failed.
    pub failed: bool,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Simulated {
    /// `succeeded`, `failed`, …
    pub status: String,
    /// Why, where it did not succeed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
    /// From the submission to the end, in seconds.
    pub makespan_s: f64,
    /// Everything together, in dollars.
    pub cost_usd: f64,
    /// Of it, all but the gigabyte-seconds of users' work.
    pub orchestration_usd: f64,
    /// State transitions.
    pub transitions: u64,
    /// Invocations that waited for a new environment.
    pub cold_starts: u64,
    /// Calls that were refused or held back.
    pub throttles: u64,
    /// The same by service.
    pub throttled: Throttles,
    /// Dollars by service.
    pub by_service: BTreeMap<&'static str, Usd>,
    /// Tasks.
    pub tasks: u32,
    /// Shards with tasks; of plain states, the states with a task.
    pub shards: u32,
    /// Lanes; 0 of plain states.
    pub lanes: u32,
    /// Executions of the control plane's state machine that follow each other, or nested ones of plain states.
    pub rounds: u32,
    /// Attempts of shards or tasks.
    pub attempts: u32,
    /// What the plan expected, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected_s: Option<Interval>,
    /// What the plan expected, in dollars.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected_usd: Option<Interval>,
    /// With every arrow of the DAG, which no definition has: each task starts when its inputs are there, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub with_arrows_s: Option<f64>,
    /// How often each kind of trouble that was asked for has struck.
    #[serde(skip_serializing_if = "is_empty")]
    pub struck: Struck,
    /// What was used.
    pub usage: Usage,
    /// What ran when.
    #[serde(skip)]
    pub stretches: Vec<Stretch>,
}

impl Simulated {
    /// Whether it took what its plan expected, submission and planning included.
    #[must_use]
    pub fn is_within_time(&self) -> bool {
        let within = |of: Interval| (of.low..=of.high).contains(&self.makespan_s);
        self.expected_s.is_some_and(within)
    }

    /// Whether it cost what its plan expected.
    #[must_use]
    pub fn is_within_cost(&self) -> bool {
        let within = |of: Interval| (of.low..=of.high).contains(&self.cost_usd);
        self.expected_usd.is_some_and(within)
    }
}

fn is_empty(struck: &Struck) -> bool {
    struck.0.is_empty()
}

/// Everything that a simulation runs on.
pub(crate) struct Stage {
    pub(crate) cloud: Arc<Cloud>,
    pub(crate) executor: Executor,
}

impl Stage {
    pub(crate) fn new(scenario: &Scenario) -> Self {
        let timeline = Timeline::new(build::START);
        Self {
            cloud: Arc::new(Cloud::new(
                scenario.account.clone(),
                scenario.trouble.clone(),
                scenario.seed,
                &timeline,
            )),
            executor: Executor::new(&timeline),
        }
    }
}

/// Runs a document through the production control plane.
///
/// # Errors
/// When the document is refused, and when the run can neither go on nor end.
pub fn ours(scenario: &Scenario) -> Result<Simulated, Failed> {
    let Stage {
        cloud,
        mut executor,
    } = Stage::new(scenario);
    let worker = Worker::new(&cloud, scenario.reality());
    let machine = Machine::deployed(&cloud, scenario, executor.spawner(), worker);
    provision(scenario, &cloud)?;
    let submission = executor
        .spawner()
        .spawn(submitted(Rc::clone(&machine), request(scenario, &cloud)));
    let accepted: Rc<std::cell::RefCell<Option<Result<RunId, Failed>>>> = Rc::default();
    let theirs = Rc::clone(&accepted);
    drop(executor.spawner().spawn(async move {
        let answer = submission.await;
        *theirs.borrow_mut() = Some(answer);
    }));
    drop(executor.spawner().spawn(Rc::clone(&machine).sweeps()));
    let open = |run: &RunId, round: Round| {
        matches!(block_on(cloud.world.is_open(run, round)), Ok(Some(true)))
    };
    let stopped = executor.run(build::START.plus(LONGEST_MS), || {
        machine.begin_started();
        match &*accepted.borrow() {
            None => false,
            Some(Err(_)) => true,
            Some(Ok(run)) => machine.has_ended(run, open),
        }
    });
    let run = match accepted.take() {
        Some(answer) => answer?,
        None => return Err(Failed::NotAnswered("nothing happens".to_owned())),
    };
    let item = cloud.world.run_item(&run).unwrap_or_default();
    if stopped != Stopped::Finished {
        return Err(Failed::Stuck(item.state.as_str().to_owned()));
    }
    Ok(result(&cloud, &item))
}

/// Runs a workflow as plain states of Step Functions: a Task state for each task, a Parallel state for each level.
#[must_use]
pub fn plain(scenario: &Scenario, workflow: &Workflow) -> Simulated {
    let mut simulated = plain::simulate(scenario, workflow, Arrangement::Levels);
    let arrows = plain::simulate(scenario, workflow, Arrangement::Arrows);
    simulated.with_arrows_s = Some(arrows.makespan_s);
    simulated
}

/// Runs a workflow as one plain execution without a thought of its limits: results passed on, repeats as they are proposed.
#[must_use]
pub fn naive(scenario: &Scenario, workflow: &Workflow) -> Simulated {
    plain::simulate(scenario, workflow, Arrangement::Naive)
}

/// Provisions what the scenario has, in time for all of it to be there.
fn provision(scenario: &Scenario, cloud: &Cloud) -> Result<(), Failed> {
    /// Two preparations: one may be followed by the other.
    const BEFORE_MS: u64 = 600_000;
    for (memory, count) in &scenario.provisioned {
        let refused = || Failed::NotProvisioned(*memory, *count);
        let target = scenario.pool.of_tier(*memory).ok_or_else(refused)?;
        let at = TimeMs(build::START.0 - BEFORE_MS);
        let set = cloud.lock().lambda.provision(&target.id.0, *count, at);
        set.map_err(|_| refused())?;
    }
    Ok(())
}

/// Gigabyte-seconds of what is provisioned over a stretch that is billed in whole five minutes.
fn waiting_gb_s(cloud: &Cloud, took_ms: u64) -> f64 {
    let billed_ms = took_ms.max(1).div_ceil(PROVISION_BILLED_MS) * PROVISION_BILLED_MS;
    let services = cloud.lock();
    let gb = services
        .lambda
        .provisioned()
        .map(|(shape, count)| f64::from(shape.memory.0) / 1_024.0 * f64::from(count));
    gb.sum::<f64>() * billed_ms as f64 / 1_000.0
}

/// The submission, its document uploaded.
fn request(scenario: &Scenario, cloud: &Cloud) -> ApiRequest {
    let digest = Sha256Hex::of(&scenario.document);
    let key = format!("uploads/{TENANT}/{digest}");
    cloud.world.put_blob(&key, scenario.document.clone());
    let bundle = Sha256Hex::of(b"bundle");
    if !scenario.bundles.is_empty() {
        let key = format!("bundles/{TENANT}/{bundle}");
        cloud.world.put_blob(&key, b"bundle".to_vec());
    }
    let bundles = scenario.bundles.iter();
    let wanted = SubmitRequest {
        upload: Some(digest.to_string()),
        options: scenario.options.clone(),
        bundles: bundles
            .map(|folder| (folder.clone(), bundle.clone()))
            .collect(),
        ..SubmitRequest::default()
    };
    ApiRequest {
        method: "POST".to_owned(),
        path: "/runs".to_owned(),
        body: serde_json::to_vec(&wanted).unwrap_or_default(),
        identity: Some(Identity {
            account: TENANT.to_owned(),
            principal: format!("arn:aws:iam::{TENANT}:user/simulated"),
        }),
        request_id: "simulated".to_owned(),
        ..ApiRequest::default()
    }
}

async fn submitted(machine: Rc<Machine>, request: ApiRequest) -> Result<RunId, Failed> {
    let cloud = &machine.cloud;
    let (ports, request) = (&machine.submit, &request);
    let invoked = cloud.invoke(SUBMIT, |_| async move {
        cloud.computes(STAGE_CPU_MS, SUBMIT).await;
        Ok(submit::answer(ports, request).await)
    });
    let answer = invoked
        .await
        .map_err(|unanswered| Failed::NotAnswered(unanswered.caught().error))?;
    let body = || String::from_utf8_lossy(&answer.body).into_owned();
    if answer.status >= 300 {
        return Err(Failed::Refused(body()));
    }
    let answer: SubmitAnswer =
        serde_json::from_slice(&answer.body).map_err(|_| Failed::NotAnswered(body()))?;
    Ok(answer.run)
}

fn result(cloud: &Cloud, item: &RunItem) -> Simulated {
    let mut usage = cloud.lock().usage.clone();
    let summary = item.summary.unwrap_or_default();
    let begun = build::START;
    let ended = item.ended_at.unwrap_or_else(|| cloud.timeline.now());
    usage.waiting_gb_s = waiting_gb_s(cloud, ended.since(begun));
    let planned = item.plan.as_ref();
    let plan: Option<Plan> = planned
        .and_then(|pointer| cloud.world.blob(&pointer.plan.key))
        .and_then(|bytes| serde_json::from_slice(&bytes).ok());
    Simulated {
        cause: item
            .cause
            .as_ref()
            .map(|cause| format!("{}: {}", cause.cause.as_str(), cause.message)),
        tasks: summary.tasks,
        shards: summary.shards,
        lanes: summary.lanes,
        rounds: summary.rounds,
        attempts: summary.attempts,
        expected_s: plan.as_ref().map(|plan| plan.price.makespan_s),
        expected_usd: plan.as_ref().map(|plan| plan.price.total_usd),
        struck: cloud.lock().troubles.struck.clone(),
        stretches: stretches(&cloud.world.ledger(&item.run), begun),
        ..billed(
            usage,
            &cloud.account.region,
            item.state.as_str(),
            ended.since(begun),
        )
    }
}

/// A result with what the meter says.
pub(crate) fn billed(usage: Usage, region: &str, status: &str, took_ms: u64) -> Simulated {
    let by_service = usage.bill(region);
    let cost: Usd = by_service.values().copied().sum();
    Simulated {
        status: status.to_owned(),
        cause: None,
        makespan_s: took_ms as f64 / 1_000.0,
        cost_usd: cost.0,
        orchestration_usd: (cost - usage.work_usd(region)).0,
        transitions: usage.transitions,
        cold_starts: usage.cold_starts,
        throttles: usage.throttles.total(),
        throttled: usage.throttles,
        by_service,
        tasks: 0,
        shards: 0,
        lanes: 0,
        rounds: 0,
        attempts: 0,
        expected_s: None,
        expected_usd: None,
        with_arrows_s: None,
        struck: Struck::default(),
        usage,
        stretches: Vec::new(),
    }
}

/// What the ledger says of attempts.
fn stretches(events: &[Event], begun: TimeMs) -> Vec<Stretch> {
    let mut open: BTreeMap<(u32, u32), (u32, TimeMs)> = BTreeMap::new();
    let mut stretches = Vec::new();
    for event in events {
        let (Some(shard), Some(attempt)) = (event.shard, event.attempt) else {
            continue;
        };
        let key = (shard.0, attempt.0);
        match event.kind {
            EventKind::Claimed => {
                open.insert(key, (event.lane.unwrap_or_default().0, event.at));
            }
            EventKind::Settled | EventKind::Yielded | EventKind::Retried | EventKind::Failed => {
                if let Some((lane, from)) = open.remove(&key) {
                    stretches.push(Stretch {
                        lane,
                        shard: shard.0,
                        from_ms: from.since(begun),
                        to_ms: event.at.max(from).since(begun),
                        failed: matches!(event.kind, EventKind::Retried | EventKind::Failed),
                    });
                }
            }
            _ => {}
        }
    }
    stretches
}
