//! Conditional writes of the frontier: one item by a put, several by a transaction, arrivals by an update of a set.

use async_trait::async_trait;
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{AttributeValue, CancellationReason, ReturnValue, TransactWriteItem};
use foreshard_model::frontier::{Arrival, Expect, ShardItem, Write};
use foreshard_model::ids::ShardId;
use foreshard_model::limits::TRANSACTION_WRITES;
use foreshard_stages::ports::{FrontierReads as _, FrontierWrites, PortError, PortResult, RunKey};

use super::DynamoTable;
use super::runs::condition;
use crate::classify::{port_error, service_error};
use crate::fault;
use crate::table::item::{self, Attributes};
use crate::table::key;

/// What the service says of an action of a cancelled transaction that was not at fault.
const NOT_AT_FAULT: &str = "None";
/// What it says of one whose condition did not hold.
pub(super) const CONDITION_FAILED: &str = "ConditionalCheckFailed";

impl DynamoTable {
    /// All actions or none.
    pub(super) async fn transact(
        &self,
        what: &str,
        actions: Vec<TransactWriteItem>,
    ) -> PortResult<()> {
        match self.try_transact(what, actions).await? {
            Ok(()) => Ok(()),
            Err(reasons) => Err(cancelled(what, &reasons)),
        }
    }

    /// All actions or none; `Ok(Err(reasons))`: cancelled, with a reason for each action.
    pub(super) async fn try_transact(
        &self,
        what: &str,
        actions: Vec<TransactWriteItem>,
    ) -> PortResult<Result<(), Vec<CancellationReason>>> {
        // The SDK adds a request token, so that its own repeats count once.
        let call = self
            .client
            .transact_write_items()
            .set_transact_items(Some(actions))
            .send();
        match fault::write(call).await {
            Ok(_) => Ok(Ok(())),
            Err(error) => match reasons(&error) {
                Some(reasons) => Ok(Err(reasons)),
                None => Err(port_error(what, &error)),
            },
        }
    }

    /// One item, if what it expects holds.
    pub(super) async fn put_one(
        &self,
        what: &str,
        attributes: Attributes,
        expect: Expect,
    ) -> PortResult<()> {
        let condition = condition(expect);
        let (mark, name) = condition.name;
        let mut put = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(attributes))
            .condition_expression(condition.expression)
            .expression_attribute_names(mark, name);
        if let Some((mark, value)) = condition.value {
            put = put.expression_attribute_values(mark, value);
        }
        fault::write(put.send())
            .await
            .map(drop)
            .map_err(|error| port_error(what, &error))
    }
}

fn reasons(
    error: &SdkError<TransactWriteItemsError, aws_smithy_runtime_api::http::Response>,
) -> Option<Vec<CancellationReason>> {
    match error.as_service_error()? {
        TransactWriteItemsError::TransactionCanceledException(cancelled) => {
            Some(cancelled.cancellation_reasons().to_vec())
        }
        _ => None,
    }
}

/// A cancelled transaction: a lost race wins over a throttle, because only reading again mends it.
fn cancelled(what: &str, reasons: &[CancellationReason]) -> PortError {
    let errors: Vec<PortError> = reasons
        .iter()
        .enumerate()
        .filter_map(|(index, reason)| {
            let code = reason.code().filter(|code| *code != NOT_AT_FAULT)?;
            let what = format!("{what}, write {}", index + 1);
            // Reasons carry no HTTP status; the transaction's own is 400.
            Some(service_error(
                &what,
                code,
                400,
                reason.message().unwrap_or_default(),
            ))
        })
        .collect();
    let conflict = errors
        .iter()
        .find(|error| matches!(error, PortError::Conflict(_)));
    let refused = errors
        .iter()
        .find(|error| !matches!(error, PortError::Unavailable(_)));
    conflict
        .or(refused)
        .or(errors.first())
        .cloned()
        .unwrap_or_else(|| PortError::Unavailable(format!("{what}: cancelled without a reason")))
}

/// What a write is about, its attributes, and what it expects.
fn written(run: &RunKey, write: &Write) -> PortResult<(String, Attributes, Expect)> {
    Ok(match write {
        Write::Run(item, expect) => (format!("run {}", item.run), item::of_run(item)?, *expect),
        Write::Shard(item, expect) => (
            format!("shard {} of {}", item.id, run.run),
            item::of_shard(run, item)?,
            *expect,
        ),
        Write::Lane(item, expect) => (
            format!("lane {} of {}", item.lane, run.run),
            item::of_lane(run, item)?,
            *expect,
        ),
    })
}

