//! A forecast for people and programs: the data, the models beside each other, why, and a row for each step.

use std::fmt::Write as _;
use std::path::Path;

use foreshard_engine::forecast::{Backtest, Scores, Series};
use foreshard_model::forecast::{Forecast, Judged};
use foreshard_model::plan::Reason;
use jiff::Timestamp;
use serde::Serialize;

/// Rows of the table of steps, at most: more are thinned, evenly.
const ROWS: usize = 48;
/// Times before this are row numbers, not dates: the year 2001, in seconds.
const DATED_FROM_S: i64 = 978_307_200;

/// What is printed as JSON: the history in short, the forecast, and what came where that is known.
#[derive(Debug, Serialize)]
pub struct Shown {
    /// Name of the file.
    pub file: String,
    history: History,
    /// What is expected.
    pub forecast: Forecast,
    /// What came, step by step, `null` where it is missing; empty unless rows were held back.
    pub came: Vec<f64>,
    /// How far apart both are, where rows were held back.
    #[serde(skip_serializing_if = "Option::is_none")]
    scores: Option<Scores>,
    /// The rows that the forecast saw.
    #[serde(skip)]
    pub before: Series,
}

/// The rows that the forecast saw, in short.
#[derive(Debug, Serialize)]
struct History {
    /// Start of the first: seconds since 1970.
    start_s: i64,
    /// Length of each in seconds.
    step_s: u32,
    rows: usize,
    missing: usize,
}

impl Shown {
    /// A forecast of what has not come yet.
    #[must_use]
    pub fn ahead(file: &Path, before: Series, forecast: Forecast) -> Self {
        Self::new(file, before, forecast, Vec::new(), None)
    }

    /// A forecast of rows that were held back.
    #[must_use]
    pub fn held_back(file: &Path, held: Backtest) -> Self {
        Self::new(
            file,
            held.before,
            held.forecast,
            held.came,
            Some(held.scores),
        )
    }

    fn new(
        file: &Path,
        before: Series,
        forecast: Forecast,
        came: Vec<f64>,
        scores: Option<Scores>,
    ) -> Self {
        Self {
            file: file
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned(),
            history: History {
                start_s: before.start_s,
                step_s: before.step_s,
                rows: before.values.len(),
                missing: before.values.iter().filter(|v| v.is_nan()).count(),
            },
            forecast,
            came,
            scores,
            before,
        }
    }

    /// The whole as text.
    #[must_use]
    pub fn table(&self) -> String {
        let History {
            start_s,
            step_s,
            rows,
            missing,
        } = self.history;
        let mut text = format!(
            "{}: {rows} rows of {step_s} s from {}, {missing} missing\n",
            self.file,
            moment(start_s, step_s)
        );
        for reason in &self.forecast.reasons {
            let _ = writeln!(text, "  {:<9} {}", reason.subject, told(reason));
        }
        models(&mut text, &self.forecast);
        if let Some(scores) = &self.scores {
            held(&mut text, scores);
        }
        self.steps(&mut text);
        text
    }

    fn steps(&self, text: &mut String) {
        let forecast = &self.forecast;
        let _ = write!(text, "\n{:<17}", "FROM");
        for name in forecast.quantiles.keys() {
            let _ = write!(text, " {name:>10}");
        }
        if !self.came.is_empty() {
            let _ = write!(text, " {:>10}", "CAME");
        }
        text.push('\n');
        let steps = forecast.steps();
        let every = steps.div_ceil(ROWS).max(1);
        for step in (0..steps).step_by(every) {
            let at_s = forecast.start_s + i64::from(forecast.step_s) * step as i64;
            let _ = write!(text, "{:<17}", moment(at_s, forecast.step_s));
            for values in forecast.quantiles.values() {
                let _ = write!(text, " {:>10}", number(values[step]));
            }
            if let Some(came) = self.came.get(step) {
                let _ = write!(text, " {:>10}", number(*came));
            }
            text.push('\n');
        }
        if every > 1 {
            let _ = writeln!(
                text,
                "one of every {every} of {steps} steps: --format json has all, --format svg shows them"
            );
        }
    }
}

