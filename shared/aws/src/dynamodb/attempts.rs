//! What a worker may do to the table: checkpoints fenced by the attempt, and reads of committed pointers.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use aws_sdk_dynamodb::types::AttributeValue;
use foreshard_model::claim::Claim;
use foreshard_model::frontier::Checkpoint;
use foreshard_model::ids::ShardId;
use foreshard_model::plan::ShardKind;
use foreshard_stages::ports::{
    AttemptWrites, OutputPointers, Pointer, PortError, PortResult, RunKey,
};
use serde::Deserialize;

use super::DynamoTable;
use super::writes::failed_condition;
use crate::classify::port_error;
use crate::fault;
use crate::table::{item, key};

#[async_trait]
impl AttemptWrites for DynamoTable {
    async fn checkpoint(&self, run: &RunKey, checkpoint: &Checkpoint) -> PortResult<bool> {
        let what = format!("shard {} of {}", checkpoint.shard, run.run);
        let mut sets = vec![
            "#version = #version + :one",
            "#started_once = :started_once",
        ];
        let mut update = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(item::address(&key::shard(run, checkpoint.shard))))
            .condition_expression("#state = :running AND #attempt = :attempt")
            .expression_attribute_names("#version", "version")
            .expression_attribute_names("#state", "state")
            .expression_attribute_names("#attempt", "attempt")
            .expression_attribute_names("#started_once", "started_once")
            .expression_attribute_values(
                ":started_once",
                AttributeValue::Bool(checkpoint.started_once),
            )
            .expression_attribute_values(":one", AttributeValue::N("1".to_owned()))
            .expression_attribute_values(":running", AttributeValue::S("running".to_owned()))
            .expression_attribute_values(
                ":attempt",
                AttributeValue::N(checkpoint.attempt.0.to_string()),
            );
        if let Some(progress) = &checkpoint.progress {
            let value = serde_dynamo::to_attribute_value(progress)
                .map_err(|error| PortError::Refused(format!("{what}: {error}")))?;
            sets.push("#progress = :progress");
            update = update
                .expression_attribute_names("#progress", "progress")
                .expression_attribute_values(":progress", value);
        }
        let call = update
            .update_expression(format!("SET {}", sets.join(", ")))
            .send();
        match fault::write(call).await {
            Ok(_) => Ok(true),
            Err(error) if failed_condition(&error) => Ok(false),
            Err(error) => Err(port_error(&what, &error)),
        }
    }
}

/// The members of a shard's item that a worker may see.
#[derive(Deserialize)]
struct Seen {
    id: ShardId,
    #[serde(default)]
    kind: ShardKind,
    #[serde(default)]
    output: Option<Claim>,
    #[serde(default)]
    arrived: BTreeSet<ShardId>,
}

#[async_trait]
impl OutputPointers for DynamoTable {
    async fn pointers(
        &self,
        run: &RunKey,
        ids: &[ShardId],
    ) -> PortResult<BTreeMap<ShardId, Pointer>> {
        let members = ["id", "kind", "output", "arrived", "format"];
        let mut pointers = BTreeMap::new();
        for attributes in self.batch_get(run, ids, Some(&members)).await? {
            let seen: Seen = item::read(attributes)?;
            let pointer = Pointer {
                output: seen.output,
                behind: match seen.kind {
                    ShardKind::Work => BTreeSet::new(),
                    ShardKind::Relay | ShardKind::End => seen.arrived,
                },
            };
            if pointer != Pointer::default() {
                pointers.insert(seen.id, pointer);
            }
        }
        Ok(pointers)
    }
}
