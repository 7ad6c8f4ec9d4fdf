//! A whole run in virtual time: submitted to the production control plane, or as plain states; what it took and what it cost.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use foreshard_engine::price::Definition;
use foreshard_fakes::{block_on, build};
use foreshard_model::ids::{Round, RunId};
use foreshard_model::plan::Plan;
use foreshard_model::run::{RunItem, RunState};
use foreshard_model::units::TimeMs;
use foreshard_model::workflow::Workflow;
use foreshard_stages::ports::ExecutionReads as _;

use crate::cloud::Cloud;
use crate::executor::{Executor, Stopped};
use crate::machine::{Begun, Machine};
use crate::parameters::LONGEST_MS;
use crate::plain::{self, Arrangement};
use crate::result::{EachRun, Simulated, billed, stretches};
use crate::scenario::{Failed, Scenario};
use crate::submission;
use crate::timeline::Timeline;
use crate::worker::Worker;

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
/// When the document is refused, and when a run can neither go on nor end.
pub fn ours(scenario: &Scenario) -> Result<Simulated, Failed> {
    let Stage {
        cloud,
        mut executor,
    } = Stage::new(scenario);
    let worker = Worker::new(&cloud, scenario.reality());
    let machine = Machine::deployed(&cloud, scenario, executor.spawner(), worker);
    provision(scenario, &cloud)?;
    submission::policy(scenario, &cloud);
    let accepted: Rc<RefCell<Option<Result<(), Failed>>>> = Rc::default();
    let (theirs, submitter) = (Rc::clone(&accepted), Rc::clone(&machine));
    let requests = submission::Requests::of(scenario, &cloud)?;
    drop(executor.spawner().spawn(async move {
        let answer = submission::submitted(submitter, requests).await;
        *theirs.borrow_mut() = Some(answer);
    }));
    drop(executor.spawner().spawn(Rc::clone(&machine).sweeps()));
    if scenario.recurring.is_some() || scenario.prewarm.is_some() {
        let spawner = executor.spawner();
        drop(spawner.spawn(Rc::clone(&machine).sweeps_schedules()));
        drop(spawner.spawn(Rc::clone(&machine).forecasts()));
        drop(spawner.spawn(Rc::clone(&machine).prewarms()));
    }
    let open = |run: &RunId, round: Round| {
        matches!(block_on(cloud.world.is_open(run, round)), Ok(Some(true)))
    };
    let runs = scenario.runs();
    let stopped = executor.run(build::START.plus(LONGEST_MS), || {
        machine.begin_started();
        match &*accepted.borrow() {
            None => false,
            Some(Err(_)) => true,
            Some(Ok(())) => {
                let begun = machine.begun();
                let mut wanted = begun.iter().take(runs);
                begun.len() >= runs && wanted.all(|begun| machine.has_ended(&begun.run, open))
            }
        }
    });
    match accepted.take() {
        Some(answer) => answer?,
        None => return Err(Failed::NotAnswered("nothing happens".to_owned())),
    }
    let begun: Vec<Begun> = machine.begun().iter().take(runs).cloned().collect();
    let item = |begun: &Begun| cloud.world.run_item(&begun.run).unwrap_or_default();
    let items: Vec<RunItem> = begun.iter().map(item).collect();
    if stopped != Stopped::Finished {
        let stuck = items.iter().find(|item| !item.state.is_terminal());
        let state = stuck.map_or("not begun", |item| item.state.as_str());
        return Err(Failed::Stuck(state.to_owned()));
    }
    Ok(result(scenario, &cloud, &begun, &items))
}

/// Runs a workflow as plain states of Step Functions: a Task state for each task, a Parallel state for each level.
///
/// # Errors
/// When its schedule is none.
pub fn plain(scenario: &Scenario, workflow: &Workflow) -> Result<Simulated, Failed> {
    let mut simulated = plain::simulate(scenario, workflow, Arrangement::Levels)?;
    let arrows = plain::simulate(scenario, workflow, Arrangement::Arrows)?;
    simulated.with_arrows_s = Some(arrows.makespan_s);
    Ok(simulated)
}

