//! The peer in the same world: one Standard Task state for each task, a function for each type and size, nothing warmed.
//!
//! Amazon States Language has no arrows between the branches of a Parallel state, so a DAG is written as one Parallel state for
//! each of its levels; where one definition or one history cannot hold that, levels go into nested executions. Beside it, as a
//! bound that no definition reaches, every task starts as soon as its inputs are there.

mod task;
mod tracking;

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;
use std::sync::Arc;

use foreshard_engine::graph::{Csr, Edge, levels, topological_order};
use foreshard_engine::place::WORKER_MIB;
use foreshard_engine::plan::Scale;
use foreshard_engine::price;
use foreshard_fakes::build;
use foreshard_model::limits::DEFINITION_BYTES;
use foreshard_model::message::CaughtError;
use foreshard_model::units::TimeMs;
use foreshard_model::workflow::Workflow;
use futures_util::stream::{FuturesUnordered, StreamExt as _};

use crate::cloud::Cloud;
use crate::meter::Usage;
use crate::parameters::{FLOW_STATE_MS, LONGEST_MS, START_MS, TASK_STATE_MS, TIMER_WITHIN_MS};
use crate::result::{EachRun, Simulated, Stretch, billed};
use crate::run::Stage;
use crate::scenario::{Failed, Scenario};
use crate::states::{Dead, EXECUTION_EVENTS, FORK_EVENTS, History, RETRY_EVENTS, TASK_EVENTS};

use self::task::{PlainTask, plain_task, shape};

/// What names of plain functions begin with.
pub(crate) const PREFIX: &str = "plain/";

/// Repeats of a Task state after throttling, with the waits of our own state machine: a competent user raises Workflow Studio's
/// three once a wide level has failed by them.
const RETRIES: u32 = 10;
/// Errors after which a Task state is repeated. Source: what Workflow Studio proposes for `lambda:invoke`.
const PLAIN_RETRIED: [&str; 2] = ["Lambda.ServiceException", "Lambda.TooManyRequestsException"];
/// Those that Workflow Studio proposes.
const NAIVE_RETRIES: u32 = 3;
/// What `lambda:invoke` answers around a payload, in bytes: status, version, headers and metadata of the request.
const ENVELOPE_BYTES: usize = 700;
/// The longest wait before a repeat, in milliseconds.
const RETRY_MAX_MS: u64 = 30_000;
/// Tasks of a nested execution, at most: with their names they stay well below a definition's and a history's limit.
const NESTED_TASKS: usize = 1_000;
/// Events of a state that runs a nested execution and waits for it: a task's, and one for the submission.
const NESTED_EVENTS: u32 = TASK_EVENTS + 1;

/// How the tasks are put in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Arrangement {
    /// A Parallel state for each level: what can be written.
    Levels,
    /// Every task as soon as it can: what cannot.
    Arrows,
    /// As levels, and every function has provisioned concurrency that target tracking changes.
    Tracked,
    /// A Parallel state for each level, all in one execution, its results passed on, repeats as Workflow Studio proposes them.
    Naive,
}

/// What ends a plain run before its time.
enum Ended {
    Dead(Dead),
    Failed(CaughtError),
    /// Nothing more happens.
    Stuck,
}

/// How a plain run ended, and what ran when.
type Played = (Result<(), Ended>, Vec<Stretch>);

impl From<Dead> for Ended {
    fn from(dead: Dead) -> Self {
        Self::Dead(dead)
    }
}

struct Plain {
    cloud: Arc<Cloud>,
    tasks: Vec<PlainTask>,
    graph: Csr,
    levels: Vec<Vec<u32>>,
    nests: bool,
    naive: bool,
}

/// One run, and how far it has come.
struct Run {
    begun: TimeMs,
    used: Usage,
    ended: Option<(TimeMs, Played)>,
}

