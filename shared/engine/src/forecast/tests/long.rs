//! A day ahead: the level is followed, and the errors of a day go together.

use super::*;

/// Rows of a day.
const DAY: usize = 48;

/// Days of one shape, each at a level of its own, with a little chance in each row.
fn days(levels: &[f64], seed: u64) -> Vec<f64> {
    let mut dice = Dice::new(seed);
    let mut rows = Vec::new();
    for level in levels {
        for at in 0..DAY {
            let shape = 1.0 + 0.5 * (at as f64 / DAY as f64 * std::f64::consts::TAU).sin();
            rows.push((200.0 * level * shape * (0.95 + 0.1 * dice.share())).round());
        }
    }
    rows
}

#[test]
fn a_new_level_is_followed_and_its_jump_makes_wide() {
    let mut levels = [1.0; 14];
    levels[12] = 2.0;
    levels[13] = 2.0;
    let rows = days(&levels, 31);
    let origin = 13 * DAY + DAY / 2;
    let width = |rows: &[f64]| {
        let answer = ahead(&series(1_800, rows), DAY);
        check(&answer, DAY);
        let [middle, high] = ["0.5", "0.99"].map(|q| answer.quantiles[q].clone());
        let off = high.iter().zip(&middle).map(|(high, middle)| high / middle);
        let widest = off.fold(0.0, f64::max);
        (middle, widest)
    };
    let (middle, wide) = width(&rows[..origin]);
    for (said, came) in middle.iter().zip(&rows[origin..]) {
        assert!((0.7..1.3).contains(&(said / came)), "{said} of {came}");
    }
    let (_, narrow) = width(&rows[..12 * DAY]);
    assert!(wide > 1.2 && narrow < 1.2, "{wide}, {narrow}");
}

#[test]
fn days_that_differ_as_wholes_are_covered() {
    let (mut below, mut all) = ([0_u32; 2], 0_u32);
    for seed in 0..40 {
        let mut dice = Dice::new(700 + seed);
        let levels: Vec<f64> = (0..15).map(|_| (dice.share() - 0.5).exp()).collect();
        let rows = days(&levels, seed);
        let answer = ahead(&series(1_800, &rows[..14 * DAY]), DAY);
        for (count, name) in below.iter_mut().zip(["0.5", "0.9"]) {
            let said = answer.quantiles[name].iter().zip(&rows[14 * DAY..]);
            *count += said.filter(|(said, came)| came <= said).count() as u32;
        }
        all += DAY as u32;
    }
    let [middle, high] = below.map(|count| f64::from(count) / f64::from(all));
    // Forty days are forty draws: two standard errors are 0.16 and 0.1.
    assert!((0.34..=0.66).contains(&middle), "{middle}");
    assert!((0.80..=1.0).contains(&high), "{high}");
}

#[test]
fn what_repeats_by_no_part_of_a_day_is_still_learnt() {
    // Waves each 37 rows, a day of 96: no cycle of the day is like another.
    let rows = waves(96 * 15, 96, 37, 33);
    let answer = ahead(&series(900, &rows[..96 * 14]), 96);
    check(&answer, 96);
    let middle = &answer.quantiles["0.5"];
    for (step, value) in middle.iter().enumerate() {
        let wave = (96 * 14 + step).is_multiple_of(37);
        assert_eq!(*value > 60.0, wave, "step {step}: {value}");
    }
}
