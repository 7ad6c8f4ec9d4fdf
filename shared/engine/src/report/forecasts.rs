//! What was forecast against what happened, of the run and of its shards, with the reasons that planning gave.

use std::collections::BTreeMap;

use foreshard_model::frontier::ShardState;
use foreshard_model::plan::Reason;
use foreshard_model::price::{Interval, Price};
use foreshard_model::run::RunSummary;
use foreshard_model::units::Usd;
use serde::{Deserialize, Serialize};

use super::summary::ShardReport;

/// What the report reads of a plan: the rest of it is large.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
pub struct Outline {
    /// What the run was to cost, and how long it was to take.
    #[serde(default)]
    pub price: Price,
    /// The decision ledger of the planning.
    #[serde(default)]
    pub reasons: Vec<Reason>,
}

/// Forecasts and what became of them.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Forecasts {
    /// Duration of the run, in seconds.
    pub makespan_s: Against,
    /// Dollars of the run.
    pub cost_usd: Against,
    /// Dollars by service: expected, and as it was.
    pub cost_by_service: BTreeMap<String, (Usd, Usd)>,
    /// The shards' durations.
    pub shards: ShardErrors,
    /// What planning decided and why; `shards` of the report tells each one's estimate beside what it took.
    pub reasons: Vec<Reason>,
}

/// One forecast and what happened.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Against {
    /// The forecast: eight of ten are expected within it.
    pub forecast: Interval,
    /// What it was.
    pub realised: f64,
    /// How much more than expected, as a share; 0 where nothing was expected.
    pub error: f64,
    /// Whether it is within the interval.
    pub within: bool,
}

/// From claim to settlement over the estimate, of shards that were done at the first attempt.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct ShardErrors {
    /// How many there are.
    pub compared: u32,
    /// A tenth of them took at most so many times their estimate.
    pub low: f64,
    /// Half of them.
    pub mid: f64,
    /// Nine tenths of them.
    pub high: f64,
}

impl Against {
    fn new(forecast: Interval, realised: f64) -> Self {
        let error = match forecast.mid > 0.0 {
            true => realised / forecast.mid - 1.0,
            false => 0.0,
        };
        Self {
            forecast,
            realised,
            error,
            within: (forecast.low..=forecast.high).contains(&realised),
        }
    }
}

/// Holds what happened against the plan.
#[must_use]
pub fn forecasts(
    outline: &Outline,
    summary: &RunSummary,
    spent: &BTreeMap<String, Usd>,
    shards: &[ShardReport],
) -> Forecasts {
    let price = &outline.price;
    let expected = price.by_service.keys();
    let services: Vec<&String> = expected.chain(spent.keys()).collect();
    let of =
        |by: &BTreeMap<String, Usd>, service: &str| by.get(service).copied().unwrap_or_default();
    Forecasts {
        makespan_s: Against::new(price.makespan_s, summary.makespan_s),
        cost_usd: Against::new(price.total_usd, summary.cost_usd.0),
        cost_by_service: services
            .into_iter()
            .map(|service| {
                let both = (of(&price.by_service, service), of(spent, service));
                (service.clone(), both)
            })
            .collect(),
        shards: errors(shards),
        reasons: outline.reasons.clone(),
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "milliseconds of a run are far below 2^52"
)]
fn errors(shards: &[ShardReport]) -> ShardErrors {
    let at_once =
        |s: &&ShardReport| s.state == ShardState::Done && s.attempts == 1 && s.estimate_ms > 0;
    let taken = |s: &ShardReport| s.settled_ms.saturating_sub(s.claimed_ms) as f64;
    let ratios = shards.iter().filter(at_once);
    let mut ratios: Vec<f64> = ratios.map(|s| taken(s) / s.estimate_ms as f64).collect();
    ratios.sort_by(f64::total_cmp);
    let share = |tenths: usize| {
        let at = (ratios.len() * tenths / 10).min(ratios.len().saturating_sub(1));
        ratios.get(at).copied().unwrap_or(0.0)
    };
    ShardErrors {
        compared: u32::try_from(ratios.len()).unwrap_or(u32::MAX),
        low: share(1),
        mid: share(5),
        high: share(9),
    }
}
