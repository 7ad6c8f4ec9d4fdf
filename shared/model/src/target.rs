//! Where shards can run: targets, and the pool of them that a deployment has.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ids::TargetId;
use crate::limits::{ACCOUNT_CONCURRENCY, CONCURRENCY_KEPT_FREE, LAMBDA_TIMEOUT_MS};
use crate::limits::{LAMBDA_DISK_MIB, MIB_PER_VCPU};
use crate::units::Mib;

/// Processor architecture of a target.
#[derive(
    Debug, Default, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Architecture {
    /// AWS Graviton; cheaper.
    #[default]
    Arm64,
    /// Intel and AMD.
    #[serde(rename = "x86_64")]
    X86_64,
}

/// One place that can execute a shard.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Target {
    /// As Step Functions invokes it.
    pub id: TargetId,
    /// AWS region.
    pub region: String,
    /// Memory, and with it CPU: 1,769 MiB are one vCPU.
    pub memory: Mib,
    /// Processor architecture.
    pub architecture: Architecture,
    /// Longest duration of one attempt, in milliseconds.
    pub limit_ms: u64,
    /// Labels that affinity can ask for.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// How fast one of its vCPUs is: 1 is what estimates are given for.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub speed: f64,
}

fn one() -> f64 {
    1.0
}

/// Serde hands over a reference.
#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "the form that serde calls"
)]
fn is_one(speed: &f64) -> bool {
    *speed == 1.0
}

/// How fast data moves from one region to another.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Link {
    /// Where the data lies.
    pub from: String,
    /// Where it is read; the way back is alike unless it is given, too.
    pub to: String,
    /// Megabytes a second that one worker reads.
    pub mb_per_s: f64,
    /// Milliseconds to the first byte.
    pub latency_ms: f64,
}

impl Target {
    /// Its share of processor time, in vCPUs.
    #[must_use]
    pub fn vcpus(&self) -> f64 {
        f64::from(self.memory.0) / f64::from(MIB_PER_VCPU)
    }

    /// Whether both differ in nothing but memory: all else that can be asked for is the same.
    #[must_use]
    pub fn is_of_family(&self, other: &Self) -> bool {
        (&self.region, self.architecture, &self.labels)
            == (&other.region, other.architecture, &other.labels)
            && self.speed.total_cmp(&other.speed).is_eq()
    }

    /// Its scratch disk, as it is deployed: twice its memory, at least 512 MiB, at most what Lambda gives.
    #[must_use]
    pub fn disk(&self) -> Mib {
        Mib(self.memory.0.saturating_mul(2).clamp(512, LAMBDA_DISK_MIB))
    }

    /// Tasks of one shard that run at once on it: its vCPUs, rounded, at least one. The planner sizes memory for so many.
    #[must_use]
    pub fn threads(&self) -> u32 {
        self.memory.threads()
    }
}

/// The targets that one deployment may use, and how much may run at once.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Pool {
    /// By ascending memory.
    pub targets: Vec<Target>,
    /// Most lanes of one run.
    pub lanes_max: u32,
    /// Memory that all lanes of a run share; `None` where memory is not shared (on AWS).
    pub lane_memory: Option<Mib>,
    /// Function calls that may be in flight in the account, in each region.
    pub concurrency: u32,
    /// Between regions; those without one are taken to be an ocean apart.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<Link>,
}

/// Memory tiers of which a deployment has a function each: the sizes where the cores that a function sees change, and
/// the small ones where most batch tasks fit.
pub const LADDER_MIB: [u32; 9] = [128, 256, 512, 1024, 1769, 3538, 5307, 7076, 10_240];

impl Pool {
    /// The pool of a new deployment in an account with Lambda's default limits: for plans without a deployment.
    #[must_use]
    pub fn default_on_aws(region: &str) -> Self {
        let target = |mib: u32| Target {
            id: TargetId(format!("foreshard-execute-{mib}:live")),
            region: region.to_owned(),
            memory: Mib(mib),
            architecture: Architecture::Arm64,
            limit_ms: LAMBDA_TIMEOUT_MS,
            labels: BTreeMap::new(),
            speed: 1.0,
        };
        Self {
            targets: LADDER_MIB.map(target).to_vec(),
            lanes_max: ACCOUNT_CONCURRENCY - CONCURRENCY_KEPT_FREE,
            lane_memory: None,
            concurrency: ACCOUNT_CONCURRENCY,
            links: Vec::new(),
        }
    }

    /// The smallest target with at least `memory`; `None` when every one is smaller.
    #[must_use]
    pub fn smallest_with(&self, memory: Mib) -> Option<&Target> {
        self.targets
            .iter()
            .filter(|t| t.memory >= memory)
            .min_by_key(|t| t.memory)
    }

    /// The target of exactly this tier.
    #[must_use]
    pub fn of_tier(&self, memory: Mib) -> Option<&Target> {
        self.targets.iter().find(|t| t.memory == memory)
    }

    /// The largest memory of any target.
    #[must_use]
    pub fn largest(&self) -> Mib {
        self.targets
            .iter()
            .map(|t| t.memory)
            .max()
            .unwrap_or_default()
    }
}
