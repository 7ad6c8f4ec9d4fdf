//! Models that are searched twice, with what is left out and without it: their runs end in the same ways.

use crate::is_proof;
use crate::search::{Seen, search};
use crate::setup::{Going, Setup};
use crate::side_by_side::STATES_MAX;

/// Searches both: nothing is wrong in either, their runs end in the same ways, and the first has fewer states.
fn end_alike(less: &Setup, whole: &Setup) -> [Seen; 2] {
    let [one, other] = [less, whole].map(|setup| search(setup, STATES_MAX));
    let shards = &less.shards;
    assert_eq!(
        (&one.violation, &other.violation),
        (&None, &None),
        "{shards}"
    );
    assert_eq!(one.finals, other.finals, "{shards}");
    assert!(one.states < other.states, "{shards}");
    [one, other]
}

/// The models that are searched with and without what is left out: shards, lanes, and how much goes wrong.
fn compared() -> Vec<Setup> {
    use Going::{Dies, Intruded, Lingers};
    let twins = |shards, faults| Setup {
        two_tasks: 0,
        ..Setup::new(shards, 3, faults, Dies)
    };
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
        twins("a b", 0),
    ];
    if is_proof() {
        compared.extend([
            Setup::new("a", 2, 2, Dies),
            Setup::new("a>b>c", 2, 1, Dies),
            Setup::new("a", 2, 1, Intruded),
            twins("a b", 1),
            twins("a b c", 0),
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
        let [seen, _] = end_alike(&less, &whole);
        // The third of three lanes has nothing to do beside two shards: it ends, and so it is compared, too.
        assert_eq!(seen.spared > 0, less.lanes > 2, "{}", less.shards);
    }
}

/// The models that are searched with and without states in which lanes or shards have but changed places.
fn compared_by_places() -> Vec<Setup> {
    let of = |shards, faults| Setup {
        two_tasks: 0,
        ..Setup::new(shards, 3, faults, Going::Dies)
    };
    let mut compared = vec![of("a b c", 0), of("a>b a>c", 0)];
    if is_proof() {
        compared.extend([
            of("a>b a>c a>d", 0),
            of("a>b a>c a>d a>e", 0),
            of("a b", 1),
            of("a>c b>c", 1),
            of("a>b a>c", 1),
            of("a b c", 1),
        ]);
    }
    compared
}

#[test]
fn changed_places_make_no_difference() {
    for less in compared_by_places() {
        let whole = Setup {
            changes_places: false,
            ..less.clone()
        };
        let [seen, all] = end_alike(&less, &whole);
        println!(
            "{:24} {:>9} states instead of {:>10}",
            less.shards, seen.states, all.states
        );
    }
}
