//! How much concurrency there is to provision from: what Lambda says of the account, or what new accounts have.

use super::Ports;

/// Concurrency of the region that no function has reserved.
#[derive(Debug)]
pub(super) struct Quota {
    pub(super) concurrency: u32,
    /// That it is assumed, and why; none where Lambda has told it.
    pub(super) assumed: Option<String>,
}

impl Quota {
    /// What Lambda tells; the pool's own number where it does not: a decision by that one is better than none.
    pub(super) async fn read(ports: &Ports) -> Self {
        let why = match ports.warm.unreserved().await {
            Ok(Some(concurrency)) => {
                return Self {
                    concurrency,
                    assumed: None,
                };
            }
            Ok(None) => "nobody tells it".to_owned(),
            Err(error) => {
                tracing::warn!(%error, "the account's concurrency is assumed");
                error.to_string()
            }
        };
        let concurrency = ports.wiring.pool().concurrency;
        Self {
            concurrency,
            assumed: Some(format!(
                "a concurrency of {concurrency} is assumed for the account: {why}"
            )),
        }
    }
}
