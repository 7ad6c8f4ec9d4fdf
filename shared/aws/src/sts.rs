//! The identity of tasks: the run's role, assumed with session tags that go on to whatever the task assumes in turn.

use std::collections::BTreeMap;

use async_trait::async_trait;
use aws_sdk_sts::Client;
use aws_sdk_sts::types::Tag;
use foreshard_model::units::TimeMs;
use foreshard_stages::ports::{PortError, PortResult, TaskCredentials, TaskIdentity};

use crate::classify::port_error;
use crate::dynamodb::unbuilt;
use crate::sdk::Aws;

/// How long the credentials live: one role assuming another gets an hour at most, and a shard takes a quarter of it.
/// Source: STS, "role chaining".
const DURATION_S: i32 = 3600;
/// Length of a session's name. Source: STS API reference, `AssumeRole`.
const SESSION_CHARS: usize = 64;
/// Length of a tag's value. Source: STS API reference, `Tag`.
const TAG_VALUE_CHARS: usize = 256;

/// Assumes roles for tasks.
#[derive(Debug, Clone)]
pub struct StsIdentity {
    client: Client,
    default_role: String,
}

impl StsIdentity {
    /// `default_role`: ARN of the role of runs that name none.
    #[must_use]
    pub fn new(aws: &Aws, default_role: impl Into<String>) -> Self {
        Self {
            client: Client::new(aws.shared()),
            default_role: default_role.into(),
        }
    }
}

/// Text of allowed characters only: the others become `_`. Source: STS API reference, patterns of `RoleSessionName` and `Tag`.
fn allowed(text: &str, extra: &str, chars: usize) -> String {
    text.chars()
        .take(chars)
        .map(|c| {
            if c.is_alphanumeric() || extra.contains(c) {
                c
            } else {
                '_'
            }
        })
        .collect()
}

fn session_name(session: &str) -> String {
    let ascii: String = session
        .chars()
        .map(|c| if c.is_ascii() { c } else { '_' })
        .collect();
    allowed(&ascii, "_+=,.@-", SESSION_CHARS)
}

fn tag_value(value: &str) -> String {
    allowed(value, " _.:/=+-@", TAG_VALUE_CHARS)
}

#[async_trait]
impl TaskIdentity for StsIdentity {
    async fn assume(
        &self,
        role: Option<&str>,
        session: &str,
        tags: &BTreeMap<String, String>,
    ) -> PortResult<TaskCredentials> {
        let role = role.unwrap_or(&self.default_role);
        let what = format!("role `{role}`");
        let tags_given = tags
            .iter()
            .map(|(key, value)| Tag::builder().key(key).value(tag_value(value)).build())
            .collect::<Result<Vec<_>, _>>()
            .map_err(unbuilt)?;
        let answer = self
            .client
            .assume_role()
            .role_arn(role)
            .role_session_name(session_name(session))
            .duration_seconds(DURATION_S)
            .set_tags(Some(tags_given))
            .set_transitive_tag_keys(Some(tags.keys().cloned().collect()))
            .send()
            .await
            .map_err(|error| port_error(&what, &error))?;
        let credentials = answer
            .credentials
            .ok_or_else(|| PortError::Unavailable(format!("{what}: no credentials came back")))?;
        let expires_ms = credentials.expiration.to_millis().unwrap_or_default();
        Ok(TaskCredentials {
            access_key_id: credentials.access_key_id,
            secret_access_key: credentials.secret_access_key,
            session_token: credentials.session_token,
            expires_at: TimeMs(u64::try_from(expires_ms).unwrap_or_default()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_tags_keep_what_sts_takes() {
        assert_eq!(session_name("r-abc#6 über"), "r-abc_6__ber");
        assert_eq!(session_name(&"x".repeat(80)).len(), SESSION_CHARS);
        assert_eq!(tag_value("count (words)@1 ü"), "count _words_@1 ü");
        assert_eq!(tag_value(&"x".repeat(300)).len(), TAG_VALUE_CHARS);
    }
}
