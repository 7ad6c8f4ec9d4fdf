//! `bench forecast`: a series cut off at each origin, its forecast, and how far that was from what came.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead as _, BufReader, Read};
use std::path::Path;

use flate2::read::MultiGzDecoder;
use foreshard_engine::calendar::Calendar;
use foreshard_engine::forecast::{Request, Series, forecast as decide, table};
use serde::Serialize;

use crate::BenchError;
use crate::arguments::ForecastArguments;
use crate::meter::{measured, peak_mib};

/// A day, in seconds.
const DAY_S: usize = 86_400;

/// Figures of one series: means over the origins.
#[derive(Debug, Serialize)]
pub struct Figures {
    file: String,
    origins: usize,
    /// Mean |actual − median| / scale.
    mase: f64,
    /// Mean quantile loss / scale at the highest quantile.
    pinball_top: f64,
    /// Share of actual values at or below each quantile.
    coverage: BTreeMap<String, f64>,
    /// The same step of the day before: its mean |actual − forecast| / scale.
    mase_yesterday: f64,
    /// Its loss at the highest quantile, that quantile from its errors over the same steps of the last days.
    pinball_top_yesterday: f64,
    /// How often which model was used.
    models: BTreeMap<String, usize>,
    cpu_s_per_fit: f64,
    peak_mib: f64,
}

/// What `--out` is written.
#[derive(Debug, Serialize)]
struct Answers {
    origins: Vec<Answer>,
    cpu_s_per_fit: f64,
}

/// One origin's.
#[derive(Debug, Serialize)]
struct Answer {
    index: usize,
    quantiles: BTreeMap<String, Vec<f64>>,
    model: String,
}

/// Rows and what is asked of them, after summing.
struct Asked {
    rows: Vec<Option<f64>>,
    step_s: u32,
    horizon: usize,
    history: usize,
    quantiles: Vec<f64>,
    /// As given, and as rows.
    origins: Vec<(usize, usize)>,
}

/// Forecasts a series at every origin, from the rows before it only.
pub fn forecast(arguments: &ForecastArguments) -> Result<Figures, BenchError> {
    let asked = asked(arguments)?;
    let (answers, cpu_s) = measured(|| answers(&asked));
    let cpu_s_per_fit = cpu_s / answers.len().max(1) as f64;
    let figures = figures(&arguments.file, &asked, &answers, cpu_s_per_fit);
    if let Some(path) = &arguments.out {
        let answers = Answers {
            origins: answers,
            cpu_s_per_fit,
        };
        let text = serde_json::to_string(&answers).unwrap_or_default();
        std::fs::write(path, text).map_err(|source| BenchError::File {
            doing: "write",
            path: path.display().to_string(),
            source,
        })?;
    }
    Ok(figures)
}

fn asked(arguments: &ForecastArguments) -> Result<Asked, BenchError> {
    let rows = rows(&arguments.file, arguments.column.as_deref())?;
    let sum = arguments.sum.max(1);
    let refused = |why: String| BenchError::content(&arguments.file, why);
    let rows = summed(&rows, sum);
    if let Some(q) = arguments
        .quantiles
        .iter()
        .find(|q| !(0.0..=1.0).contains(*q))
    {
        return Err(refused(format!("`{q}` is no quantile: from 0 to 1")));
    }
    // Origins beyond the sums can only be rows of the file; so can a history.
    let of_file = arguments.origins.iter().any(|origin| *origin > rows.len());
    let mut origins = Vec::new();
    for &given in &arguments.origins {
        let row = if of_file { given / sum } else { given };
        if row == 0 || row > rows.len() || of_file && given % sum != 0 {
            let why = format!(
                "origin {given} is not one of 1 to {}, or of {sum} times as many rows of the file",
                rows.len()
            );
            return Err(refused(why));
        }
        origins.push((given, row));
    }
    let history = arguments.history.unwrap_or(rows.len());
    Ok(Asked {
        step_s: arguments.step_s * sum as u32,
        horizon: arguments.horizon,
        history: if history > rows.len() {
            history / sum
        } else {
            history
        }
        .max(1),
        quantiles: arguments.quantiles.clone(),
        origins,
        rows,
    })
}

/// Sums of so many rows each; missing where one of them is.
fn summed(rows: &[Option<f64>], sum: usize) -> Vec<Option<f64>> {
    rows.chunks_exact(sum)
        .map(|rows| rows.iter().copied().sum())
        .collect()
}

/// The values of a file, line by line.
fn rows(path: &Path, column: Option<&str>) -> Result<Vec<Option<f64>>, BenchError> {
    let failed = |source| BenchError::File {
        doing: "read",
        path: path.display().to_string(),
        source,
    };
    let mut start = [0; 2];
    let file = File::open(path).map_err(failed)?;
    let packed = (&file).take(2).read(&mut start).map_err(failed)? == 2 && start == [0x1f, 0x8b];
    let file = File::open(path).map_err(failed)?;
    let text: Box<dyn Read> = if packed {
        Box::new(MultiGzDecoder::new(file))
    } else {
        Box::new(file)
    };
    let mut lines = BufReader::new(text).lines();
    let first = lines
        .next()
        .transpose()
        .map_err(failed)?
        .unwrap_or_default();
    let columns = table::columns(&first, column).map_err(|why| BenchError::content(path, why))?;
    let mut rows = Vec::new();
    if columns.headless {
        rows.extend(table::sample(&first, columns, 1).map(|(_, value)| value));
    }
    for line in lines {
        let line = line.map_err(failed)?;
        if !line.trim().is_empty() {
            rows.push(table::sample(&line, columns, 1).and_then(|(_, value)| value));
        }
    }
    Ok(rows)
}

