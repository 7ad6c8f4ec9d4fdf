//! One execution of the state machine: plan, the lanes, aggregate.

use std::rc::Rc;

use foreshard_model::ids::{LaneId, Round, RunId};
use foreshard_model::message::{AggregateRequest, CaughtError, PlanAnswer, PlanRequest};
use foreshard_model::plan::LaneMode;
use foreshard_stages::aggregate::aggregate;
use foreshard_stages::plan::plan;
use futures_util::stream::{FuturesUnordered, StreamExt as _};

use super::{AGGREGATE, Machine, PLAN, caught, is_retried, retry_ms};
use crate::parameters::{
    AGGREGATE_CPU_MS_PER_TASK, FLOW_STATE_MS, MAP_RUN_MS, PLAN_CPU_MS_PER_TASK, STAGE_CPU_MS,
    START_MS, TASK_STATE_MS,
};
use crate::states::{
    Dead, EXECUTION_EVENTS, FLOW_EVENTS, FORK_EVENTS, History, ITERATION_EVENTS, MAP_RUN_EVENTS,
    RETRY_EVENTS, TASK_EVENTS,
};

/// Repeats of plan and of aggregate. Source: the definition of the state machine.
const PLAN_RETRIES: u32 = 3;
const AGGREGATE_RETRIES: u32 = 10;

/// Plays an execution from its start until it is closed.
pub(crate) async fn execution(machine: Rc<Machine>, run: RunId, round: Round) {
    let cloud = &machine.cloud;
    cloud.timeline.sleep(START_MS).await;
    let history = History::new(cloud.account.history_events);
    // An execution that dies is found by the sweep: it starts the next round.
    let _dead: Result<(), Dead> = played(&machine, &history, &run, round).await;
    cloud.world.close_execution(&run, round);
}

async fn played(
    machine: &Rc<Machine>,
    history: &History,
    run: &RunId,
    round: Round,
) -> Result<(), Dead> {
    let cloud = &machine.cloud;
    cloud.record(history, EXECUTION_EVENTS)?;
    let error = match machine.planned(history, run, round).await? {
        Ok(plan) => {
            cloud.carries(&plan)?;
            cloud.enter(history, FLOW_EVENTS, FLOW_STATE_MS).await?;
            match plan.mode {
                LaneMode::Inline => inline(machine, history, run, round, &plan.lanes).await?,
                LaneMode::Distributed => {
                    distributed(machine, history, run, round, &plan.lanes).await?
                }
            }
            None
        }
        Err(error) => Some(error),
    };
    machine.aggregated(history, run, round, error).await
}

/// Branches of one history: at most so many at once, and what kills one kills the execution.
async fn inline(
    machine: &Machine,
    history: &History,
    run: &RunId,
    round: Round,
    lanes: &[LaneId],
) -> Result<(), Dead> {
    let cloud = &machine.cloud;
    cloud.enter(history, FORK_EVENTS, FLOW_STATE_MS).await?;
    let most = cloud.account.inline_branches as usize;
    let mut waiting = lanes.iter();
    let mut branches = FuturesUnordered::new();
    loop {
        while branches.len() < most
            && let Some(lane) = waiting.next()
        {
            cloud.record(history, ITERATION_EVENTS)?;
            branches.push(machine.lane(history, run.clone(), round, *lane));
        }
        match branches.next().await {
            Some(ended) => ended?,
            None => return Ok(()),
        }
    }
}

/// Children with a history each; one that dies costs its lane alone.
async fn distributed(
    machine: &Rc<Machine>,
    history: &History,
    run: &RunId,
    round: Round,
    lanes: &[LaneId],
) -> Result<(), Dead> {
    let cloud = &machine.cloud;
    cloud.enter(history, MAP_RUN_EVENTS, FLOW_STATE_MS).await?;
    cloud.timeline.sleep(MAP_RUN_MS).await;
    let most = cloud.account.distributed_children as usize;
    let mut waiting = lanes.iter();
    let mut children = FuturesUnordered::new();
    loop {
        while children.len() < most
            && let Some(lane) = waiting.next()
        {
            let child = child(Rc::clone(machine), run.clone(), round, *lane);
            children.push(machine.spawner.spawn(child));
        }
        if children.next().await.is_none() {
            return Ok(());
        }
    }
}

