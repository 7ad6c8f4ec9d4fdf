//! What owners of runs do to them: cancel, resume, pause, submit twice, list, follow; and a sweep that finds all well.

use std::collections::BTreeSet;

use foreshard_aws::client::{ApiError, RunFilter};
use foreshard_model::api::SubmitRequest;
use foreshard_model::ids::RunId;
use foreshard_model::ledger::EventKind;
use foreshard_model::policy::RunOptions;
use foreshard_model::run::RunState;

use super::documents::{chain, diamond};
use super::runs::{self, PATIENCE, until};
use super::stack::{Deployment, deployment};
use super::witness::{Witness, tasks};

/// A chain of shards, long enough that a wish falls into the middle of one.
const TASKS: usize = 8;
const TASK_S: f64 = 0.5;

fn two_to_a_shard() -> RunOptions {
    RunOptions {
        shard_tasks_max: Some(2),
        ..runs::traced()
    }
}

/// Waits until the first shard is committed and the second one is being executed.
async fn in_the_middle(on: &Deployment, run: &RunId) {
    let look = async || {
        let witness = Witness::of(on, run).await;
        (witness.committed() >= 1 && witness.all_starts() > witness.committed()).then_some(())
    };
    assert!(
        until(PATIENCE, look).await.is_some(),
        "{}",
        runs::diagnosis(on, run).await
    );
}

/// What is committed stays, what is not is done, each task once.
async fn goes_on(on: &Deployment, run: &RunId, before: &Witness) {
    let view = on.api.resume(run).await.expect("it is resumed");
    assert!(!view.state.is_terminal(), "{:?}", view.state);
    let item = runs::succeeded(on, run, PATIENCE).await;
    assert!(item.round.0 >= 1, "a resumed run has a further round");
    let tasks = tasks(&runs::plan(on, run).await);
    let after = Witness::of(on, run).await;
    after.assert_committed_once(&tasks);
    after.assert_kept(before);
    let repeated = after.repeated(&tasks);
    println!(
        "  {} of {TASKS} committed before, {} starts in all, repeated {repeated:?}, {} rounds",
        before.committed(),
        after.all_starts(),
        item.round.0 + 1
    );
    assert!(
        repeated.is_empty(),
        "nothing was cut off in the middle of a task: {repeated:?}"
    );
}

#[tokio::test]
async fn cancelled_and_resumed() {
    let on = deployment().await;
    let run = runs::submit(&on, &chain(TASKS, TASK_S), two_to_a_shard()).await;
    in_the_middle(&on, &run).await;
    on.api.cancel(&run).await.expect("it is cancelled");
    let item = runs::ended(&on, &run, PATIENCE).await;
    assert_eq!(item.state, RunState::Cancelled);
    let before = Witness::of(&on, &run).await;
    assert!(before.committed() < TASKS, "it was cancelled in the middle");
    match on.api.result(&run).await {
        Err(ApiError::Refused(problem)) => assert_eq!(problem.status, 409, "{problem:?}"),
        other => panic!("a cancelled run has no result: {other:?}"),
    }
    println!("cancelled:");
    goes_on(&on, &run, &before).await;
}

#[tokio::test]
async fn paused_and_resumed() {
    let on = deployment().await;
    let run = runs::submit(&on, &chain(TASKS, TASK_S), two_to_a_shard()).await;
    in_the_middle(&on, &run).await;
    on.api.pause(&run).await.expect("it is paused");
    let item = runs::ended(&on, &run, PATIENCE).await;
    assert_eq!(item.state, RunState::Paused);
    let before = Witness::of(&on, &run).await;
    println!("paused:");
    goes_on(&on, &run, &before).await;
}

