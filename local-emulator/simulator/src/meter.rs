//! Counts what is charged for and what was refused, and makes the bill.

use std::collections::BTreeMap;

use foreshard_engine::prewarm::Tariff;
use foreshard_engine::price::rates;
use foreshard_model::prewarm::PrewarmAlias;
use foreshard_model::target::Architecture;
use foreshard_model::units::Usd;
use serde::Serialize;

/// Calls that a service refused because a rate or a quota was used up; each was repeated by whoever made it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Throttles {
    /// Invocations beyond the concurrency, the new environments or the requests that there were.
    pub lambda: u64,
    /// Transitions, starts and answers to tokens that were held back.
    pub step_functions: u64,
    /// Requests beyond the units of a partition key or the table.
    pub dynamodb: u64,
    /// `PutMetricData` beyond its rate.
    pub cloudwatch: u64,
}

impl Throttles {
    /// All of them.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.lambda + self.step_functions + self.dynamodb + self.cloudwatch
    }
}

/// What was used.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Usage {
    /// State transitions of Standard executions, repeats included.
    pub transitions: u64,
    /// Times that a lane parked until it was woken, and that it waited some seconds.
    pub parkings: u64,
    /// See `parkings`.
    pub waits: u64,
    /// Executions started, children of distributed Maps included.
    pub executions: u64,
    /// Events of the longest history.
    pub longest_history: u32,
    /// Bytes of the largest state payload.
    pub largest_payload: usize,
    /// Invocations of functions.
    pub invocations: u64,
    /// Of them, those that waited for a new environment.
    pub cold_starts: u64,
    /// Of them, those of functions that do users' work.
    pub work_cold_starts: u64,
    /// Most invocations in flight.
    pub concurrency: u32,
    /// Gigabyte-seconds by region and architecture.
    #[serde(skip)]
    pub gb_s: BTreeMap<(String, Architecture), f64>,
    /// Of them, those of functions that do users' work.
    pub work_gb_s: f64,
    /// Gigabyte-seconds that ran in provisioned environments, their init included.
    pub provisioned_gb_s: f64,
    /// Gigabyte-seconds for which environments were provisioned.
    pub waiting_gb_s: f64,
    /// Calls that changed provisioned concurrency.
    pub provisions: u64,
    /// Gigabyte-seconds of scratch disk above what is free.
    pub disk_gb_s: f64,
    /// Write request units.
    pub write_units: f64,
    /// Read request units.
    pub read_units: f64,
    /// PUTs.
    pub puts: u64,
    /// GETs.
    pub gets: u64,
    /// `PutMetricData`, and metrics asked for.
    pub metric_requests: u64,
    /// Bytes of logs.
    pub log_bytes: f64,
    /// Refused calls.
    pub throttles: Throttles,
}

impl Usage {
    /// Dollars by service at the prices of a region.
    #[must_use]
    pub fn bill(&self, region: &str) -> BTreeMap<&'static str, Usd> {
        let home = rates(region, Architecture::Arm64);
        let lambda: f64 = self
            .gb_s
            .iter()
            .map(|((region, architecture), gb_s)| gb_s * rates(region, *architecture).gb_s)
            .sum();
        let tariff = tariff(region);
        let lambda = lambda
            + self.provisioned_gb_s * tariff.provisioned
            + self.waiting_gb_s * tariff.idle
            + self.invocations as f64 * home.invocation
            + self.disk_gb_s * home.disk_gb_s;
        [
            ("lambda", lambda),
            ("step_functions", self.transitions as f64 * home.transition),
            (
                "dynamodb",
                self.write_units * home.write_unit + self.read_units * home.read_unit,
            ),
            (
                "s3",
                self.puts as f64 * home.put + self.gets as f64 * home.get,
            ),
            (
                "cloudwatch",
                self.metric_requests as f64 * home.metric_request + self.log_bytes * home.log_byte,
            ),
        ]
        .map(|(service, usd)| (service, Usd(usd)))
        .into()
    }

    /// Dollars of the gigabyte-seconds that users' work took: what is left of the bill is orchestration.
    #[must_use]
    pub fn work_usd(&self, region: &str) -> Usd {
        let all: f64 = self.gb_s.values().sum();
        let usd: f64 = self
            .gb_s
            .iter()
            .map(|((region, architecture), gb_s)| gb_s * rates(region, *architecture).gb_s)
            .sum();
        let share = if all > 0.0 { self.work_gb_s / all } else { 0.0 };
        let disk = self.disk_gb_s * rates(region, Architecture::Arm64).disk_gb_s;
        Usd(usd * share + disk + self.provisioned_gb_s * tariff(region).provisioned)
    }
}

/// Prices of provisioned concurrency.
fn tariff(region: &str) -> Tariff {
    Tariff::of(&PrewarmAlias {
        region: region.to_owned(),
        ..PrewarmAlias::default()
    })
}
