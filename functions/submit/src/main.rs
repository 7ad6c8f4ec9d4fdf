//! The submit function: configuration, adapters, serve.

use std::sync::Arc;

use foreshard_aws::clock::SystemClock;
use foreshard_aws::config::{self, Schedules};
use foreshard_aws::dynamodb::DynamoTable;
use foreshard_aws::event::{SubmitAnswer, SubmitEvent};
use foreshard_aws::s3::S3Bucket;
use foreshard_aws::scheduler::{RuleTimers, SchedulerTimers};
use foreshard_aws::serve::{Invocation, serve};
use foreshard_aws::sfn::{StepFunctionsMachine, StepFunctionsTokens};
use foreshard_stages::ports::Timers;
use foreshard_stages::submit::{Ports, answer, fire, sweep};

/// How long the sweep leaves a scheduled time to the timer, in milliseconds: a timer keeps to the minute.
const TIMER_GRACE_MS: u64 = 120_000;

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let config = config::submit()?;
    let table = Arc::new(DynamoTable::new(&config.aws, config.store.table));
    let bucket = Arc::new(S3Bucket::new(&config.aws, config.store.bucket));
    let (timers, grace_ms): (Arc<dyn Timers>, u64) = match config.schedules {
        Schedules::Scheduler(wiring) => {
            let timers = SchedulerTimers::new(&config.aws, wiring);
            (Arc::new(timers), TIMER_GRACE_MS)
        }
        Schedules::Rules => (Arc::new(RuleTimers), 0),
    };
    let ports = &Ports {
        runs: table.clone(),
        run_writes: table.clone(),
        allowances: table.clone(),
        start_rate: config.start_rate,
        frontier: table.clone(),
        frontier_writes: table.clone(),
        ledger: table.clone(),
        ledger_writes: table.clone(),
        schedules: table.clone(),
        schedule_writes: table.clone(),
        forecasts: table,
        timers,
        blobs: bucket.clone(),
        blob_lists: bucket.clone(),
        blob_writes: bucket.clone(),
        presigns: bucket,
        executions: Arc::new(StepFunctionsMachine::new(&config.aws, config.state_machine)),
        tokens: Arc::new(StepFunctionsTokens::new(&config.aws)),
        wiring: Arc::new(config.pool),
        clock: Arc::new(SystemClock),
    };
    let answer = async |event: SubmitEvent, call: Invocation| match event {
        SubmitEvent::Request(event) => {
            let request = event.into_request(config.local_identity.as_ref(), &call.request_id);
            Ok(SubmitAnswer::Request(answer(ports, &request).await.into()))
        }
        SubmitEvent::Schedule(event) => {
            let fired = fire(ports, &event.schedule.key, event.schedule.time.as_deref()).await;
            fired.map(SubmitAnswer::Fired)
        }
        SubmitEvent::Sweep(_) => sweep(ports, grace_ms).await.map(SubmitAnswer::Fired),
    };
    Ok(serve("submit", answer).await?)
}
