//! Prices of provisioned concurrency by region, and the utilisation above which it pays for itself.

use foreshard_model::prewarm::PrewarmAlias;
use foreshard_model::target::Architecture;

use crate::price::rates;

/// Region whose prices stand in where those of another are not known.
const STANDS_IN: &str = "us-east-1";

/// Dollars for a gigabyte-second of provisioned concurrency on x86: while it waits, and while it runs. Source: the metered
/// units of Lambda behind AWS's pricing calculator, read 2026-11.
const X86_64: [(&str, f64, f64); 11] = [
    ("us-east-1", 0.000_004_166_7, 0.000_009_722_2),
    ("ca-central-1", 0.000_004_646_0, 0.000_010_840_7),
    ("eu-west-1", 0.000_004_646_0, 0.000_010_840_7),
    ("eu-west-2", 0.000_004_830_4, 0.000_011_270_9),
    ("eu-west-3", 0.000_004_867_3, 0.000_011_356_9),
    ("eu-central-1", 0.000_005_014_7, 0.000_011_701_1),
    ("ap-south-1", 0.000_004_498_5, 0.000_010_496_6),
    ("ap-southeast-1", 0.000_005_199_1, 0.000_012_131_3),
    ("ap-southeast-2", 0.000_005_236_0, 0.000_012_217_3),
    ("ap-northeast-2", 0.000_005_125_4, 0.000_011_959_2),
    ("ap-northeast-1", 0.000_005_383_5, 0.000_012_561_5),
];

/// The same on arm64 in us-east-1. Source: AWS Price List, 2026-08. Elsewhere it is taken to differ as x86 does.
const ARM64: (f64, f64) = (0.000_003_333_4, 0.000_007_777_8);

/// What a gigabyte-second costs in a region.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tariff {
    /// On demand, while it runs.
    pub on_demand: f64,
    /// Provisioned, while it waits; and on top of `provisioned` while it runs.
    pub idle: f64,
    /// Provisioned, while it runs.
    pub provisioned: f64,
    /// Whether all three are known for this region and architecture; otherwise some are taken from another.
    pub known: bool,
}

impl Tariff {
    /// The tariff of an alias's region and architecture.
    #[must_use]
    pub fn of(alias: &PrewarmAlias) -> Self {
        let row = |region: &str| X86_64.iter().find(|(name, ..)| *name == region);
        let own = row(&alias.region);
        let stands_in = (X86_64[0].1, X86_64[0].2);
        let (idle, provisioned) = own
            .or_else(|| row(STANDS_IN))
            .map_or(stands_in, |&(_, idle, running)| (idle, running));
        let on_demand = rates(&alias.region, alias.architecture).gb_s;
        match alias.architecture {
            Architecture::X86_64 => Self {
                on_demand,
                idle,
                provisioned,
                known: own.is_some(),
            },
            Architecture::Arm64 => Self {
                on_demand,
                idle: ARM64.0 * idle / stands_in.0,
                provisioned: ARM64.1 * provisioned / stands_in.1,
                known: alias.region == STANDS_IN,
            },
        }
    }

    /// What a gigabyte-second of running costs less than on demand.
    #[must_use]
    pub fn cheaper(&self) -> f64 {
        self.on_demand - self.provisioned
    }

    /// Utilisation from which provisioned concurrency pays for itself; above 1 it never does.
    #[must_use]
    pub fn break_even(&self) -> f64 {
        if self.cheaper() > 0.0 {
            self.idle / self.cheaper()
        } else {
            f64::INFINITY
        }
    }
}
