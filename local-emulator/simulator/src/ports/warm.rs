//! Provisioned concurrency of the execute functions: calls of Lambda's control plane, of which an account has fifteen a second.

use async_trait::async_trait;
use foreshard_model::ids::TargetId;
use foreshard_model::prewarm::{WarmState, WarmStatus};
use foreshard_stages::ports::{AccountLimits, PortError, PortResult, WarmPool};

use crate::cloud::{Cloud, Service};
use crate::lambda::NotSet;
use crate::parameters::API_MS;

fn refused(target: &TargetId, why: NotSet) -> PortError {
    match why {
        NotSet::Throttled => PortError::Unavailable(format!("{target}: rate exceeded")),
        NotSet::Quota => PortError::Refused(format!("{target}: less than 100 would be left")),
    }
}

impl Cloud {
    async fn provides(&self, target: &TargetId, environments: u32) -> PortResult<()> {
        self.takes(Service::Functions, API_MS).await;
        let now = self.timeline.now();
        let mut services = self.lock();
        let set = services
            .lambda
            .provision(target.as_str(), environments, now);
        services.usage.provisions += u64::from(set.is_ok());
        set.map(|_| ()).map_err(|why| refused(target, why))
    }
}

#[async_trait]
impl WarmPool for Cloud {
    async fn warm(&self, target: &TargetId) -> PortResult<WarmState> {
        self.takes(Service::Functions, API_MS).await;
        let now = self.timeline.now();
        let mut services = self.lock();
        services
            .lambda
            .controls(now)
            .map_err(|why| refused(target, why))?;
        let Some((_, provisioned)) = services.lambda.running(target.as_str()) else {
            return Err(PortError::NotFound(format!("`{target}`")));
        };
        if provisioned.asked() == 0 {
            return Ok(WarmState::default());
        }
        Ok(WarmState {
            provisioned: provisioned.asked(),
            status: match provisioned.all_from() <= now {
                true => WarmStatus::Ready,
                false => WarmStatus::InProgress,
            },
            since: Some(provisioned.asked_at()),
            warm_on_demand: 0,
        })
    }

    async fn provision(&self, target: &TargetId, environments: u32) -> PortResult<()> {
        if environments == 0 {
            return Err(PortError::Refused(format!("{target}: 0 environments")));
        }
        self.provides(target, environments).await
    }

    async fn release(&self, target: &TargetId) -> PortResult<()> {
        self.provides(target, 0).await
    }
}

#[async_trait]
impl AccountLimits for Cloud {
    async fn unreserved(&self) -> PortResult<Option<u32>> {
        self.takes(Service::Functions, API_MS).await;
        Ok(Some(self.account.concurrency))
    }
}
