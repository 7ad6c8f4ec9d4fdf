//! Lanes that are lost for good: the sweep finds what they left, and the run finishes.

use foreshard_aws::clock::SystemClock;
use foreshard_model::frontier::{Expect, ShardState, Write};
use foreshard_model::ids::RunId;
use foreshard_model::policy::RunOptions;
use foreshard_model::units::TimeMs;
use foreshard_stages::ports::{Clock as _, FrontierWrites as _, RunKey, RunWrites as _};
use serde_json::json;

use super::documents::{chain, fan};
use super::history::History;
use super::runs::{self, PATIENCE, until};
use super::stack::{Deployment, deployment, is_full};
use super::witness::{Witness, tasks};

/// Waits until so many tasks were started.
async fn started(on: &Deployment, run: &RunId, starts: usize) {
    let look = async || (Witness::of(on, run).await.all_starts() >= starts).then_some(());
    assert!(
        until(PATIENCE, look).await.is_some(),
        "{}",
        runs::diagnosis(on, run).await
    );
}

/// A first attempt of these workflows that is older than this has ended, in milliseconds: its task burns 3 s at most. Where the machine is so
/// busy that it has not, the next one is given twice as long, and so on: three may be lost.
const OLD_MS: u64 = 7_000;

/// Moves the deadlines of old attempts, and the last write of the run, into the past: the sweep acts when an attempt is 90 s
/// over its limit and a run was left alone for a minute, and only the full suite waits for that.
async fn let_time_pass(on: &Deployment, run: &RunId) {
    if is_full() {
        return;
    }
    let mut item = runs::item(on, run).await;
    let key = RunKey {
        run: run.clone(),
        partitions: item.plan.as_ref().map_or(1, |plan| plan.partitions),
    };
    let now = SystemClock.now();
    for mut shard in runs::shards(on, &item).await {
        let old_ms = OLD_MS << shard.attempt.0.saturating_sub(1).min(4);
        if shard.state == ShardState::Running && now.since(shard.claimed_at) > old_ms {
            let expected = Expect::Version(shard.version);
            shard.version += 1;
            shard.deadline = Some(TimeMs(1));
            // Whoever writes first is first: the next look finds the shard again.
            let _ = on
                .table
                .commit(&key, &[Write::Shard(Box::new(shard), expected)])
                .await;
        }
    }
    item.version += 1;
    item.updated_at = TimeMs(1);
    let _ = on.table.update_run(&item).await;
}

/// Sweeps until the run has ended.
async fn healed(on: &Deployment, run: &RunId) {
    let look = async || {
        if runs::item(on, run).await.state.is_terminal() {
            return Some(());
        }
        let_time_pass(on, run).await;
        let swept = runs::sweep(on, Some(run)).await;
        (swept["rounds"] != 0 || swept["expired"] != 0).then(|| println!("  the sweep: {swept}"));
        None
    };
    let ended = until(PATIENCE, look).await;
    assert!(ended.is_some(), "{}", runs::diagnosis(on, run).await);
}

/// The execution is stopped as a whole: every lane is gone, nobody settles what runs.
#[tokio::test]
async fn a_stopped_execution_is_healed() {
    let on = deployment().await;
    let options = RunOptions {
        shard_tasks_max: Some(1),
        ..runs::traced()
    };
    let run = runs::submit(&on, &chain(4, 0.5), options).await;
    started(&on, &run, 2).await;
    let arn = format!(
        "{}:{run}-0",
        on.machine.replacen(":stateMachine:", ":execution:", 1)
    );
    on.cloud
        .json(
            "states",
            "AWSStepFunctions.StopExecution",
            &json!({ "executionArn": arn }),
        )
        .await;
    let before = Witness::of(&on, &run).await;
    healed(&on, &run).await;
    let item = runs::succeeded(&on, &run, PATIENCE).await;
    let tasks = tasks(&runs::plan(&on, &run).await);
    let after = Witness::of(&on, &run).await;
    after.assert_committed_once(&tasks);
    after.assert_kept(&before);
    println!(
        "stopped, healed in round {}: repeated {:?}",
        item.round,
        after.repeated(&tasks)
    );
    assert!(item.round.0 >= 1);
}

/// Dispatch cannot answer for a moment, with an error that no retry cures: the lanes that ask then are lost.
#[tokio::test]
async fn a_lost_lane_is_healed() {
    let on = deployment().await;
    let options = RunOptions {
        shard_tasks_max: Some(1),
        lanes_max: Some(2),
        ..runs::traced()
    };
    // One long task and short ones: one lane asks while the other one works.
    let mut document = fan(6, 0.3);
    document["tasks"][0]["cpu_s"] = 3.0.into();
    let run = runs::submit(&on, &document, options).await;
    let both = async || {
        let witness = Witness::of(&on, &run).await;
        let works = witness.starts(&"t0".into()) >= 1 && witness.all_starts() >= 2;
        works.then_some(())
    };
    let both = until(PATIENCE, both).await;
    assert!(both.is_some(), "{}", runs::diagnosis(&on, &run).await);
    let function = on.stack.function("dispatch");
    let variables = on
        .cloud
        .add_variables(&function, &[("FORESHARD_BUCKET", "no-such-bucket")])
        .await;
    let item = runs::item(&on, &run).await;
    let lost = async || (History::of(&on, &item).await.count("LaneEnds") >= 1).then_some(());
    let lost = until(PATIENCE, lost).await;
    on.cloud.set_variables(&function, &variables).await;
    assert!(
        lost.is_some(),
        "no lane was lost: {}",
        runs::diagnosis(&on, &run).await
    );
    let before = Witness::of(&on, &run).await;
    healed(&on, &run).await;
    let item = runs::succeeded(&on, &run, PATIENCE).await;
    let tasks = tasks(&runs::plan(&on, &run).await);
    let after = Witness::of(&on, &run).await;
    after.assert_committed_once(&tasks);
    after.assert_kept(&before);
    println!(
        "a lane lost, healed in round {}: repeated {:?}",
        item.round,
        after.repeated(&tasks)
    );
}
