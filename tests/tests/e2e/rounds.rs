//! Long runs hand over from round to round, and wide ones get a lane for each shard.

use foreshard_local_emulator::Emulator;
use foreshard_model::plan::LaneMode;
use foreshard_model::policy::RunOptions;

use super::documents::{chain, fan};
use super::history::History;
use super::runs::{self, PATIENCE};
use super::stack::deployment;
use super::witness::{Witness, tasks};

/// Events after which a round hands over: three shards or so.
const BUDGET: u32 = 50;

#[tokio::test]
async fn a_long_run_has_several_rounds() {
    let on = deployment().await;
    let options = RunOptions {
        shard_tasks_max: Some(1),
        history_budget: Some(BUDGET),
        ..runs::traced()
    };
    let item = runs::run(&on, &chain(10, 0.0), options).await;
    let history = History::of(&on, &item).await;
    let names: Vec<String> = (0..=item.round.0)
        .map(|round| format!("{}-{round}", item.run))
        .collect();
    assert_eq!(
        history.rounds, names,
        "each round is an execution named after run and round"
    );
    assert!(names.len() >= 3, "{} rounds", names.len());
    let tasks = tasks(&runs::plan(&on, &item.run).await);
    let witness = Witness::of(&on, &item.run).await;
    witness.assert_committed_once(&tasks);
    assert!(witness.repeated(&tasks).is_empty());
    println!(
        "{} rounds of at most {} events with a budget of {BUDGET}",
        names.len(),
        history.longest
    );
}

/// More lanes than an inline map may have, each with its own history.
const WIDTH: usize = 41;
const LANES: u32 = 64;

#[tokio::test]
async fn a_wide_run_is_distributed() {
    let on = deployment().await;
    let memory = (128 * LANES).to_string();
    let lanes = LANES.to_string();
    let wide = [
        ("FORESHARD_LANES_MAX", lanes.as_str()),
        ("FORESHARD_LANE_MEMORY_MIB", memory.as_str()),
    ];
    let mut before = Vec::new();
    for stage in ["submit", "plan"] {
        let function = on.stack.function(stage);
        let variables = on.cloud.add_variables(&function, &wide).await;
        before.push((function, variables));
    }
    // Estimates say two seconds of work for each, so that a lane for each pays; what they burn is less.
    let options = RunOptions {
        shard_tasks_max: Some(1),
        ..runs::traced()
    };
    let mut document = fan(WIDTH, 0.02);
    for task in document["tasks"].as_array_mut().into_iter().flatten() {
        task["estimate_s"] = 5.into();
    }
    let run = runs::submit(&on, &document, options).await;
    let item = runs::ended(&on, &run, PATIENCE).await;
    for (function, variables) in &before {
        on.cloud.set_variables(function, variables).await;
    }
    assert!(
        item.summary
            .is_some_and(|s| s.committed as usize == WIDTH + 1),
        "{}",
        runs::diagnosis(&on, &run).await
    );
    let plan = runs::plan(&on, &run).await;
    assert_eq!(plan.mode, LaneMode::Distributed, "{} lanes", plan.lanes);
    assert!(plan.lanes as usize >= WIDTH, "{} lanes", plan.lanes);
    let tasks = tasks(&plan);
    let witness = Witness::of(&on, &run).await;
    witness.assert_committed_once(&tasks);
    assert!(witness.repeated(&tasks).is_empty());
    if on.stack.record.emulator == Emulator::Localstack {
        println!(
            "{WIDTH} wide: {} lanes; LocalStack keeps no history of a distributed map's children",
            plan.lanes
        );
        return;
    }
    let history = History::of(&on, &item).await;
    assert!(
        history.count("ExecuteDistributed") > WIDTH,
        "every shard is in some lane's history"
    );
    assert_eq!(history.count("LaneEndsDistributed"), plan.lanes as usize);
    println!(
        "{WIDTH} wide: {} lanes, {} events in the longest history",
        plan.lanes, history.longest
    );
}
