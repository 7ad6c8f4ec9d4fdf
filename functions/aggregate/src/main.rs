//! The aggregate function: configuration, adapters, serve.

use std::sync::Arc;

use foreshard_aws::clock::SystemClock;
use foreshard_aws::dynamodb::DynamoTable;
use foreshard_aws::s3::S3Bucket;
use foreshard_aws::sfn::StepFunctionsMachine;
use foreshard_aws::{config, serve::serve};
use foreshard_stages::aggregate::{Ports, aggregate};

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let config = config::rounds()?;
    let table = Arc::new(DynamoTable::new(&config.aws, config.store.table));
    let bucket = Arc::new(S3Bucket::new(&config.aws, config.store.bucket));
    let machine = StepFunctionsMachine::new(&config.aws, config.state_machine);
    let ports = &Ports {
        runs: table.clone(),
        run_writes: table.clone(),
        frontier: table.clone(),
        ledger: table.clone(),
        profiles: table.clone(),
        profile_writes: table,
        blobs: bucket.clone(),
        blob_writes: bucket,
        executions: Arc::new(machine),
        clock: Arc::new(SystemClock),
    };
    let answer = async |request, _| aggregate(ports, &request).await;
    Ok(serve("aggregate", answer).await?)
}
