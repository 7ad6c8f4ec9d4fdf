//! Unit prices by region and architecture, each row with its source, and what one shard uses of each service.

use foreshard_model::target::Architecture;

/// Unit prices in dollars.
#[derive(Debug, Clone, PartialEq)]
pub struct Rates {
    /// The region whose rows these are.
    pub region: &'static str,
    /// One transition of a Standard execution.
    pub transition: f64,
    /// One gigabyte-second of a function, first tier.
    pub gb_s: f64,
    /// One invocation of a function.
    pub invocation: f64,
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
    /// Where the numbers are from, and which of them are assumed.
    pub source: String,
}

/// What the control plane uses for one shard.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DispatchUse {
    /// Dispatch, choice and execute, and the parked share of one more.
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

/// The use of one shard in the steady state, counted on the run protocol; together about five transitions' worth.
pub const EACH_SHARD: DispatchUse = DispatchUse {
    transitions: 3.9,
    write_units: 13.0,
    read_units: 6.0,
    puts: 1.0,
    gets: 1.0,
    metric_requests: 1.0,
    invocations: 2.0,
    gb_s: 0.005,
    log_bytes: 4_000.0,
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

/// Gigabyte-second on Graviton. Source: AWS Price List, us-east-1 and eu-west-1, first tier, 2026-08.
const GB_S_ARM64: f64 = 0.000_013_333_4;
/// Gigabyte-second on x86. Source: AWS Price List; the same in every region of the table, 2026-08.
const GB_S_X86_64: f64 = 0.000_016_666_7;
/// Invocation. Source: AWS Price List, $0.20 a million, 2026-08.
const INVOCATION: f64 = 0.000_000_2;
/// Transition where no row of its own says otherwise. Source: AWS Price List, $25 a million, 2026-08.
const TRANSITION: f64 = 0.000_025;

/// Transitions that cost more than the default. Source: `aws-lambda-power-tuning`, `sfCosts`, 2026-04-13.
const DEARER_TRANSITIONS: [(&str, f64); 9] = [
    ("us-west-1", 0.000_027_9),
    ("eu-west-3", 0.000_029_7),
    ("eu-south-1", 0.000_026_25),
    ("ap-northeast-2", 0.000_027_1),
    ("ap-south-1", 0.000_028_5),
    ("ap-east-1", 0.000_027_5),
    ("me-south-1", 0.000_027_5),
    ("af-south-1", 0.000_029_75),
    ("sa-east-1", 0.000_037_5),
];

/// Regions whose function prices the table knows. Source: AWS pricing calculator, metered units of Lambda.
const FUNCTION_ROWS: [&str; 11] = [
    "us-east-1",
    "ca-central-1",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "eu-central-1",
    "ap-south-1",
    "ap-southeast-1",
    "ap-southeast-2",
    "ap-northeast-2",
    "ap-northeast-1",
];

/// On-demand write and read units by region. Source: us-east-1 AWS Price List, 2026-08; eu-west-1 estimated, not verified.
const TABLE_UNITS: [(&str, f64, f64); 2] = [
    ("us-east-1", 0.000_000_625, 0.000_000_125),
    ("eu-west-1", 0.000_000_705, 0.000_000_141),
];

/// The unit prices of a region.
///
/// What the table has no row for is priced as in us-east-1, and `source` says so.
#[must_use]
pub fn rates(region: &str, architecture: Architecture) -> Rates {
    let known = FUNCTION_ROWS.iter().copied().find(|row| *row == region);
    let dearer = DEARER_TRANSITIONS.iter().find(|(row, _)| *row == region);
    let units = TABLE_UNITS.iter().find(|(row, _, _)| *row == region);
    let (_, write_unit, read_unit) = units.copied().unwrap_or(TABLE_UNITS[0]);
    let mut assumed = Vec::new();
    if known.is_none() {
        assumed.push("Lambda");
    }
    if known.is_none() && dearer.is_none() {
        assumed.push("Step Functions");
    }
    match region {
        "us-east-1" => {}
        "eu-west-1" => assumed.extend(["DynamoDB (estimated)", "S3", "CloudWatch"]),
        _ => assumed.extend(["DynamoDB", "S3", "CloudWatch"]),
    }
    let chip = match architecture {
        Architecture::Arm64 => "arm64",
        Architecture::X86_64 => "x86_64",
    };
    let source = if assumed.is_empty() {
        format!("AWS Price List, {region}, {chip}, on demand, first tier, 2026-08")
    } else {
        format!(
            "AWS Price List, {region}, {chip}, on demand, first tier, 2026-08; as in us-east-1 for want of a row: {}",
            assumed.join(", ")
        )
    };
    Rates {
        region: known.or(dearer.map(|(row, _)| *row)).unwrap_or("us-east-1"),
        transition: dearer.map_or(TRANSITION, |(_, price)| *price),
        gb_s: match architecture {
            Architecture::Arm64 => GB_S_ARM64,
            Architecture::X86_64 => GB_S_X86_64,
        },
        invocation: INVOCATION,
        write_unit,
        read_unit,
        // S3 Standard, $0.005 and $0.0004 a thousand. Source: AWS Price List, us-east-1, 2026-08.
        put: 0.000_005,
        get: 0.000_000_4,
        // $0.01 a thousand requests. Source: CloudWatch pricing page, not verified against the price list.
        metric_request: 0.000_01,
        // $0.50 a gigabyte. Source: AWS Price List, us-east-1, 2026-08.
        log_byte: 0.000_000_000_5,
        source,
    }
}
