//! The arguments of `forecast`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use foreshard_engine::forecast::Join;

/// Arguments of `forecast`.
#[derive(Debug, Args)]
pub struct Forecast {
    /// CSV, gzipped or not: the first column is time, the second the value; empty is missing.
    #[arg(value_name = "SERIES.csv")]
    pub file: PathBuf,
    /// Name of another column than the second.
    #[arg(long, value_name = "NAME")]
    pub column: Option<String>,
    /// Length of a step in seconds; absent: as the times of the file tell.
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(1..=604_800))]
    pub step_s: Option<u32>,
    /// What becomes of several samples in one step.
    #[arg(long, value_enum, default_value_t = JoinArgument::Mean)]
    pub join: JoinArgument,
    /// Steps that are summed to one before anything else.
    #[arg(long, default_value_t = 1, value_name = "STEPS", value_parser = clap::value_parser!(u16).range(1..))]
    pub sum: u16,
    /// Steps to look ahead, after summing; a day, at most 288 steps, when absent.
    #[arg(long, value_name = "STEPS", value_parser = clap::value_parser!(u16).range(1..=10_080))]
    pub horizon: Option<u16>,
    /// Newest steps that are seen, after summing; absent: 86,400 before summing.
    #[arg(long, value_name = "STEPS", value_parser = clap::value_parser!(u32).range(1..))]
    pub history: Option<u32>,
    /// From 0 to 1.
    #[arg(
        long,
        default_value = "0.05,0.5,0.9,0.95,0.99",
        value_delimiter = ',',
        value_name = "Q,…",
        value_parser = quantile
    )]
    pub quantiles: Vec<f64>,
    /// Holidays and events: iCalendar or CSV; may be given several times. `starter` is the set that ships.
    #[arg(long, visible_alias = "events", value_name = "FILE")]
    pub calendar: Vec<PathBuf>,
    /// A table of time and value of a quantity that may say something about this one; may be given several times.
    #[arg(long, value_name = "FILE")]
    pub feed: Vec<PathBuf>,
    /// Hold back the newest rows, as many as are looked ahead, forecast them from the others, and show both.
    #[arg(long)]
    pub backtest: bool,
    /// Write the chart to a file, too; `--format svg` prints it.
    #[arg(long, value_name = "FILE")]
    pub svg: Option<PathBuf>,
}

/// What becomes of several samples in one step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum JoinArgument {
    /// Counts: added.
    Sum,
    /// Levels: the mean.
    Mean,
    /// Peaks: the largest.
    Max,
}

impl From<JoinArgument> for Join {
    fn from(argument: JoinArgument) -> Self {
        match argument {
            JoinArgument::Sum => Self::Sum,
            JoinArgument::Mean => Self::Mean,
            JoinArgument::Max => Self::Max,
        }
    }
}

fn quantile(text: &str) -> Result<f64, String> {
    let quantile: Option<f64> = text.trim().parse().ok();
    let quantile = quantile.filter(|q| (0.0..=1.0).contains(q));
    quantile.ok_or_else(|| "a quantile is a number from 0 to 1".to_owned())
}
