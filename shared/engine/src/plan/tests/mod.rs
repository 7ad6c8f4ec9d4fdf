//! Plans of small workflows, and what holds for every plan.

mod check;
mod objective;
mod placed;
mod property;
mod shared;
mod small;

use std::collections::BTreeMap;

use foreshard_model::claim::Claim;
use foreshard_model::ids::{Generation, RunId, TargetId, TaskId, TaskIndex};
use foreshard_model::objective::Objective;
use foreshard_model::outlook::{Outlook, Promised};
use foreshard_model::policy::RunOptions;
use foreshard_model::problem::Problem;
use foreshard_model::target::{Architecture, Pool, Target};
use foreshard_model::units::Mib;
use foreshard_model::workflow::{
    Effect, Extras, Need, OnFailure, Resources, Synthetic, Task, TaskKind, Workflow,
};

use super::{PlanInput, Planned, plan};

/// A workflow from `a>b a>c b>d c>d`: synthetic tasks of one second, 100 MiB and 1,000 bytes an edge.
pub(crate) fn workflow(text: &str) -> Workflow {
    let (names, graph) = crate::graph::text::parse(text);
    let edges: Vec<(u32, u32)> = (0..names.len() as u32)
        .flat_map(|to| graph.predecessors(to).iter().map(move |&from| (from, to)))
        .collect();
    from_edges(names.len(), &edges, |at| names[at].clone())
}

fn from_edges(tasks: usize, edges: &[(u32, u32)], name: impl Fn(usize) -> String) -> Workflow {
    let mut tasks: Vec<Task> = (0..tasks).map(|at| task(&name(at))).collect();
    for &(from, to) in edges {
        tasks[to as usize].needs.push(Need {
            task: TaskIndex(from),
            bytes: 1_000,
        });
    }
    Workflow {
        name: "example".to_owned(),
        version: "1".to_owned(),
        tasks,
        outputs: BTreeMap::new(),
        on_failure: OnFailure::Stop,
        objective: Objective::default(),
    }
}

fn task(name: &str) -> Task {
    Task {
        id: TaskId::from(name),
        task_type: "synthetic".to_owned(),
        kind: TaskKind::Synthetic(Synthetic {
            cpu_ms: 1_000.0,
            memory: Mib(100),
        }),
        needs: Vec::new(),
        inputs: Vec::new(),
        files: Vec::new(),
        writes: Vec::new(),
        resources: Resources {
            memory: Mib(100),
            vcpus: 1.0,
            gpu: None,
            disk: Mib(0),
            network_mbps: 0,
        },
        estimate_ms: Some(1_000),
        timeout_ms: 60_000,
        effect: Effect::Pure,
        retries: 0,
        extras: None,
    }
}

fn extras(task: &mut Task) -> &mut Extras {
    task.extras.get_or_insert_with(Box::default)
}

fn pool() -> Pool {
    let targets = [128, 256, 512, 1024, 1769, 3538, 5307, 7076, 10_240]
        .into_iter()
        .map(|memory| Target {
            id: TargetId(format!("foreshard-execute-{memory}:live")),
            region: "us-east-1".to_owned(),
            memory: Mib(memory),
            architecture: Architecture::Arm64,
            limit_ms: 900_000,
            labels: BTreeMap::new(),
            speed: 1.0,
        })
        .collect();
    Pool {
        targets,
        lanes_max: 4,
        lane_memory: None,
        concurrency: 1_000,
        links: Vec::new(),
    }
}

fn planned(
    workflow: &Workflow,
    pool: &Pool,
    options: &RunOptions,
) -> Result<Planned, Vec<Problem>> {
    planned_with(workflow, pool, options, &BTreeMap::new())
}

fn planned_with(
    workflow: &Workflow,
    pool: &Pool,
    options: &RunOptions,
    bundles: &BTreeMap<String, Claim>,
) -> Result<Planned, Vec<Problem>> {
    plan(&PlanInput {
        run: &RunId::from("r-aaaaaaaaaaaaaaaaaaaa"),
        generation: Generation(0),
        workflow,
        pool,
        options,
        bundles,
        region: "us-east-1",
        outlook: &Outlook::default(),
        promised: &Promised::default(),
    })
}

fn codes(workflow: &Workflow, pool: &Pool, options: &RunOptions) -> Vec<String> {
    match planned(workflow, pool, options) {
        Ok(_) => Vec::new(),
        Err(problems) => problems.iter().map(ToString::to_string).collect(),
    }
}
