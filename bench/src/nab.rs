//! The score of the Numenta Anomaly Benchmark, standard profile: how early each window was hit, and how many flags were false.
//!
//! Source: Lavin and Ahmad, "Evaluating Real-time Anomaly Detection Algorithms" (2015), and the benchmark's own scorer.

/// Weight of a false flag; a hit and a miss weigh 1.
const FALSE_FLAG: f64 = 0.11;

/// Share of the rows in which nothing counts, and the most rows that it may be.
const PROBATION: (f64, usize) = (0.15, 750);

/// What is left of a score between flags and windows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Score {
    /// Weighted sum.
    pub raw: f64,
    /// Windows that count.
    pub windows: usize,
    /// Of them, hit.
    pub hit: usize,
    /// Flags outside of windows.
    pub false_flags: usize,
}

/// Falls from 1 at the beginning of a window over 0 at its end to -1 three windows later.
fn sigmoid(position: f64) -> f64 {
    if position > 3.0 {
        -1.0
    } else {
        2.0 / (1.0 + (5.0 * position).exp()) - 1.0
    }
}

/// The score of some flags against windows, each from its first to its last row, in order.
pub fn score(flags: &[bool], windows: &[(usize, usize)]) -> Score {
    let rows = flags.len();
    let probation = ((rows as f64 * PROBATION.0) as usize).min(PROBATION.1);
    let windows: Vec<(usize, usize)> = windows
        .iter()
        .copied()
        .filter(|&(_, last)| last >= probation)
        .collect();
    let mut of_window = vec![-1.0_f64; windows.len()];
    let (mut outside, mut false_flags) = (0.0, 0);
    for row in (probation..rows).filter(|&row| flags[row]) {
        let within = windows
            .iter()
            .position(|&(first, last)| (first..=last).contains(&row));
        if let Some(at) = within {
            let (first, last) = windows[at];
            let position = -((last - row + 1) as f64) / (last - first + 1) as f64;
            of_window[at] = of_window[at].max(sigmoid(position) / sigmoid(-1.0));
            continue;
        }
        false_flags += 1;
        let before = windows.iter().rev().find(|&&(_, last)| last < row);
        outside += before.map_or(-1.0, |&(first, last)| {
            sigmoid((row - last) as f64 / (last - first).max(1) as f64)
        });
    }
    Score {
        raw: of_window.iter().sum::<f64>() + FALSE_FLAG * outside,
        windows: windows.len(),
        hit: of_window.iter().filter(|&&hit| hit > -1.0).count(),
        false_flags,
    }
}

/// The score of several files together: no flag at all is 0, all windows hit at their first row and nothing else is 100.
pub fn normalised(scores: &[Score]) -> Option<f64> {
    let windows: usize = scores.iter().map(|score| score.windows).sum();
    let raw: f64 = scores.iter().map(|score| score.raw).sum();
    (windows > 0).then(|| 100.0 * (raw + windows as f64) / (2 * windows) as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flags(at: &[usize]) -> Vec<bool> {
        (0..1_000).map(|row| at.contains(&row)).collect()
    }

    #[test]
    fn nothing_is_0_and_perfect_is_100() {
        let windows = [(400, 449), (700, 749)];
        let of = |at: &[usize]| normalised(&[score(&flags(at), &windows)]).expect("windows");
        assert_eq!(of(&[]), 0.0);
        assert_eq!(of(&[400, 700]), 100.0);
        assert_eq!(
            of(&[400, 410, 449, 700]),
            100.0,
            "further hits count nothing"
        );
        assert_eq!(of(&[400]), 50.0, "half of it is missed");
        assert!(of(&[449, 749]) > 50.0, "a late hit is a hit");
        assert!(
            of(&[424, 724]) < of(&[401, 701]),
            "early ones are worth more"
        );
    }

    #[test]
    fn false_flags_cost_a_little_and_none_in_probation() {
        let windows = [(400, 449)];
        let of = |at: &[usize]| score(&flags(at), &windows);
        assert_eq!(of(&[10, 149, 400]), of(&[400]));
        assert_eq!(of(&[200, 400]).false_flags, 1);
        assert!((of(&[400]).raw - of(&[200, 400]).raw - 0.11).abs() < 1e-12);
        let near = of(&[400]).raw - of(&[400, 455]).raw;
        assert!(
            (0.0..0.11).contains(&near),
            "soon after a window it costs less: {near}"
        );
    }
}