fn models(text: &mut String, forecast: &Forecast) {
    if forecast.judged.is_empty() {
        let _ = writeln!(text, "\nmodel: {}", forecast.model);
        return;
    }
    let of = |judged: &Judged| judged.model.chars().count();
    let width = forecast.judged.iter().map(of).max().unwrap_or(0).max(5);
    let _ = writeln!(
        text,
        "\n  {:<width$} {:>10} {:>10}",
        "MODEL", "LOSS", "OF NAIVE"
    );
    for judged in &forecast.judged {
        let used = if judged.model == forecast.model {
            "*"
        } else {
            " "
        };
        let of_naive = if judged.naive_loss > 0.0 {
            format!("{:.1} %", 100.0 * judged.loss / judged.naive_loss)
        } else {
            "-".to_owned()
        };
        let _ = writeln!(
            text,
            "{used} {:<width$} {:>10} {of_naive:>10}",
            judged.model,
            number(judged.loss)
        );
    }
    text.push_str("* is used. Losses are those on rows held back of the history.\n");
}

fn held(text: &mut String, scores: &Scores) {
    let _ = writeln!(
        text,
        "\nheld back: {} steps that came; mean error {}, that of the day before {}",
        scores.steps,
        number(scores.error),
        number(scores.error_naive)
    );
    for (name, share) in &scores.coverage {
        let loss = scores.loss.get(name).copied().unwrap_or(f64::NAN);
        let _ = writeln!(
            text,
            "  at or below {name}: {share:.3} of them; loss {}",
            number(loss)
        );
    }
}

/// A reason and its numbers.
fn told(reason: &Reason) -> String {
    let numbers = reason.numbers.iter();
    let numbers: Vec<String> = numbers
        .map(|(name, v)| format!("{name} {}", number(*v)))
        .collect();
    if numbers.is_empty() {
        reason.because.clone()
    } else {
        format!("{} ({})", reason.because, numbers.join(", "))
    }
}

/// A time: date and time in UTC, or the number of the row where times only number them.
fn moment(at_s: i64, step_s: u32) -> String {
    match Timestamp::from_second(at_s) {
        Ok(at) if at_s >= DATED_FROM_S => at.strftime("%Y-%m-%d %H:%M").to_string(),
        _ => format!("row {}", at_s / i64::from(step_s.max(1))),
    }
}

/// Four digits, and no more than are needed.
fn number(value: f64) -> String {
    if !value.is_finite() {
        return "-".to_owned();
    }
    let digits = match value.abs() {
        v if v >= 1_000.0 || v == 0.0 => 0,
        v if v >= 100.0 => 1,
        v if v >= 10.0 => 2,
        v if v >= 1.0 => 3,
        _ => 4,
    };
    let text = format!("{value:.digits$}");
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_four_digits() {
        let table = [
            (0.0, "0"),
            (0.012_34, "0.0123"),
            (4.0, "4"),
            (12.345, "12.35"),
            (1_795.4, "1795"),
            (f64::NAN, "-"),
        ];
        for (value, expected) in table {
            assert_eq!(number(value), expected);
        }
    }

    #[test]
    fn long_horizons_are_thinned_and_said_to_be() {
        let forecast = Forecast {
            start_s: 1_795_824_000,
            step_s: 300,
            quantiles: [("0.5".to_owned(), vec![2.0; 100])].into(),
            model: "level of all rows".to_owned(),
            judged: Vec::new(),
            reasons: Vec::new(),
        };
        let before = Series::of_rows(1_795_823_700, 300, &[Some(2.0)]);
        let text = Shown::ahead(Path::new("a/calls.csv"), before, forecast).table();
        assert!(text.starts_with("calls.csv: 1 rows of 300 s from 2026-11-27 23:55, 0 missing\n"));
        assert!(text.ends_with("2026-11-28 08:15           2\none of every 3 of 100 steps: --format json has all, --format svg shows them\n"), "{text}");
    }
}
