//! Runs: created once, written by version, listed, and marked while they are active.

use std::sync::Arc;

use foreshard_model::ids::RunId;
use foreshard_model::run::{RunItem, RunState};
use foreshard_stages::ports::PortError;

use crate::adapters::Adapters;
use crate::items;

pub async fn a_run_is_created_once(on: Arc<Adapters>) {
    let item = items::run("once", "a", 1_700_000_000_000);
    assert_eq!(on.runs.run(&item.run).await, Ok(None));
    on.run_writes.create_run(&item).await.unwrap();
    assert_eq!(on.runs.run(&item.run).await, Ok(Some(item.clone())));
    let again = on.run_writes.create_run(&item).await;
    assert!(matches!(again, Err(PortError::Conflict(_))), "{again:?}");
}

pub async fn a_run_is_written_by_version(on: Arc<Adapters>) {
    let item = items::run("versions", "a", 1_700_000_000_000);
    on.run_writes.create_run(&item).await.unwrap();
    let second = RunItem {
        version: 2,
        state: RunState::Running,
        ..item.clone()
    };
    on.run_writes.update_run(&second).await.unwrap();
    for stale in [&item, &second] {
        let late = on.run_writes.update_run(stale).await;
        assert!(matches!(late, Err(PortError::Conflict(_))), "{late:?}");
    }
    assert_eq!(on.runs.run(&item.run).await, Ok(Some(second)));
}

pub async fn a_run_is_active_until_it_is_terminal(on: Arc<Adapters>) {
    let item = items::run("active", "a", 1_700_000_000_000);
    on.run_writes.create_run(&item).await.unwrap();
    assert!(active(&on).await.contains(&item.run));
    let states = [
        (RunState::Running, true),
        (RunState::Failed, false),
        (RunState::Running, true),
        (RunState::Succeeded, false),
    ];
    for (step, (state, expected)) in (2..).zip(states) {
        let next = RunItem {
            version: step,
            state,
            ..item.clone()
        };
        on.run_writes.update_run(&next).await.unwrap();
        assert_eq!(active(&on).await.contains(&item.run), expected, "{state:?}");
    }
}

async fn active(on: &Adapters) -> Vec<RunId> {
    let mut all = Vec::new();
    let mut after = None;
    loop {
        let page = on.runs.active_runs(after.as_deref()).await.unwrap();
        all.extend(page.items);
        after = page.next;
        if after.is_none() {
            return all;
        }
    }
}

pub async fn runs_are_listed_newest_first_in_pages(on: Arc<Adapters>) {
    let tenant = "lister".into();
    let mut expected = Vec::new();
    for at in [3_000, 1_000, 2_000, 5_000, 4_000] {
        let item = items::run("lister", &at.to_string(), at);
        on.run_writes.create_run(&item).await.unwrap();
        expected.push((std::cmp::Reverse(at), item.run));
    }
    on.run_writes
        .create_run(&items::run("somebody else", "x", 9_000))
        .await
        .unwrap();
    expected.sort();
    let mut seen = Vec::new();
    let mut after: Option<String> = None;
    loop {
        let page = on.runs.runs_of(&tenant, 2, after.as_deref()).await.unwrap();
        assert!(page.items.len() <= 2);
        seen.extend(page.items);
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    let expected: Vec<RunId> = expected.into_iter().map(|(_, run)| run).collect();
    assert_eq!(seen, expected);
}
