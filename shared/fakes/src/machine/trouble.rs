//! Targets in trouble: one that is slow, one that fails, and a region that is degraded for some minutes.

use std::collections::BTreeMap;

use foreshard_model::ids::TargetId;
use foreshard_model::message::{CaughtError, ExecuteRequest};
use foreshard_model::target::Target;
use foreshard_model::units::TimeMs;

use crate::build::START;
use crate::faults::Fault;
use crate::seeded::Seeded;

/// How many times longer a task takes on the slow target: long enough that some deadlines pass.
const SLOWER: u64 = 20;

/// Attempts that the failing target fails, in a thousand.
const FAILING: u32 = 300;

/// What is wrong with the targets of a deployment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Trouble {
    seed: u64,
    regions: BTreeMap<TargetId, String>,
    slow: Option<TargetId>,
    failing: Option<TargetId>,
    degraded: Option<(String, TimeMs, TimeMs)>,
}

/// What an attempt meets on its target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Met {
    /// Nothing.
    Nothing,
    /// Its tasks take this many times longer.
    Slower(Fault, u64),
    /// It ends before it has begun.
    Refused(Fault, CaughtError),
}

impl Trouble {
    /// None, one, or several of them, drawn by the seed; each kind by a generator of its own.
    #[must_use]
    pub fn drawn(seed: u64, targets: &[Target]) -> Self {
        let one = |purpose: &str| {
            let mut draws = Seeded::new(seed, purpose);
            let drawn = draws.hits(300);
            let place = draws.place(targets.len().min(2));
            targets.get(place).filter(|_| drawn).map(|t| t.id.clone())
        };
        let mut draws = Seeded::new(seed, "degraded region");
        let drawn = draws.hits(300);
        let region = targets.get(draws.place(targets.len()));
        let from = START.plus(draws.below(20_000));
        let until = from.plus(5_000 + draws.below(300_000));
        Self {
            seed,
            regions: targets
                .iter()
                .map(|t| (t.id.clone(), t.region.clone()))
                .collect(),
            slow: one("slow target"),
            failing: one("failing target"),
            degraded: region
                .filter(|_| drawn)
                .map(|target| (target.region.clone(), from, until)),
        }
    }

    pub(super) fn met(&self, target: &TargetId, request: &ExecuteRequest, now: TimeMs) -> Met {
        let which = format!("trouble {} {}", request.shard, request.attempt);
        let mut draws = Seeded::new(self.seed, &which);
        let degraded = self.degraded.as_ref().is_some_and(|(region, from, until)| {
            self.regions.get(target) == Some(region) && *from <= now && now < *until
        });
        if degraded {
            return match draws.below(3) {
                0 => Met::Slower(Fault::DegradedRegion, SLOWER),
                1 => refused(Fault::DegradedRegion, "Lambda.TooManyRequestsException"),
                _ => refused(Fault::DegradedRegion, "Lambda.ServiceException"),
            };
        }
        if self.failing.as_ref() == Some(target) && draws.hits(FAILING) {
            return refused(Fault::FailingTarget, "Lambda.Unknown");
        }
        if self.slow.as_ref() == Some(target) {
            return Met::Slower(Fault::SlowTarget, SLOWER);
        }
        Met::Nothing
    }
}

fn refused(fault: Fault, error: &str) -> Met {
    Met::Refused(
        fault,
        CaughtError {
            error: error.to_owned(),
            cause: String::new(),
        },
    )
}
