//! The processes of the model: each is a production stage, begun anew with what it was told so far.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use foreshard_engine::reshard::{Cutting, Decision, Group, Part, Seen, cut, held};
use foreshard_fakes::{World, build};
use foreshard_model::ids::{ShardId, TaskId};
use foreshard_model::message::{
    AggregateRequest, Answer, Cause, DispatchRequest, ExecuteRequest, Outcome, PlanRequest,
    ReshardRequest,
};
use foreshard_model::plan::Recut;
use foreshard_model::policy::StartRate;
use foreshard_model::units::TimeMs;
use foreshard_stages::dispatch::TopologyCache;
use foreshard_stages::submit::{ApiRequest, Identity};
use foreshard_stages::{StageError, aggregate, dispatch, plan, reshard, submit};

use crate::tape::{At, Op, Reply, Tape};
use crate::worker::work;

/// What every shard is expected to take, and takes, in milliseconds: so nothing is cut again but by choice.
pub(crate) const ESTIMATE_MS: u64 = 1_000_000_000;

/// A moment at which every deadline has passed, every back-off is over and every run was left alone long enough.
pub(crate) const LATER: TimeMs = TimeMs(build::START.0 + 86_400_000);

/// What a process is begun with.
#[derive(Debug, Clone)]
#[expect(
    clippy::large_enum_variant,
    reason = "each is made once, and then is behind a pointer"
)]
pub(crate) enum Input {
    /// A lane's question.
    Dispatch(DispatchRequest),
    /// An attempt, and how it ends.
    Work(ExecuteRequest, Ending),
    Plan(PlanRequest),
    Aggregate(AggregateRequest),
    /// The sweep of each minute; when it is late, whatever has a deadline has passed it.
    Sweep {
        late: bool,
    },
    Recut(Choice),
    Cancel,
}

/// How an attempt ends, unless it is lost on the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Ending {
    Done,
    /// Its last task fails.
    Failed,
    /// It yields after its first task, when it has another.
    Yielded,
}

/// Who gives up its tasks, and to how many shards.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Choice {
    pub(crate) old: Vec<ShardId>,
    pub(crate) parts: usize,
}

/// What a process ends with.
#[derive(Debug, Clone)]
#[expect(
    clippy::large_enum_variant,
    reason = "each is made once, and then is behind a pointer"
)]
pub(crate) enum Output {
    Answered(Result<Answer, StageError>),
    Worked(Box<Outcome>),
    Planned(Result<u32, StageError>),
    Aggregated(Result<(), StageError>),
    /// Nobody waits for it.
    Nothing,
}

/// What the processes of one run have in common and nothing changes: objects, which are named by their content, and plans.
#[derive(Clone)]
pub(crate) struct Ground {
    pub(crate) objects: Arc<World>,
    pub(crate) topologies: Arc<TopologyCache>,
    /// Every task of the run, by the shard that the first plan gives it to.
    pub(crate) tasks: BTreeMap<ShardId, Vec<TaskId>>,
}

impl Ground {
    /// Begins the process anew: what it asks next, or how it ended.
    pub(crate) fn replay(&self, input: &Input, told: Vec<(Op, Reply)>) -> Result<Output, Vec<Op>> {
        let tape = Arc::new(Tape::new(told));
        let mut process = self.process(input.clone(), &tape);
        let mut context = Context::from_waker(Waker::noop());
        match process.as_mut().poll(&mut context) {
            Poll::Ready(output) => Ok(output),
            Poll::Pending => Err(tape.pending()),
        }
    }

    fn process(&self, input: Input, tape: &Arc<Tape>) -> Pin<Box<dyn Future<Output = Output>>> {
        let now = match input {
            Input::Sweep { late: true } => LATER,
            _ => build::START,
        };
        let (world, tape, dispatching) = (
            Arc::clone(&self.objects),
            Arc::clone(tape),
            self.dispatch(tape, now),
        );
        match input {
            Input::Dispatch(request) => Box::pin(async move {
                Output::Answered(dispatch::dispatch(&dispatching, &request).await)
            }),
            Input::Work(request, ending) => Box::pin(async move {
                Output::Worked(Box::new(work(&tape, &world, &request, ending).await))
            }),
            Input::Plan(request) => {
                let ports = planning(&world, &tape, now);
                Box::pin(async move {
                    let planned = plan::plan(&ports, &request).await;
                    Output::Planned(planned.map(|answer| answer.lanes.len() as u32))
                })
            }
            Input::Aggregate(request) => {
                let ports = ending(&world, &tape, now);
                Box::pin(async move {
                    let ended = aggregate::aggregate(&ports, &request).await;
                    Output::Aggregated(ended.map(|_| ()))
                })
            }
            Input::Sweep { .. } => {
                let ports = sweeping(&world, &tape, dispatching);
                let run = Some(build::run_id());
                Box::pin(async move {
                    let _swept = reshard::reshard(&ports, &ReshardRequest { run }).await;
                    Output::Nothing
                })
            }
            Input::Recut(choice) => {
                let ports = sweeping(&world, &tape, dispatching);
                Box::pin(async move {
                    let run = build::run_id();
                    let decide = |seen: &Seen<'_>| decided(seen, &choice);
                    let _cut = reshard::recut_by(&ports, &run, &decide).await;
                    Output::Nothing
                })
            }
            Input::Cancel => {
                let ports = serving(&world, &tape, now);
                Box::pin(async move {
                    let _answer = submit::answer(&ports, &cancel()).await;
                    Output::Nothing
                })
            }
        }
    }

