//! Schedules: when runs of a registered workflow start by themselves, and what became of each scheduled time.

use std::collections::BTreeMap;
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ids::{RunId, Sha256Hex, Tenant};
use crate::policy::RunOptions;
use crate::units::TimeMs;

/// Decisions that a schedule remembers: a day of an hourly one. With 150 bytes each the item stays below 4 KiB.
pub const REMEMBERED: usize = 24;

/// How late an event may come and still stand for a scheduled time, in milliseconds: an hour. Whoever delivers events
/// gives up after it, and whoever reads them without a stated time looks no further back.
pub const LATENESS_MS: u64 = 3_600_000;

/// When a schedule fires. What the expression means is decided by `foreshard_engine::schedule` alone.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Timing {
    /// `cron(…)`, `rate(…)` or `at(…)`, as Amazon EventBridge Scheduler writes them.
    pub expression: String,
    /// IANA name of the time zone that `cron` and `at` are in.
    pub timezone: String,
    /// No scheduled time is before it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start: Option<TimeMs>,
    /// No scheduled time is after it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<TimeMs>,
    /// Where a `rate` counts from: `start`, or the first full minute after the schedule was made.
    pub anchor: TimeMs,
}

/// What happens when a scheduled time comes while the run of an earlier one has not ended.
#[derive(
    Debug, Default, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Overlap {
    /// The new run starts beside it.
    #[default]
    Allow,
    /// The scheduled time is skipped, and the reason recorded.
    Skip,
}

impl Overlap {
    /// The policy as users see it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Skip => "skip",
        }
    }
}

/// A schedule as a workflow document declares it: the workflow is the document itself.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Declared {
    /// Its name within the workflow.
    pub name: String,
    /// `cron(…)`, `rate(…)` or `at(…)`.
    pub expression: String,
    /// IANA name; UTC when absent.
    pub timezone: Option<String>,
    /// RFC 3339.
    pub start: Option<String>,
    /// RFC 3339.
    pub end: Option<String>,
    /// What happens when runs overlap.
    pub overlap: Overlap,
    /// Whether scheduled times that were missed get their runs at the next one.
    pub catch_up: bool,
    /// Input of its runs.
    pub input: Option<serde_json::Value>,
}

/// What a run of a schedule is submitted with, beside its workflow.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Submission {
    /// The run's input, as JSON text: a table that keeps numbers otherwise must not change it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input: Option<String>,
    /// Options.
    pub options: RunOptions,
    /// Role that the tasks assume.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// Members that reach every task.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub baggage: BTreeMap<String, String>,
    /// Bundles: folder as written in the document to the digest of its upload.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub bundles: BTreeMap<String, Sha256Hex>,
}

/// The schedule's item. Every write raises `version`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ScheduleItem {
    /// Owner.
    pub tenant: Tenant,
    /// Name, unique within the tenant; `<workflow>.<name>` when a document declares it.
    pub name: String,
    /// Raised by every write; 1 when new.
    pub version: u64,
    /// The registered workflow that it runs.
    pub workflow: String,
    /// Its version: always this one, until the schedule is changed.
    pub workflow_version: String,
    /// Whether a workflow's document declares it.
    pub declared: bool,
    /// When it fires.
    pub timing: Timing,
    /// What happens when runs overlap.
    pub overlap: Overlap,
    /// Whether missed times get their runs at the next one.
    pub catch_up: bool,
    /// Nothing starts while it is paused.
    pub paused: bool,
    /// What its runs are submitted with.
    pub submission: Submission,
    /// Who made or changed it last: its runs are theirs.
    pub principal: String,
    /// When it was made.
    pub created_at: TimeMs,
    /// When the item was last written.
    pub updated_at: TimeMs,
    /// Scheduled times up to here are not its own: they were before it was made, changed or resumed.
    pub since: TimeMs,
    /// The latest scheduled time that was decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<TimeMs>,
    /// The last decisions, by scheduled time; at most [`REMEMBERED`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub recent: Vec<Firing>,
}

/// What was decided about one scheduled time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Firing {
    /// The scheduled time.
    pub time: TimeMs,
    /// When it was decided.
    pub decided_at: TimeMs,
    /// What.
    #[serde(flatten)]
    pub outcome: Outcome,
}

/// What became of a scheduled time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Outcome {
    /// It gets its run; whether that was submitted is not known yet, so it is done again.
    Starting {
        /// The run.
        run: RunId,
        /// Why, and by what.
        because: String,
    },
    /// Its run was submitted.
    Started {
        /// The run.
        run: RunId,
        /// Why, and by what.
        because: String,
    },
    /// It was left out.
    Skipped {
        /// Why.
        because: String,
    },
    /// Its run could not be submitted; a repeat would fail too.
    Failed {
        /// Why.
        because: String,
    },
    /// Nothing came for it before a later one; `backfill` starts its run.
    Missed {
        /// Why.
        because: String,
    },
}

impl Outcome {
    /// One word, and the reason.
    #[must_use]
    pub fn parts(&self) -> (&'static str, &str) {
        match self {
            Self::Starting { because, .. } => ("starting", because),
            Self::Started { because, .. } => ("started", because),
            Self::Skipped { because } => ("skipped", because),
            Self::Failed { because } => ("failed", because),
            Self::Missed { because } => ("missed", because),
        }
    }

    /// Its run.
    #[must_use]
    pub fn run(&self) -> Option<&RunId> {
        match self {
            Self::Starting { run, .. } | Self::Started { run, .. } => Some(run),
            _ => None,
        }
    }
}

/// Why a run exists: a scheduled time of a schedule.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Scheduled {
    /// Name of the schedule.
    pub schedule: String,
    /// The time that it stands for; later than that it may have been started.
    pub time: TimeMs,
}

/// Names a schedule to whoever wakes for it.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ScheduleKey {
    /// Owner.
    pub tenant: Tenant,
    /// Name.
    pub name: String,
}

impl fmt::Display for ScheduleKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "schedule `{}` of {}", self.name, self.tenant)
    }
}

impl ScheduleKey {
    /// `digits` characters of `a-z2-7` that stand for the schedule where names are short.
    #[must_use]
    pub fn short(&self, digits: usize) -> String {
        let digest = Sha256Hex::of(format!("{}\n{}", self.tenant, self.name).as_bytes());
        let bytes = data_encoding::HEXLOWER
            .decode(digest.as_str().as_bytes())
            .unwrap_or_default();
        let mut text = data_encoding::BASE32_NOPAD.encode(&bytes).to_lowercase();
        text.truncate(digits);
        text
    }
}

impl ScheduleItem {
    /// Its name to the outside.
    #[must_use]
    pub fn key(&self) -> ScheduleKey {
        ScheduleKey {
            tenant: self.tenant.clone(),
            name: self.name.clone(),
        }
    }

    /// The decision about one scheduled time, if it is remembered.
    #[must_use]
    pub fn firing(&self, time: TimeMs) -> Option<&Firing> {
        self.recent.iter().find(|firing| firing.time == time)
    }
}

/// What a timer hands to submit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScheduleEvent {
    /// The schedule.
    pub schedule: ScheduleCall,
}

/// The schedule that an event is for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScheduleCall {
    /// Which.
    #[serde(flatten)]
    pub key: ScheduleKey,
    /// The scheduled time as the service states it, RFC 3339; absent, or not a time, where a service states none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time: Option<String>,
}
