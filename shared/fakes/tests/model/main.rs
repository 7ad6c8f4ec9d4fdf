//! The run protocol by exhaustion: every order of every request of every stage, with whatever goes wrong in between.
//!
//! A process is the production stage, begun anew with what it was told so far: its next request is one atomic step, carried out
//! by the store in memory. docs/proof.md says what is in the model, and what is not. `make prove` checks the sizes of
//! [`sizes::proof`], every other run those of [`sizes::slice`].

mod actions;
mod ahead;
mod alike;
mod asked;
mod broken;
mod carried;
mod compared;
mod dags;
mod enough;
mod facts;
mod faults;
mod few;
mod forget;
mod intern;
mod known;
mod law;
mod machine;
mod memo;
mod mentioned;
mod nodes;
mod places;
mod process;
mod recall;
mod search;
mod setup;
mod shown;
mod side_by_side;
mod sizes;
mod state;
mod steps;
mod store;
mod symmetry;
mod tape;
mod timeless;
mod touched;
mod twins;
mod worker;

use std::collections::BTreeSet;

use broken::Broken;
use search::search;
use setup::{Going, Setup};
use side_by_side::{STATES_MAX, exhaust};
use sizes::Size;

/// Whether everything is to be searched, and not only the slice that every run of the tests searches.
fn is_proof() -> bool {
    std::env::var("FORESHARD_MODEL").is_ok_and(|value| value == "all")
}

/// The sizes that are to be searched: all, or those whose name has one of the words between semicolons in `FORESHARD_ONLY`; of them
/// the models with the shards of `FORESHARD_SHARDS`, if it is set.
fn wanted(only: &str, shards: &str) -> Vec<Size> {
    let mut sizes = match is_proof() {
        true => sizes::proof(),
        false => sizes::slice(),
    };
    sizes.retain(|size| only.split(';').any(|word| size.what.contains(word)));
    for size in &mut sizes {
        let is_wanted = |setup: &Setup| shards.is_empty() || setup.shards == shards;
        size.setups.retain(is_wanted);
    }
    sizes
}

#[test]
fn every_run_ends_with_each_task_committed_once_or_with_a_cause() {
    let [only, shards] =
        ["FORESHARD_ONLY", "FORESHARD_SHARDS"].map(|name| std::env::var(name).unwrap_or_default());
    let ends = exhaust(&wanted(&only, &shards), |line| println!("{line}"));
    // The model would be of no use if nothing could go wrong in it. Where nobody comes uninvited, nobody cancels.
    let mut every = BTreeSet::from(["succeeded", "failed", "cancelled"]);
    if !(only.is_empty() && shards.is_empty()) {
        every.retain(|end| ends.contains(end));
    }
    assert_eq!(ends, every, "how runs ended");
}

/// What a search finds in a protocol that is broken on purpose, and the way to it.
fn found(setup: Setup, broken: Broken) -> String {
    let setup = Setup {
        broken: Some(broken),
        ..setup
    };
    let seen = search(&setup, STATES_MAX);
    let (what, way) = seen.violation.unwrap_or_default();
    format!("{what}\nafter {} states:\n{}", seen.states, way.join("\n"))
}

#[test]
fn arrivals_that_are_counted_let_a_shard_start_early() {
    let told = found(Setup::new("a>c b>c", 2, 1, Going::Dies), Broken::Counter);
    assert!(
        told.starts_with("shard 1 is Ready before shard 2"),
        "{told}"
    );
}

#[test]
fn a_lane_that_looks_before_its_token_is_stored_sleeps_beside_work() {
    let told = found(Setup::new("a", 2, 0, Going::Dies), Broken::NoSecondLook);
    assert!(told.starts_with("a lane sleeps beside work"), "{told}");
}

#[test]
fn a_settlement_without_the_attempt_commits_what_is_fenced_off() {
    let setup = Setup::new("a", 2, 1, Going::Intruded);
    let told = found(setup, Broken::NoAttemptFence);
    assert!(
        told.starts_with("shard 0 goes back from attempt 2"),
        "{told}"
    );
}

#[test]
fn an_arrival_without_the_generation_is_lost_in_a_re_cut() {
    let setup = Setup {
        two_tasks: 2,
        ..Setup::new("a>b", 1, 1, Going::Intruded)
    };
    let told = found(setup, Broken::NoGenerationFence);
    assert!(
        told.starts_with("the run can neither finish nor fail"),
        "{told}"
    );
}

#[test]
fn a_shard_that_is_released_before_its_successors_know_stops_the_run() {
    let setup = Setup::new("a>b", 1, 1, Going::Dies);
    let told = found(setup, Broken::ReleasedTooSoon);
    assert!(
        told.starts_with("the run can neither finish nor fail"),
        "{told}"
    );
}

#[test]
fn a_lane_that_takes_what_waits_for_running_ends_too_early() {
    let setup = Setup::new("a>b a>c d", 3, 0, Going::Dies);
    let told = found(setup, Broken::WaitingCounts);
    assert!(
        told.starts_with("work waits for a lane that has ended"),
        "{told}"
    );
}

#[test]
fn a_lane_that_ends_without_a_last_look_leaves_work_behind() {
    let setup = Setup::new("a>b a>c d", 3, 0, Going::Dies);
    let told = found(setup, Broken::NoLastLook);
    assert!(
        told.starts_with("work waits for a lane that has ended"),
        "{told}"
    );
}

#[test]
fn a_run_that_is_moved_on_whatever_it_has_become_stands_still() {
    let setup = |faults| Setup::new("a", 2, faults, Going::Dies);
    let told = found(setup(1), Broken::NoRunFence);
    assert!(told.starts_with("\nafter"), "one fault is too few: {told}");
    let told = found(setup(2), Broken::NoRunFence);
    assert!(
        told.starts_with("the run can neither finish nor fail"),
        "{told}"
    );
}

#[test]
fn every_shape_is_there_once() {
    let counts: Vec<usize> = (1..=4).map(|shards| dags::all(shards).len()).collect();
    assert_eq!(counts, [1, 2, 6, 31]);
}