/// Plays the workflow, as often as the scenario has it run.
///
/// # Errors
/// When its schedule is none.
pub(crate) fn simulate(
    scenario: &Scenario,
    workflow: &Workflow,
    arrangement: Arrangement,
) -> Result<Simulated, Failed> {
    let Stage {
        cloud,
        mut executor,
    } = Stage::new(scenario);
    let plain = Rc::new(Plain::new(&cloud, scenario, workflow, arrangement));
    let spawner = executor.spawner();
    if arrangement == Arrangement::Tracked {
        let functions = plain.tasks.iter().map(|task| task.function.clone());
        tracking::begin(&cloud, functions.collect());
        drop(spawner.spawn(tracking::adjusts(Arc::clone(&cloud))));
    }
    let runs: Rc<RefCell<Vec<Run>>> = Rc::default();
    for at in starts(scenario, &cloud)? {
        let (plain, runs) = (Rc::clone(&plain), Rc::clone(&runs));
        drop(spawner.spawn(async move {
            plain.cloud.timeline.sleep_until(at).await;
            let place = {
                let mut runs = runs.borrow_mut();
                runs.push(Run {
                    begun: at,
                    used: plain.cloud.used(at),
                    ended: None,
                });
                runs.len() - 1
            };
            let mut stretches = Vec::new();
            let played = plain.play(arrangement, &mut stretches).await;
            let ended = (plain.cloud.timeline.now(), (played, stretches));
            runs.borrow_mut()[place].ended = Some(ended);
        }));
    }
    let wanted = scenario.runs();
    let _stopped = executor.run(build::START.plus(LONGEST_MS), || {
        let runs = runs.borrow();
        runs.len() >= wanted && runs.iter().all(|run| run.ended.is_some())
    });
    Ok(figures(scenario, &plain, runs.take()))
}

/// When its runs begin: at once, or each within a minute of its scheduled time.
fn starts(scenario: &Scenario, cloud: &Cloud) -> Result<Vec<TimeMs>, Failed> {
    let Some(recurring) = &scenario.recurring else {
        return Ok(vec![build::START; scenario.runs()]);
    };
    let mut services = cloud.lock();
    let times = recurring.times()?.into_iter();
    Ok(times
        .map(|at| at.plus(services.timers.below(TIMER_WITHIN_MS)))
        .collect())
}

fn figures(scenario: &Scenario, plain: &Plain, runs: Vec<Run>) -> Simulated {
    let cloud = &plain.cloud;
    let now = cloud.timeline.now();
    let mut each = Vec::new();
    let mut used = Vec::new();
    let (mut status, mut cause, mut stretches) = ("succeeded", None, Vec::new());
    let (mut last_ms, mut end) = (0, build::START);
    for run in runs {
        let (ended, (played, stretched)) = run
            .ended
            .unwrap_or_else(|| (now, (Err(Ended::Stuck), Vec::new())));
        last_ms = ended.since(run.begun);
        end = end.max(ended);
        let (own, why) = match played {
            Ok(()) => ("succeeded", None),
            Err(Ended::Dead(dead)) => ("failed", Some(dead.as_str().to_owned())),
            Err(Ended::Failed(error)) => {
                ("failed", Some(format!("{}: {}", error.error, error.cause)))
            }
            Err(Ended::Stuck) => ("stuck", None),
        };
        if status == "succeeded" {
            (status, cause) = (own, why);
        }
        each.push((run.begun, ended, own.to_owned()));
        used.push(run.used);
        stretches = stretched;
    }
    let usage = cloud.used(end);
    let region = &cloud.account.region;
    let recurs = scenario.recurring.is_some();
    let took_ms = if recurs {
        last_ms
    } else {
        end.since(build::START)
    };
    let tasks = (plain.tasks.len() * each.len()) as u32;
    let executions = u32::try_from(usage.executions).unwrap_or(u32::MAX);
    Simulated {
        cause,
        tasks,
        shards: tasks,
        rounds: if plain.nests {
            executions
        } else {
            each.len() as u32
        },
        attempts: u32::try_from(usage.invocations).unwrap_or(u32::MAX),
        struck: cloud.struck(),
        stretches,
        runs: match recurs {
            true => EachRun::of(each, used, &usage, region),
            false => Vec::new(),
        },
        ..billed(usage, region, status, took_ms)
    }
}

