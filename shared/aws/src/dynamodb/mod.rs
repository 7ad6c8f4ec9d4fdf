//! The one table as the stages' stores: reads, conditional writes and transactions, all consistent.

mod allowances;
mod attempts;
mod batch;
mod create;
mod learnt;
mod ledger;
mod reads;
mod runs;
mod schedules;
mod writes;

use aws_sdk_dynamodb::Client;

pub(crate) use batch::unbuilt;

use crate::sdk::Aws;

/// The table, as every store of the stages: runs, frontier, attempts, ledger, schedules, allowances, profiles, forecasts.
#[derive(Debug, Clone)]
pub struct DynamoTable {
    client: Client,
    table: String,
}

impl DynamoTable {
    /// The table of this name.
    #[must_use]
    pub fn new(aws: &Aws, table: impl Into<String>) -> Self {
        Self {
            client: Client::new(aws.shared()),
            table: table.into(),
        }
    }
}
