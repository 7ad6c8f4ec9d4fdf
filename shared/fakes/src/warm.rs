//! Provisioned concurrency in memory: it takes the time that Lambda takes, and can be made to fail.

use async_trait::async_trait;
use foreshard_engine::prewarm::lead_ms;
use foreshard_model::ids::TargetId;
use foreshard_model::prewarm::{WarmState, WarmStatus};
use foreshard_model::units::TimeMs;
use foreshard_stages::ports::{AccountLimits, PortError, PortResult, WarmPool};

use crate::world::World;

/// What was asked for on one target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Provisioned {
    environments: u32,
    since: TimeMs,
    /// Whether it can never be allocated.
    failed: bool,
}

/// One call that changed something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WarmCall {
    /// So many environments were asked for.
    Provision(TargetId, u32),
    /// All were released.
    Release(TargetId),
}

#[async_trait]
impl WarmPool for World {
    async fn warm(&self, target: &TargetId) -> PortResult<WarmState> {
        self.read(|state| {
            known(&state.pool, target)?;
            let Some(there) = state.warm.get(target) else {
                return Ok(WarmState::default());
            };
            let ready_at = there.since.plus(lead_ms(there.environments));
            let status = match there.failed {
                true => WarmStatus::Failed,
                false if state.now < ready_at => WarmStatus::InProgress,
                false => WarmStatus::Ready,
            };
            Ok(WarmState {
                provisioned: there.environments,
                status,
                since: Some(there.since),
                warm_on_demand: 0,
            })
        })
        .await
    }

    async fn provision(&self, target: &TargetId, environments: u32) -> PortResult<()> {
        self.write("provision", |state| {
            known(&state.pool, target)?;
            if environments == 0 {
                return Err(PortError::Refused(format!("{target}: 0 environments")));
            }
            let call = WarmCall::Provision(target.clone(), environments);
            state.warm_calls.push(call);
            let same = state.warm.get(target);
            if same.is_none_or(|there| there.environments != environments) {
                let asked = Provisioned {
                    environments,
                    since: state.now,
                    failed: state.warm_most.is_some_and(|most| environments > most),
                };
                state.warm.insert(target.clone(), asked);
            }
            Ok(())
        })
        .await
    }

    async fn release(&self, target: &TargetId) -> PortResult<()> {
        self.write("release", |state| {
            known(&state.pool, target)?;
            state.warm_calls.push(WarmCall::Release(target.clone()));
            state.warm.remove(target);
            Ok(())
        })
        .await
    }
}

#[async_trait]
impl AccountLimits for World {
    async fn unreserved(&self) -> PortResult<Option<u32>> {
        self.read(|state| Ok(state.unreserved)).await
    }
}

fn known(pool: &foreshard_model::target::Pool, target: &TargetId) -> PortResult<()> {
    let found = pool.targets.iter().any(|one| one.id == *target);
    found
        .then_some(())
        .ok_or_else(|| PortError::NotFound(format!("target `{target}`")))
}

impl World {
    /// Calls that changed provisioned concurrency so far, in order.
    #[must_use]
    pub fn warm_calls(&self) -> Vec<WarmCall> {
        self.lock().warm_calls.clone()
    }

    /// What the account's limit is said to be; nothing is said of it before.
    pub fn set_unreserved(&self, concurrency: u32) {
        self.lock().unreserved = Some(concurrency);
    }

    /// From now on the region has no more than so many environments for one request: a larger one fails.
    pub fn set_warm_most(&self, most: u32) {
        self.lock().warm_most = Some(most);
    }
}
