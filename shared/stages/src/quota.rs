//! How much concurrency there is: what Lambda says of the account, or what the pool takes for granted.

use foreshard_model::target::Pool;

use crate::ports::AccountLimits;

/// Concurrency of the region that no function has reserved.
#[derive(Debug)]
pub(crate) struct Quota {
    pub(crate) concurrency: u32,
    /// That it is assumed, and why; none where Lambda has told it.
    pub(crate) assumed: Option<String>,
}

impl Quota {
    /// What Lambda tells; the pool's own number where it does not: a decision by that one is better than none.
    pub(crate) async fn read(limits: &dyn AccountLimits, pool: &Pool) -> Self {
        let why = match limits.unreserved().await {
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
        let concurrency = pool.concurrency;
        Self {
            concurrency,
            assumed: Some(format!(
                "a concurrency of {concurrency} is assumed for the account: {why}"
            )),
        }
    }
}
