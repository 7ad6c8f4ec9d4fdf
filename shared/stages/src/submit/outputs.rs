//! What a run leaves behind, for its owner: plan, result, logs.

use std::collections::BTreeMap;

use foreshard_engine::report::RunResult;
use foreshard_model::api::{Elsewhere, LogPage, PlanElsewhere, ResultView, TaskLog};
use foreshard_model::claim::Claim;
use foreshard_model::ids::RunId;
use foreshard_model::limits::TASK_LOG_BYTES;
use foreshard_model::output::OutputValue;
use foreshard_model::run::RunItem;
use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};

use super::Ports;
use super::http::{ApiRequest, ApiResponse, Identity};
use super::query::{after, limit, number};
use super::reading::owned;
use super::refusal::{Answered, Code, Refusal};
use crate::keys;
use crate::ports::{PortError, PortResult};
use crate::read::claimed;

/// An object up to this size is answered itself: Lambda's 6 MB, less what the envelope of the answer adds to JSON text.
const ANSWERED_BYTES: u64 = 4_500_000;

/// How long a link in an answer is valid, in seconds: long enough to fetch gigabytes, and short of an hour.
const LINK_VALID_S: u64 = 1_800;

/// Logs in a page when nobody asks for another number, and at most: a page of the largest logs fits an answer.
const LOGS: (usize, usize) = (10, 16);

/// Objects that are read at the same time.
const READS_AT_ONCE: usize = 8;

pub(super) async fn plan(ports: &Ports, identity: &Identity, run: &RunId) -> Answered {
    let item = owned(ports, identity, run).await?;
    let Some(pointer) = &item.plan else {
        return Err(not_yet(&item, "is not planned"));
    };
    if pointer.plan.bytes > ANSWERED_BYTES {
        let elsewhere = link(ports, &pointer.plan).await?;
        return Ok(ApiResponse::json(200, &PlanElsewhere { elsewhere }));
    }
    let bytes = claimed(ports.blobs.as_ref(), &pointer.plan).await?;
    Ok(ApiResponse::bytes(200, bytes))
}

pub(super) async fn result(ports: &Ports, identity: &Identity, run: &RunId) -> Answered {
    let item = owned(ports, identity, run).await?;
    let Some(claim) = &item.result else {
        return Err(not_yet(&item, "has no result"));
    };
    let mut view = ResultView {
        run: run.clone(),
        outputs: BTreeMap::new(),
        stored: BTreeMap::new(),
        missing: BTreeMap::new(),
        elsewhere: None,
    };
    if claim.bytes > ANSWERED_BYTES {
        view.elsewhere = Some(link(ports, claim).await?);
        return Ok(ApiResponse::json(200, &view));
    }
    let bytes = claimed(ports.blobs.as_ref(), claim).await?;
    let result: RunResult =
        serde_json::from_slice(&bytes).map_err(|e| PortError::Corrupt(e.to_string()))?;
    view.missing = result.missing;
    for (name, value) in result.outputs {
        match value {
            OutputValue::Inline(value) => {
                view.outputs.insert(name, value);
            }
            OutputValue::Stored(claim) => {
                view.stored.insert(name, link(ports, &claim).await?);
            }
        }
    }
    Ok(ApiResponse::json(200, &view))
}

fn not_yet(item: &RunItem, what: &str) -> Refusal {
    let state = item.state.as_str();
    Refusal::new(Code::NotYet, format!("run `{}`, {state}, {what}", item.run))
}

async fn link(ports: &Ports, claim: &Claim) -> PortResult<Elsewhere> {
    Ok(Elsewhere {
        url: ports.presigns.presign_get(&claim.key, LINK_VALID_S).await?,
        sha256: claim.sha256.clone(),
        bytes: claim.bytes,
    })
}

pub(super) async fn logs(
    ports: &Ports,
    identity: &Identity,
    run: &RunId,
    request: &ApiRequest,
) -> Answered {
    owned(ports, identity, run).await?;
    let root = keys::logs(run);
    let prefix = number(request, "shard")?
        .map_or_else(|| root.clone(), |shard| format!("{root}{shard}/"));
    let from = after(request)?.map(|rest| format!("{root}{rest}"));
    let page = ports
        .blob_lists
        .list(&prefix, limit(request, LOGS)?, from.as_deref())
        .await?;
    let named = page
        .items
        .iter()
        .filter_map(|key| Some((key, named(key.strip_prefix(&root)?)?)));
    let reads = named.map(|(key, log)| async {
        let bytes = ports.blobs.get(key).await?;
        let from = bytes.len().saturating_sub(TASK_LOG_BYTES);
        PortResult::Ok(TaskLog {
            text: String::from_utf8_lossy(&bytes[from..]).into_owned(),
            ..log
        })
    });
    let logs: Vec<TaskLog> = stream::iter(reads)
        .buffered(READS_AT_ONCE)
        .try_collect()
        .await?;
    let next = page
        .next
        .and_then(|key| key.strip_prefix(&root).map(str::to_owned));
    Ok(ApiResponse::json(200, &LogPage { logs, next }))
}

/// What a log is of: `<shard>/<attempt>/<task>.log`; a task's id may hold slashes.
fn named(rest: &str) -> Option<TaskLog> {
    let mut parts = rest.splitn(3, '/');
    Some(TaskLog {
        shard: parts.next()?.parse().ok()?,
        attempt: parts.next()?.parse().ok()?,
        task: parts.next()?.strip_suffix(".log")?.to_owned(),
        text: String::new(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_is_named_by_shard_attempt_and_task() {
        let log = named("12/3/report/sum.log").unwrap();
        assert_eq!((log.shard, log.attempt), (12, 3));
        assert_eq!(log.task, "report/sum");
        assert_eq!(named("12/sum.log"), None);
    }
}
