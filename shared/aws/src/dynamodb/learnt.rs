//! What was learnt: profiles by version, forecasts and the outlook of which the latest stays, decisions by target and time.

use async_trait::async_trait;
use aws_sdk_dynamodb::types::AttributeValue;
use foreshard_model::forecast::{Quantity, StoredForecast};
use foreshard_model::frontier::Expect;
use foreshard_model::ids::{TargetId, Tenant};
use foreshard_model::outlook::StoredOutlook;
use foreshard_model::prewarm::PrewarmRecord;
use foreshard_model::profile::{Profile, ProfileKey};
use foreshard_model::units::TimeMs;
use foreshard_stages::ports::{
    ForecastReads, ForecastWrites, PortResult, ProfileReads, ProfileWrites,
};

use super::DynamoTable;
use super::writes::failed_condition;
use crate::classify::port_error;
use crate::fault;
use crate::table::SK;
use crate::table::item::{self, Attributes};
use crate::table::key;

/// Nothing is there, or nothing later.
const NOT_LATER: &str = "attribute_not_exists(#made_at) OR #made_at <= :made_at";

#[async_trait]
impl ProfileReads for DynamoTable {
    async fn profile(&self, tenant: &Tenant, key: &ProfileKey) -> PortResult<Option<Profile>> {
        let what = format!("profile of `{}`", key.task_type);
        self.item(&what, &key::profile(tenant, key)).await
    }

    async fn profiles_of(
        &self,
        tenant: &Tenant,
        task_type: &str,
        limit: usize,
    ) -> PortResult<Vec<Profile>> {
        let what = format!("profiles of `{task_type}`");
        let query = self.query(key::profiles(tenant, task_type), SK, None);
        let items = Self::collect(&what, query, limit).await?;
        items.into_iter().map(item::read).collect()
    }
}

#[async_trait]
impl ProfileWrites for DynamoTable {
    async fn put_profile(&self, tenant: &Tenant, profile: &Profile) -> PortResult<()> {
        let what = format!("profile of `{}`", profile.key.task_type);
        let expected = match profile.version {
            0 | 1 => Expect::Absent,
            version => Expect::Version(version - 1),
        };
        let attributes = item::of_profile(tenant, profile)?;
        self.put_one(&what, attributes, expected).await
    }
}

#[async_trait]
impl ForecastReads for DynamoTable {
    async fn outlook(&self) -> PortResult<Option<StoredOutlook>> {
        self.item("outlook", &key::outlook()).await
    }

    async fn forecast(
        &self,
        place: &str,
        quantity: Quantity,
    ) -> PortResult<Option<StoredForecast>> {
        let what = format!("forecast of {place}");
        self.item(&what, &key::forecast(place, quantity)).await
    }

    async fn forecasts(&self, limit: usize) -> PortResult<Vec<StoredForecast>> {
        let query = self.query(key::FORECASTS.to_owned(), SK, None);
        let items = Self::collect("forecasts", query, limit).await?;
        items.into_iter().map(item::read).collect()
    }

    async fn prewarm_records(
        &self,
        target: &TargetId,
        limit: usize,
    ) -> PortResult<Vec<PrewarmRecord>> {
        let what = format!("decisions for {target}");
        let query = self
            .query(key::prewarm_records(target), SK, None)
            .scan_index_forward(false);
        let items = Self::collect(&what, query, limit).await?;
        items.into_iter().map(item::read).collect()
    }
}

#[async_trait]
impl ForecastWrites for DynamoTable {
    async fn put_outlook(&self, outlook: &StoredOutlook) -> PortResult<()> {
        let attributes = item::of_outlook(outlook)?;
        self.put_unless_later("outlook", attributes, outlook.made_at)
            .await
    }

    async fn put_forecast(&self, forecast: &StoredForecast) -> PortResult<()> {
        let what = format!("forecast of {}", forecast.place);
        let attributes = item::of_forecast(forecast)?;
        self.put_unless_later(&what, attributes, forecast.made_at)
            .await
    }

    async fn put_prewarm_record(&self, record: &PrewarmRecord) -> PortResult<()> {
        let what = format!("decision for {}", record.decision.target);
        let call = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(item::of_prewarm_record(record)?))
            .send();
        let answer = fault::write(call).await;
        answer.map(drop).map_err(|error| port_error(&what, &error))
    }
}

impl DynamoTable {
    /// Puts an item unless one that was made later is there: who comes late has nothing to say.
    async fn put_unless_later(
        &self,
        what: &str,
        attributes: Attributes,
        made_at: TimeMs,
    ) -> PortResult<()> {
        let call = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(attributes))
            .condition_expression(NOT_LATER)
            .expression_attribute_names("#made_at", "made_at")
            .expression_attribute_values(":made_at", AttributeValue::N(made_at.0.to_string()))
            .send();
        match fault::write(call).await {
            Err(error) if !failed_condition(&error) => Err(port_error(what, &error)),
            _ => Ok(()),
        }
    }
}
