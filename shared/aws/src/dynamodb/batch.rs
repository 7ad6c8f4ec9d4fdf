//! Reads and writes of many items in few calls; what the service leaves unprocessed is asked again, with growing waits.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_sdk_dynamodb::types::builders::KeysAndAttributesBuilder;
use aws_sdk_dynamodb::types::{KeysAndAttributes, PutRequest, WriteRequest};
use foreshard_model::ids::ShardId;
use foreshard_stages::ports::{PortError, PortResult, RunKey};
use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};

use super::DynamoTable;
use crate::classify::port_error;
use crate::fault;
use crate::table::item::{self, Attributes};
use crate::table::key::{self, Key};

/// Items of one `BatchGetItem`. Source: DynamoDB quotas.
const GET_BATCH: usize = 100;
/// Items of one `BatchWriteItem`. Source: DynamoDB quotas.
const WRITE_BATCH: usize = 25;
/// Calls of one request that are under way at once.
pub(super) const PARALLEL: usize = 8;
/// How often what was left unprocessed is asked again before the service counts as unavailable: 6.3 s in all.
const ROUNDS: u32 = 7;
/// Wait before the first repeat; it doubles.
const FIRST_WAIT: Duration = Duration::from_millis(50);

impl DynamoTable {
    /// The items of these shards; missing ones are left out. With `projection` only those members, named `#name`.
    pub(super) async fn batch_get(
        &self,
        run: &RunKey,
        ids: &[ShardId],
        projection: Option<&[&str]>,
    ) -> PortResult<Vec<Attributes>> {
        let mut ids = ids.to_vec();
        ids.sort_unstable();
        ids.dedup();
        let batches: Vec<KeysAndAttributes> = ids
            .chunks(GET_BATCH)
            .map(|chunk| keys(run, chunk, projection))
            .collect::<PortResult<_>>()?;
        let parts: Vec<Vec<Attributes>> = stream::iter(batches)
            .map(|batch| self.get_all(run, batch))
            .buffered(PARALLEL)
            .try_collect()
            .await?;
        Ok(parts.into_iter().flatten().collect())
    }

    /// The items at these addresses, as many as one call takes; missing ones are left out.
    pub(super) async fn few(
        &self,
        run: &RunKey,
        wanted: impl Iterator<Item = &Key>,
    ) -> PortResult<BTreeMap<Key, Attributes>> {
        let addresses = wanted.map(item::address).collect();
        let batch = consistently(addresses).build().map_err(unbuilt)?;
        let found = self.get_all(run, batch).await?.into_iter();
        Ok(found
            .filter_map(|found| Some((item::key(&found)?, found)))
            .collect())
    }

    async fn get_all(&self, run: &RunKey, batch: KeysAndAttributes) -> PortResult<Vec<Attributes>> {
        let what = format!("items of {}", run.run);
        let mut found = Vec::new();
        let mut open = batch;
        for round in 0..ROUNDS {
            pause(round).await;
            let answer = self
                .client
                .batch_get_item()
                .request_items(&self.table, open)
                .send()
                .await
                .map_err(|error| port_error(&what, &error))?;
            for items in answer.responses.unwrap_or_default().into_values() {
                found.extend(items);
            }
            let left = answer.unprocessed_keys.unwrap_or_default();
            match left.into_values().next().filter(|l| !l.keys.is_empty()) {
                None => return Ok(found),
                Some(keys) => open = keys,
            }
        }
        Err(PortError::Unavailable(format!("{what}: left unprocessed")))
    }

    /// Puts items whatever is there; for items that a repeat writes with the same content.
    pub(super) async fn put_all(&self, what: &str, items: Vec<Attributes>) -> PortResult<()> {
        if let [item] = items.as_slice() {
            let call = self
                .client
                .put_item()
                .table_name(&self.table)
                .set_item(Some(item.clone()))
                .send();
            let answer = fault::write(call).await;
            return answer.map(drop).map_err(|error| port_error(what, &error));
        }
        let requests: Vec<Vec<WriteRequest>> = items
            .chunks(WRITE_BATCH)
            .map(|chunk| chunk.iter().cloned().map(put).collect())
            .collect::<PortResult<_>>()?;
        stream::iter(requests)
            .map(|batch| self.write_all(what, batch))
            .buffer_unordered(PARALLEL)
            .try_collect()
            .await
    }

    async fn write_all(&self, what: &str, batch: Vec<WriteRequest>) -> PortResult<()> {
        let mut open = batch;
        for round in 0..ROUNDS {
            pause(round).await;
            let call = self
                .client
                .batch_write_item()
                .request_items(&self.table, open)
                .send();
            let answer = fault::write(call)
                .await
                .map_err(|error| port_error(what, &error))?;
            let left = answer.unprocessed_items.unwrap_or_default();
            match left.into_values().next().filter(|l| !l.is_empty()) {
                None => return Ok(()),
                Some(requests) => open = requests,
            }
        }
        Err(PortError::Unavailable(format!("{what}: left unprocessed")))
    }
}

async fn pause(round: u32) {
    if round > 0 {
        tokio::time::sleep(FIRST_WAIT * 2u32.pow(round - 1)).await;
    }
}

fn consistently(addresses: Vec<Attributes>) -> KeysAndAttributesBuilder {
    KeysAndAttributes::builder()
        .consistent_read(true)
        .set_keys(Some(addresses))
}

fn keys(
    run: &RunKey,
    ids: &[ShardId],
    projection: Option<&[&str]>,
) -> PortResult<KeysAndAttributes> {
    let shard = |&id| item::address(&key::shard(run, id));
    let mut keys = consistently(ids.iter().map(shard).collect());
    if let Some(names) = projection {
        let marks: Vec<String> = names.iter().map(|name| format!("#{name}")).collect();
        keys = keys.projection_expression(marks.join(", "));
        for (mark, name) in marks.iter().zip(names) {
            keys = keys.expression_attribute_names(mark, *name);
        }
    }
    keys.build().map_err(unbuilt)
}

fn put(attributes: Attributes) -> PortResult<WriteRequest> {
    let put = PutRequest::builder()
        .set_item(Some(attributes))
        .build()
        .map_err(unbuilt)?;
    Ok(WriteRequest::builder().put_request(put).build())
}

/// A request that lacks a required member.
pub(crate) fn unbuilt(error: aws_smithy_types::error::operation::BuildError) -> PortError {
    PortError::Refused(error.to_string())
}
