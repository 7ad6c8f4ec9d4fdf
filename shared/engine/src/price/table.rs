//! The price list: unit prices by region and architecture, first tier, on demand, each with its source.

use foreshard_model::target::Architecture;

/// Region whose price stands in where that of another is not known.
pub(super) const STANDS_IN: &str = "us-east-1";

/// Where a price is from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    /// The Price List API of AWS, as of 2026-08.
    PriceList,
    /// The metered units of Lambda behind AWS's pricing calculator, read 2026-11.
    Calculator,
    /// `sfCosts` of aws-lambda-power-tuning, as of 2026-04-13.
    PowerTuning,
    /// The price list of AmazonStates, as of 2026-09-11.
    StatesList,
    /// A page or a rule of thumb: not checked against a price list.
    Unverified,
}

impl Source {
    /// As people read it.
    pub(super) fn text(self) -> &'static str {
        match self {
            Self::PriceList => "AWS Price List, 2026-08",
            Self::Calculator => "AWS pricing calculator, metered units, 2026-11",
            Self::PowerTuning => "aws-lambda-power-tuning, `sfCosts`, 2026-04-13",
            Self::StatesList => "AWS Price List of AmazonStates, 2026-09-11",
            Self::Unverified => "not verified against a price list",
        }
    }
}

/// What is charged for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    /// One transition of a Standard execution.
    Transition,
    /// One gigabyte-second of a function.
    GbS(Architecture),
    /// One invocation of a function.
    Invocation,
    /// One gigabyte-second of scratch disk above the 512 MB that are free.
    DiskGbS,
    /// One write request unit, on demand.
    Write,
    /// One read request unit, on demand.
    Read,
    /// One PUT, COPY or LIST.
    Put,
    /// One GET.
    Get,
    /// One `PutMetricData`.
    MetricRequest,
    /// One byte of logs taken in.
    LogByte,
    /// One byte to another region.
    TransferByte,
}

impl Unit {
    /// Service and name of the unit.
    pub(super) fn named(self) -> (&'static str, &'static str) {
        match self {
            Self::Transition => ("step_functions", "transition"),
            Self::GbS(Architecture::Arm64) => ("lambda", "GB-second, arm64"),
            Self::GbS(Architecture::X86_64) => ("lambda", "GB-second, x86_64"),
            Self::Invocation => ("lambda", "invocation"),
            Self::DiskGbS => ("lambda", "GB-second of scratch disk above 512 MB"),
            Self::Write => ("dynamodb", "write request unit"),
            Self::Read => ("dynamodb", "read request unit"),
            Self::Put => ("s3", "PUT"),
            Self::Get => ("s3", "GET"),
            Self::MetricRequest => ("cloudwatch", "PutMetricData request"),
            Self::LogByte => ("cloudwatch", "byte of logs"),
            Self::TransferByte => ("transfer", "byte to another region"),
        }
    }
}

/// Regions that the list knows, with the price of a gigabyte to another region. Source: AWS Price List, 2026-08.
pub(super) const REGIONS: [(&str, f64); 24] = [
    ("us-east-1", 0.02),
    ("us-east-2", 0.02),
    ("us-west-1", 0.02),
    ("us-west-2", 0.02),
    ("ca-central-1", 0.02),
    ("ca-west-1", 0.02),
    ("eu-west-1", 0.02),
    ("eu-west-2", 0.02),
    ("eu-west-3", 0.02),
    ("eu-central-1", 0.02),
    ("eu-north-1", 0.02),
    ("eu-south-1", 0.02),
    ("ap-northeast-1", 0.09),
    ("ap-northeast-2", 0.08),
    ("ap-northeast-3", 0.09),
    ("ap-southeast-1", 0.09),
    ("ap-southeast-2", 0.098),
    ("ap-southeast-5", 0.08),
    ("ap-south-1", 0.086),
    ("ap-east-1", 0.09),
    ("il-central-1", 0.08),
    ("me-south-1", 0.1105),
    ("sa-east-1", 0.138),
    ("af-south-1", 0.147),
];

/// Transition where no row of its own says otherwise.
const TRANSITION: f64 = 0.000_025;

/// Transitions that cost more.
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

