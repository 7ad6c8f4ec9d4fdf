//! The peer in the same world: one Standard Task state for each task, a function for each type and size, nothing warmed.
//!
//! Amazon States Language has no arrows between the branches of a Parallel state, so a DAG is written as one Parallel state for
//! each of its levels; where one definition or one history cannot hold that, levels go into nested executions. Beside it, as a
//! bound that no definition reaches, every task starts as soon as its inputs are there.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;
use std::sync::Arc;

use foreshard_engine::graph::{Csr, Edge, levels, topological_order};
use foreshard_engine::place::WORKER_MIB;
use foreshard_engine::plan::Scale;
use foreshard_engine::price;
use foreshard_fakes::build;
use foreshard_model::limits::{DEFINITION_BYTES, MIB_PER_VCPU};
use foreshard_model::message::CaughtError;
use foreshard_model::target::Target;
use foreshard_model::units::TimeMs;
use foreshard_model::workflow::{FileSource, Task, TaskKind, Workflow};
use futures_util::stream::{FuturesUnordered, StreamExt as _};

use crate::cloud::Cloud;
use crate::executor::Stopped;
use crate::lambda::Shape;
use crate::parameters::{FLOW_STATE_MS, LONGEST_MS, Package, START_MS, TASK_STATE_MS};
use crate::run::{Scenario, Simulated, Stage, Stretch, billed};
use crate::states::{Dead, EXECUTION_EVENTS, FORK_EVENTS, History, RETRY_EVENTS, TASK_EVENTS};
use crate::worker::{Reality, task_ms};

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
    /// A Parallel state for each level, all in one execution, its results passed on, repeats as Workflow Studio proposes them.
    Naive,
}

/// A task as its function sees it.
struct PlainTask {
    function: String,
    cpu_ms: f64,
    /// How fast its processor time passes.
    rate: f64,
    /// Files read from the store, and their bytes.
    gets: (u64, u64),
    /// Files written to it, and their bytes.
    puts: (u64, u64),
    memory_mib: u32,
    function_mib: u32,
}

/// What ends a plain run before its time.
enum Ended {
    Dead(Dead),
    Failed(CaughtError),
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

/// Plays the workflow.
pub(crate) fn simulate(
    scenario: &Scenario,
    workflow: &Workflow,
    arrangement: Arrangement,
) -> Simulated {
    let Stage {
        cloud,
        mut executor,
    } = Stage::new(scenario);
    let plain = Plain::new(&cloud, scenario, workflow, arrangement);
    let (shown, nests) = (plain.tasks.len() as u32, plain.nests);
    let spawner = executor.spawner();
    let result: Rc<RefCell<Option<Played>>> = Rc::default();
    let theirs = Rc::clone(&result);
    drop(spawner.spawn(async move {
        let mut stretches = Vec::new();
        let played = plain.play(arrangement, &mut stretches).await;
        *theirs.borrow_mut() = Some((played, stretches));
    }));
    let stopped = executor.run(build::START.plus(LONGEST_MS), || result.borrow().is_some());
    let took_ms = cloud.timeline.now().since(build::START);
    let (status, cause, stretches) = match (result.take(), stopped) {
        (Some((Ok(()), stretches)), Stopped::Finished) => ("succeeded", None, stretches),
        (Some((Err(Ended::Dead(dead)), stretches)), _) => {
            ("failed", Some(dead.as_str().to_owned()), stretches)
        }
        (Some((Err(Ended::Failed(error)), stretches)), _) => (
            "failed",
            Some(format!("{}: {}", error.error, error.cause)),
            stretches,
        ),
        _ => ("stuck", None, Vec::new()),
    };
    let usage = cloud.lock().usage.clone();
    let attempts = u32::try_from(usage.invocations).unwrap_or(u32::MAX);
    let executions = u32::try_from(usage.executions).unwrap_or(u32::MAX);
    Simulated {
        cause,
        tasks: shown,
        shards: shown,
        rounds: if nests { executions } else { 1 },
        attempts,
        struck: cloud.lock().troubles.struck.clone(),
        stretches,
        ..billed(usage, &cloud.account.region, status, took_ms)
    }
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
            nests: arrangement == Arrangement::Levels
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
            Arrangement::Levels | Arrangement::Naive => self.by_levels(stretches).await,
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

fn plain_task(
    task: &Task,
    workflow: &Workflow,
    scale: Scale,
    reality: &Reality,
    scenario: &Scenario,
) -> PlainTask {
    let resources = scale.resources(task);
    let waits = matches!(task.kind, TaskKind::Lambda { .. } | TaskKind::Http(_));
    let (memory, vcpus) = if waits {
        (0, 0.05)
    } else {
        (resources.memory.0, f64::from(resources.vcpus).max(0.01))
    };
    let target = tier(scenario, memory, vcpus);
    let function_mib = target.map_or(MIB_PER_VCPU, |target| target.memory.0);
    let share = f64::from(function_mib) / f64::from(MIB_PER_VCPU);
    let rate = if waits {
        1.0
    } else {
        (share / vcpus).min(1.0) * vcpus.max(1.0) * target.map_or(1.0, |t| t.speed)
    };
    let read = task.files.iter().filter_map(|file| match &file.source {
        FileSource::Task { task, file } => {
            let writes = &workflow.tasks[task.index()].writes;
            let written = writes.iter().find(|written| written.name == *file);
            Some(
                scale.bytes(
                    written
                        .and_then(|written| written.bytes)
                        .unwrap_or_default(),
                ),
            )
        }
        FileSource::Generated { .. } => None,
    });
    let gets = read.fold((0, 0), |(files, sum), bytes| (files + 1, sum + bytes));
    let puts = scale.writes(&task.writes);
    PlainTask {
        function: format!("{PREFIX}{}-{function_mib}", task.task_type),
        cpu_ms: task_ms(&scale.kind(&task.kind), task.estimate_ms) * reality.factor(&task.id),
        rate,
        gets,
        puts: (
            puts.len() as u64,
            puts.iter().filter_map(|file| file.bytes).sum(),
        ),
        memory_mib: reality.memory_mib(memory),
        function_mib,
    }
}

/// The smallest target that holds the task and has the vCPUs that it can use, or the largest.
fn tier(scenario: &Scenario, memory: u32, vcpus: f64) -> Option<&Target> {
    let targets = &scenario.pool.targets;
    let holds = |target: &&Target| target.memory.0 >= memory + WORKER_MIB;
    let enough = targets
        .iter()
        .filter(holds)
        .find(|target| target.vcpus() >= vcpus);
    enough.or_else(|| targets.iter().max_by_key(|target| target.memory))
}

fn shape(scenario: &Scenario, task: &PlainTask) -> Shape {
    let target = scenario
        .pool
        .of_tier(foreshard_model::units::Mib(task.function_mib));
    Shape {
        memory: foreshard_model::units::Mib(task.function_mib),
        disk: target.map(Target::disk).unwrap_or_default(),
        architecture: target.map(|target| target.architecture).unwrap_or_default(),
        package: Package::Zip,
        region: scenario.account.region.clone(),
        limit_ms: target.map_or(foreshard_model::limits::LAMBDA_TIMEOUT_MS, |target| {
            target.limit_ms
        }),
        works: true,
    }
}
