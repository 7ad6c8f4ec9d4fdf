//! Unit prices as a plan uses them, and what one shard uses of each service.

use foreshard_model::price::UnitPrice;
use foreshard_model::target::Architecture;

use super::table::{Quote, STANDS_IN, Source, Unit, known, quote};

/// Unit prices in dollars.
#[derive(Debug, Clone, PartialEq)]
pub struct Rates {
    /// The region whose prices these are: another one where that asked for is not known.
    pub region: &'static str,
    /// One transition of a Standard execution.
    pub transition: f64,
    /// One gigabyte-second of a function, first tier.
    pub gb_s: f64,
    /// One invocation of a function.
    pub invocation: f64,
    /// One gigabyte-second of scratch disk above the 512 MB that are free.
    pub disk_gb_s: f64,
    /// One write request unit, on demand.
    pub write_unit: f64,
    /// One read request unit, on demand.
    pub read_unit: f64,
    /// One PUT, COPY or LIST.
    pub put: f64,
    /// One GET.
    pub get: f64,
    /// One `PutMetricData`.
    pub metric_request: f64,
    /// One byte of logs taken in.
    pub log_byte: f64,
    /// One byte to another region.
    pub transfer_byte: f64,
    /// Where the numbers are from, and which of them are assumed.
    pub source: String,
    /// Each price with its source.
    pub unit_prices: Vec<UnitPrice>,
}

/// What the control plane uses for one shard.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DispatchUse {
    /// Dispatch, choice and execute.
    pub transitions: f64,
    /// Claim (a transaction counts double), settle, release, checkpoint, with both indexes.
    pub write_units: f64,
    /// Consistent reads of run, lane, ready shards and the shard.
    pub read_units: f64,
    /// Manifest of outputs.
    pub puts: f64,
    /// Chunk of tasks.
    pub gets: f64,
    /// Samples and times of its tasks.
    pub metric_requests: f64,
    /// Invocations: one of dispatch, one of execute.
    pub invocations: f64,
    /// Gigabyte-seconds of dispatch: 256 MiB for 20 ms.
    pub gb_s: f64,
    /// Log lines of both.
    pub log_bytes: f64,
}

/// The use of one shard in the steady state, together about four transitions' worth. Steps are counted on the run protocol;
/// units and bytes are what simulated runs of sixteen recorded workflows take, divided among shards, lanes and parkings.
pub const EACH_SHARD: DispatchUse = DispatchUse {
    transitions: 3.0,
    write_units: 24.0,
    read_units: 12.0,
    puts: 1.0,
    gets: 1.0,
    metric_requests: 1.0,
    invocations: 2.0,
    gb_s: 0.005,
    log_bytes: 5_300.0,
};

impl DispatchUse {
    /// Its dollars.
    #[must_use]
    pub fn usd(&self, rates: &Rates) -> f64 {
        self.transitions * rates.transition
            + self.write_units * rates.write_unit
            + self.read_units * rates.read_unit
            + self.puts * rates.put
            + self.gets * rates.get
            + self.metric_requests * rates.metric_request
            + self.invocations * rates.invocation
            + self.gb_s * rates.gb_s
            + self.log_bytes * rates.log_byte
    }
}

/// The unit prices of a region.
///
/// What has no price of its own is priced as in us-east-1, and `source` says so; so is a region that the list does not know.
#[must_use]
pub fn rates(region: &str, architecture: Architecture) -> Rates {
    let mut unit_prices = Vec::new();
    let mut lacking = Vec::new();
    let mut unverified = Vec::new();
    let mut usd = |unit: Unit| {
        let Quote {
            usd,
            region: of,
            source,
        } = quote(unit, region);
        let (service, name) = unit.named();
        if of != region {
            lacking.push(name);
        }
        if source == Source::Unverified {
            unverified.push(name);
        }
        unit_prices.push(UnitPrice {
            service: service.to_owned(),
            unit: name.to_owned(),
            usd,
            region: of.to_owned(),
            source: source.text().to_owned(),
        });
        usd
    };
    Rates {
        region: known(region).unwrap_or(STANDS_IN),
        transition: usd(Unit::Transition),
        gb_s: usd(Unit::GbS(architecture)),
        invocation: usd(Unit::Invocation),
        disk_gb_s: usd(Unit::DiskGbS),
        write_unit: usd(Unit::Write),
        read_unit: usd(Unit::Read),
        put: usd(Unit::Put),
        get: usd(Unit::Get),
        metric_request: usd(Unit::MetricRequest),
        log_byte: usd(Unit::LogByte),
        transfer_byte: usd(Unit::TransferByte),
        source: source_of(region, architecture, &lacking, &unverified),
        unit_prices,
    }
}

/// One sentence on where the prices of a region are from.
fn source_of(
    region: &str,
    architecture: Architecture,
    lacking: &[&str],
    unverified: &[&str],
) -> String {
    let chip = match architecture {
        Architecture::Arm64 => "arm64",
        Architecture::X86_64 => "x86_64",
    };
    let mut source = if known(region).is_none() {
        format!("no price of `{region}` is known: those of {STANDS_IN} are used, {chip}")
    } else if lacking.is_empty() {
        format!("prices of {region}, {chip}")
    } else {
        format!(
            "prices of {region}, {chip}, and for want of its own those of {STANDS_IN} for {}",
            lacking.join(", ")
        )
    };
    source.push_str("; on demand, first tier");
    if !unverified.is_empty() {
        source.push_str("; not verified: ");
        source.push_str(&unverified.join(", "));
    }
    source
}