/// Regions with a row of the calculator for functions on x86: all at one price.
const X86_64: [&str; 11] = [
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

/// A gigabyte-second on x86, wherever it is known.
const GB_S_X86_64: f64 = 0.000_016_666_7;

/// Everything else.
const ROWS: [(Unit, &str, f64, Source); 19] = [
    (
        Unit::GbS(Architecture::X86_64),
        "us-east-1",
        GB_S_X86_64,
        Source::PriceList,
    ),
    (
        Unit::GbS(Architecture::Arm64),
        "us-east-1",
        0.000_013_333_4,
        Source::PriceList,
    ),
    (
        Unit::GbS(Architecture::Arm64),
        "eu-west-1",
        0.000_013_333_4,
        Source::Calculator,
    ),
    (
        Unit::Invocation,
        "us-east-1",
        0.000_000_2,
        Source::PriceList,
    ),
    (
        Unit::Invocation,
        "eu-west-1",
        0.000_000_2,
        Source::Calculator,
    ),
    (
        Unit::DiskGbS,
        "us-east-1",
        0.000_000_030_9,
        Source::PriceList,
    ),
    (
        Unit::DiskGbS,
        "eu-west-1",
        0.000_000_034,
        Source::Calculator,
    ),
    (Unit::Write, "us-east-1", 0.000_000_625, Source::PriceList),
    (Unit::Write, "eu-west-1", 0.000_000_705, Source::Unverified),
    (Unit::Read, "us-east-1", 0.000_000_125, Source::PriceList),
    (Unit::Read, "eu-west-1", 0.000_000_141, Source::Unverified),
    (Unit::Put, "us-east-1", 0.000_005, Source::PriceList),
    (Unit::Put, "eu-west-1", 0.000_005, Source::Unverified),
    (Unit::Get, "us-east-1", 0.000_000_4, Source::PriceList),
    (Unit::Get, "eu-west-1", 0.000_000_4, Source::Unverified),
    (
        Unit::MetricRequest,
        "us-east-1",
        0.000_01,
        Source::Unverified,
    ),
    (
        Unit::LogByte,
        "us-east-1",
        0.000_000_000_5,
        Source::PriceList,
    ),
    (Unit::Transition, "us-east-1", TRANSITION, Source::PriceList),
    (
        Unit::Transition,
        "eu-west-1",
        TRANSITION,
        Source::StatesList,
    ),
];

/// A price, whose it is, and who says so.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Quote {
    /// Dollars for one.
    pub(super) usd: f64,
    /// Region whose price it is.
    pub(super) region: &'static str,
    /// Where it is from.
    pub(super) source: Source,
}

/// The region as the list writes it; `None`: it has no price there.
pub(super) fn known(region: &str) -> Option<&'static str> {
    REGIONS
        .iter()
        .map(|(name, _)| *name)
        .find(|name| *name == region)
}

/// The price of a unit in a region, or that of [`STANDS_IN`].
pub(super) fn quote(unit: Unit, region: &str) -> Quote {
    known(region)
        .and_then(|region| own(unit, region))
        .or_else(|| own(unit, STANDS_IN))
        .unwrap_or(Quote {
            usd: 0.0,
            region: STANDS_IN,
            source: Source::Unverified,
        })
}

fn own(unit: Unit, region: &'static str) -> Option<Quote> {
    let quote = |usd, source| Quote {
        usd,
        region,
        source,
    };
    let row = ROWS
        .iter()
        .find(|(of, at, _, _)| *of == unit && *at == region)
        .map(|(_, _, usd, source)| quote(*usd, *source));
    row.or_else(|| match unit {
        Unit::Transition => Some(quote(
            DEARER_TRANSITIONS
                .iter()
                .find(|(at, _)| *at == region)
                .map_or(TRANSITION, |(_, usd)| *usd),
            Source::PowerTuning,
        )),
        Unit::GbS(Architecture::X86_64) => X86_64
            .contains(&region)
            .then(|| quote(GB_S_X86_64, Source::Calculator)),
        Unit::TransferByte => REGIONS
            .iter()
            .find(|(at, _)| *at == region)
            .map(|(_, gigabyte)| quote(gigabyte / 1e9, Source::PriceList)),
        _ => None,
    })
}