async fn child(machine: Rc<Machine>, run: RunId, round: Round, lane: LaneId) {
    let cloud = &machine.cloud;
    cloud.starts_execution().await;
    cloud.timeline.sleep(START_MS).await;
    let history = History::new(cloud.account.history_events);
    let played = async {
        cloud.record(&history, EXECUTION_EVENTS)?;
        machine.lane(&history, run, round, lane).await
    };
    // A lost lane costs parallelism, never the run.
    let _dead: Result<(), Dead> = played.await;
}

impl Machine {
    /// The plan state with its repeats; the inner error is caught.
    async fn planned(
        &self,
        history: &History,
        run: &RunId,
        round: Round,
    ) -> Result<Result<PlanAnswer, CaughtError>, Dead> {
        let request = PlanRequest {
            run: run.clone(),
            round,
        };
        let mut attempt = 0;
        loop {
            let events = if attempt == 0 {
                TASK_EVENTS
            } else {
                RETRY_EVENTS
            };
            self.cloud.enter(history, events, TASK_STATE_MS).await?;
            let request = &request;
            let invoked = self.cloud.invoke(PLAN, |_| async move {
                let answer = plan(&self.plan, request).await;
                let tasks = if round == Round(0) {
                    self.tasks(&request.run)
                } else {
                    0.0
                };
                self.cloud
                    .computes(STAGE_CPU_MS + tasks * PLAN_CPU_MS_PER_TASK, PLAN)
                    .await;
                Ok(answer)
            });
            let answered = match invoked.await {
                Ok(answer) => answer.map_err(|error| caught(&error)),
                Err(unanswered) => Err(unanswered.caught()),
            };
            match answered {
                Err(error) if attempt < PLAN_RETRIES && is_retried(&error) => {
                    let wait_ms = self.cloud.jittered(retry_ms(attempt));
                    self.cloud.timeline.sleep(wait_ms).await;
                    attempt += 1;
                }
                other => return Ok(other),
            }
        }
    }

    async fn aggregated(
        &self,
        history: &History,
        run: &RunId,
        round: Round,
        error: Option<CaughtError>,
    ) -> Result<(), Dead> {
        let request = AggregateRequest {
            run: run.clone(),
            round,
            error,
        };
        for attempt in 0..=AGGREGATE_RETRIES {
            let events = if attempt == 0 {
                TASK_EVENTS
            } else {
                RETRY_EVENTS
            };
            self.cloud.enter(history, events, TASK_STATE_MS).await?;
            let request = &request;
            let invoked = self.cloud.invoke(AGGREGATE, |_| async move {
                let tasks = self.tasks(&request.run);
                let cpu_ms = STAGE_CPU_MS + tasks * AGGREGATE_CPU_MS_PER_TASK;
                self.cloud.computes(cpu_ms, AGGREGATE).await;
                Ok(aggregate(&self.aggregate, request).await)
            });
            let error = match invoked.await {
                Ok(Ok(_)) => return Ok(()),
                Ok(Err(error)) => caught(&error),
                Err(unanswered) => unanswered.caught(),
            };
            if !is_retried(&error) {
                return Ok(());
            }
            let wait_ms = self.cloud.jittered(retry_ms(attempt));
            self.cloud.timeline.sleep(wait_ms).await;
        }
        Ok(())
    }

    fn tasks(&self, run: &RunId) -> f64 {
        let item = self.cloud.world.run_item(run);
        let plan = item.and_then(|item| item.plan);
        f64::from(plan.map_or(0, |plan| plan.tasks))
    }
}
