//! What the account may have.

use async_trait::async_trait;

use super::PortResult;

/// Limits of the account in the deployment's region. Each call is one of the control plane, which all of an account share.
#[async_trait]
pub trait AccountLimits: Send + Sync {
    /// Concurrency that no function has reserved, provisioned or not; none where nobody tells.
    ///
    /// # Errors
    /// Those of the service: an emulator may not know the call.
    async fn unreserved(&self) -> PortResult<Option<u32>>;
}
