//! What came of a simulation.

use std::collections::BTreeMap;

use foreshard_fakes::build;
use foreshard_model::ledger::{Event, EventKind};
use foreshard_model::price::Interval;
use foreshard_model::units::{TimeMs, Usd};
use serde::Serialize;

use crate::meter::{Throttles, Usage};
use crate::trouble::Struck;

/// One attempt of a shard, or one plain task, for a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stretch {
    /// The lane; of a plain task, its place in the document.
    pub lane: u32,
    /// The shard, or the task's place.
    pub shard: u32,
    /// Begin, in milliseconds after the run's.
    pub from_ms: u64,
    /// End.
    pub to_ms: u64,
    /// Whether it was repeated or failed.
    pub failed: bool,
}

/// One run of a schedule, until the next one begins or all have ended.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct EachRun {
    /// When it was submitted, in seconds after the beginning.
    pub begun_s: f64,
    /// From its submission to its end, in seconds.
    pub makespan_s: f64,
    /// How it ended.
    pub status: String,
    /// Invocations of functions that do users' work that waited for a new environment.
    pub cold_starts: u64,
    /// What was charged in the meantime, environments that waited included, in dollars.
    pub cost_usd: f64,
}

impl EachRun {
    /// Runs with what had been used when each began, and in the end: begin, end and status of each.
    pub(crate) fn of(
        runs: Vec<(TimeMs, TimeMs, String)>,
        mut used: Vec<Usage>,
        last: &Usage,
        region: &str,
    ) -> Vec<Self> {
        used.push(last.clone());
        let usd = |of: &Usage| of.bill(region).values().copied().sum::<Usd>().0;
        let each = runs.into_iter().zip(used.windows(2));
        each.map(|((begun, ended, status), used)| Self {
            begun_s: begun.since(build::START) as f64 / 1_000.0,
            makespan_s: ended.since(begun) as f64 / 1_000.0,
            status,
            cold_starts: used[1].work_cold_starts - used[0].work_cold_starts,
            cost_usd: usd(&used[1]) - usd(&used[0]),
        })
        .collect()
    }
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Simulated {
    /// `succeeded`, `failed`, …
    pub status: String,
    /// Why, where it did not succeed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
    /// From the submission to the end, in seconds; of a schedule, that of its last run.
    pub makespan_s: f64,
    /// Everything together, in dollars.
    pub cost_usd: f64,
    /// Of it, all but the gigabyte-seconds of users' work.
    pub orchestration_usd: f64,
    /// State transitions.
    pub transitions: u64,
    /// Invocations that waited for a new environment.
    pub cold_starts: u64,
    /// Calls that were refused or held back.
    pub throttles: u64,
    /// The same by service.
    pub throttled: Throttles,
    /// Dollars by service.
    pub by_service: BTreeMap<&'static str, Usd>,
    /// Tasks.
    pub tasks: u32,
    /// Shards with tasks; of plain states, the states with a task.
    pub shards: u32,
    /// Lanes; 0 of plain states.
    pub lanes: u32,
    /// Executions of the control plane's state machine that follow each other, or nested ones of plain states.
    pub rounds: u32,
    /// Attempts of shards or tasks.
    pub attempts: u32,
    /// What the plan expected, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected_s: Option<Interval>,
    /// What the plan expected, in dollars.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected_usd: Option<Interval>,
    /// With every arrow of the DAG, which no definition has: each task starts when its inputs are there, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub with_arrows_s: Option<f64>,
    /// How often each kind of trouble that was asked for has struck.
    #[serde(skip_serializing_if = "is_empty")]
    pub struck: Struck,
    /// Each run of a schedule.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub runs: Vec<EachRun>,
    /// What was used.
    pub usage: Usage,
    /// What ran when.
    #[serde(skip)]
    pub stretches: Vec<Stretch>,
}

impl Simulated {
    /// Whether it took what its plan expected, submission and planning included.
    #[must_use]
    pub fn is_within_time(&self) -> bool {
        let within = |of: Interval| (of.low..=of.high).contains(&self.makespan_s);
        self.expected_s.is_some_and(within)
    }

    /// Whether it cost what its plan expected.
    #[must_use]
    pub fn is_within_cost(&self) -> bool {
        let within = |of: Interval| (of.low..=of.high).contains(&self.cost_usd);
        self.expected_usd.is_some_and(within)
    }
}

fn is_empty(struck: &Struck) -> bool {
    struck.0.is_empty()
}

/// A result with what the meter says.
pub(crate) fn billed(usage: Usage, region: &str, status: &str, took_ms: u64) -> Simulated {
    let by_service = usage.bill(region);
    let cost: Usd = by_service.values().copied().sum();
    Simulated {
        status: status.to_owned(),
        cause: None,
        makespan_s: took_ms as f64 / 1_000.0,
        cost_usd: cost.0,
        orchestration_usd: (cost - usage.work_usd(region)).0,
        transitions: usage.transitions,
        cold_starts: usage.cold_starts,
        throttles: usage.throttles.total(),
        throttled: usage.throttles,
        by_service,
        tasks: 0,
        shards: 0,
        lanes: 0,
        rounds: 0,
        attempts: 0,
        expected_s: None,
        expected_usd: None,
        with_arrows_s: None,
        struck: Struck::default(),
        runs: Vec::new(),
        usage,
        stretches: Vec::new(),
    }
}

/// What the ledger says of attempts.
pub(crate) fn stretches(events: &[Event], begun: TimeMs) -> Vec<Stretch> {
    let mut open: BTreeMap<(u32, u32), (u32, TimeMs)> = BTreeMap::new();
    let mut stretches = Vec::new();
    for event in events {
        let (Some(shard), Some(attempt)) = (event.shard, event.attempt) else {
            continue;
        };
        let key = (shard.0, attempt.0);
        match event.kind {
            EventKind::Claimed => {
                open.insert(key, (event.lane.unwrap_or_default().0, event.at));
            }
            EventKind::Settled | EventKind::Yielded | EventKind::Retried | EventKind::Failed => {
                if let Some((lane, from)) = open.remove(&key) {
                    stretches.push(Stretch {
                        lane,
                        shard: shard.0,
                        from_ms: from.since(begun),
                        to_ms: event.at.max(from).since(begun),
                        failed: matches!(event.kind, EventKind::Retried | EventKind::Failed),
                    });
                }
            }
            _ => {}
        }
    }
    stretches
}