fn answers(asked: &Asked) -> Vec<Answer> {
    let calendar = Calendar::default();
    let answer = |&(index, row): &(usize, usize)| {
        let first = row.saturating_sub(asked.history);
        let series = Series::of_rows(
            first as i64 * i64::from(asked.step_s),
            asked.step_s,
            &asked.rows[first..row],
        );
        let forecast = decide(&Request {
            series: &series,
            horizon: asked.horizon,
            quantiles: &asked.quantiles,
            calendar: &calendar,
            feeds: &[],
        });
        Answer {
            index,
            quantiles: forecast.quantiles,
            model: forecast.model,
        }
    };
    asked.origins.iter().map(answer).collect()
}

fn figures(path: &Path, asked: &Asked, answers: &[Answer], cpu_s_per_fit: f64) -> Figures {
    let day = (DAY_S / asked.step_s.max(1) as usize).max(1);
    let top = asked.quantiles.iter().copied().fold(0.0, f64::max);
    let mut sums = Sums::default();
    let mut models = BTreeMap::new();
    for (answer, &(_, row)) in answers.iter().zip(&asked.origins) {
        *models.entry(answer.model.clone()).or_insert(0) += 1;
        let scale = scale(asked, row, day);
        let middle = nearest(&answer.quantiles, 0.5);
        let highest = nearest(&answer.quantiles, top);
        let beyond = error_quantile(asked, row, day, top);
        let mut own = Sums::default();
        for step in 0..asked.horizon {
            let Some(Some(actual)) = asked.rows.get(row + step).copied() else {
                continue;
            };
            own.count += 1.0;
            own.error += (actual - middle[step]).abs() / scale;
            own.loss += pinball(top, highest[step], actual) / scale;
            for (name, values) in &answer.quantiles {
                let below = f64::from(u8::from(actual <= values[step]));
                *own.below.entry(name.clone()).or_insert(0.0) += below;
            }
            let before = (row + step)
                .checked_sub(day)
                .and_then(|at| asked.rows[at])
                .unwrap_or(0.0);
            own.error_before += (actual - before).abs() / scale;
            own.loss_before += pinball(top, before + beyond, actual) / scale;
        }
        sums.add(&own);
    }
    let mean = |sum: f64| sum / sums.count.max(1.0);
    Figures {
        file: path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned(),
        origins: answers.len(),
        mase: rounded(mean(sums.error)),
        pinball_top: rounded(mean(sums.loss)),
        coverage: sums
            .below
            .iter()
            .map(|(name, below)| (name.clone(), rounded(mean(*below))))
            .collect(),
        mase_yesterday: rounded(mean(sums.error_before)),
        pinball_top_yesterday: rounded(mean(sums.loss_before)),
        models,
        cpu_s_per_fit: rounded(cpu_s_per_fit),
        peak_mib: peak_mib(),
    }
}

/// Sums over steps, then over origins.
#[derive(Debug, Default)]
struct Sums {
    count: f64,
    error: f64,
    loss: f64,
    error_before: f64,
    loss_before: f64,
    below: BTreeMap<String, f64>,
}

impl Sums {
    /// Adds the means of one origin.
    fn add(&mut self, own: &Self) {
        if own.count == 0.0 {
            return;
        }
        self.count += 1.0;
        self.error += own.error / own.count;
        self.loss += own.loss / own.count;
        self.error_before += own.error_before / own.count;
        self.loss_before += own.loss_before / own.count;
        for (name, below) in &own.below {
            *self.below.entry(name.clone()).or_insert(0.0) += below / own.count;
        }
    }
}

/// What errors are measured by: of steps that are ahead for less than a day, the mean one-step difference of the two days before;
/// of longer horizons, the mean difference from a day before in the history.
fn scale(asked: &Asked, row: usize, day: usize) -> f64 {
    let (lag, first) = if asked.horizon < day {
        (1, row.saturating_sub(2 * day) + 1)
    } else {
        (day, row.saturating_sub(asked.history) + day)
    };
    let apart = (first.max(lag)..row)
        .filter_map(|at| Some((asked.rows[at]? - asked.rows[at - lag]?).abs()));
    let (sum, count) = apart.fold((0.0, 0_usize), |(sum, count), d| (sum + d, count + 1));
    if sum > 0.0 { sum / count as f64 } else { 1.0 }
}

/// How far above yesterday a quantile lay over the history: yesterday's own quantile.
fn error_quantile(asked: &Asked, row: usize, day: usize, q: f64) -> f64 {
    let first = row.saturating_sub(asked.history) + day;
    let errors =
        (first..row).filter_map(|at| Some(asked.rows[at]? - asked.rows[at.checked_sub(day)?]?));
    let mut errors: Vec<f64> = errors.collect();
    errors.sort_by(f64::total_cmp);
    let at = (q * errors.len() as f64) as usize;
    errors
        .get(at.min(errors.len().saturating_sub(1)))
        .copied()
        .unwrap_or(0.0)
}

/// The values of the quantile nearest to one.
fn nearest(quantiles: &BTreeMap<String, Vec<f64>>, wanted: f64) -> &[f64] {
    let far = |name: &String| (name.parse::<f64>().unwrap_or(f64::MAX) - wanted).abs();
    let best = quantiles
        .iter()
        .min_by(|a, b| far(a.0).total_cmp(&far(b.0)));
    best.map_or(&[], |(_, values)| values)
}

fn pinball(q: f64, forecast: f64, actual: f64) -> f64 {
    let over = actual - forecast;
    (q * over).max((q - 1.0) * over)
}

fn rounded(value: f64) -> f64 {
    (value * 10_000.0).round() / 10_000.0
}
