//! The peer in the same world: one Standard Task state for each task, a function for each type and size, nothing warmed.
//!
//! Amazon States Language has no arrows between the branches of a Parallel state, so a DAG is written as one Parallel state for
//! each of its levels; where one definition or one history cannot hold that, levels go into nested executions. Beside it, as a
//! bound that no definition reaches, every task starts as soon as its inputs are there.

mod play;
mod task;
mod tracking;

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;
use std::sync::Arc;

use foreshard_engine::graph::{Csr, Edge, levels, topological_order};
use foreshard_engine::plan::Scale;
use foreshard_engine::price;
use foreshard_fakes::build;
use foreshard_model::limits::DEFINITION_BYTES;
use foreshard_model::message::CaughtError;
use foreshard_model::units::TimeMs;
use foreshard_model::workflow::Workflow;

use crate::cloud::Cloud;
use crate::meter::Usage;
use crate::parameters::{LONGEST_MS, TIMER_WITHIN_MS};
use crate::result::{EachRun, Simulated, Stretch, billed};
use crate::run::Stage;
use crate::scenario::{Failed, Scenario};
use crate::states::Dead;

use self::task::{PlainTask, plain_task, shape};

/// What names of plain functions begin with.
pub(crate) const PREFIX: &str = "plain/";

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
    /// As naive, and each level is one inline Map of its tasks.
    Mapped,
}

/// What ends a plain run before its time.
enum Ended {
    /// Its definition has too many bytes, and is refused.
    TooLarge(u64),
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
    arrangement: Arrangement,
    nests: bool,
    definition_bytes: u64,
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
            let played = plain.play(&mut stretches).await;
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
            Err(Ended::TooLarge(bytes)) => {
                let why = format!(
                    "the definition has {bytes} bytes: Step Functions takes {DEFINITION_BYTES}"
                );
                ("failed", Some(why))
            }
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
            arrangement,
            definition_bytes: measured.definition_bytes,
            tasks: plain,
            graph,
            levels: by_level,
        }
    }
}
