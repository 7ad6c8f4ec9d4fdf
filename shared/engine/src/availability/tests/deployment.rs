//! To which of several deployments a run goes.

use foreshard_model::outlook::StoredOutlook;
use foreshard_model::policy::RunOptions;
use foreshard_model::problem::Problem;
use foreshard_model::target::Pool;
use foreshard_model::units::TimeMs;
use foreshard_model::workflow::{FileInput, FileSource, Workflow};

use super::super::{Deployment, DeploymentChoice, STALE_MS, Submission, choose_deployment};
use super::*;
use crate::plan::tests;

/// When the outlooks were made.
const MADE: TimeMs = TimeMs(NOW_S as u64 * 1_000);

/// Four hundred tasks of half a minute side by side, each with so many bytes to read, and bound to a region.
fn workflow(bytes: u64, residency: &[&str]) -> Workflow {
    let names: Vec<String> = (0..400).map(|task| format!("t{task}")).collect();
    let mut workflow = tests::workflow(&names.join(" "));
    for task in &mut workflow.tasks {
        task.estimate_ms = Some(30_000);
        task.timeout_ms = 800_000;
        task.files = vec![FileInput {
            name: "found".to_owned(),
            source: FileSource::Generated { bytes },
        }];
        let extras = task.extras.get_or_insert_default();
        extras.affinity.residency = residency.iter().map(ToString::to_string).collect();
    }
    workflow
}

/// What a deployment expects where so much of its region is claimed.
fn stored(region: &str, seen: Seen) -> StoredOutlook {
    StoredOutlook {
        made_at: MADE,
        outlook: outlook(&[(region, seen)], &[], "").outlook,
        ..StoredOutlook::default()
    }
}

/// The choice between `near`, which is home and has the data, and `far`.
fn choice(
    near: Option<Seen>,
    far: Option<Seen>,
    workflow: &Workflow,
    now: TimeMs,
) -> Result<DeploymentChoice, Vec<Problem>> {
    let near = (
        Pool::default_on_aws("near"),
        near.map(|seen| stored("near", seen)),
    );
    let far = (
        Pool::default_on_aws("far"),
        far.map(|seen| stored("far", seen)),
    );
    let deployments =
        [("near", &near), ("far", &far)].map(|(region, (pool, outlook))| Deployment {
            region,
            pool,
            outlook: outlook.as_ref(),
        });
    let submission = Submission {
        workflow,
        options: &RunOptions::default(),
        bundles: &BTreeMap::new(),
        home: "near",
        data: Some("near"),
    };
    choose_deployment(&submission, &deployments, now)
}

/// The last reason: why it goes there.
fn because(choice: &DeploymentChoice) -> &str {
    &choice.reasons.last().unwrap().because
}

#[test]
fn a_run_goes_where_it_is_done_first() {
    let wide = workflow(1_000, &[]);
    let home = choice(Some(seen(100.0)), Some(seen(100.0)), &wide, MADE).unwrap();
    assert_eq!((home.at, home.candidates.len()), (0, 2));
    assert_eq!(because(&home), "`near`: it is home, and done first there");
    let away = choice(Some(seen(890.0)), Some(seen(100.0)), &wide, MADE).unwrap();
    assert_eq!(away.at, 1);
    assert_eq!(because(&away), "`far`: done first there");
    // Throttles send it away, too.
    let throttled = Minute {
        calls: 1.0,
        throttled: 99.0,
    };
    let throttled = Seen {
        minutes: vec![throttled; 20],
        ..seen(850.0)
    };
    let away = choice(Some(throttled), Some(seen(100.0)), &wide, MADE).unwrap();
    assert_eq!(away.at, 1);
}

#[test]
fn it_does_not_go_where_its_data_takes_longer_or_may_not_be() {
    // To fetch much takes a while: it stays where a few lanes are free, and goes where it would wait still longer.
    for (bytes, claimed, at) in [
        (1_000, 890.0, 1),
        (9_000_000_000, 860.0, 0),
        (9_000_000_000, 890.0, 1),
    ] {
        let reading = workflow(bytes, &[]);
        let choice = choice(Some(seen(claimed)), Some(seen(100.0)), &reading, MADE).unwrap();
        assert_eq!(choice.at, at, "{bytes}: {:?}", choice.candidates);
    }
    let bound = workflow(1_000, &["near"]);
    let stays = choice(Some(seen(890.0)), Some(seen(100.0)), &bound, MADE).unwrap();
    assert_eq!((stays.at, stays.candidates.len()), (0, 1));
    let refused = &stays
        .reasons
        .iter()
        .find(|r| r.subject == "region")
        .unwrap()
        .because;
    assert!(
        refused.starts_with("`far` cannot run it: FS2009"),
        "{refused}"
    );
    let nowhere = workflow(1_000, &["moon"]);
    let problems = choice(Some(seen(100.0)), Some(seen(100.0)), &nowhere, MADE).unwrap_err();
    assert!(
        problems[0].message.contains("is in moon"),
        "{}",
        problems[0]
    );
}

#[test]
fn home_is_chosen_where_nothing_is_known_or_what_was_known_is_old() {
    let wide = workflow(1_000, &[]);
    let none = choice(None, None, &wide, MADE).unwrap();
    assert_eq!(none.at, 0);
    assert!(none.reasons[0].because.contains("there is no outlook"));
    let later = TimeMs(MADE.0 + STALE_MS + 1);
    let old = choice(Some(seen(890.0)), Some(seen(100.0)), &wide, later).unwrap();
    assert_eq!(old.at, 0);
    assert!(
        old.reasons[0].because.contains("too old"),
        "{:?}",
        old.reasons
    );
}

#[test]
fn of_no_deployments_none_is_chosen() {
    let submission = Submission {
        workflow: &workflow(0, &[]),
        options: &RunOptions::default(),
        bundles: &BTreeMap::new(),
        home: "near",
        data: None,
    };
    assert_eq!(choose_deployment(&submission, &[], MADE), Err(Vec::new()));
}
