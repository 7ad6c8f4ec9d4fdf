//! The plan function: configuration, adapters, serve.

use std::env;
use std::sync::Arc;

use foreshard_aws::clock::SystemClock;
use foreshard_aws::dynamodb::DynamoTable;
use foreshard_aws::s3::S3Bucket;
use foreshard_aws::{config, serve::serve};
use foreshard_stages::plan::{Ports, plan};

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let config = config::plan()?;
    let table = Arc::new(DynamoTable::new(&config.aws, config.store.table));
    let bucket = Arc::new(S3Bucket::new(&config.aws, config.store.bucket));
    let ports = &Ports {
        runs: table.clone(),
        run_writes: table.clone(),
        frontier: table.clone(),
        ledger: table.clone(),
        profiles: table.clone(),
        forecasts: table,
        blobs: bucket.clone(),
        blob_writes: bucket,
        wiring: Arc::new(config.pool),
        clock: Arc::new(SystemClock),
        scratch: env::temp_dir(),
    };
    let answer = async |request, _| plan(ports, &request).await;
    Ok(serve("plan", answer).await?)
}
