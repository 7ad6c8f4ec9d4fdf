//! Takes what the tasks of a run used into the profiles of their types: once, before the run's item says that it was done.

use foreshard_engine::profile::{Lesson, observe};
use foreshard_model::ids::Tenant;
use foreshard_model::run::RunItem;
use futures_util::stream::{self, StreamExt as _};

use super::Ports;
use crate::ports::{PortError, PortResult};

/// Profiles that are written at the same time.
const AT_ONCE: usize = 8;

/// How often a profile is read and written anew when another run's end has written it in between, or nobody answered.
const TRIES: u32 = 6;

/// Wait after the first time that nobody answered, in milliseconds; it doubles.
const FIRST_WAIT_MS: u64 = 50;

/// Takes the lessons in. What cannot be written is left out: a run does not fail, nor wait, for what later runs may learn.
pub(super) async fn learn(ports: &Ports, run: &RunItem, lessons: Vec<Lesson>) {
    let tenant = &run.context.tenant;
    let taught = stream::iter(&lessons).map(|lesson| take_in(ports, tenant, lesson));
    let taught: Vec<PortResult<()>> = taught.buffer_unordered(AT_ONCE).collect().await;
    let mut lost = taught.into_iter().filter_map(Result::err);
    if let Some(error) = lost.next() {
        let lost = lost.count() + 1;
        tracing::warn!(run = %run.run, lost, profiles = lessons.len(), %error, "profiles lack what the run has taught");
    }
}

/// Takes one in, if it is not in already: a profile remembers the runs that it has seen last.
async fn take_in(ports: &Ports, tenant: &Tenant, lesson: &Lesson) -> PortResult<()> {
    let mut attempt = 0;
    loop {
        let error = match try_once(ports, tenant, lesson).await {
            Err(error @ (PortError::Conflict(_) | PortError::Unavailable(_))) => error,
            other => return other,
        };
        attempt += 1;
        if attempt == TRIES {
            return Err(error);
        }
        if matches!(error, PortError::Unavailable(_)) {
            ports.clock.pause(FIRST_WAIT_MS << attempt).await;
        }
    }
}

async fn try_once(ports: &Ports, tenant: &Tenant, lesson: &Lesson) -> PortResult<()> {
    let found = ports.profiles.profile(tenant, &lesson.key).await?;
    let (next, changed) = observe(found.as_ref(), &lesson.key, lesson.memory, &lesson.seen);
    if changed {
        ports.profile_writes.put_profile(tenant, &next).await?;
    }
    Ok(())
}
