//! What the routes of schedules take and give.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::ids::{RunId, Sha256Hex};
use crate::policy::RunOptions;
use crate::schedule::{Firing, Overlap, ScheduleItem};
use crate::units::TimeMs;

/// A schedule of the workflow that the description of the API registers.
fn hourly() -> Value {
    json!({ "workflow": "hello", "version": "1", "expression": "cron(0 * * * ? *)", "timezone": "Europe/Berlin" })
}

/// The scheduled times of one day.
fn a_day() -> Value {
    json!({ "from": "2026-11-20T00:00:00Z", "to": "2026-11-20T23:59:59Z", "dry_run": true })
}

/// `PUT /schedules/{name}`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(extend("required" = ["workflow", "version", "expression"]), example = hourly())]
pub struct ScheduleRequest {
    /// Name of a registered workflow.
    pub workflow: String,
    /// Its version. A schedule stays with it until it is changed.
    pub version: String,
    /// `cron(…)`, `rate(…)` or `at(…)`, as Amazon EventBridge Scheduler writes them.
    pub expression: String,
    /// IANA name of the time zone of `cron` and `at`; UTC when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timezone: Option<String>,
    /// Nothing fires before it; RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start: Option<String>,
    /// Nothing fires after it; RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end: Option<String>,
    /// What happens while an earlier run has not ended.
    pub overlap: Overlap,
    /// Whether missed times get their runs at the next one.
    pub catch_up: bool,
    /// Input of its runs; an object gets the member `scheduled_time`, unless it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input: Option<Value>,
    /// Options of its runs.
    pub options: RunOptions,
    /// Role that the tasks assume; the deployment's default when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// Members that reach every task.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub baggage: BTreeMap<String, String>,
    /// Bundles: folder as written in the document to the digest of its upload.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub bundles: BTreeMap<String, Sha256Hex>,
}

/// A schedule as its owner sees it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ScheduleView {
    /// Its name.
    pub name: String,
    /// The registered workflow that it runs.
    pub workflow: String,
    /// Its version.
    pub version: String,
    /// Whether the workflow's document declares it: then it is changed there.
    pub declared: bool,
    /// When it fires.
    pub expression: String,
    /// In which zone.
    pub timezone: String,
    /// Nothing fires before it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start: Option<TimeMs>,
    /// Nothing fires after it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<TimeMs>,
    /// What happens when runs overlap.
    pub overlap: Overlap,
    /// Whether missed times get their runs at the next one.
    pub catch_up: bool,
    /// Nothing starts while it is paused.
    pub paused: bool,
    /// Who made or changed it last.
    pub principal: String,
    /// When it was made.
    pub created_at: TimeMs,
    /// When it was last written.
    pub updated_at: TimeMs,
    /// The next scheduled times; none when it is paused or has ended.
    pub next: Vec<TimeMs>,
    /// Scheduled times that have gone by without a run, as far as it remembers: `backfill` starts them.
    pub missed: Vec<TimeMs>,
    /// What became of the last scheduled times.
    pub recent: Vec<Firing>,
}

impl ScheduleView {
    /// The view of an item, with what was computed from it.
    #[must_use]
    pub fn new(item: &ScheduleItem, next: Vec<TimeMs>, missed: Vec<TimeMs>) -> Self {
        Self {
            name: item.name.clone(),
            workflow: item.workflow.clone(),
            version: item.workflow_version.clone(),
            declared: item.declared,
            expression: item.timing.expression.clone(),
            timezone: item.timing.timezone.clone(),
            start: item.timing.start,
            end: item.timing.end,
            overlap: item.overlap,
            catch_up: item.catch_up,
            paused: item.paused,
            principal: item.principal.clone(),
            created_at: item.created_at,
            updated_at: item.updated_at,
            next,
            missed,
            recent: item.recent.clone(),
        }
    }
}

/// `GET /schedules`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SchedulePage {
    /// By name.
    pub schedules: Vec<ScheduleView>,
    /// Give it as `after` to go on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// `POST /schedules/{name}/backfill`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(extend("required" = ["from", "to"]), example = a_day())]
pub struct BackfillRequest {
    /// The first moment, itself included; RFC 3339.
    pub from: String,
    /// The last moment, itself included; RFC 3339, not in the future.
    pub to: String,
    /// Only say what would be started.
    pub dry_run: bool,
    /// Most scheduled times that one request looks at; 100 when absent, which is the most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// What a backfill did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BackfillAnswer {
    /// The scheduled times, oldest first.
    pub times: Vec<BackfillTime>,
    /// There are more: give it as `from` to go on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// One scheduled time of a backfill.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BackfillTime {
    /// The scheduled time.
    pub time: TimeMs,
    /// Its run.
    pub run: RunId,
    /// What became of it.
    pub status: BackfillStatus,
    /// Why it could not be started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub because: Option<String>,
}

/// What became of a scheduled time in a backfill.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum BackfillStatus {
    /// It has its run already.
    Exists,
    /// It has none, and would get one.
    Missing,
    /// Its run was started now.
    Started,
    /// Its run cannot be submitted.
    Failed,
}

impl BackfillStatus {
    /// One word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Exists => "exists",
            Self::Missing => "missing",
            Self::Started => "started",
            Self::Failed => "failed",
        }
    }
}
