//! The judge's constants on recorded workflows: beside plain states, and chosen without one family of workflows at a time.

#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test reads what lies beside the checkout, says when there is nothing, and fails when it cannot go on"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use foreshard_engine::parse::{self, Library};
use foreshard_engine::plan::{Beside, PlanInput, beside_plain};
use foreshard_engine::shard::Constants;
use foreshard_model::ids::{Generation, RunId};
use foreshard_model::outlook::{Outlook, Promised};
use foreshard_model::policy::RunOptions;
use foreshard_model::target::Pool;
use foreshard_model::workflow::Workflow;

/// Cost of a plan above plain states that is promised to be the most.
const PROMISED: f64 = 1.02;
/// Workflows of at least so many tasks are held to it.
const HELD: usize = 50;

/// The recorded workflows, by name; `None`, and a line that says so, where they are not required.
fn recorded() -> Option<Vec<(String, Workflow)>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/workflows");
    let required = std::env::var("FORESHARD_SHARED").is_ok_and(|how| how == "required");
    let entries = match std::fs::read_dir(&folder) {
        Ok(entries) => entries,
        Err(error) if required => panic!("`{}` is required: {error}", folder.display()),
        Err(_) => {
            println!(
                "SKIPPED: recorded workflows: there is no `{}`",
                folder.display()
            );
            return None;
        }
    };
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let workflows = files.iter().map(|file| {
        let bytes = std::fs::read(file).unwrap();
        let name = file.file_name().unwrap().to_str().unwrap();
        let parsed = parse::document(&bytes, &Library::new());
        let parsed = parsed.unwrap_or_else(|problems| panic!("{name}: {problems:#?}"));
        let name = name.split(".json").next().unwrap_or(name);
        (name.to_owned(), parsed.workflow)
    });
    Some(workflows.collect())
}

fn family(name: &str) -> &str {
    name.split('-').next().unwrap_or(name)
}

fn outcome(workflow: &Workflow, constants: Constants) -> Beside {
    let pool = Pool::default_on_aws("us-east-1");
    let input = PlanInput {
        run: &RunId::from("r-planned"),
        generation: Generation(0),
        workflow,
        pool: &pool,
        options: &RunOptions::default(),
        bundles: &BTreeMap::new(),
        region: "us-east-1",
        outlook: &Outlook::default(),
        promised: &Promised::default(),
    };
    beside_plain(&input, constants).unwrap()
}

fn slower(beside: &Beside) -> f64 {
    beside.makespan_s / beside.plain_s
}

fn dearer(beside: &Beside) -> f64 {
    beside.usd / beside.plain_usd
}

/// Geometric mean.
fn mean(values: impl Iterator<Item = f64> + Clone) -> f64 {
    let count = values.clone().count().max(1);
    (values.map(f64::ln).sum::<f64>() / count as f64).exp()
}

/// What a set of constants is worth on some files: the mean duration beside plain states, with what their orchestration counts
/// ([`Constants::thrift`]), half as much again for each percent that they are dearer than promised, in the mean. Less is better.
fn worth<'a>(outcomes: impl Iterator<Item = &'a Beside> + Clone) -> f64 {
    let dear = mean(outcomes.clone().map(|beside| {
        let held = if beside.tasks < HELD {
            f64::MAX
        } else {
            PROMISED
        };
        (dearer(beside) / held).max(1.0)
    }));
    let orchestration = mean(outcomes.clone().map(|beside| beside.orchestration));
    mean(outcomes.map(slower)) * orchestration.powf(Constants::default().thrift) * dear.powi(40)
}

/// Half, as shipped, and about twice of each constant that is no wish.
fn grid() -> Vec<Constants> {
    let mut grid = Vec::new();
    for dearer in [1.0, 1.019, 1.04] {
        for uncertainty in [0.0, 0.25, 0.5] {
            for dearer_is_slower in [40, 160, 640] {
                for free_shards in [1.0, 2.0, 4.0] {
                    grid.push(Constants {
                        dearer,
                        free_shards,
                        dearer_is_slower,
                        uncertainty,
                        ..Constants::default()
                    });
                }
            }
        }
    }
    grid
}