#[async_trait]
impl FrontierWrites for DynamoTable {
    async fn commit(&self, run: &RunKey, writes: &[Write]) -> PortResult<()> {
        match writes {
            [] => Err(PortError::Refused(format!(
                "no write in a transaction of {}",
                run.run
            ))),
            [write] => {
                let (what, attributes, expect) = written(run, write)?;
                self.put_one(&what, attributes, expect).await
            }
            _ if writes.len() > TRANSACTION_WRITES => Err(PortError::Refused(format!(
                "{} writes in one transaction of {}, at most {TRANSACTION_WRITES}",
                writes.len(),
                run.run
            ))),
            _ => {
                let mut subjects = Vec::with_capacity(writes.len());
                let mut actions = Vec::with_capacity(writes.len());
                for write in writes {
                    let (subject, attributes, expect) = written(run, write)?;
                    subjects.push(subject);
                    actions.push(self.put(attributes, Some(expect))?);
                }
                self.transact(&subjects.join(", "), actions).await
            }
        }
    }

    async fn arrive(&self, run: &RunKey, arrival: &Arrival) -> PortResult<ShardItem> {
        let what = format!("shard {} of {}", arrival.successor, run.run);
        let me = AttributeValue::Ns(vec![arrival.predecessor.0.to_string()]);
        let call = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(item::address(&key::shard(run, arrival.successor))))
            .update_expression("ADD #arrived :me SET #version = #version + :one")
            .condition_expression("#generation = :generation")
            .expression_attribute_names("#generation", "generation")
            .expression_attribute_names("#arrived", "arrived")
            .expression_attribute_names("#version", "version")
            .expression_attribute_values(":me", me)
            .expression_attribute_values(
                ":generation",
                AttributeValue::N(arrival.generation.0.to_string()),
            )
            .expression_attribute_values(":one", AttributeValue::N("1".to_owned()))
            .return_values(ReturnValue::AllNew)
            .send();
        let answer = match fault::write(call).await {
            Ok(answer) => answer,
            // Rare, so a read may tell what it was.
            Err(error) if failed_condition(&error) => {
                let found = self.shard(run, arrival.successor).await?;
                return Err(match found {
                    Some(item) => {
                        PortError::Conflict(format!("{what} is of generation {}", item.generation))
                    }
                    None => PortError::NotFound(what),
                });
            }
            Err(error) => return Err(port_error(&what, &error)),
        };
        let attributes = answer.attributes.unwrap_or_default();
        item::read(attributes)
    }

    async fn create_shards(&self, run: &RunKey, items: &[ShardItem]) -> PortResult<Vec<ShardId>> {
        self.create_some(run, items).await
    }
}

/// Whether the condition of an update did not hold.
pub(super) fn failed_condition<E, R>(error: &SdkError<E, R>) -> bool
where
    E: aws_smithy_types::error::metadata::ProvideErrorMetadata,
{
    error
        .as_service_error()
        .and_then(aws_smithy_types::error::metadata::ProvideErrorMetadata::code)
        == Some("ConditionalCheckFailedException")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reason(code: &str) -> CancellationReason {
        CancellationReason::builder().code(code).build()
    }

    fn of(codes: &[&str]) -> PortError {
        let reasons: Vec<_> = codes.iter().map(|code| reason(code)).collect();
        cancelled("shard 1 of r", &reasons)
    }

    #[test]
    fn a_lost_race_wins_over_a_throttle() {
        assert_eq!(
            of(&["None", "ThrottlingError", "ConditionalCheckFailed"]).to_string(),
            "condition not met: shard 1 of r, write 3: ConditionalCheckFailed (400)"
        );
        assert!(matches!(
            of(&["TransactionConflict"]),
            PortError::Conflict(_)
        ));
        assert!(matches!(
            of(&["ThrottlingError"]),
            PortError::Unavailable(_)
        ));
        assert!(matches!(
            of(&["ValidationError", "ThrottlingError"]),
            PortError::Refused(_)
        ));
        assert!(matches!(of(&[]), PortError::Unavailable(_)));
    }
}
