//! `forecast`: what a recorded series is expected to do next, by which model, and why.

use std::path::Path;

use foreshard_engine::calendar::Calendar;
use foreshard_engine::draw::{self, Chart};
use foreshard_engine::forecast::{
    Feed, HISTORY_MAX, Request, Series, backtest, forecast as decide,
};

use crate::args::{Arguments, Format};
use crate::exit::{CliError, Exit};
use crate::forecast_args::Forecast as Wanted;
use crate::render::forecasts::Shown;
use crate::render::{data, say};
use crate::samples::{self, Samples};
use crate::source;

/// Seconds of a day.
const DAY_S: u32 = 86_400;
/// Most steps that are looked ahead when nothing is said: a day of 5-minute steps.
const HORIZON_UNASKED: u32 = 288;
/// Step of a table whose times do not tell it, in seconds.
const STEP_UNTOLD_S: u32 = 60;
/// Steps of the history that a chart shows, in horizons.
const SHOWN_BEFORE: usize = 3;
/// The set of holidays that ships, as an argument.
const STARTER: &str = "starter";

/// Forecasts a table, and prints the quantiles as a table, as JSON, or as a chart.
///
/// # Errors
/// A file that cannot be read or written, a column that is not there, a calendar with problems, too few rows to hold any back.
pub fn forecast(arguments: &Arguments, wanted: &Wanted) -> Result<Exit, CliError> {
    if arguments.format == Format::Dot {
        let message = "--format dot is for plans: a forecast is text, json or svg".to_owned();
        return Err(CliError::Argument(message));
    }
    let series = series(wanted)?;
    let horizon = match wanted.horizon {
        Some(steps) => usize::from(steps),
        None => (DAY_S / series.step_s).clamp(1, HORIZON_UNASKED) as usize,
    };
    let calendar = calendar(&wanted.calendar)?;
    let feeds = feeds(&wanted.feed)?;
    let request = Request {
        series: &series,
        horizon,
        quantiles: &wanted.quantiles,
        calendar: &calendar,
        feeds: &feeds,
    };
    let shown = if wanted.backtest {
        let held = backtest(&request).ok_or_else(|| too_short(&series, horizon))?;
        Shown::held_back(&wanted.file, held)
    } else {
        Shown::ahead(&wanted.file, series.clone(), decide(&request))
    };
    if let Some(path) = &wanted.svg {
        std::fs::write(path, chart(&shown)).map_err(|source| CliError::File {
            doing: "write",
            path: path.display().to_string(),
            source,
        })?;
    }
    data(&match arguments.format {
        Format::Json => serde_json::to_string_pretty(&shown).unwrap_or_default(),
        Format::Svg => chart(&shown),
        Format::Text | Format::Dot => shown.table(),
    });
    Ok(Exit::Success)
}

fn too_short(series: &Series, horizon: usize) -> CliError {
    CliError::Argument(format!(
        "--backtest: {horizon} steps cannot be held back of {}, or none of them has a value; look less far ahead with --horizon",
        series.values.len()
    ))
}

/// The chart: the forecast after as much of the history as tells it.
fn chart(shown: &Shown) -> String {
    let all = &shown.before.values;
    let from = all
        .len()
        .saturating_sub(SHOWN_BEFORE * shown.forecast.steps());
    draw::chart(&Chart {
        title: &shown.file,
        before: &all[from..],
        forecast: &shown.forecast,
        came: &shown.came,
    })
}

fn series(wanted: &Wanted) -> Result<Series, CliError> {
    let column = wanted.column.as_deref();
    let step_s = match wanted.step_s {
        Some(step_s) => step_s,
        None => samples::step_s(&wanted.file, column)?.unwrap_or(STEP_UNTOLD_S),
    };
    let sum = usize::from(wanted.sum);
    let history = wanted.history.map_or(HISTORY_MAX, |steps| {
        (steps as usize).saturating_mul(sum).min(HISTORY_MAX)
    });
    let mut samples = Samples::open(&wanted.file, column, Some(step_s))?;
    let series = Series::of_samples(step_s, history, wanted.join.into(), samples.by_ref());
    if let Some(error) = samples.failure.take() {
        return Err(samples::failed(&wanted.file)(error));
    }
    if samples.without_time > 0 {
        let count = samples.without_time;
        say(&format!(
            "note: {count} lines have no time in their first column and were left out"
        ));
    }
    Ok(series.summed(sum))
}

fn calendar(files: &[std::path::PathBuf]) -> Result<Calendar, CliError> {
    let mut calendar = Calendar::default();
    let mut first = true;
    for file in files {
        let read = if file == Path::new(STARTER) {
            Calendar::starter()
        } else {
            source::written(file, Calendar::read)?
        };
        // The zone is that of the first.
        calendar = if first { read } else { calendar.with(read) };
        first = false;
    }
    Ok(calendar)
}

fn feeds(files: &[std::path::PathBuf]) -> Result<Vec<Feed>, CliError> {
    let read = |file: &std::path::PathBuf| {
        let mut samples = Samples::open(file, None, None)?;
        let rows = samples.by_ref();
        let rows = rows
            .filter_map(|(at_s, value)| Some((at_s, value?)))
            .collect();
        match samples.failure.take() {
            Some(error) => Err(samples::failed(file)(error)),
            None => Ok(Feed {
                name: file
                    .file_stem()
                    .unwrap_or_default()
                    .to_string_lossy()
                    .into_owned(),
                rows,
            }),
        }
    };
    files.iter().map(read).collect()
}
