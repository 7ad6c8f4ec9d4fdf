//! The dispatch function: configuration, adapters, serve.

use std::sync::Arc;

use foreshard_aws::clock::SystemClock;
use foreshard_aws::dynamodb::DynamoTable;
use foreshard_aws::s3::S3Bucket;
use foreshard_aws::sfn::StepFunctionsTokens;
use foreshard_aws::{config, serve::serve};
use foreshard_stages::dispatch::{Ports, TopologyCache, dispatch};

/// A question is some thousand small allocations of the SDK's, made and freed by one thread.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let config = config::dispatch()?;
    let table = Arc::new(DynamoTable::new(&config.aws, config.store.table));
    let bucket = Arc::new(S3Bucket::new(&config.aws, config.store.bucket));
    let ports = &Ports {
        runs: table.clone(),
        frontier: table.clone(),
        writes: table.clone(),
        ledger: table,
        blobs: bucket.clone(),
        trace: bucket,
        tokens: Arc::new(StepFunctionsTokens::new(&config.aws)),
        clock: Arc::new(SystemClock),
        topologies: Arc::new(TopologyCache::default()),
    };
    let answer = async |request, _| dispatch(ports, &request).await;
    Ok(serve("dispatch", answer).await?)
}
