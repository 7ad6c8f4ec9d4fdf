//! One execution of the state machine: plan, the lanes, aggregate; and small ones of the two for tests of the lanes.

use std::rc::Rc;
use std::sync::Arc;

use foreshard_engine::lifecycle::{self, Progress, RoundEnd};
use foreshard_model::ids::{LaneId, Round, RunId};
use foreshard_model::message::{AggregateAnswer, AggregateRequest, PlanAnswer, PlanRequest};
use foreshard_model::run::{RunItem, RunState};
use foreshard_stages::StageError;
use foreshard_stages::ports::{
    Clock as _, Executions as _, FrontierReads as _, PortError, RunKey, RunReads as _,
    RunWrites as _,
};

use super::{Aggregate, Plan, Shared, lane};
use crate::faults::Fault;
use crate::world::World;

/// What happened in a played run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts {
    /// Executions of the state machine.
    pub executions: u32,
    /// Invocations of dispatch by lanes.
    pub dispatches: u32,
    /// Those that happened twice.
    pub repeated: u32,
    /// Answers that reached a lane.
    pub answers: u32,
    /// Answers that did not.
    pub lost_answers: u32,
    /// Lanes whose dispatch was refused for good.
    pub rejected: u32,
    /// Lanes that ended because dispatch failed too often.
    pub gave_up: u32,
    /// Shards executed.
    pub executes: u32,
    /// Times that a lane parked.
    pub parkings: u32,
    /// Wake-ups that did not reach the lane.
    pub lost_wakes: u32,
    /// Lanes that vanished.
    pub lost_lanes: u32,
    /// Executions that ended early.
    pub lost_executions: u32,
    /// Sweeps.
    pub sweeps: u32,
    /// Longest time, in milliseconds, that a lane was parked while a shard could be claimed or the round was over.
    pub idle_while_ready_ms: u64,
}

/// Retries of plan and aggregate.
const RETRIES: u32 = 10;

/// One execution, from its start until it is closed.
pub(super) async fn execution(shared: Rc<Shared>, run: RunId, round: Round) {
    shared.counts.borrow_mut().executions += 1;
    let request = PlanRequest {
        run: run.clone(),
        round,
    };
    let mut lanes = Vec::new();
    for attempt in 0..=RETRIES {
        let planned = shared.spawner.spawn((shared.plan)(request.clone())).await;
        if let Ok(answer) = planned {
            lanes = answer.lanes;
            break;
        }
        shared.world.sleep(1_000 << attempt.min(5)).await;
    }
    let branches: Vec<_> = lanes
        .into_iter()
        .map(|number| {
            let branch = lane::lane(Rc::clone(&shared), run.clone(), round, number);
            shared.spawner.spawn(branch)
        })
        .collect();
    for branch in branches {
        branch.await;
    }
    if shared.dice.borrow_mut().loses_execution() {
        shared.counts.borrow_mut().lost_executions += 1;
        shared.world.faults(|f| f.note(Fault::LostExecution));
        shared.world.close_execution(&run, round);
        return;
    }
    for attempt in 0..=RETRIES {
        let request = AggregateRequest {
            run: run.clone(),
            round,
            error: None,
        };
        let theirs = Rc::clone(&shared);
        let ended = shared.spawner.spawn(async move {
            let ended = (theirs.aggregate)(request).await;
            ended.is_ok() && !theirs.world.faults(|f| f.has_crashed())
        });
        if ended.await {
            break;
        }
        shared.world.sleep(1_000 << attempt.min(5)).await;
    }
    shared.world.close_execution(&run, round);
}

/// A plan state for runs that are planned already: as many lanes as the plan says, none when the run is not running.
#[must_use]
pub fn plan(world: &Arc<World>) -> Plan {
    let world = Arc::clone(world);
    Rc::new(move |request| {
        let world = Arc::clone(&world);
        Box::pin(async move {
            let run = world.run(&request.run).await?.unwrap_or_default();
            let plan = run.plan.clone().unwrap_or_default();
            let open = run.state == RunState::Running && run.round == request.round;
            let count = if open { plan.lanes } else { 0 };
            Ok(PlanAnswer {
                lanes: (0..count).map(LaneId).collect(),
                mode: plan.mode,
            })
        })
    })
}

/// An aggregate state that decides as the production one does, and collects nothing.
#[must_use]
pub fn aggregate(world: &Arc<World>) -> Aggregate {
    let world = Arc::clone(world);
    Rc::new(move |request| {
        let world = Arc::clone(&world);
        Box::pin(async move { aggregated(&world, &request).await })
    })
}

async fn aggregated(
    world: &World,
    request: &AggregateRequest,
) -> Result<AggregateAnswer, StageError> {
    let run = world.run(&request.run).await?.unwrap_or_default();
    if run.round != request.round {
        // A repeat: the next round is written, perhaps not started.
        if lifecycle::starts_at_once(&run) {
            world.start(&run.run, run.round).await?;
        }
        return Ok(answer(&run, None));
    }
    let progress = progress(world, &run).await?;
    let now = world.now();
    let next = match lifecycle::round_ended(&run, &progress, request.error.as_ref(), now) {
        RoundEnd::Ended => return Ok(answer(&run, None)),
        RoundEnd::Next(item) => {
            world.update_run(&item).await?;
            if lifecycle::starts_at_once(&item) {
                world.start(&item.run, item.round).await?;
            }
            return Ok(answer(&item, Some(item.round)));
        }
        RoundEnd::Collect => lifecycle::closed(&run, RunState::Succeeded, None, None, now),
        RoundEnd::Close(RunState::Failed) => lifecycle::failed(&run, None, None, now),
        RoundEnd::Close(state) => lifecycle::closed(&run, state, None, None, now),
        RoundEnd::Fail(cause) => lifecycle::failed(&run, Some(cause), None, now),
    };
    world.update_run(&next).await?;
    Ok(answer(&next, None))
}

fn answer(run: &RunItem, next_round: Option<Round>) -> AggregateAnswer {
    AggregateAnswer {
        run: run.run.clone(),
        state: run.state.as_str().to_owned(),
        next_round,
    }
}

/// How far the run is, over all its shards.
pub(super) async fn progress(world: &World, run: &RunItem) -> Result<Progress, PortError> {
    let mut progress = Progress::default();
    let key = RunKey {
        run: run.run.clone(),
        partitions: run.plan.as_ref().map_or(1, |p| p.partitions.max(1)),
    };
    for partition in 0..key.partitions {
        let mut after: Option<String> = None;
        loop {
            let page = world.shards_of(&key, partition, after.as_deref()).await?;
            page.items.iter().for_each(|shard| progress.add(shard));
            after = page.next;
            if after.is_none() {
                break;
            }
        }
    }
    Ok(progress)
}
