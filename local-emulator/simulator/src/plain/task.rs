//! A task as its function sees it: a function for each type and size, the smallest target that holds it.

use foreshard_engine::place::WORKER_MIB;
use foreshard_engine::plan::Scale;
use foreshard_engine::price::function_name;
use foreshard_model::limits::{LAMBDA_TIMEOUT_MS, MIB_PER_VCPU};
use foreshard_model::target::Target;
use foreshard_model::units::Mib;
use foreshard_model::workflow::{FileSource, Task, TaskKind, Workflow};

use super::PREFIX;
use crate::lambda::Shape;
use crate::parameters::Package;
use crate::scenario::Scenario;
use crate::worker::{Reality, task_ms};

/// A task as its function sees it.
pub(super) struct PlainTask {
    pub(super) function: String,
    pub(super) cpu_ms: f64,
    /// How fast its processor time passes.
    pub(super) rate: f64,
    /// Files read from the store, and their bytes.
    pub(super) gets: (u64, u64),
    /// Files written to it, and their bytes.
    pub(super) puts: (u64, u64),
    pub(super) memory_mib: u32,
    pub(super) function_mib: u32,
}

/// What a task asks of its function.
pub(super) fn plain_task(
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
        function: format!("{PREFIX}{}-{function_mib}", function_name(&task.task_type)),
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

/// The function of a task.
pub(super) fn shape(scenario: &Scenario, task: &PlainTask) -> Shape {
    let target = scenario.pool.of_tier(Mib(task.function_mib));
    Shape {
        memory: Mib(task.function_mib),
        disk: target.map(Target::disk).unwrap_or_default(),
        architecture: target.map(|target| target.architecture).unwrap_or_default(),
        package: Package::Zip,
        region: scenario.account.region.clone(),
        limit_ms: target.map_or(LAMBDA_TIMEOUT_MS, |target| target.limit_ms),
        works: true,
    }
}