/// The same with provisioned concurrency for each of its functions, which target tracking of AWS changes.
///
/// # Errors
/// When its schedule is none.
pub fn tracked(scenario: &Scenario, workflow: &Workflow) -> Result<Simulated, Failed> {
    plain::simulate(scenario, workflow, Arrangement::Tracked)
}

/// The definition of the plain states that [`plain`] runs.
#[must_use]
pub fn definition(scenario: &Scenario, workflow: &Workflow) -> Definition {
    plain::written(scenario, workflow)
}

/// Runs a workflow as one plain execution without a thought of its limits: results passed on, repeats as they are proposed.
///
/// # Errors
/// When its schedule is none.
pub fn naive(scenario: &Scenario, workflow: &Workflow) -> Result<Simulated, Failed> {
    plain::simulate(scenario, workflow, Arrangement::Naive)
}

/// The same with each level of tasks as one inline Map.
///
/// # Errors
/// When its schedule is none.
pub fn mapped(scenario: &Scenario, workflow: &Workflow) -> Result<Simulated, Failed> {
    plain::simulate(scenario, workflow, Arrangement::Mapped)
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
    cloud.lock().lambda.pay_from(build::START);
    Ok(())
}

/// The figures of all runs together; duration and expectations are those of the last one, or of all that were submitted at once.
fn result(scenario: &Scenario, cloud: &Cloud, begun: &[Begun], items: &[RunItem]) -> Simulated {
    let now = cloud.timeline.now();
    let ended = |item: &RunItem| item.ended_at.unwrap_or(now);
    let last = items.last().cloned().unwrap_or_default();
    let all_ended = items.iter().map(ended).max().unwrap_or(now);
    let usage = cloud.used(all_ended);
    let failed = items.iter().find(|item| item.state != RunState::Succeeded);
    let shown = failed.unwrap_or(&last);
    let took_ms = match scenario.recurring {
        Some(_) => ended(&last).since(last.accepted_at),
        None => all_ended.since(build::START),
    };
    let planned = last.plan.as_ref();
    let plan: Option<Plan> = planned
        .and_then(|pointer| cloud.world.blob(&pointer.plan.key))
        .and_then(|bytes| serde_json::from_slice(&bytes).ok());
    let sum = |of: fn(&RunItem) -> u32| items.iter().map(of).sum();
    let runs = items.iter().map(|item| {
        let status = item.state.as_str().to_owned();
        (item.accepted_at, ended(item), status)
    });
    let used = begun.iter().map(|begun| begun.usage.clone()).collect();
    let region = &cloud.account.region;
    Simulated {
        cause: shown
            .cause
            .as_ref()
            .map(|cause| format!("{}: {}", cause.cause.as_str(), cause.message)),
        tasks: sum(|item| item.summary.map_or(0, |summary| summary.tasks)),
        shards: sum(|item| item.summary.map_or(0, |summary| summary.shards)),
        lanes: sum(|item| item.plan.as_ref().map_or(0, |plan| plan.lanes)),
        rounds: sum(|item| item.summary.map_or(0, |summary| summary.rounds)),
        attempts: sum(|item| item.summary.map_or(0, |summary| summary.attempts)),
        expected_s: plan.as_ref().map(|plan| plan.price.makespan_s),
        expected_usd: plan.as_ref().map(|plan| plan.price.total_usd),
        struck: cloud.struck(),
        runs: match scenario.recurring {
            Some(_) => EachRun::of(runs.collect(), used, &usage, region),
            None => Vec::new(),
        },
        stretches: stretches(&cloud.world.ledger(&last.run), build::START),
        ..billed(usage, region, shown.state.as_str(), took_ms)
    }
}