/// The definition that [`Arrangement::Levels`] plays, unless it is too large for one: then levels are nested.
pub(crate) fn written(scenario: &Scenario, workflow: &Workflow) -> price::Definition {
    let (scale, reality) = (Scale::new(&scenario.options), scenario.reality());
    let functions = workflow.tasks.iter().map(|task| {
        let plain = plain_task(task, workflow, scale, &reality, scenario);
        price::function_name(plain.function.trim_start_matches(PREFIX))
    });
    price::definition(workflow, &functions.collect::<Vec<_>>())
}

impl Plain {
    fn new(
        cloud: &Arc<Cloud>,
        scenario: &Scenario,
        workflow: &Workflow,
        arrangement: Arrangement,
    ) -> Self {
        let scale = Scale::new(&scenario.options);
        let reality = scenario.reality();
        let tasks = &workflow.tasks;
        let edges = tasks.iter().enumerate().flat_map(|(to, task)| {
            task.needs.iter().map(move |need| Edge {
                from: need.task.0,
                to: to as u32,
                bytes: 0,
            })
        });
        let graph = Csr::new(tasks.len(), edges);
        let order = topological_order(&graph).unwrap_or_default();
        let mut by_level: Vec<Vec<u32>> = Vec::new();
        for (task, level) in levels(&graph, &order).into_iter().enumerate() {
            let level = level as usize;
            if by_level.len() <= level {
                by_level.resize(level + 1, Vec::new());
            }
            by_level[level].push(task as u32);
        }
        let measured = price::plain(&graph, &order, &vec![0.0; tasks.len()], tasks, 1);
        let plain: Vec<PlainTask> = tasks
            .iter()
            .map(|task| plain_task(task, workflow, scale, &reality, scenario))
            .collect();
        let mut deployed = BTreeSet::new();
        for task in &plain {
            if deployed.insert(task.function.clone()) {
                cloud
                    .lock()
                    .lambda
                    .deploy(&task.function, shape(scenario, task));
            }
        }
        Self {
            cloud: Arc::clone(cloud),
            nests: matches!(arrangement, Arrangement::Levels | Arrangement::Tracked)
                && (measured.definition_bytes > DEFINITION_BYTES as u64
                    || measured.events > u64::from(cloud.account.history_events)),
            naive: arrangement == Arrangement::Naive,
            tasks: plain,
            graph,
            levels: by_level,
        }
    }

    async fn play(
        &self,
        arrangement: Arrangement,
        stretches: &mut Vec<Stretch>,
    ) -> Result<(), Ended> {
        let cloud = &self.cloud;
        cloud.starts_execution().await;
        cloud.timeline.sleep(START_MS).await;
        match arrangement {
            Arrangement::Levels | Arrangement::Tracked | Arrangement::Naive => {
                self.by_levels(stretches).await
            }
            Arrangement::Arrows => self.by_arrows(stretches).await,
        }
    }

    async fn by_levels(&self, stretches: &mut Vec<Stretch>) -> Result<(), Ended> {
        let cloud = &self.cloud;
        let history = History::new(cloud.account.history_events);
        cloud.record(&history, EXECUTION_EVENTS)?;
        for level in &self.levels {
            if !self.nests {
                self.level(&history, level, stretches).await?;
                continue;
            }
            if level.len() > NESTED_TASKS {
                cloud.enter(&history, FORK_EVENTS, FLOW_STATE_MS).await?;
            }
            let nested: FuturesUnordered<_> = level
                .chunks(NESTED_TASKS)
                .map(|tasks| self.nested(&history, tasks))
                .collect();
            let nested: Vec<_> = nested.collect().await;
            for ended in nested {
                stretches.extend(ended?);
            }
        }
        Ok(())
    }

    /// A state that runs part of a level as an execution of its own.
    async fn nested(&self, parent: &History, tasks: &[u32]) -> Result<Vec<Stretch>, Ended> {
        let cloud = &self.cloud;
        cloud.enter(parent, NESTED_EVENTS, TASK_STATE_MS).await?;
        cloud.starts_execution().await;
        cloud.timeline.sleep(START_MS).await;
        let history = History::new(cloud.account.history_events);
        cloud.record(&history, EXECUTION_EVENTS)?;
        let mut stretches = Vec::new();
        self.level(&history, tasks, &mut stretches).await?;
        Ok(stretches)
    }

