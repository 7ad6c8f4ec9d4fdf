//! What tasks wrote to standard error, for the owner of the run: by shard and attempt, in pages.

use foreshard_model::api::{LogPage, TaskLog};
use foreshard_model::ids::{Attempt, RunId, ShardId, TaskId};
use foreshard_model::limits::TASK_LOG_BYTES;
use foreshard_model::logs::{key, parse, prefix};
use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};

use super::Ports;
use super::cursor::{after, next as cursor};
use super::http::{ApiRequest, ApiResponse, Identity};
use super::outputs::ANSWERED_BYTES;
use super::query::{limit, number};
use super::reading::owned;
use super::refusal::Answered;
use crate::ports::PortResult;

/// Logs in a page when nobody asks for another number, and at most: 16 of the largest are 4 MiB.
pub(super) const LOGS: (usize, usize) = (10, 16);

/// Objects that are read at the same time.
const READS_AT_ONCE: usize = 8;

/// Names that are listed at once when one task is looked for. Source: S3 `ListObjectsV2`, most keys in an answer.
const LISTED_AT_ONCE: usize = 1_000;

/// Names that one request looks through for one task; the next page goes on.
const LOOKED_THROUGH: usize = 10_000;

pub(super) async fn logs(
    ports: &Ports,
    identity: &Identity,
    run: &RunId,
    request: &ApiRequest,
) -> Answered {
    owned(ports, identity, run).await?;
    let root = prefix(run);
    let shard: Option<u32> = number(request, "shard")?;
    let wanted = Wanted {
        prefix: shard.map_or_else(|| root.clone(), |shard| format!("{root}{shard}/")),
        name: request.query.get("task").map(|task| file_name(run, task)),
        limit: limit(request, LOGS)?,
    };
    let from = after(request)?.map(|rest| format!("{root}{rest}"));
    let (keys, mut next) = listed(ports, &wanted, from).await?;
    let named = keys.iter().filter_map(|key| Some((key, parse(run, key)?)));
    let reads = named.map(|(key, log)| async move {
        let bytes = ports.blobs.get(key).await?;
        let from = bytes.len().saturating_sub(TASK_LOG_BYTES);
        let log = TaskLog {
            task: log.task.0,
            shard: log.shard.0,
            attempt: log.attempt.0,
            text: String::from_utf8_lossy(&bytes[from..]).into_owned(),
        };
        PortResult::Ok((key, log))
    });
    let read: Vec<(&String, TaskLog)> = stream::iter(reads)
        .buffered(READS_AT_ONCE)
        .try_collect()
        .await?;
    let fitting = fitting(read.iter().map(|(_, log)| log));
    if let Some((last, _)) = read
        .get(fitting.wrapping_sub(1))
        .filter(|_| fitting < read.len())
    {
        next = Some((*last).clone());
    }
    let page = LogPage {
        logs: read.into_iter().take(fitting).map(|(_, log)| log).collect(),
        next: next.and_then(|key| key.strip_prefix(&root).map(cursor)),
    };
    Ok(ApiResponse::json(200, &page))
}

/// Which logs are wanted.
struct Wanted {
    prefix: String,
    /// The file name of one task, with the slash before it.
    name: Option<String>,
    limit: usize,
}

/// `/<task>.log`, as the key of a log ends.
fn file_name(run: &RunId, task: &str) -> String {
    let any = key(run, ShardId(0), Attempt(0), &TaskId::from(task));
    any.rsplit_once('/')
        .map_or_else(String::new, |(_, name)| format!("/{name}"))
}

/// The keys of a page, and where the next one goes on.
async fn listed(
    ports: &Ports,
    wanted: &Wanted,
    mut from: Option<String>,
) -> PortResult<(Vec<String>, Option<String>)> {
    let Some(name) = &wanted.name else {
        let page = ports
            .blob_lists
            .list(&wanted.prefix, wanted.limit, from.as_deref())
            .await?;
        return Ok((page.items, page.next));
    };
    let mut keys = Vec::new();
    for _ in 0..LOOKED_THROUGH / LISTED_AT_ONCE {
        let page = ports
            .blob_lists
            .list(&wanted.prefix, LISTED_AT_ONCE, from.as_deref())
            .await?;
        for key in page.items {
            if !key.ends_with(name) {
                continue;
            }
            if keys.len() == wanted.limit {
                let last = keys.last().cloned();
                return Ok((keys, last));
            }
            keys.push(key);
        }
        from = page.next;
        if from.is_none() {
            break;
        }
    }
    Ok((keys, from))
}

/// How many of these fit one answer: text that is not plain grows up to six times in JSON. One always fits.
fn fitting<'l>(logs: impl Iterator<Item = &'l TaskLog>) -> usize {
    let mut bytes = 0;
    logs.take_while(|log| {
        let first = bytes == 0;
        bytes += serde_json::to_vec(log).map_or(0, |json| json.len() as u64);
        first || bytes <= ANSWERED_BYTES
    })
    .count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_never_grows_beyond_what_lambda_takes() {
        let log = |text: &str| TaskLog {
            task: "a".into(),
            shard: 0,
            attempt: 1,
            text: text.to_owned(),
        };
        let plain = vec![log(&"x".repeat(TASK_LOG_BYTES)); 16];
        assert_eq!(fitting(plain.iter()), 16);
        let wild = vec![log(&"\u{1}".repeat(TASK_LOG_BYTES)); 16];
        assert_eq!(fitting(wild.iter()), 2);
        assert_eq!(fitting(wild[..1].iter()), 1);
    }
}
