//! The reshard function: configuration, adapters, serve.

use std::sync::Arc;

use foreshard_aws::clock::SystemClock;
use foreshard_aws::dynamodb::DynamoTable;
use foreshard_aws::s3::S3Bucket;
use foreshard_aws::sfn::{StepFunctionsMachine, StepFunctionsTokens};
use foreshard_aws::{config, serve::serve};
use foreshard_stages::dispatch::{self, TopologyCache};
use foreshard_stages::reshard::{Ports, reshard};

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let config = config::rounds()?;
    let table = Arc::new(DynamoTable::new(&config.aws, config.store.table));
    let bucket = Arc::new(S3Bucket::new(&config.aws, config.store.bucket));
    let machine = Arc::new(StepFunctionsMachine::new(&config.aws, config.state_machine));
    let ports = &Ports {
        dispatch: dispatch::Ports {
            runs: table.clone(),
            frontier: table.clone(),
            writes: table.clone(),
            ledger: table.clone(),
            blobs: bucket.clone(),
            trace: bucket.clone(),
            tokens: Arc::new(StepFunctionsTokens::new(&config.aws)),
            clock: Arc::new(SystemClock),
            topologies: Arc::new(TopologyCache::default()),
        },
        plans: bucket,
        forecasts: table.clone(),
        run_writes: table,
        executions: machine.clone(),
        execution_reads: machine,
    };
    let answer = async |request, _| reshard(ports, &request).await;
    Ok(serve("reshard", answer).await?)
}
