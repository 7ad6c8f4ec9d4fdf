//! Environments that wait: the provisioned concurrency of aliases.

use async_trait::async_trait;
use foreshard_model::ids::TargetId;
use foreshard_model::prewarm::WarmState;

use super::PortResult;

/// Provisioned concurrency of targets that are `<function>:<alias>`. Each call is one of the control plane, which all of an account
/// share.
#[async_trait]
pub trait WarmPool: Send + Sync {
    /// How the target stands; the default where nothing is provisioned. What is warm on demand nobody can tell: it is 0.
    ///
    /// # Errors
    /// [`PortError::NotFound`](super::PortError::NotFound) when there is no such function or alias.
    async fn warm(&self, target: &TargetId) -> PortResult<WarmState>;
    /// Asks for so many environments in place of those that were asked for before; they are there when [`WarmPool::warm`] says so.
    ///
    /// # Errors
    /// [`PortError::Refused`](super::PortError::Refused) for none, or for more than the account or the function may have.
    async fn provision(&self, target: &TargetId, environments: u32) -> PortResult<()>;
    /// Releases all; what runs in them ends first. Where nothing is provisioned, nothing happens.
    async fn release(&self, target: &TargetId) -> PortResult<()>;
}
