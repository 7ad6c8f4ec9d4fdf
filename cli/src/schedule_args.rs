//! The arguments of `schedule`.

use clap::{Args, Subcommand, ValueEnum};
use foreshard_model::schedule::Overlap;

/// What to do with schedules.
#[derive(Debug, Subcommand)]
pub enum ScheduleCommand {
    /// Make a schedule of a registered workflow, or change it.
    Create(Box<Create>),
    /// List schedules by name.
    List(ListSchedules),
    /// Show one schedule: its next times, and what became of the last ones.
    Show(OneSchedule),
    /// Start nothing until it is resumed.
    Pause(OneSchedule),
    /// Go on from now; what went by meanwhile is left to `backfill`.
    Resume(OneSchedule),
    /// Remove a schedule; its runs stay.
    Delete(OneSchedule),
    /// Start the runs of scheduled times that have none.
    Backfill(Backfill),
}

/// Arguments of `schedule create`.
#[derive(Debug, Args)]
pub struct Create {
    /// Its name: lower-case letters, digits and `-`.
    pub name: String,
    /// The registered workflow, as `name@version`.
    #[arg(long, value_name = "NAME@VERSION")]
    pub workflow: String,
    /// `cron(…)`, `rate(…)` or `at(…)`, as EventBridge Scheduler writes them.
    #[arg(long, value_name = "EXPRESSION")]
    pub when: String,
    /// IANA name of the time zone of `cron` and `at`; UTC when absent.
    #[arg(long, value_name = "ZONE")]
    pub timezone: Option<String>,
    /// Nothing fires before it; RFC 3339.
    #[arg(long, value_name = "TIME")]
    pub start: Option<String>,
    /// Nothing fires after it; RFC 3339.
    #[arg(long, value_name = "TIME")]
    pub end: Option<String>,
    /// What happens while an earlier run has not ended.
    #[arg(long, value_enum, default_value_t = OverlapArgument::Allow)]
    pub overlap: OverlapArgument,
    /// Give times that were missed their runs at the next one.
    #[arg(long)]
    pub catch_up: bool,
    /// Input of its runs: JSON, or `@file`.
    #[arg(long, value_name = "JSON")]
    pub input: Option<String>,
    /// Role that the tasks assume; the deployment's default when absent.
    #[arg(long, value_name = "ARN")]
    pub role: Option<String>,
    /// The workflow's document: the bundles that it names are uploaded.
    #[arg(long, value_name = "FILE")]
    pub bundles_of: Option<std::path::PathBuf>,
}

/// What happens when runs overlap.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum OverlapArgument {
    /// The new run starts beside the old one.
    Allow,
    /// The scheduled time is skipped.
    Skip,
}

impl From<OverlapArgument> for Overlap {
    fn from(argument: OverlapArgument) -> Self {
        match argument {
            OverlapArgument::Allow => Self::Allow,
            OverlapArgument::Skip => Self::Skip,
        }
    }
}

/// Arguments of `schedule list`.
#[derive(Debug, Args)]
pub struct ListSchedules {
    /// Only those that this workflow's document declares.
    #[arg(long, value_name = "NAME")]
    pub workflow: Option<String>,
}

/// A schedule.
#[derive(Debug, Args)]
pub struct OneSchedule {
    /// Its name; `<workflow>.<name>` when a workflow's document declares it.
    pub name: String,
}

/// Arguments of `schedule backfill`.
#[derive(Debug, Args)]
pub struct Backfill {
    /// Its name.
    pub name: String,
    /// The first moment, itself included; RFC 3339.
    #[arg(long, value_name = "TIME")]
    pub from: String,
    /// The last moment, itself included; RFC 3339. Now, when absent.
    #[arg(long, value_name = "TIME")]
    pub to: Option<String>,
    /// Only list the scheduled times, and which have no run.
    #[arg(long)]
    pub dry_run: bool,
    /// Most scheduled times to look at.
    #[arg(long, value_name = "N", default_value_t = 1_000)]
    pub limit: usize,
}
