//! Provisioned concurrency of Lambda: what was asked for on an alias, and how far that has come.

use async_trait::async_trait;
use aws_sdk_lambda::Client;
use aws_sdk_lambda::primitives::{DateTime, DateTimeFormat};
use aws_sdk_lambda::types::ProvisionedConcurrencyStatusEnum as Status;
use aws_smithy_types::error::metadata::ProvideErrorMetadata as _;
use foreshard_model::ids::TargetId;
use foreshard_model::prewarm::{WarmState, WarmStatus};
use foreshard_model::units::TimeMs;
use foreshard_stages::ports::{PortError, PortResult, WarmPool};

use crate::classify::port_error;
use crate::sdk::Aws;

/// What Lambda says of an alias on which nothing is provisioned. Source: Lambda API reference, `GetProvisionedConcurrencyConfig`.
const NOTHING: &str = "ProvisionedConcurrencyConfigNotFoundException";

/// Provisioned concurrency of the functions of a region.
#[derive(Debug, Clone)]
pub struct LambdaWarmPool {
    client: Client,
}

impl LambdaWarmPool {
    /// Functions of the region.
    #[must_use]
    pub fn new(aws: &Aws) -> Self {
        Self {
            client: Client::new(aws.shared()),
        }
    }
}

#[async_trait]
impl WarmPool for LambdaWarmPool {
    async fn warm(&self, target: &TargetId) -> PortResult<WarmState> {
        let (function, alias) = parts(target)?;
        let answer = self
            .client
            .get_provisioned_concurrency_config()
            .function_name(function)
            .qualifier(alias)
            .send()
            .await;
        let there = match answer {
            Ok(there) => there,
            Err(error) if error.code() == Some(NOTHING) => return Ok(WarmState::default()),
            Err(error) => return Err(port_error(&what(target), &error)),
        };
        if let Some(reason) = &there.status_reason {
            tracing::warn!(alias, function, reason, "not all is provisioned");
        }
        let requested = there.requested_provisioned_concurrent_executions;
        Ok(WarmState {
            provisioned: requested.and_then(|n| u32::try_from(n).ok()).unwrap_or(0),
            status: status(there.status),
            since: there.last_modified.as_deref().and_then(moment),
            warm_on_demand: 0,
        })
    }

    async fn provision(&self, target: &TargetId, environments: u32) -> PortResult<()> {
        let (function, alias) = parts(target)?;
        self.client
            .put_provisioned_concurrency_config()
            .function_name(function)
            .qualifier(alias)
            .provisioned_concurrent_executions(i32::try_from(environments).unwrap_or(i32::MAX))
            .send()
            .await
            .map(|_| ())
            .map_err(|error| port_error(&what(target), &error))
    }

    async fn release(&self, target: &TargetId) -> PortResult<()> {
        let (function, alias) = parts(target)?;
        let answer = self
            .client
            .delete_provisioned_concurrency_config()
            .function_name(function)
            .qualifier(alias)
            .send()
            .await;
        match answer {
            Ok(_) => Ok(()),
            Err(error) if error.code() == Some(NOTHING) => Ok(()),
            Err(error) => Err(port_error(&what(target), &error)),
        }
    }
}

fn what(target: &TargetId) -> String {
    format!("provisioned concurrency of `{target}`")
}

/// Function and alias of a target.
fn parts(target: &TargetId) -> PortResult<(&str, &str)> {
    let parts = target.as_str().rsplit_once(':');
    parts.ok_or_else(|| PortError::Refused(format!("`{target}` is not `<function>:<alias>`")))
}

fn status(status: Option<Status>) -> WarmStatus {
    match status {
        Some(Status::Ready) => WarmStatus::Ready,
        Some(Status::Failed) => WarmStatus::Failed,
        // What this version does not know is not there yet.
        _ => WarmStatus::InProgress,
    }
}

/// `2026-11-28T12:00:00+0000`, as Lambda writes it: RFC 3339 but for the colon of the offset.
fn moment(text: &str) -> Option<TimeMs> {
    let (head, minutes) = text.split_at_checked(text.len().checked_sub(2)?)?;
    let sign = head.len().checked_sub(3).map(|at| head.as_bytes()[at]);
    let text = if matches!(sign, Some(b'+' | b'-')) {
        format!("{head}:{minutes}")
    } else {
        text.to_owned()
    };
    let at = DateTime::from_str(&text, DateTimeFormat::DateTimeWithOffset).ok()?;
    u64::try_from(at.to_millis().ok()?).ok().map(TimeMs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_lambda_writes_them() {
        let noon = Some(TimeMs(1_795_867_200_000));
        let table = [
            ("2026-11-28T12:00:00+0000", noon),
            ("2026-11-28T14:00:00.000+0200", noon),
            ("2026-11-28T12:00:00Z", noon),
            ("2026-11-28T12:00:00+00:00", noon),
            ("noon", None),
            ("", None),
        ];
        for (text, expected) in table {
            assert_eq!(moment(text), expected, "{text}");
        }
    }

    #[test]
    fn a_target_is_a_function_and_an_alias() {
        let target = TargetId::from("foreshard-execute-1769:live");
        assert_eq!(parts(&target), Ok(("foreshard-execute-1769", "live")));
        let bare = TargetId::from("far");
        assert!(matches!(parts(&bare), Err(PortError::Refused(_))));
    }
}
