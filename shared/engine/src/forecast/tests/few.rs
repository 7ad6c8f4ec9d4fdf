//! Forecasts of which nothing can be held back: as wide as so few rows tell it.

use super::*;

/// Steps ahead: of fewer than 69 rows none are held back for so many.
const AHEAD: usize = 15;
/// Series of each length and kind.
const SERIES: u64 = 400;

/// Rows that do not depend on each other: even, falling off exponentially, and counts of which most are small.
fn independent(kind: usize, dice: &mut Dice) -> f64 {
    let falling = -(1.0 - dice.share()).ln();
    match kind {
        0 => 50.0 + 50.0 * dice.share(),
        1 => 100.0 * falling,
        _ => (3.0 * falling).floor(),
    }
}

/// Share of what comes at or below the quantiles 0.05, 0.9 and 0.99, after so many rows.
fn coverage(rows: usize, kind: usize) -> [f64; 3] {
    let mut below = [0; 3];
    for seed in 0..SERIES {
        let mut dice = Dice::new(1_000 * rows as u64 + seed);
        let all: Vec<f64> = (0..rows + AHEAD)
            .map(|_| independent(kind, &mut dice))
            .collect();
        let answer = ahead(&series(60, &all[..rows]), AHEAD);
        check(&answer, AHEAD);
        assert_eq!(answer.model, "level of all rows");
        for (below, q) in below.iter_mut().zip(["0.05", "0.9", "0.99"]) {
            let come = all[rows..].iter().zip(&answer.quantiles[q]);
            *below += come.filter(|(came, said)| *came <= said).count();
        }
    }
    below.map(|count| count as f64 / (SERIES as f64 * AHEAD as f64))
}

#[test]
fn few_rows_that_do_not_depend_on_each_other_are_covered() {
    for rows in [10, 15, 30, 60] {
        for kind in 0..3 {
            let [low, high, top] = coverage(rows, kind);
            let told = format!("{rows} rows of kind {kind}: {low}, {high}, {top}");
            // Of the counts more than a quarter are zero.
            assert!(kind == 2 || low <= 0.06, "{told}");
            assert!((0.88..=0.92).contains(&high), "{told}");
            assert!(top >= 0.98, "{told}");
        }
    }
}

#[test]
fn something_after_nothing_is_not_taken_for_the_first_of_ever_larger() {
    let mut rows = [0.0; 30];
    rows[10..16].fill(1e8);
    let answer = ahead(&series(60, &rows), AHEAD);
    let top = answer.quantiles["0.99"][0];
    assert!((1e8..5e8).contains(&top), "{top}");
}
