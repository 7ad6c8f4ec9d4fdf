//! Pre-warming: what is known of an alias when its provisioned concurrency is decided, and what was decided.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ids::TargetId;
use crate::target::Architecture;
use crate::units::{Mib, TimeMs, Usd};

/// Whether decisions are carried out.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PrewarmMode {
    /// Nothing is decided.
    Off,
    /// Decisions are recorded with what they would have saved; nothing is changed.
    #[default]
    #[serde(rename = "advise")]
    ForecastOnly,
    /// Decisions are carried out.
    Act,
}

/// Billed duration of a cold start where nobody says otherwise, in milliseconds. Source: maxday/lambda-perf, 198 days of 2026:
/// `provided.al2023`, zip, at most 47 ms in 99 of 100 starts.
pub const COLD_START_MS: f64 = 50.0;

/// What a deployment wants of pre-warming: data, read anew at each decision.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PrewarmPolicy {
    /// Whether decisions are made, and carried out.
    pub mode: PrewarmMode,
    /// What a cold start is worth avoiding for.
    pub worth: ColdStartWorth,
    /// Billed duration of a cold start, in milliseconds.
    pub cold_start_ms: f64,
}

impl Default for PrewarmPolicy {
    fn default() -> Self {
        Self {
            mode: PrewarmMode::default(),
            worth: ColdStartWorth::default(),
            cold_start_ms: COLD_START_MS,
        }
    }
}

/// What a cold start is worth avoiding for.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ColdStartWorth {
    /// Money: what one costs beside its billed time, in dollars; 0 counts the billed time alone.
    Usd {
        /// Dollars for each cold start.
        each: f64,
    },
    /// A promise: of the time steps of the horizon, at most this share (0 to 1) may see demand above what is warm.
    Slo {
        /// The share.
        share: f64,
    },
}

impl Default for ColdStartWorth {
    fn default() -> Self {
        Self::Usd { each: 0.0 }
    }
}

/// Demand for environments of one alias from a moment on, until the next step or the end of the horizon.
#[derive(Debug, Default, Clone, PartialEq, Serialize, Deserialize)]
pub struct DemandStep {
    /// From when.
    pub from: TimeMs,
    /// Environments in use at once: (quantile, environments), ascending by quantile. Straight lines between, level beyond.
    pub quantiles: Vec<(f64, f64)>,
}

/// Environments that admitted plans will use: certain demand, added to the forecast.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wave {
    /// From when.
    pub from: TimeMs,
    /// Until when.
    pub until: TimeMs,
    /// How many.
    pub environments: u32,
}

/// What Lambda says of an alias's provisioned concurrency.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum WarmStatus {
    /// There is none.
    #[default]
    None,
    /// Requested, not all allocated: none of what was added is usable.
    InProgress,
    /// All of it is there.
    Ready,
    /// Lambda could not allocate it.
    Failed,
}

/// How an alias stands.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WarmState {
    /// Environments requested; 0 when there is none.
    pub provisioned: u32,
    /// Whether they are there.
    pub status: WarmStatus,
    /// When the present number was asked for: what is billed is rounded up to five minutes from here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<TimeMs>,
    /// Environments on demand that are warm from earlier use: they meet demand without a cold start.
    #[serde(default)]
    pub warm_on_demand: u32,
}

/// One alias to decide for.
#[derive(Debug, Default, Clone, PartialEq, Serialize, Deserialize)]
pub struct PrewarmAlias {
    /// `<function>:<alias>`.
    pub target: TargetId,
    /// Its region.
    pub region: String,
    /// Its architecture.
    pub architecture: Architecture,
    /// Its memory.
    pub memory: Mib,
    /// Reserved concurrency of its function, if any: a ceiling.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reserved: Option<u32>,
    /// Forecast, ascending by `from`.
    pub forecast: Vec<DemandStep>,
    /// Why the forecast is not what was stored, if it is not: told with the decision.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forecast_note: Option<String>,
    /// Demand of the plans in flight.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub waves: Vec<Wave>,
    /// How it stands.
    pub state: WarmState,
    /// Billed duration of a cold start, in milliseconds.
    pub cold_start_ms: f64,
    /// What avoiding one is worth.
    pub worth: ColdStartWorth,
    /// Cold starts that an environment in use meets in a step when nothing is provisioned: 1 where environments do not
    /// survive from one step to the next, near 0 where load is steady.
    pub turnover: f64,
    /// Share of a step for which an environment in use is busy, 0 to 1.
    pub busy: f64,
    /// The same of environments that the forecast counts, which are the most at once in a step; none: as `busy`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forecast_busy: Option<f64>,
}

/// Everything that pre-warming looks at; the same input gives the same decisions.
#[derive(Debug, Default, Clone, PartialEq, Serialize, Deserialize)]
pub struct PrewarmInput {
    /// Now.
    pub now: TimeMs,
    /// When the next decision will be made.
    pub next: TimeMs,
    /// Whether decisions are carried out.
    pub mode: PrewarmMode,
    /// The aliases.
    pub aliases: Vec<PrewarmAlias>,
    /// Unreserved concurrency of the account, by region.
    pub quotas: std::collections::BTreeMap<String, u32>,
    /// Calls of the control plane that this decision may make: all other users of the account share 15 a second.
    pub calls_max: u32,
}

/// What to do with an alias.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum PrewarmAction {
    /// Nothing: it stays as it is.
    #[default]
    Keep,
    /// Ask for so many environments.
    Put {
        /// At least 1.
        environments: u32,
    },
    /// Release all.
    Delete,
}

/// What a decision is expected to bring until the horizon that it was made for, against nothing provisioned.
#[derive(Debug, Default, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PrewarmExpected {
    /// Price of environments while they wait.
    pub idle_usd: Usd,
    /// What invocations cost less, because provisioned time is cheaper.
    pub cheaper_usd: Usd,
    /// Cold starts avoided.
    pub cold_starts_avoided: f64,
    /// What avoiding them is worth.
    pub avoided_usd: Usd,
    /// All together: positive is a gain. With an SLO it may be negative, and is what the promise costs.
    pub saving_usd: Usd,
}

/// The decision for one alias.
#[derive(Debug, Default, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PrewarmDecision {
    /// Which.
    pub target: TargetId,
    /// Environments that it should have; 0 is a proper answer.
    pub environments: u32,
    /// What to do now. Always `keep` in forecast-only mode.
    pub action: PrewarmAction,
    /// What would be done if decisions were carried out.
    pub would: PrewarmAction,
    /// When all of them are usable, if the call is made now.
    pub ready_at: TimeMs,
    /// Until when the decision was calculated; another one is made before.
    pub until: TimeMs,
    /// Share of demand outcomes that it covers where most is needed.
    pub covers: f64,
    /// Utilisation above which provisioned concurrency pays for itself in this region; above 1: never.
    pub break_even: f64,
    /// What it is expected to bring.
    pub expected: PrewarmExpected,
    /// Why, each with its numbers.
    pub reasons: Vec<String>,
}

/// A decision as it is kept: what was done, or would have been, and what came of it.
#[derive(Debug, Default, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PrewarmRecord {
    /// When it was decided. With the decision's target it is the record's identity.
    pub at: TimeMs,
    /// Whether decisions were carried out.
    pub mode: PrewarmMode,
    /// How the alias stood.
    pub state: WarmState,
    /// What was decided, and why.
    pub decision: PrewarmDecision,
    /// What it has brought against nothing provisioned, or would have, once the demand is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub came: Option<PrewarmExpected>,
}
