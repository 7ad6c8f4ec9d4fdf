//! The forecast function: configuration, adapters, serve.

use std::sync::Arc;

use foreshard_aws::account::LambdaLimits;
use foreshard_aws::clock::SystemClock;
use foreshard_aws::cloudwatch::CloudWatchMetrics;
use foreshard_aws::dynamodb::DynamoTable;
use foreshard_aws::s3::S3Bucket;
use foreshard_aws::{config, serve::serve};
use foreshard_stages::forecast::{Ports, forecast};

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let config = config::plan()?;
    let table = Arc::new(DynamoTable::new(&config.aws, config.store.table));
    let ports = &Ports {
        metrics: Arc::new(CloudWatchMetrics::new(&config.aws)),
        runs: table.clone(),
        frontier: table.clone(),
        schedules: table.clone(),
        forecasts: table,
        blobs: Arc::new(S3Bucket::new(&config.aws, config.store.bucket)),
        limits: Arc::new(LambdaLimits::new(&config.aws)),
        wiring: Arc::new(config.pool),
        clock: Arc::new(SystemClock),
    };
    let answer = async |request, _| forecast(ports, &request).await;
    Ok(serve("forecast", answer).await?)
}
