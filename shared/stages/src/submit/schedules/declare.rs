//! The schedules that a workflow's document declares: registering it makes them, changes them, and removes the others.

use std::collections::{BTreeMap, BTreeSet};

use foreshard_engine::schedule::{Wanted, timing};
use foreshard_model::api::WorkflowEntry;
use foreshard_model::ids::Sha256Hex;
use foreshard_model::schedule::{Declared, ScheduleItem, ScheduleKey, Submission};

use super::super::Ports;
use super::super::http::Identity;
use super::super::refusal::Refusal;
use super::put::{blank, input, store};
use super::start::would_start;
use super::{SCHEDULES, TRIES, busy, refused, remove};
use crate::ports::{PortError, PortResult};

/// What a document declares, as items, each checked against the document itself: a run that could not be submitted is
/// refused now, not at night.
pub(in super::super) async fn check_declared(
    ports: &Ports,
    identity: &Identity,
    entry: &WorkflowEntry,
    declared: &[Declared],
    bundles: &BTreeMap<String, Sha256Hex>,
    document: &[u8],
) -> Result<Vec<ScheduleItem>, Refusal> {
    let now = ports.clock.now();
    let mut items = Vec::with_capacity(declared.len());
    for each in declared {
        let when = Wanted {
            expression: &each.expression,
            timezone: each.timezone.as_deref(),
            start: each.start.as_deref(),
            end: each.end.as_deref(),
        };
        let key = ScheduleKey {
            tenant: identity.tenant(),
            name: format!("{}.{}", entry.name, each.name),
        };
        let submission = Submission {
            input: input(each.input.as_ref())?,
            bundles: bundles.clone(),
            ..Submission::default()
        };
        let timing = timing(&when, now).map_err(refused)?;
        let item = ScheduleItem {
            workflow: entry.name.clone(),
            workflow_version: entry.version.clone(),
            declared: true,
            overlap: each.overlap,
            catch_up: each.catch_up,
            ..blank(&key, identity, timing, submission, now)
        };
        would_start(ports, &item, document.to_vec(), now).await?;
        items.push(item);
    }
    Ok(items)
}

/// Makes the schedules of a workflow be these: the version that is registered last is the one that they run.
pub(in super::super) async fn declare(
    ports: &Ports,
    identity: &Identity,
    workflow: &str,
    items: Vec<ScheduleItem>,
) -> Result<(), Refusal> {
    let kept: BTreeSet<String> = items.iter().map(|item| item.name.clone()).collect();
    for item in items {
        store(ports, item).await?;
    }
    let prefix = format!("{workflow}.");
    let mut after: Option<String> = None;
    loop {
        let page = ports
            .schedules
            .schedules_of(&identity.tenant(), &prefix, SCHEDULES.1, after.as_deref())
            .await?;
        for item in page.items {
            if item.declared && !kept.contains(&item.name) {
                withdraw(ports, item).await?;
            }
        }
        after = page.next;
        if after.is_none() {
            return Ok(());
        }
    }
}

/// Removes a schedule that the document no longer declares.
async fn withdraw(ports: &Ports, mut item: ScheduleItem) -> Result<(), Refusal> {
    for _ in 0..TRIES {
        match remove(ports, &item).await {
            Err(PortError::Conflict(_)) => {}
            other => return Ok(other?),
        }
        let again: PortResult<Option<ScheduleItem>> = ports.schedules.schedule(&item.key()).await;
        match again? {
            Some(found) => item = found,
            None => return Ok(()),
        }
    }
    Err(busy(&item.name))
}
