//! The run protocol by exhaustion: every order of every request of every stage, with whatever goes wrong in between.
//!
//! A process is the production stage, begun anew with what it was told so far: its next request is one atomic step, carried out
//! by the store in memory. docs/proof.md says what is in the model, and what is not. `make prove` checks the sizes of
//! [`sizes::proof`], every other run those of [`sizes::slice`].

mod actions;
mod alike;
mod asked;
mod broken;
mod carried;
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
mod nodes;
mod process;
mod search;
mod setup;
mod shown;
mod sizes;
mod state;
mod steps;
mod store;
mod symmetry;
mod tape;
mod timeless;
mod touched;
mod walk;
mod worker;

use std::collections::BTreeSet;

use broken::Broken;
use search::{Seen, search};
use setup::{Going, Setup};
use sizes::{Reach, Size};
use walk::walks;

/// States after which a search is given up: about 9 GB of them, beside what was computed once.
const STATES_MAX: u64 = 800_000_000;

/// CPU time of this process so far, in seconds: user and system, fields 14 and 15 of `/proc/self/stat`.
fn cpu_s() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rsplit(')').next().unwrap_or_default();
    let ticks = fields.split_whitespace().skip(11).take(2);
    let ticks: u64 = ticks.filter_map(|t| t.parse::<u64>().ok()).sum();
    ticks as f64 / 100.0
}

fn looked(setup: &Setup, reach: Reach) -> Seen {
    match reach {
        Reach::Whole => search(setup, STATES_MAX),
        Reach::Walks(count) => walks(setup, count),
    }
}

/// Visits every state of every model of a size, or goes as many ways as it says: a line about how many there are.
fn exhaust(size: &Size, ends: &mut BTreeSet<&'static str>) -> String {
    let begun_s = cpu_s();
    let (mut states, mut transitions, mut deepest) = (0, 0, 0);
    for setup in &size.setups {
        let seen = looked(setup, size.reach);
        if let Some((what, way)) = &seen.violation {
            panic!("{setup:?}: {what}\n{}", way.join("\n"));
        }
        assert!(!seen.cut_short, "{setup:?}: more than {STATES_MAX} states");
        states += seen.states;
        transitions += seen.transitions;
        deepest = seen.deepest.max(deepest);
        ends.extend(seen.ends.into_keys());
    }
    let reach = match size.reach {
        Reach::Whole => "whole".to_owned(),
        Reach::Walks(count) => format!("{count} ways each"),
    };
    format!(
        "{:66} {reach:15} {:3} models {states:>11} states {transitions:>11} steps, {deepest:>3} deep, {:>6.1} CPU-s",
        size.what,
        size.setups.len(),
        cpu_s() - begun_s
    )
}

/// What is to be searched beyond the slice that every run of the tests searches.
fn wanted() -> Option<String> {
    std::env::var("FORESHARD_MODEL").ok()
}

/// Whether a size is to be looked at: all are, or those whose name has one of the words between semicolons in `FORESHARD_ONLY`.
fn is_asked_for(size: &Size) -> bool {
    let only = std::env::var("FORESHARD_ONLY").unwrap_or_default();
    only.split(';').any(|word| size.what.contains(word))
}

/// Whether everything is to be searched.
fn is_proof() -> bool {
    wanted().is_some_and(|value| value == "all")
}

#[test]
fn every_run_ends_with_each_task_committed_once_or_with_a_cause() {
    let sizes = match wanted().as_deref() {
        Some("all") => sizes::proof(),
        Some("large") => sizes::large(),
        _ => sizes::slice(),
    };
    let mut ends = BTreeSet::new();
    for size in sizes.iter().filter(|size| is_asked_for(size)) {
        println!("{}", exhaust(size, &mut ends));
    }
    // The model would be of no use if nothing could go wrong in it. Where nobody comes uninvited, nobody cancels.
    let mut every = BTreeSet::from(["succeeded", "failed"]);
    if wanted().as_deref() != Some("large") {
        every.insert("cancelled");
    }
    assert_eq!(ends, every, "how runs ended");
}

/// What a search, or some ways, find in a protocol that is broken on purpose, and the way to it.
fn found_by(reach: Reach, setup: Setup, broken: Broken) -> String {
    let setup = Setup {
        broken: Some(broken),
        ..setup
    };
    let seen = looked(&setup, reach);
    let (what, way) = seen.violation.unwrap_or_default();
    format!("{what}\nafter {} states:\n{}", seen.states, way.join("\n"))
}

fn found(setup: Setup, broken: Broken) -> String {
    found_by(Reach::Whole, setup, broken)
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
    let told = found_by(Reach::Walks(1_000), setup, Broken::WaitingCounts);
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

/// The models that are searched with and without what is left out: shards, lanes, and how much goes wrong.
fn compared() -> Vec<Setup> {
    use Going::{Dies, Intruded, Lingers};
    let mut compared = vec![
        Setup::new("a", 2, 1, Dies),
        Setup::new("a", 1, 2, Dies),
        Setup::new("a>b", 1, 1, Dies),
        Setup::new("a>b", 1, 2, Dies),
        Setup::new("a b", 1, 2, Dies),
        Setup::new("a>b", 2, 0, Dies),
        Setup::new("a b", 2, 0, Dies),
        Setup::new("a b", 2, 1, Dies),
        Setup::new("a", 1, 1, Lingers),
        Setup::new("a b", 3, 0, Dies),
    ];
    if is_proof() {
        compared.extend([
            Setup::new("a", 2, 2, Dies),
            Setup::new("a>b>c", 2, 1, Dies),
            Setup::new("a", 2, 1, Intruded),
        ]);
    }
    compared
}

#[test]
fn what_is_left_out_makes_no_difference() {
    for less in compared() {
        let whole = Setup {
            reduced: false,
            ..less.clone()
        };
        let (shards, lanes) = (less.shards.clone(), less.lanes);
        let [less, whole] = [less, whole].map(|setup| search(&setup, STATES_MAX));
        assert_eq!(
            (&less.violation, &whole.violation),
            (&None, &None),
            "{shards}"
        );
        assert_eq!(less.finals, whole.finals, "{shards}");
        assert!(less.states < whole.states, "{shards}");
        // The third of three lanes has nothing to do beside two shards: it ends, and so it is compared, too.
        assert_eq!(less.spared > 0, lanes > 2, "{shards}");
    }
}

#[test]
fn every_shape_is_there_once() {
    let counts: Vec<usize> = (1..=4).map(|shards| dags::all(shards).len()).collect();
    assert_eq!(counts, [1, 2, 6, 31]);
}
