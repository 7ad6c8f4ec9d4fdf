//! Metrics of CloudWatch, and what the stages keep in the table of what they expect and decide.

use async_trait::async_trait;
use foreshard_model::forecast::{Quantity, StoredForecast};
use foreshard_model::ids::TargetId;
use foreshard_model::outlook::StoredOutlook;
use foreshard_model::prewarm::PrewarmRecord;
use foreshard_stages::ports::{
    ForecastReads, ForecastWrites, MetricQuery, MetricReads, MetricSpan, Point, PortResult,
};

use super::Request;
use crate::cloud::{Cloud, Service};
use crate::parameters::API_MS;
use crate::table::{Partition, bytes, read_units, write_units};

impl Cloud {
    async fn keeps(&self, bytes: usize) -> PortResult<()> {
        let units = [(Partition::Other, write_units(bytes))];
        self.asks(Request::Write, &units).await
    }

    /// A read of what the caller has found already.
    async fn finds<T: serde::Serialize>(&self, found: &[T]) -> PortResult<()> {
        let units = read_units(found.iter().map(bytes).sum());
        self.read(Partition::Other, units).await
    }
}

#[async_trait]
impl MetricReads for Cloud {
    async fn points(
        &self,
        queries: &[MetricQuery],
        span: &MetricSpan,
    ) -> PortResult<Vec<Vec<Point>>> {
        self.takes(Service::Functions, API_MS).await;
        let now = self.timeline.now();
        let mut services = self.lock();
        // GetMetricData is charged by the metric, at what a thousand PutMetricData cost (CloudWatch pricing).
        services.usage.metric_requests += queries.len() as u64;
        let points = queries.iter();
        Ok(points
            .map(|query| services.metrics.points(query, span, now))
            .collect())
    }
}

#[async_trait]
impl ForecastReads for Cloud {
    async fn outlook(&self) -> PortResult<Option<StoredOutlook>> {
        let found = self.world.outlook().await?;
        self.finds(found.as_slice()).await?;
        Ok(found)
    }

    async fn forecast(
        &self,
        place: &str,
        quantity: Quantity,
    ) -> PortResult<Option<StoredForecast>> {
        let found = self.world.forecast(place, quantity).await?;
        self.finds(found.as_slice()).await?;
        Ok(found)
    }

    async fn forecasts(&self, limit: usize) -> PortResult<Vec<StoredForecast>> {
        let found = self.world.forecasts(limit).await?;
        self.finds(&found).await?;
        Ok(found)
    }

    async fn prewarm_records(
        &self,
        target: &TargetId,
        limit: usize,
    ) -> PortResult<Vec<PrewarmRecord>> {
        let found = self.world.prewarm_records(target, limit).await?;
        self.finds(&found).await?;
        Ok(found)
    }
}

#[async_trait]
impl ForecastWrites for Cloud {
    async fn put_outlook(&self, outlook: &StoredOutlook) -> PortResult<()> {
        self.keeps(bytes(outlook)).await?;
        self.world.put_outlook(outlook).await
    }

    async fn put_forecast(&self, forecast: &StoredForecast) -> PortResult<()> {
        self.keeps(bytes(forecast)).await?;
        self.world.put_forecast(forecast).await
    }

    async fn put_prewarm_record(&self, record: &PrewarmRecord) -> PortResult<()> {
        self.keeps(bytes(record)).await?;
        self.world.put_prewarm_record(record).await
    }
}
