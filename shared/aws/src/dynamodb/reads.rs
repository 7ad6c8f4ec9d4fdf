//! Consistent reads of shards and lanes: by key, by partition, and through the two sparse indexes.

use async_trait::async_trait;
use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use aws_sdk_dynamodb::types::AttributeValue;
use foreshard_model::frontier::{LaneItem, Live, ShardItem};
use foreshard_model::ids::{LaneId, ShardId};
use foreshard_stages::ports::{FrontierReads, Opening, Page, PortError, PortResult, RunKey};
use serde::de::DeserializeOwned;

use super::DynamoTable;
use crate::classify::port_error;
use crate::table::item::{self, Attributes};
use crate::table::key::{self, Key};
use crate::table::{LIVE, PK, READY_RANK, SK};

impl DynamoTable {
    /// One item, if it is there.
    pub(super) async fn item<T: DeserializeOwned>(
        &self,
        what: &str,
        key: &Key,
    ) -> PortResult<Option<T>> {
        let answer = self
            .client
            .get_item()
            .table_name(&self.table)
            .set_key(Some(item::address(key)))
            .consistent_read(true)
            .send()
            .await
            .map_err(|error| port_error(what, &error))?;
        answer.item.map(item::read).transpose()
    }

    /// A consistent query of one partition; `and` is a further condition on the sort key `#sk`, with its one value `:sk`.
    pub(super) fn query(
        &self,
        pk: String,
        sort_key: &str,
        and: Option<(&str, String)>,
    ) -> QueryFluentBuilder {
        let query = self
            .client
            .query()
            .table_name(&self.table)
            .consistent_read(true)
            .expression_attribute_names("#pk", PK)
            .expression_attribute_values(":pk", AttributeValue::S(pk));
        match and {
            None => query.key_condition_expression("#pk = :pk"),
            Some((condition, value)) => query
                .key_condition_expression(format!("#pk = :pk AND {condition}"))
                .expression_attribute_names("#sk", sort_key)
                .expression_attribute_values(":sk", AttributeValue::S(value)),
        }
    }

    /// Up to `limit` items of a query, over as many pages as that takes: a page ends at 1 MB.
    pub(super) async fn collect(
        what: &str,
        query: QueryFluentBuilder,
        limit: usize,
    ) -> PortResult<Vec<Attributes>> {
        let mut items: Vec<Attributes> = Vec::new();
        let mut from = None;
        while items.len() < limit {
            let wanted = i32::try_from(limit - items.len()).unwrap_or(i32::MAX);
            let answer = query
                .clone()
                .limit(wanted)
                .set_exclusive_start_key(from)
                .send()
                .await
                .map_err(|error| port_error(what, &error))?;
            items.extend(answer.items.unwrap_or_default());
            from = answer.last_evaluated_key;
            if from.is_none() {
                break;
            }
        }
        Ok(items)
    }

    /// One page of a query, and the sort key where the next one begins.
    pub(super) async fn page(
        what: &str,
        query: QueryFluentBuilder,
        pk: String,
        after: Option<&str>,
    ) -> PortResult<(Vec<Attributes>, Option<String>)> {
        let from = after.map(|sk| {
            item::address(&Key {
                pk,
                sk: sk.to_owned(),
            })
        });
        let answer = query
            .set_exclusive_start_key(from)
            .send()
            .await
            .map_err(|error| port_error(what, &error))?;
        let next = answer
            .last_evaluated_key
            .and_then(|last| item::text(&last, SK).map(str::to_owned));
        Ok((answer.items.unwrap_or_default(), next))
    }

    async fn index<T: DeserializeOwned>(
        &self,
        run: &RunKey,
        partition: u32,
        name: &str,
        prefix: Option<&str>,
        limit: usize,
    ) -> PortResult<Vec<T>> {
        let what = format!("index {name} of {}, partition {partition}", run.run);
        let and = prefix.map(|p| ("begins_with(#sk, :sk)", p.to_owned()));
        let query = self
            .query(key::partition(run, partition), name, and)
            .index_name(name);
        let items = Self::collect(&what, query, limit).await?;
        items.into_iter().map(item::read).collect()
    }
}

#[async_trait]
impl FrontierReads for DynamoTable {
    async fn shard(&self, run: &RunKey, id: ShardId) -> PortResult<Option<ShardItem>> {
        let what = format!("shard {id} of {}", run.run);
        self.item(&what, &key::shard(run, id)).await
    }

    async fn shards(&self, run: &RunKey, ids: &[ShardId]) -> PortResult<Vec<ShardItem>> {
        let items = self.batch_get(run, ids, None).await?;
        items.into_iter().map(item::read).collect()
    }

    async fn shards_of(
        &self,
        run: &RunKey,
        partition: u32,
        after: Option<&str>,
    ) -> PortResult<Page<ShardItem>> {
        if after.is_some_and(|sk| !sk.starts_with(key::SHARD_PREFIX)) {
            return Err(PortError::Refused("page token of another listing".into()));
        }
        let what = format!("shards of {}, partition {partition}", run.run);
        let pk = key::partition(run, partition);
        let and = ("begins_with(#sk, :sk)", key::SHARD_PREFIX.to_owned());
        let query = self.query(pk.clone(), SK, Some(and));
        let (items, next) = Self::page(&what, query, pk, after).await?;
        let items: PortResult<Vec<ShardItem>> = items.into_iter().map(item::read).collect();
        Ok(Page {
            items: items?,
            next,
        })
    }

    async fn lane(&self, run: &RunKey, lane: LaneId) -> PortResult<Option<LaneItem>> {
        let what = format!("lane {lane} of {}", run.run);
        self.item(&what, &key::lane(run, lane)).await
    }

    async fn opening(
        &self,
        run: &RunKey,
        lane: LaneId,
        finished: Option<ShardId>,
    ) -> PortResult<Opening> {
        let (of_run, of_lane) = (key::run(&run.run), key::lane(run, lane));
        let of_shard = finished.map(|id| key::shard(run, id));
        let wanted = [Some(&of_run), Some(&of_lane), of_shard.as_ref()];
        let mut found = self.few(run, wanted.into_iter().flatten()).await?;
        let mut take = |key: &Key| found.remove(key);
        Ok(Opening {
            run: take(&of_run).map(item::read).transpose()?,
            lane: take(&of_lane).map(item::read).transpose()?,
            finished: of_shard
                .as_ref()
                .and_then(take)
                .map(item::read)
                .transpose()?,
        })
    }

    async fn ready(
        &self,
        run: &RunKey,
        partition: u32,
        limit: usize,
    ) -> PortResult<Vec<ShardItem>> {
        self.index(run, partition, READY_RANK, None, limit).await
    }

    async fn live(
        &self,
        run: &RunKey,
        partition: u32,
        what: Live,
        limit: usize,
    ) -> PortResult<Vec<ShardItem>> {
        if what == Live::Parked {
            return Err(PortError::Refused("parked lanes are not shards".into()));
        }
        self.index(run, partition, LIVE, Some(what.prefix()), limit)
            .await
    }

    async fn parked(
        &self,
        run: &RunKey,
        partition: u32,
        limit: usize,
    ) -> PortResult<Vec<LaneItem>> {
        let prefix = Some(Live::Parked.prefix());
        self.index(run, partition, LIVE, prefix, limit).await
    }
}