#[tokio::test]
async fn one_key_is_one_run() {
    let on = deployment().await;
    let request = |cpu_s: f64| SubmitRequest {
        document: Some(diamond(cpu_s).to_string()),
        options: runs::traced(),
        ..SubmitRequest::default()
    };
    // A key of its own for each emulator, which may outlive this test.
    let key = format!("monday {}", on.cloud.executions(&on.machine).await);
    let first = on
        .api
        .submit(&request(0.01), Some(&key))
        .await
        .expect("accepted");
    let second = on
        .api
        .submit(&request(0.01), Some(&key))
        .await
        .expect("accepted");
    assert!(first.created && !second.created);
    assert_eq!(first.run, second.run);
    match on.api.submit(&request(0.02), Some(&key)).await {
        Err(ApiError::Refused(problem)) => {
            assert_eq!((problem.status, problem.code.as_str()), (409, "FS3007"))
        }
        other => panic!("the key stands for another content: {other:?}"),
    }
    runs::succeeded(&on, &first.run, PATIENCE).await;
    let third = on
        .api
        .submit(&request(0.01), Some(&key))
        .await
        .expect("accepted");
    assert!(!third.created, "the key of a finished run names it still");
    let tasks = tasks(&runs::plan(&on, &first.run).await);
    Witness::of(&on, &first.run)
        .await
        .assert_committed_once(&tasks);
}

#[tokio::test]
async fn runs_are_listed_in_pages() {
    let on = deployment().await;
    let mut mine = BTreeSet::new();
    for _ in 0..3 {
        mine.insert(
            runs::run(&on, &diamond(0.0), RunOptions::default())
                .await
                .run,
        );
    }
    let (mut seen, mut after, mut last) = (Vec::new(), None, u64::MAX);
    while !mine.iter().all(|run| seen.contains(run)) {
        let page = on
            .api
            .runs(&RunFilter::default(), 2, after.as_deref())
            .await
            .expect("a page");
        assert!(!page.runs.is_empty() && page.runs.len() <= 2);
        for view in page.runs {
            assert!(view.accepted_at.0 <= last, "newest first");
            last = view.accepted_at.0;
            assert!(!seen.contains(&view.run), "no run is listed twice");
            seen.push(view.run);
        }
        after = page.next;
        assert!(
            after.is_some() || mine.iter().all(|run| seen.contains(run)),
            "the listing ends too early"
        );
    }
    assert!(
        seen.len() <= 4,
        "the three newest are on the first two pages"
    );
}

#[tokio::test]
async fn events_are_followed() {
    let on = deployment().await;
    let run = runs::submit(&on, &chain(4, 0.2), two_to_a_shard()).await;
    let (mut seen, mut cursor, mut pages) = (BTreeSet::new(), String::new(), 0);
    let look = async || {
        let page = on.api.events(&run, &cursor).await.expect("a page");
        seen.extend(
            page.events
                .iter()
                .map(|e| (e.at, e.kind, e.shard, e.attempt)),
        );
        pages += 1;
        let ended = page.state.is_terminal() && page.next == cursor;
        cursor = page.next;
        ended.then_some(())
    };
    assert!(
        until(PATIENCE, look).await.is_some(),
        "{}",
        runs::diagnosis(&on, &run).await
    );
    let count = |kind: EventKind| seen.iter().filter(|(_, k, ..)| *k == kind).count();
    println!("{} events in {pages} looks", seen.len());
    assert_eq!(
        (count(EventKind::Accepted), count(EventKind::Planned)),
        (1, 1)
    );
    assert_eq!(
        (count(EventKind::Claimed), count(EventKind::Settled)),
        (2, 2),
        "two shards: {seen:?}"
    );
}

#[tokio::test]
async fn a_sweep_finds_all_well() {
    let on = deployment().await;
    let run = runs::submit(&on, &chain(TASKS, TASK_S), two_to_a_shard()).await;
    in_the_middle(&on, &run).await;
    for _ in 0..3 {
        let answer = runs::sweep(&on, None).await;
        assert_eq!(answer["expired"], 0, "{answer}");
        assert_eq!(answer["rounds"], 0, "{answer}");
    }
    let item = runs::succeeded(&on, &run, PATIENCE).await;
    assert_eq!(item.round.0, 0);
    let tasks = tasks(&runs::plan(&on, &run).await);
    let witness = Witness::of(&on, &run).await;
    witness.assert_committed_once(&tasks);
    assert!(witness.repeated(&tasks).is_empty());
}
