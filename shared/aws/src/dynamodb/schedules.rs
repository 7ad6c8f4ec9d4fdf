//! Schedules: their items by tenant, and the markers by which the sweep finds those that are due, kept in step by transactions.

use async_trait::async_trait;
use aws_sdk_dynamodb::types::{AttributeValue, Delete, TransactWriteItem};
use foreshard_model::frontier::Expect;
use foreshard_model::ids::Tenant;
use foreshard_model::schedule::{ScheduleItem, ScheduleKey};
use foreshard_model::units::TimeMs;
use foreshard_stages::ports::{Page, PortResult, ScheduleReads, ScheduleWrites};

use super::DynamoTable;
use super::batch::unbuilt;
use super::runs::condition;
use crate::table::SK;
use crate::table::item::{self, AT};
use crate::table::key::{self, Key};

#[async_trait]
impl ScheduleReads for DynamoTable {
    async fn schedule(&self, key: &ScheduleKey) -> PortResult<Option<ScheduleItem>> {
        self.item(&key.to_string(), &key::schedule(key)).await
    }

    async fn schedules_of(
        &self,
        tenant: &Tenant,
        prefix: &str,
        limit: usize,
        after: Option<&str>,
    ) -> PortResult<Page<ScheduleItem>> {
        let limit = i32::try_from(limit.max(1)).unwrap_or(i32::MAX);
        let pk = key::schedules(tenant);
        // An empty prefix is no condition that the service takes.
        let and = (!prefix.is_empty()).then(|| ("begins_with(#sk, :sk)", prefix.to_owned()));
        let query = self.query(pk.clone(), SK, and).limit(limit);
        let (items, next) = Self::page("schedules of a tenant", query, pk, after).await?;
        let items: PortResult<Vec<ScheduleItem>> = items.into_iter().map(item::read).collect();
        Ok(Page {
            items: items?,
            next,
        })
    }

    async fn due_schedules(
        &self,
        now: TimeMs,
        after: Option<&str>,
    ) -> PortResult<Page<ScheduleKey>> {
        let pk = key::TIMERS.to_owned();
        let query = self
            .query(pk.clone(), SK, None)
            .filter_expression("#at <= :now")
            .expression_attribute_names("#at", AT)
            .expression_attribute_values(":now", AttributeValue::N(now.0.to_string()));
        let (items, next) = Self::page("schedules that are due", query, pk, after).await?;
        let items: PortResult<Vec<ScheduleKey>> = items.into_iter().map(item::read).collect();
        Ok(Page {
            items: items?,
            next,
        })
    }
}

#[async_trait]
impl ScheduleWrites for DynamoTable {
    async fn put_schedule(&self, item: &ScheduleItem, look_at: Option<TimeMs>) -> PortResult<()> {
        let expected = match item.version {
            0 | 1 => Expect::Absent,
            version => Expect::Version(version - 1),
        };
        let key = item.key();
        let marker = match look_at {
            Some(at) => self.put(item::of_timer(&key, at)?, None)?,
            None => self.removal(&key::timer(&key), None)?,
        };
        let actions = vec![self.put(item::of_schedule(item)?, Some(expected))?, marker];
        self.transact(&key.to_string(), actions).await
    }

    async fn delete_schedule(&self, item: &ScheduleItem) -> PortResult<()> {
        let key = item.key();
        if self.schedule(&key).await?.is_none() {
            return Ok(());
        }
        let actions = vec![
            self.removal(&key::schedule(&key), Some(Expect::Version(item.version)))?,
            self.removal(&key::timer(&key), None)?,
        ];
        self.transact(&key.to_string(), actions).await
    }
}

impl DynamoTable {
    /// A removal of a transaction.
    fn removal(&self, key: &Key, expect: Option<Expect>) -> PortResult<TransactWriteItem> {
        let mut delete = Delete::builder()
            .table_name(&self.table)
            .set_key(Some(item::address(key)));
        if let Some(expect) = expect {
            let condition = condition(expect);
            let (mark, name) = condition.name;
            delete = delete
                .condition_expression(condition.expression)
                .expression_attribute_names(mark, name);
            if let Some((mark, value)) = condition.value {
                delete = delete.expression_attribute_values(mark, value);
            }
        }
        let delete = delete.build().map_err(unbuilt)?;
        Ok(TransactWriteItem::builder().delete(delete).build())
    }
}
