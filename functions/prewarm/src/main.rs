//! The prewarm function: configuration, adapters, serve.

use std::sync::Arc;

use foreshard_aws::account::LambdaLimits;
use foreshard_aws::clock::SystemClock;
use foreshard_aws::cloudwatch::CloudWatchMetrics;
use foreshard_aws::dynamodb::DynamoTable;
use foreshard_aws::s3::S3Bucket;
use foreshard_aws::warm::LambdaWarmPool;
use foreshard_aws::{config, serve::serve};
use foreshard_stages::prewarm::{Ports, prewarm};

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let config = config::plan()?;
    let table = Arc::new(DynamoTable::new(&config.aws, config.store.table));
    let bucket = Arc::new(S3Bucket::new(&config.aws, config.store.bucket));
    let ports = &Ports {
        runs: table.clone(),
        frontier: table.clone(),
        schedules: table.clone(),
        blobs: bucket.clone(),
        lists: bucket,
        forecasts: table.clone(),
        records: table,
        metrics: Arc::new(CloudWatchMetrics::new(&config.aws)),
        warm: Arc::new(LambdaWarmPool::new(&config.aws)),
        limits: Arc::new(LambdaLimits::new(&config.aws)),
        wiring: Arc::new(config.pool),
        clock: Arc::new(SystemClock),
    };
    let answer = async |request, _| prewarm(ports, &request).await;
    Ok(serve("prewarm", answer).await?)
}
