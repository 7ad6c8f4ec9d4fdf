//! Plans of random workflows of every shape, checked by code that shares nothing with the planner.

#![expect(clippy::unwrap_used, reason = "a test fails when it cannot go on")]

mod check;
mod limits;
mod random;
mod shapes;

use std::collections::BTreeMap;

use foreshard_engine::parse::{self, Library};
use foreshard_engine::plan::{PlanInput, Planned, plan};
use foreshard_model::ids::{Generation, RunId, TargetId};
use foreshard_model::outlook::{Outlook, Promised};
use foreshard_model::policy::RunOptions;
use foreshard_model::problem::Problem;
use foreshard_model::target::{Pool, Target};
use foreshard_model::units::Mib;
use foreshard_model::workflow::Workflow;
use serde_json::{Value, json};

/// A workflow from its tasks, as a user writes them.
fn workflow(tasks: &[Value]) -> Workflow {
    let text = json!({"foreshard": 1, "name": "random", "version": "1", "tasks": tasks});
    let parsed = parse::document(text.to_string().as_bytes(), &Library::new());
    parsed
        .unwrap_or_else(|problems| panic!("{problems:?}\n{text}"))
        .workflow
}

/// Plans in us-east-1.
fn planned(
    workflow: &Workflow,
    pool: &Pool,
    options: &RunOptions,
) -> Result<Planned, Vec<Problem>> {
    plan_in("us-east-1", workflow, pool, options)
}

fn plan_in(
    region: &str,
    workflow: &Workflow,
    pool: &Pool,
    options: &RunOptions,
) -> Result<Planned, Vec<Problem>> {
    plan(&PlanInput {
        run: &RunId::from("r-aaaaaaaaaaaaaaaaaaaa"),
        generation: Generation(0),
        workflow,
        pool,
        options,
        bundles: &BTreeMap::new(),
        region,
        outlook: &Outlook::default(),
        promised: &Promised::default(),
    })
}

/// Functions of these sizes; those of 1,769 MiB and more are also labelled `zone=a`.
fn pool(tiers: &[u32], lanes_max: u32, concurrency: u32) -> Pool {
    let plain = Pool::default_on_aws("us-east-1");
    let target = |mib: &u32| {
        let mut labels = BTreeMap::new();
        if *mib >= 1_769 {
            labels.insert("zone".to_owned(), "a".to_owned());
        }
        Target {
            id: TargetId(format!("execute-{mib}:live")),
            memory: Mib(*mib),
            labels,
            ..plain.targets[0].clone()
        }
    };
    Pool {
        targets: tiers.iter().map(target).collect(),
        lanes_max,
        concurrency,
        ..plain
    }
}

/// A synthetic task of so many seconds and MiB.
fn task(id: &str, needs: &[String], cpu_s: f64, memory_mib: u32) -> Value {
    json!({"id": id, "kind": "synthetic", "cpu_s": cpu_s, "memory_mib": memory_mib, "needs": needs, "timeout_s": 900})
}