    /// A Parallel state, or the only task itself.
    async fn level(
        &self,
        history: &History,
        tasks: &[u32],
        stretches: &mut Vec<Stretch>,
    ) -> Result<(), Ended> {
        if tasks.len() > 1 {
            self.cloud
                .enter(history, FORK_EVENTS, FLOW_STATE_MS)
                .await?;
        }
        let mut branches: FuturesUnordered<_> = tasks
            .iter()
            .map(|task| self.state(Some(history), *task))
            .collect();
        while let Some(ended) = branches.next().await {
            stretches.push(ended?);
        }
        if self.naive {
            // A Parallel state's output is the list of its branches' outputs.
            self.cloud.carries_bytes(tasks.len() * ENVELOPE_BYTES)?;
        }
        Ok(())
    }

    async fn by_arrows(&self, stretches: &mut Vec<Stretch>) -> Result<(), Ended> {
        let count = self.tasks.len();
        let mut missing = vec![0_u32; count];
        for task in 0..count as u32 {
            for successor in self.graph.successors(task) {
                missing[*successor as usize] += 1;
            }
        }
        let ready = (0..count as u32).filter(|task| missing[*task as usize] == 0);
        let mut running: FuturesUnordered<_> = ready.map(|task| self.state(None, task)).collect();
        while let Some(ended) = running.next().await {
            let stretch = ended?;
            stretches.push(stretch);
            for successor in self.graph.successors(stretch.shard) {
                let left = &mut missing[*successor as usize];
                *left -= 1;
                if *left == 0 {
                    running.push(self.state(None, *successor));
                }
            }
        }
        Ok(())
    }

    /// A Task state with its repeats. Without a history, as many executions are thought of as it takes.
    async fn state(&self, history: Option<&History>, task: u32) -> Result<Stretch, Ended> {
        let cloud = &self.cloud;
        let alone = History::new(u32::MAX);
        let history = history.unwrap_or(&alone);
        let retries = if self.naive { NAIVE_RETRIES } else { RETRIES };
        let mut attempt = 0;
        loop {
            let events = if attempt == 0 {
                TASK_EVENTS
            } else {
                RETRY_EVENTS
            };
            cloud.enter(history, events, TASK_STATE_MS).await?;
            let begun = cloud.timeline.now();
            match self.invoked(&self.tasks[task as usize]).await {
                Ok(()) => return Ok(stretch(task, begun, cloud.timeline.now())),
                Err(error)
                    if PLAIN_RETRIED.contains(&error.error.as_str()) && attempt < retries =>
                {
                    let longest_ms = (1_000 << attempt.min(5)).min(RETRY_MAX_MS);
                    cloud.timeline.sleep(cloud.jittered(longest_ms)).await;
                    attempt += 1;
                }
                Err(error) => return Err(Ended::Failed(error)),
            }
        }
    }

    async fn invoked(&self, task: &PlainTask) -> Result<(), CaughtError> {
        let cloud = &self.cloud;
        let invoked = cloud.invoke(&task.function, |context| async move {
            if task.memory_mib + WORKER_MIB > task.function_mib {
                return Err("signal: killed".to_owned());
            }
            let (files, bytes) = task.gets;
            if files > 0 {
                cloud.lock().usage.gets += files - 1;
                cloud.gets(bytes).await;
            }
            cloud
                .timeline
                .sleep((task.cpu_ms * context.slower / task.rate).ceil() as u64)
                .await;
            let (files, bytes) = task.puts;
            if files > 0 {
                cloud.lock().usage.puts += files - 1;
                cloud.puts(bytes).await;
            }
            Ok(())
        });
        invoked.await.map_err(|unanswered| unanswered.caught())
    }
}

fn stretch(task: u32, from: TimeMs, to: TimeMs) -> Stretch {
    Stretch {
        lane: task,
        shard: task,
        from_ms: from.since(build::START),
        to_ms: to.since(build::START),
        failed: false,
    }
}
