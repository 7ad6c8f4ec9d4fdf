//! Profiles: what is known of a task type on a target for inputs of about one size.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::ids::{Attempt, RunId, ShardId, TargetId};
use crate::units::{Mib, TimeMs};

/// Settled attempts that a profile remembers, so that a repeat changes nothing: a repeat follows within seconds, and
/// hardly a deployment settles so many attempts of one type, target and size between.
pub const MARKS_MAX: usize = 48;

/// Declared features that a profile learns from, beside the bytes of the input.
pub const FEATURES_MAX: usize = 3;

/// Input sizes that are kept together: bucket b > 0 holds 4^(b-1) KiB up to four times that, bucket 0 what is smaller.
#[derive(
    Debug, Default, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct SizeBucket(pub u8);

impl SizeBucket {
    /// The bucket of an input.
    #[must_use]
    pub fn of(bytes: u64) -> Self {
        let kib = bytes / 1024;
        Self(u8::try_from(kib.checked_ilog2().map_or(0, |log| log / 2 + 1)).unwrap_or(u8::MAX))
    }
}

/// Which profile: one item of the store.
#[derive(Debug, Default, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ProfileKey {
    /// As the workflow names it.
    pub task_type: String,
    /// Where the tasks ran.
    pub target: TargetId,
    /// How large their inputs were.
    pub bucket: SizeBucket,
}

/// Counts over a logarithmic scale: quantiles within 4 %, in bounded space.
///
/// The weights are relative to the profile's `landmark`, see [`Profile`].
#[derive(Debug, Default, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sketch {
    /// Ascending numbers of bins that hold something; bin `i` holds values around `1.08^i`, bin -1 those below 1.
    pub bins: Vec<i16>,
    /// Weight of each.
    pub weights: Vec<f32>,
    /// The largest value ever seen. It does not fade.
    pub max: f64,
}

/// A sum and the largest value of a quantity of which no quantiles are needed.
#[derive(Debug, Default, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Moments {
    /// Weighted sum.
    pub sum: f64,
    /// Largest value ever seen.
    pub max: f64,
}

/// What a straight line through logarithms needs: sums over samples of x·xᵀ and x·y, x = (1, ln bytes, ln features…).
///
/// Sums of several profiles of one type and target add up, so that a line through all sizes comes from small items.
#[derive(Debug, Default, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sums {
    /// Names of the features, ascending; at most [`FEATURES_MAX`], the first that were seen.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub features: Vec<String>,
    /// Upper triangle of the sum of x·xᵀ, row by row.
    pub xx: Vec<f64>,
    /// Sum of x·ln(duration).
    pub x_duration: Vec<f64>,
    /// Sum of x·ln(peak memory).
    pub x_peak: Vec<f64>,
    /// Sum of the squares of ln(duration).
    pub duration_2: f64,
    /// Sum of the squares of ln(peak memory).
    pub peak_2: f64,
}

/// What is known of a task type on a target for inputs of about one size: below 4 KB, however much was seen.
///
/// Weights fade by forward decay (Cormode and others, 2009): a sample at time t weighs 2^((t - landmark) / half-life), so
/// the order in which samples come does not matter.
#[derive(Debug, Default, Clone, PartialEq, Serialize, Deserialize)]
pub struct Profile {
    /// Which.
    pub key: ProfileKey,
    /// Memory of the target.
    pub memory: Mib,
    /// Raised by every change; 0 when new, so that a conditional write can expect it.
    pub version: u64,
    /// Moment at which a sample weighs 1.
    pub landmark: TimeMs,
    /// Time of the latest sample.
    pub latest: TimeMs,
    /// Samples ever seen, each counted once.
    pub samples: u64,
    /// Sum of the weights of finished samples.
    pub weight: f64,
    /// Sum of their squares: `weight² / weight_2` samples of today's weight know as much.
    pub weight_2: f64,
    /// Wall time, in milliseconds, of those that finished.
    pub duration_ms: Sketch,
    /// CPU time, in milliseconds.
    pub cpu_ms: Sketch,
    /// Peak resident memory, in KiB; of those that were killed for it, the memory that was not enough.
    pub peak_kib: Sketch,
    /// CPU time by wall time, in hundredths of a vCPU: how parallel the task is on this target.
    pub parallelism: Sketch,
    /// Bytes over the network.
    pub network_bytes: Moments,
    /// Bytes of scratch disk.
    pub disk_bytes: Moments,
    /// Lines by input.
    pub sums: Sums,
    /// Weight of samples in new environments.
    pub cold: f64,
    /// Weight of samples by how they ended.
    pub outcomes: BTreeMap<Ended, f64>,
    /// When memory was last too small here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub out_of_memory_at: Option<TimeMs>,
    /// When the time was last too short here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_at: Option<TimeMs>,
    /// Settled attempts that are in, the latest last: see [`mark`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub marks: Vec<u64>,
}

/// How one task of a settled attempt ended, as far as its size matters.
#[derive(
    Debug, Default, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Ended {
    /// It finished.
    #[default]
    Done,
    /// It was killed for its memory.
    OutOfMemory,
    /// It was stopped for its time.
    Timeout,
    /// It failed for another reason: its duration says nothing.
    Failed,
}

/// What one task of a settled attempt used.
#[derive(Debug, Default, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sample {
    /// How it ended.
    pub ended: Ended,
    /// Bytes of its inputs: what the bucket is of.
    pub input_bytes: u64,
    /// Declared features of its input, such as rows or pixels: numbers of 0 or more; others are left out.
    pub features: BTreeMap<String, f64>,
    /// Wall time, in milliseconds.
    pub duration_ms: u64,
    /// CPU time, in milliseconds.
    pub cpu_ms: u64,
    /// Peak resident memory, in KiB; 0: not measured.
    pub peak_kib: u64,
    /// Bytes over the network.
    pub network_bytes: u64,
    /// Bytes of scratch disk.
    pub disk_bytes: u64,
    /// Whether the environment was new.
    pub cold: bool,
}

/// All tasks of one type and one bucket in one settled attempt: they are taken in together, once.
#[derive(Debug, Default, Clone, PartialEq, Serialize, Deserialize)]
pub struct Observation {
    /// The run.
    pub run: RunId,
    /// The shard.
    pub shard: ShardId,
    /// The attempt.
    pub attempt: Attempt,
    /// When it was settled.
    pub at: TimeMs,
    /// Its tasks.
    pub samples: Vec<Sample>,
}

/// What a profile remembers of an attempt: 48 bits, so that the number survives every store.
#[must_use]
pub fn mark(run: &RunId, shard: ShardId, attempt: Attempt) -> u64 {
    let mut hash = Sha256::new();
    hash.update(run.0.as_bytes());
    hash.update([0]);
    hash.update(shard.0.to_be_bytes());
    hash.update(attempt.0.to_be_bytes());
    hash.finalize()[..6]
        .iter()
        .fold(0, |sum, &byte| sum << 8 | u64::from(byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_is_four_times_as_wide_as_the_one_before() {
        let of = |bytes| SizeBucket::of(bytes).0;
        assert_eq!([0, 1023, 1024, 4095, 4096].map(of), [0, 0, 1, 1, 2]);
        assert_eq!(
            [16 << 10, 1 << 20, 1 << 30, u64::MAX].map(of),
            [3, 6, 11, 27]
        );
    }
}
