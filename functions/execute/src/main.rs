//! The execute function: configuration, adapters, serve. First of all it may be the process of one task.

use std::process::ExitCode;
use std::sync::Arc;

use foreshard_aws::clock::SystemClock;
use foreshard_aws::cloudwatch::CloudWatchMetrics;
use foreshard_aws::config;
use foreshard_aws::dynamodb::DynamoTable;
use foreshard_aws::lambda::LambdaCalls;
use foreshard_aws::s3::S3Bucket;
use foreshard_aws::sdk::Credentials;
use foreshard_aws::serve::{Invocation, serve};
use foreshard_aws::sts::StsIdentity;
use foreshard_stages::ports::{Clock as _, Metrics};
use foreshard_worker::shield::{self, WorkerCredentials};
use foreshard_worker::{Handlers, Ports, Settings, Worker};

fn main() -> anyhow::Result<ExitCode> {
    if let Some(code) = foreshard_worker::run_as_task(std::env::args_os()) {
        return Ok(code);
    }
    let credentials = shield::protect()?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(run(credentials))?;
    Ok(ExitCode::SUCCESS)
}

async fn run(credentials: Option<WorkerCredentials>) -> anyhow::Result<()> {
    let config = config::execute(credentials.map(|c| {
        Credentials::new(
            c.access_key_id,
            c.secret_access_key,
            c.session_token,
            None,
            "shield",
        )
    }))?;
    let table = Arc::new(DynamoTable::new(&config.aws, config.store.table));
    let bucket = Arc::new(S3Bucket::new(&config.aws, config.store.bucket));
    let metrics = || Arc::new(CloudWatchMetrics::new(&config.aws)) as Arc<dyn Metrics>;
    let ports = Ports {
        reads: bucket.clone(),
        writes: bucket,
        attempts: table.clone(),
        pointers: table,
        identity: Arc::new(StsIdentity::new(&config.aws, config.task_role)),
        calls: Arc::new(LambdaCalls::new(&config.aws)),
        metrics: config.metrics.then(metrics),
        clock: Arc::new(SystemClock),
    };
    let mut settings = Settings::from_lookup(config::variable);
    settings.owns_process = true;
    let worker = &Worker::new(ports, Handlers::builtin(), settings);
    let answer = async |request, call: Invocation| {
        let remaining_ms = call.deadline.since(SystemClock.now());
        worker.execute(request, remaining_ms).await
    };
    Ok(serve("execute", answer).await?)
}
