//! The ledger in memory: by run and derived sort key, so a repeat changes nothing.

use async_trait::async_trait;
use foreshard_model::ids::RunId;
use foreshard_model::ledger::Event;
use foreshard_stages::ports::{LedgerReads, LedgerWrites, PortResult};

use crate::world::World;

#[async_trait]
impl LedgerWrites for World {
    async fn record(&self, events: &[Event]) -> PortResult<()> {
        self.write("record", |state| {
            for event in events {
                let key = (event.run.clone(), event.sort_key());
                state.ledger.entry(key).or_insert_with(|| event.clone());
            }
            Ok(())
        })
        .await
    }
}

#[async_trait]
impl LedgerReads for World {
    async fn events(&self, run: &RunId, after: &str, limit: usize) -> PortResult<Vec<Event>> {
        self.read(|state| {
            let first = (run.clone(), after.to_owned());
            let later = state
                .ledger
                .range(first..)
                .take_while(|((r, _), _)| r == run)
                .filter(|((_, key), _)| key.as_str() > after);
            Ok(later.take(limit).map(|(_, event)| event.clone()).collect())
        })
        .await
    }
}
