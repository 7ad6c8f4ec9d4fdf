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
        let mut draws = Seeded::new(self.seed ^ who.rotate_left(32), "skew");
        if !draws.hits(self.per_mille) {
            return now;
        }
        self.world.faults(|f| f.note(Fault::ClockSkew));
        let by = draws.below(2 * WRONG_MS);
        TimeMs((now.0 + by).saturating_sub(WRONG_MS))
    }

    async fn pause(&self, ms: u64) {
        self.world.pause(ms).await;
    }
}
