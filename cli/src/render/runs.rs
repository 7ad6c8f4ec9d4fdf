//! Runs as tables and as the figures of one run.

use foreshard_model::api::RunView;
use foreshard_model::units::TimeMs;
use serde::Serialize;

/// The figures of a finished run, in the published shape.
#[derive(Debug, Serialize)]
pub struct Figures {
    /// Its id.
    pub run: String,
    /// Its state.
    pub status: &'static str,
    /// Tasks.
    pub tasks: TaskFigures,
    /// Shards with tasks.
    pub shards: u32,
    /// Lanes of a round.
    pub lanes: u32,
    /// Accepted to ended.
    pub makespan_s: f64,
    /// Longest path through the tasks by measured durations.
    pub critical_path_s: f64,
    /// By the price list, of what was used.
    pub cost_usd: f64,
}

/// Counts of tasks.
#[derive(Debug, Serialize)]
pub struct TaskFigures {
    /// In the workflow.
    pub total: u32,
    /// With committed output.
    pub committed: u32,
    /// Attempts of shards.
    pub attempts: u32,
}

impl From<&RunView> for Figures {
    fn from(view: &RunView) -> Self {
        let summary = view.summary.unwrap_or_default();
        Self {
            run: view.run.to_string(),
            status: view.state.as_str(),
            tasks: TaskFigures {
                total: summary.tasks,
                committed: summary.committed,
                attempts: summary.attempts,
            },
            shards: summary.shards,
            lanes: summary.lanes,
            makespan_s: summary.makespan_s,
            critical_path_s: summary.critical_path_s,
            cost_usd: summary.cost_usd.0,
        }
    }
}

/// A finished or unfinished run, for people.
#[must_use]
pub fn describe(view: &RunView) -> String {
    let mut lines = vec![
        format!("run       {}", view.run),
        format!("workflow  {}", view.workflow),
        format!("state     {}", view.state.as_str()),
        format!("accepted  {}", when(view.accepted_at)),
    ];
    if let Some(of) = &view.scheduled {
        lines.push(format!("schedule  {} at {}", of.schedule, when(of.time)));
    }
    if let Some(planned) = view.planned {
        lines.push(format!(
            "planned   {} tasks in {} shards on {} lanes",
            planned.tasks, planned.shards, planned.lanes
        ));
    }
    if let Some(summary) = view.summary {
        lines.push(format!(
            "figures   {}/{} tasks committed in {} attempts, {} round(s)",
            summary.committed, summary.tasks, summary.attempts, summary.rounds
        ));
        lines.push(format!(
            "time      {:.2} s (critical path {:.2} s, work {:.2} s)",
            summary.makespan_s, summary.critical_path_s, summary.work_s
        ));
        lines.push(format!(
            "cost      {} on AWS by the price list",
            summary.cost_usd
        ));
    }
    if let Some(cause) = &view.cause {
        let task = cause
            .task
            .as_ref()
            .map(|t| format!(" in task `{t}`"))
            .unwrap_or_default();
        lines.push(format!(
            "cause     {}{task}: {}",
            cause.cause.as_str(),
            cause.message
        ));
    }
    lines.push(format!("trace     {}", view.trace_id));
    lines.join("\n")
}

/// A list of runs.
#[must_use]
pub fn table(runs: &[RunView]) -> String {
    let mut text = format!(
        "{:<24}{:<12}{:<22}{}\n",
        "RUN", "STATE", "ACCEPTED", "WORKFLOW"
    );
    for view in runs {
        let accepted = when(view.accepted_at);
        text.push_str(&format!(
            "{:<24}{:<12}{accepted:<22}{}\n",
            view.run.as_str(),
            view.state.as_str(),
            view.workflow
        ));
    }
    text
}

/// A moment, for people.
#[must_use]
pub fn when(at: TimeMs) -> String {
    let stamp = i64::try_from(at.0)
        .ok()
        .and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok());
    stamp.map_or_else(
        || at.to_string(),
        |s| s.strftime("%Y-%m-%d %H:%M:%SZ").to_string(),
    )
}