    fn dispatch(&self, tape: &Arc<Tape>, now: TimeMs) -> dispatch::Ports {
        dispatch::Ports {
            runs: tape.clone(),
            frontier: tape.clone(),
            writes: tape.clone(),
            ledger: self.objects.clone(),
            blobs: self.objects.clone(),
            trace: self.objects.clone(),
            tokens: tape.clone(),
            clock: Arc::new(At(now)),
            topologies: Arc::clone(&self.topologies),
        }
    }
}

fn planning(world: &Arc<World>, tape: &Arc<Tape>, now: TimeMs) -> plan::Ports {
    plan::Ports {
        runs: tape.clone(),
        run_writes: tape.clone(),
        frontier: tape.clone(),
        blobs: world.clone(),
        blob_writes: world.clone(),
        ledger: world.clone(),
        wiring: world.clone(),
        profiles: world.clone(),
        forecasts: world.clone(),
        clock: Arc::new(At(now)),
        scratch: std::env::temp_dir(),
    }
}

fn ending(world: &Arc<World>, tape: &Arc<Tape>, now: TimeMs) -> aggregate::Ports {
    // What is learnt of a run is no part of its protocol; begun anew, the stage finds that nothing was.
    let learnt = Arc::new(World::new());
    aggregate::Ports {
        runs: tape.clone(),
        run_writes: tape.clone(),
        frontier: tape.clone(),
        blobs: world.clone(),
        blob_writes: world.clone(),
        ledger: world.clone(),
        executions: tape.clone(),
        profiles: learnt.clone(),
        profile_writes: learnt,
        clock: Arc::new(At(now)),
    }
}

fn sweeping(world: &Arc<World>, tape: &Arc<Tape>, dispatch: dispatch::Ports) -> reshard::Ports {
    reshard::Ports {
        dispatch,
        forecasts: world.clone(),
        plans: world.clone(),
        run_writes: tape.clone(),
        executions: tape.clone(),
        execution_reads: tape.clone(),
    }
}

fn serving(world: &Arc<World>, tape: &Arc<Tape>, now: TimeMs) -> submit::Ports {
    submit::Ports {
        runs: tape.clone(),
        run_writes: tape.clone(),
        allowances: world.clone(),
        start_rate: StartRate::default(),
        frontier: tape.clone(),
        frontier_writes: tape.clone(),
        ledger: world.clone(),
        ledger_writes: world.clone(),
        blobs: world.clone(),
        blob_lists: world.clone(),
        blob_writes: world.clone(),
        presigns: world.clone(),
        executions: tape.clone(),
        tokens: tape.clone(),
        schedules: world.clone(),
        schedule_writes: world.clone(),
        timers: world.clone(),
        forecasts: world.clone(),
        wiring: world.clone(),
        clock: Arc::new(At(now)),
    }
}

fn cancel() -> ApiRequest {
    let context = build::context();
    ApiRequest {
        method: "POST".to_owned(),
        path: format!("/runs/{}/cancel", build::RUN),
        identity: Some(Identity {
            account: context.tenant.0,
            principal: context.principal,
        }),
        ..ApiRequest::default()
    }
}

/// Cuts as chosen, where that can be done.
fn decided(seen: &Seen<'_>, choice: &Choice) -> Decision {
    let held = held(seen);
    let mut open: Vec<TaskId> = Vec::new();
    for old in &choice.old {
        let Some(held) = held.get(old) else {
            return Decision::Leave(format!("shard {old} cannot be cut"));
        };
        let tasks = held.tasks.iter().map(|task| task.id.clone());
        open.extend(tasks.filter(|id| !held.finished.contains(id)));
    }
    let length = open.len().div_ceil(choice.parts).max(1);
    let group = Group {
        old: choice.old.clone(),
        parts: open
            .chunks(length)
            .map(|tasks| Part {
                tasks: tasks.iter().cloned().collect(),
                estimate_ms: ESTIMATE_MS,
                instead: BTreeMap::new(),
            })
            .collect(),
    };
    let cutting = Cutting {
        topology: seen.topology,
        stored: seen.stored,
        held: &held,
        now: seen.now,
    };
    let recut = Recut {
        because: "chosen".to_owned(),
        ..Recut::default()
    };
    match cut(&cutting, &[group], recut) {
        Ok(cut) => Decision::Cut(Box::new(cut)),
        Err(error) => Decision::Leave(error.to_string()),
    }
}

/// The outcome of an attempt whose last task failed.
pub(crate) fn failed(request: &ExecuteRequest) -> Outcome {
    build::failed(request.shard, request.attempt, Cause::TaskFailed)
}