/// Each file's plan beside plain states.
fn table(workflows: &[(String, Workflow)], shipped: &[Beside]) {
    println!(
        "| workflow | tasks | shards | time / plain | cost / plain | orchestration / plain | transitions a task |"
    );
    for ((name, _), beside) in workflows.iter().zip(shipped) {
        println!(
            "| {name} | {} | {} | {:.2} | {:.3} | {:.2} | {:.2} |",
            beside.tasks,
            beside.shards,
            slower(beside),
            dearer(beside),
            beside.orchestration,
            beside.transitions / beside.tasks as f64
        );
    }
}

/// The outcomes of each set of constants, in order.
fn on_every_core(
    grid: &[Constants],
    all: &(dyn Fn(Constants) -> Vec<Beside> + Sync),
) -> Vec<Vec<Beside>> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        let shares = grid.chunks(grid.len().div_ceil(cores));
        let shares: Vec<_> = shares
            .map(|share| scope.spawn(|| share.iter().copied().map(all).collect::<Vec<_>>()))
            .collect();
        let shares = shares.into_iter();
        shares.flat_map(|share| share.join().unwrap()).collect()
    })
}

#[test]
fn leaving_a_family_out_changes_little() {
    let Some(workflows) = recorded() else { return };
    let families: BTreeSet<&str> = workflows.iter().map(|(name, _)| family(name)).collect();
    let all = |constants: Constants| -> Vec<Beside> {
        let files = workflows.iter();
        files.map(|(_, w)| outcome(w, constants)).collect()
    };
    let shipped = all(Constants::default());
    table(&workflows, &shipped);
    let grid = grid();
    assert!(grid.contains(&Constants::default()));
    let outcomes = on_every_core(&grid, &all);
    let of = |outcomes: &[Beside], wanted: &dyn Fn(&str) -> bool| -> Vec<Beside> {
        let pairs = workflows.iter().zip(outcomes);
        pairs
            .filter(|((name, _), _)| wanted(family(name)))
            .map(|(_, b)| *b)
            .collect()
    };
    let best_on = |wanted: &dyn Fn(&str) -> bool| -> usize {
        let worths: Vec<f64> = outcomes
            .iter()
            .map(|o| worth(of(o, wanted).iter()))
            .collect();
        let order = |a: &usize, b: &usize| worths[*a].total_cmp(&worths[*b]);
        (0..grid.len()).min_by(order).unwrap()
    };
    println!(
        "| left out | time / plain | with the others' constants | cost / plain | with the others' | the others' constants |"
    );
    let mut apart: Vec<(f64, f64)> = Vec::new();
    for left_out in &families {
        let others = best_on(&|family| family != *left_out);
        let (ours, theirs) = (
            of(&shipped, &|family| family == *left_out),
            of(&outcomes[others], &|family| family == *left_out),
        );
        let constants = grid[others];
        println!(
            "| {left_out} | {:.3} | {:.3} | {:.3} | {:.3} | {} {} {} {} |",
            mean(ours.iter().map(slower)),
            mean(theirs.iter().map(slower)),
            mean(ours.iter().map(dearer)),
            mean(theirs.iter().map(dearer)),
            constants.dearer,
            constants.uncertainty,
            constants.dearer_is_slower,
            constants.free_shards,
        );
        apart.push((
            mean(theirs.iter().map(slower)) / mean(ours.iter().map(slower)),
            mean(theirs.iter().map(dearer)) / mean(ours.iter().map(dearer)),
        ));
    }
    let best = worth(outcomes[best_on(&|_| true)].iter());
    let (time, cost) = (
        mean(apart.iter().map(|(time, _)| *time)),
        mean(apart.iter().map(|(_, cost)| *cost)),
    );
    println!(
        "chosen on the others / shipped, mean over families: time {time:.3}, cost {cost:.3}; shipped / best of {} on all files: {:.3}",
        grid.len(),
        worth(shipped.iter()) / best
    );
    // Constants tuned to single files would lose much where they have never seen the file.
    assert!((0.9..=1.1).contains(&time), "{time}");
    assert!((0.98..=1.02).contains(&cost), "{cost}");
}
