//! A clock that is wrong in some invocations: each has its own idea of the time, and keeps it.

use std::sync::Arc;

use async_trait::async_trait;
use foreshard_model::units::TimeMs;
use foreshard_stages::ports::Clock;

use crate::faults::Fault;
use crate::seeded::Seeded;
use crate::world::World;

/// How wrong at most, in milliseconds, either way. Lambda keeps its clocks within a second; what is promised of a deadline
/// must hold with any clock.
const WRONG_MS: u64 = 30_000;

/// What an invocation takes for `now`, if its clock is one of the `per_mille` of a thousand that are wrong.
#[must_use]
pub fn skewed(seed: u64, per_mille: u32, invocation: u64, now: TimeMs) -> Option<TimeMs> {
    let mut draws = Seeded::new(seed ^ invocation.rotate_left(32), "skew");
    let wrong = draws.hits(per_mille);
    let by = draws.below(2 * WRONG_MS);
    wrong.then(|| TimeMs((now.0 + by).saturating_sub(WRONG_MS)))
}

/// The clock of the stages.
pub(super) struct Skewed {
    world: Arc<World>,
    seed: u64,
    per_mille: u32,
}

impl Skewed {
    pub(super) fn new(world: &Arc<World>, seed: u64, per_mille: u32) -> Arc<Self> {
        Arc::new(Self {
            world: Arc::clone(world),
            seed,
            per_mille,
        })
    }
}

#[async_trait]
impl Clock for Skewed {
    fn now(&self) -> TimeMs {
        let now = self.world.now();
        let who = self.world.faults(|f| f.current());
        let wrong = skewed(self.seed, self.per_mille, who, now);
        if wrong.is_some() {
            self.world.faults(|f| f.note(Fault::ClockSkew));
        }
        wrong.unwrap_or(now)
    }

    async fn pause(&self, ms: u64) {
        self.world.pause(ms).await;
    }
}
