//! The submit function: configuration, adapters, serve.

use std::sync::Arc;

use foreshard_aws::clock::SystemClock;
use foreshard_aws::config;
use foreshard_aws::dynamodb::DynamoTable;
use foreshard_aws::proxy::{ProxyAnswer, ProxyEvent};
use foreshard_aws::s3::S3Bucket;
use foreshard_aws::serve::{Invocation, serve};
use foreshard_aws::sfn::{StepFunctionsMachine, StepFunctionsTokens};
use foreshard_stages::submit::{Ports, answer};

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let config = config::submit()?;
    let table = Arc::new(DynamoTable::new(&config.aws, config.store.table));
    let bucket = Arc::new(S3Bucket::new(&config.aws, config.store.bucket));
    let machine = StepFunctionsMachine::new(&config.aws, config.state_machine);
    let ports = &Ports {
        runs: table.clone(),
        run_writes: table.clone(),
        frontier: table.clone(),
        frontier_writes: table.clone(),
        ledger: table.clone(),
        ledger_writes: table,
        blobs: bucket.clone(),
        blob_lists: bucket.clone(),
        blob_writes: bucket.clone(),
        presigns: bucket,
        executions: Arc::new(machine),
        tokens: Arc::new(StepFunctionsTokens::new(&config.aws)),
        wiring: Arc::new(config.pool),
        clock: Arc::new(SystemClock),
    };
    let local = config.local_identity.as_ref();
    let answer = async |event: ProxyEvent, call: Invocation| {
        let request = event.into_request(local, &call.request_id);
        Ok(ProxyAnswer::from(answer(ports, &request).await))
    };
    Ok(serve("submit", answer).await?)
}
