//! The ledger: events by time, written in batches, read forward from a sort key.

use std::collections::BTreeMap;

use async_trait::async_trait;
use foreshard_model::ids::RunId;
use foreshard_model::ledger::Event;
use foreshard_stages::ports::{LedgerReads, LedgerWrites, PortResult};

use super::DynamoTable;
use crate::table::SK;
use crate::table::item::{self, Attributes};
use crate::table::key::{self, Key};

#[async_trait]
impl LedgerWrites for DynamoTable {
    async fn record(&self, events: &[Event]) -> PortResult<()> {
        // One batch must not name a key twice.
        let mut unique: BTreeMap<Key, Attributes> = BTreeMap::new();
        for event in events {
            unique.insert(key::event(event), item::of_event(event)?);
        }
        self.put_all("events of the ledger", unique.into_values().collect())
            .await
    }
}

#[async_trait]
impl LedgerReads for DynamoTable {
    async fn events(&self, run: &RunId, after: &str, limit: usize) -> PortResult<Vec<Event>> {
        // A key must not be empty, not even in a condition.
        let and = (!after.is_empty()).then(|| ("#sk > :sk", after.to_owned()));
        let query = self.query(key::ledger(run), SK, and);
        let items = Self::collect(&format!("ledger of {run}"), query, limit).await?;
        items.into_iter().map(item::read).collect()
    }
}
