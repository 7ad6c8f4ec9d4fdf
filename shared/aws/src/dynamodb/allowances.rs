//! A tenant's allowance of starts: one number in one item, moved on by atomic updates, so that no two callers race.

use async_trait::async_trait;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValuesOnConditionCheckFailure};
use foreshard_model::ids::Tenant;
use foreshard_model::policy::StartRate;
use foreshard_model::units::TimeMs;
use foreshard_stages::ports::{Allowances, PortResult, Taken};

use super::DynamoTable;
use crate::classify::port_error;
use crate::fault;
use crate::table::item::{self, Attributes};
use crate::table::key;

/// The moment until which the tenant's starts are booked. It never goes back.
const BOOKED: &str = "booked_until";

/// Nothing is booked beyond now: booking begins anew.
const IDLE: &str = "attribute_not_exists(#booked) OR #booked <= :limit";
/// What is booked is not too far ahead: one interval more.
const BUSY: &str = "#booked <= :limit";

#[async_trait]
impl Allowances for DynamoTable {
    async fn take_start(&self, tenant: &Tenant, rate: StartRate, now: TimeMs) -> PortResult<Taken> {
        let interval = rate.interval_ms();
        let fresh = now.plus(interval).0;
        if self
            .book(tenant, "SET #booked = :step", IDLE, fresh, now.0)
            .await?
            .is_ok()
        {
            return Ok(Taken::Taken);
        }
        let latest = now.plus(rate.ahead_ms()).0;
        let booked = self
            .book(
                tenant,
                "SET #booked = #booked + :step",
                BUSY,
                interval,
                latest,
            )
            .await?;
        Ok(match booked {
            Ok(()) => Taken::Taken,
            Err(booked) => Taken::Wait {
                ms: booked.map_or(interval, |booked| booked.saturating_sub(latest).max(1)),
            },
        })
    }
}

impl DynamoTable {
    /// Moves the number on if the condition holds; otherwise gives it as it is.
    async fn book(
        &self,
        tenant: &Tenant,
        update: &str,
        condition: &str,
        step: u64,
        limit: u64,
    ) -> PortResult<Result<(), Option<u64>>> {
        let call = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(item::address(&key::starts(tenant))))
            .update_expression(update)
            .condition_expression(condition)
            .expression_attribute_names("#booked", BOOKED)
            .expression_attribute_values(":step", AttributeValue::N(step.to_string()))
            .expression_attribute_values(":limit", AttributeValue::N(limit.to_string()))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send();
        match fault::write(call).await {
            Ok(_) => Ok(Ok(())),
            Err(error) => match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(failed)) => {
                    Ok(Err(failed.item().and_then(booked)))
                }
                _ => Err(port_error("allowance of starts", &error)),
            },
        }
    }
}

fn booked(item: &Attributes) -> Option<u64> {
    item.get(BOOKED)?.as_n().ok()?.parse().ok()
}
