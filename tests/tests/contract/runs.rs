//! Runs: created once, written by version, listed, and marked while they are active.

use std::sync::Arc;

use foreshard_model::ids::{RunId, Tenant};
use foreshard_model::policy::StartRate;
use foreshard_model::run::{RunItem, RunState};
use foreshard_model::units::TimeMs;
use foreshard_stages::ports::{Listed, PortError, Span, Taken};

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
    let tenant = Tenant::from("lister");
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
    let expected: Vec<RunId> = expected.into_iter().map(|(_, run)| run).collect();
    assert_eq!(listed(&on, &tenant, Span::default()).await, expected);
    let of = |since: Option<u64>, until: Option<u64>| Span {
        since: since.map(TimeMs),
        until: until.map(TimeMs),
    };
    for (span, range) in [
        (of(Some(2_000), None), 0..4),
        (of(None, Some(4_000)), 2..5),
        (of(Some(2_000), Some(5_000)), 1..4),
        (of(Some(3_000), Some(3_000)), 0..0),
        (of(None, Some(0)), 0..0),
        (of(Some(u64::MAX), Some(u64::MAX)), 0..0),
    ] {
        assert_eq!(
            listed(&on, &tenant, span).await,
            expected[range],
            "{span:?}"
        );
    }
}

/// All of a listing, two at a time.
async fn listed(on: &Adapters, tenant: &Tenant, span: Span) -> Vec<RunId> {
    let mut seen: Vec<Listed> = Vec::new();
    loop {
        let page = on
            .runs
            .runs_of(tenant, &span, seen.last(), 2)
            .await
            .unwrap();
        let ended = page.len() < 2;
        seen.extend(page);
        if ended {
            return seen.into_iter().map(|entry| entry.run).collect();
        }
    }
}

pub async fn starts_are_taken_off_an_allowance_that_comes_back(on: Arc<Adapters>) {
    let rate = StartRate {
        burst: 3,
        per_minute: 60,
    };
    let tenant = Tenant::from("starter");
    let start = async |at: u64| {
        let now = TimeMs(1_700_000_000_000 + at);
        on.allowances.take_start(&tenant, rate, now).await.unwrap()
    };
    let wait = |ms| Taken::Wait { ms };
    for (at, expected) in [
        (0, Taken::Taken),
        (0, Taken::Taken),
        (10, Taken::Taken),
        (10, wait(990)),
        (900, wait(100)),
        (1_000, Taken::Taken),
        (1_000, wait(1_000)),
        (60_000, Taken::Taken),
        (60_000, Taken::Taken),
        (60_000, Taken::Taken),
        (60_000, wait(1_000)),
    ] {
        assert_eq!(start(at).await, expected, "at {at} ms");
    }
    let other = Tenant::from("another starter");
    let now = TimeMs(1_700_000_060_000);
    let taken = on.allowances.take_start(&other, rate, now).await;
    assert_eq!(taken, Ok(Taken::Taken));
}

pub async fn starts_at_the_same_time_get_no_more_than_there_is(on: Arc<Adapters>) {
    let rate = StartRate {
        burst: 5,
        per_minute: 60,
    };
    let tenant = Tenant::from("many starters");
    let now = TimeMs(1_700_000_000_000);
    let mut starts = Vec::new();
    for _ in 0..20 {
        let (on, tenant) = (Arc::clone(&on), tenant.clone());
        starts.push(tokio::spawn(async move {
            on.allowances.take_start(&tenant, rate, now).await
        }));
    }
    let mut taken = 0;
    for start in starts {
        taken += u32::from(start.await.unwrap() == Ok(Taken::Taken));
    }
    assert_eq!(taken, 5);
}
