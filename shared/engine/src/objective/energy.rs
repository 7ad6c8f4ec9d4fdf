//! Energy of a plan by a published model: watts of a vCPU idle and busy, by architecture, times what the data centre adds.

use foreshard_model::target::Architecture;

/// Watts of one vCPU: idle, and busy.
///
/// Source: Cloud Carbon Footprint, `ccf-coefficients`, `output/coefficients-aws-use.csv` (from `SPECpower_ssj2008`). The row of
/// Graviton 2 to 4, and for x86, whose processors Lambda does not name, the mean of AWS's rows in `cloud-carbon-footprint`,
/// `AwsFootprintEstimationConstants.ts`. Memory is in the watts: the servers behind these rows have 2 GB a vCPU and more,
/// Lambda gives 1.73 GB.
const WATTS_ARM64: (f64, f64) = (0.474_262, 1.692_962);
/// See [`WATTS_ARM64`].
const WATTS_X86_64: (f64, f64) = (0.74, 3.5);

/// What cooling and supply add. Source: Amazon, "2024 Sustainability Report": power usage effectiveness of AWS, global.
const PUE: f64 = 1.15;

/// Joules of a kilowatt-hour.
const JOULES: f64 = 3.6e6;

/// Processor time on one architecture.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Used {
    /// vCPU-seconds that were held.
    pub held_s: f64,
    /// vCPU-seconds of them that computed.
    pub busy_s: f64,
}

/// Kilowatt-hours of some processor time. A model, not a measurement: no service says what one call used.
#[must_use]
pub fn kwh(used: Used, architecture: Architecture) -> f64 {
    let (idle, busy) = match architecture {
        Architecture::Arm64 => WATTS_ARM64,
        Architecture::X86_64 => WATTS_X86_64,
    };
    let joules = used.held_s * idle + used.busy_s.min(used.held_s) * (busy - idle);
    joules * PUE / JOULES
}
