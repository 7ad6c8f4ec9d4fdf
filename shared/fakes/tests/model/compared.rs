//! Models that are searched twice, with what is left out and without it: their runs end in the same ways.

use crate::is_proof;
use crate::search::search;
use crate::setup::{Going, Setup};
use crate::side_by_side::STATES_MAX;

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
        let shards = less.shards.clone();
        let [less, whole] = [less, whole].map(|setup| search(&setup, STATES_MAX));
        assert_eq!(
            (&less.violation, &whole.violation),
            (&None, &None),
            "{shards}"
        );
        assert_eq!(less.finals, whole.finals, "{shards}");
        println!(
            "{shards:24} {:>9} states instead of {:>10}",
            less.states, whole.states
        );
        assert!(less.states < whole.states, "{shards}");
    }
}
