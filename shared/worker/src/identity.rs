//! The identity of tasks: the run's role, assumed when a task first needs it, kept until it is about to end.

use std::collections::BTreeMap;

use foreshard_model::message::ExecuteRequest;
use foreshard_stages::ports::{Clock, PortError, TaskCredentials, TaskIdentity};
use tokio::sync::Mutex;

use crate::task::fault::Fault;

/// Credentials with less life than this are renewed: a task gets at least so much.
const LIFE_LEFT_MS: u64 = 5 * 60_000;

/// Longest value of a session tag. Source: STS, `Tag`.
const TAG_CHARS: usize = 256;

/// Longest session name. Source: STS `AssumeRole`, `RoleSessionName`.
const SESSION_CHARS: usize = 64;

/// The assumed roles of a run.
#[derive(Default)]
pub(crate) struct Identities {
    by_role: Mutex<BTreeMap<Option<String>, TaskCredentials>>,
}

impl Identities {
    /// Credentials of the run's role. Tasks that ask at once wait for the first.
    ///
    /// # Errors
    /// The role cannot be assumed.
    pub(crate) async fn get(
        &self,
        port: &dyn TaskIdentity,
        clock: &dyn Clock,
        request: &ExecuteRequest,
    ) -> Result<TaskCredentials, Fault> {
        let mut by_role = self.by_role.lock().await;
        let role = &request.context.role;
        let needed = clock.now().plus(LIFE_LEFT_MS);
        if let Some(known) = by_role.get(role).filter(|known| known.expires_at > needed) {
            return Ok(known.clone());
        }
        let assumed = port
            .assume(role.as_deref(), &session(request), &tags(request))
            .await;
        let credentials = assumed.map_err(|error| match error {
            PortError::Unavailable(_) | PortError::Conflict(_) => Fault::from(error),
            refused => Fault::Refused(format!("the run's role cannot be assumed: {refused}")),
        })?;
        by_role.insert(role.clone(), credentials.clone());
        Ok(credentials)
    }
}

fn session(request: &ExecuteRequest) -> String {
    let text = format!("{}-{}-{}", request.run, request.shard, request.attempt);
    let allowed = |c: char| {
        if c.is_ascii_alphanumeric() || "+=,.@-_".contains(c) {
            c
        } else {
            '-'
        }
    };
    text.chars().map(allowed).take(SESSION_CHARS).collect()
}

fn tags(request: &ExecuteRequest) -> BTreeMap<String, String> {
    let pairs = [
        ("foreshard:run", request.run.as_str()),
        ("foreshard:workflow", &request.workflow),
        ("foreshard:principal", &request.context.principal),
        ("foreshard:trace", &request.context.trace_id),
    ];
    let filled = pairs.into_iter().filter(|(_, value)| !value.is_empty());
    filled
        .map(|(name, value)| (name.to_owned(), tag_value(value)))
        .collect()
}

/// STS takes letters, numbers, spaces and `_.:/=+-@` in a tag.
fn tag_value(text: &str) -> String {
    let allowed = |c: char| {
        if c.is_alphanumeric() || "_.:/=+-@ ".contains(c) {
            c
        } else {
            '_'
        }
    };
    text.chars().map(allowed).take(TAG_CHARS).collect()
}

#[cfg(test)]
mod tests {
    use foreshard_fakes::{World, block_on};

    use super::*;
    use crate::fixture;

    #[test]
    fn the_role_is_assumed_once_until_it_is_about_to_end() {
        let world = World::new();
        let identities = Identities::default();
        let request = fixture::request("r-aaaaaaaaaaaaaaaaaaaa");
        let get = || block_on(identities.get(&world, &world, &request)).unwrap();
        assert_eq!(get(), get());
        world.advance(56 * 60_000);
        get();
        let assumed = world.assumed();
        assert_eq!(assumed.len(), 2);
        assert_eq!(assumed[0].session, "r-aaaaaaaaaaaaaaaaaaaa-0-1");
        let tags: Vec<_> = assumed[0]
            .tags
            .iter()
            .map(|(k, v)| format!("{k}={v}"))
            .collect();
        let expected = [
            "foreshard:principal=arn:aws:iam::1:user/ada",
            "foreshard:run=r-aaaaaaaaaaaaaaaaaaaa",
            "foreshard:trace=0af7651916cd43dd8448eb211c80319c",
            "foreshard:workflow=test",
        ];
        assert_eq!(tags, expected);
    }

    #[test]
    fn tags_hold_only_what_sts_takes() {
        assert_eq!(tag_value("a<b>&ü 1"), "a_b__ü 1");
        assert_eq!(tag_value(&"x".repeat(300)).len(), 256);
    }
}
