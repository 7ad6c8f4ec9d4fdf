//! What the services take, in time: each number with its source, or marked as assumed. Limits are those of the model.

use foreshard_model::target::Architecture;

use crate::random::Quantiles;

/// From leaving a state to the call of the next Task state, and from its answer to leaving it, in milliseconds. Assumed, from
/// `place::SHARD_MS`: a Lambda state of a Standard execution takes 50 to 100 ms beside the function.
pub(crate) const TASK_STATE_MS: u64 = 45;
/// A Choice, Pass or Map state, in milliseconds. Assumed: no call leaves the service.
pub(crate) const FLOW_STATE_MS: u64 = 5;
/// From StartExecution to the first state, in milliseconds. Assumed.
pub(crate) const START_MS: u64 = 50;
/// From a distributed Map to its first child, in milliseconds: a Map Run is created, its items are read. Assumed.
pub(crate) const MAP_RUN_MS: u64 = 500;
/// From SendTaskSuccess to the state that waited for it, in milliseconds. Assumed.
pub(crate) const TOKEN_MS: u64 = 30;
/// A call of a warm function beside the function, in milliseconds. Assumed.
pub(crate) const INVOKE_MS: u64 = 5;
/// Reads and writes of DynamoDB, in milliseconds: single digits (DynamoDB, "Introduction"); the numbers are assumed.
pub(crate) const READ_MS: u64 = 3;
/// See [`READ_MS`].
pub(crate) const WRITE_MS: u64 = 5;
/// A transaction, in milliseconds: two phases. Assumed.
pub(crate) const TRANSACTION_MS: u64 = 9;
/// First byte of a GET, in milliseconds. Source: S3, "Performance design patterns": 100 to 200 ms at most for small objects;
/// what Lambda sees in its region is assumed.
pub(crate) const GET_MS: u64 = 20;
/// A PUT, in milliseconds. See [`GET_MS`].
pub(crate) const PUT_MS: u64 = 30;
/// A call of another API of AWS, in milliseconds. Assumed.
pub(crate) const API_MS: u64 = 20;

/// How all these times vary, as a factor. Assumed.
pub(crate) const LATENCY_SPREAD: Quantiles =
    &[(0.0, 0.7), (0.5, 1.0), (0.9, 1.5), (0.99, 3.0), (1.0, 10.0)];
/// How the processor time of a task varies between environments and neighbours, as a factor. Assumed; the same for both sides.
pub(crate) const TASK_SPREAD: Quantiles = &[
    (0.0, 0.92),
    (0.5, 1.0),
    (0.9, 1.08),
    (0.99, 1.2),
    (1.0, 1.5),
];

/// `Init Duration` of a function in Rust, in milliseconds. Source: maxday/lambda-perf, 198 daily runs of 2026 to 2026-08-22,
/// `provided.al2023`, zip: p50, p90, p99 and the longest of about 1,800. What is below the median is assumed.
const INIT_ARM64: Quantiles = &[
    (0.0, 11.0),
    (0.5, 13.5),
    (0.9, 15.2),
    (0.99, 41.6),
    (1.0, 79.0),
];
/// The same on x86.
const INIT_X86_64: Quantiles = &[
    (0.0, 13.0),
    (0.5, 16.4),
    (0.9, 21.8),
    (0.99, 47.1),
    (1.0, 73.0),
];
/// The same from an image, arm64.
const INIT_IMAGE_ARM64: Quantiles = &[
    (0.0, 22.0),
    (0.5, 28.2),
    (0.9, 36.8),
    (0.99, 84.2),
    (1.0, 317.0),
];
/// The same from an image, x86.
const INIT_IMAGE_X86_64: Quantiles = &[
    (0.0, 27.0),
    (0.5, 34.0),
    (0.9, 54.3),
    (0.99, 92.3),
    (1.0, 191.0),
];
/// Placing a sandbox and loading its code, in milliseconds: `Init Duration` leaves it out, the caller waits for it, nobody
/// publishes it. Assumed.
pub(crate) const PLACEMENT: Quantiles = &[
    (0.0, 60.0),
    (0.5, 120.0),
    (0.9, 250.0),
    (0.99, 500.0),
    (1.0, 900.0),
];

/// How code is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Package {
    /// A zip on `provided.al2023`.
    Zip,
    /// A container image.
    Image,
}

/// Init of a new environment.
pub(crate) fn init(package: Package, architecture: Architecture) -> Quantiles {
    match (package, architecture) {
        (Package::Zip, Architecture::Arm64) => INIT_ARM64,
        (Package::Zip, Architecture::X86_64) => INIT_X86_64,
        (Package::Image, Architecture::Arm64) => INIT_IMAGE_ARM64,
        (Package::Image, Architecture::X86_64) => INIT_IMAGE_X86_64,
    }
}

/// How long an idle environment is kept, in milliseconds. Not documented; five to seven minutes are what others measured.
pub(crate) const KEPT_IDLE_MS: u64 = 300_000;

/// Before provisioned concurrency grows, in milliseconds: "a minute or two". Source: Lambda, "How Lambda allocates provisioned
/// concurrency".
pub(crate) const PROVISION_PREPARES_MS: u64 = 90_000;
/// Environments a minute that it grows by, of one function. Same source.
pub(crate) const PROVISION_PER_MINUTE: u64 = 6_000;
/// It is billed in whole stretches of so many milliseconds. Source: AWS Lambda pricing, "rounded up to the nearest five minutes".
pub(crate) const PROVISION_BILLED_MS: u64 = 300_000;
/// Calls a second of Lambda's control plane. Source: Lambda quotas; it cannot be raised.
pub(crate) const CONTROL_CALLS_PER_S: f64 = 15.0;

/// Starts of Standard executions at once and a second in the regions with large quotas. Source: Step Functions quotas.
pub(crate) const STARTS_LARGE: (f64, f64) = (1_300.0, 300.0);
/// The same elsewhere.
pub(crate) const STARTS: (f64, f64) = (800.0, 150.0);
/// SendTaskSuccess at once and a second: large regions, and elsewhere. Source: Step Functions quotas.
pub(crate) const TOKENS_LARGE: (f64, f64) = (3_000.0, 500.0);
/// The same elsewhere.
pub(crate) const TOKENS: (f64, f64) = (1_500.0, 300.0);

/// Share of a table's peak by which it grows at most, and how often, in milliseconds: it takes twice its last peak
/// (DynamoDB, "On-demand capacity mode"); that this takes a minute is assumed.
pub(crate) const TABLE_GROWS_EVERY_MS: u64 = 60_000;
/// Reads a second that a new table takes. Source: DynamoDB, "On-demand capacity mode", initial throughput.
pub(crate) const TABLE_READS_PER_S: u32 = 12_000;

/// Read and write units are counted in these. Source: DynamoDB, "Read and write operations".
pub(crate) const READ_UNIT_BYTES: usize = 4_096;
/// See [`READ_UNIT_BYTES`].
pub(crate) const WRITE_UNIT_BYTES: usize = 1_024;

/// Attempts of a call to DynamoDB, the first included, and the mean wait before the second, in milliseconds; each further one
/// waits twice as long with full jitter. Source: what the adapters configure.
pub(crate) const CALL_ATTEMPTS: u32 = 6;
/// See [`CALL_ATTEMPTS`].
pub(crate) const CALL_BACKOFF_MS: u64 = 50;

/// From the end of what is measured to when CloudWatch shows it, in milliseconds. Not documented: about two minutes for metrics of
/// one minute (docs of others that read them).
pub(crate) const METRIC_LAG_MS: u64 = 120_000;
/// How long metrics of one minute are kept, in milliseconds. Source: CloudWatch, "Metrics retention": 15 days.
pub(crate) const METRICS_KEPT_MS: u64 = 15 * 86_400_000;
/// A timer's event comes within so many milliseconds of its time. Source: EventBridge Scheduler, "60-second precision"; that it is
/// anywhere in it as often is assumed.
pub(crate) const TIMER_WITHIN_MS: u64 = 60_000;

/// Processor time of dispatch, in milliseconds: what it is promised to stay below (`make measure-dispatch`).
pub(crate) const DISPATCH_CPU_MS: f64 = 3.0;
/// Processor time of the other stages beside what grows with the run, in milliseconds. Assumed.
pub(crate) const STAGE_CPU_MS: f64 = 10.0;
/// Processor time of parsing, planning and storing, by task, in milliseconds. Source: docs/measurements.md, a million tasks.
pub(crate) const PLAN_CPU_MS_PER_TASK: f64 = 0.02;
/// Processor time of collecting results, by task, in milliseconds. Assumed.
pub(crate) const AGGREGATE_CPU_MS_PER_TASK: f64 = 0.01;
/// Bytes of logs that an invocation writes: lines of the stage, and the three of Lambda. Source: `price::EACH_SHARD`, of which
/// it is half.
pub(crate) const LOG_BYTES: f64 = 2_000.0;
/// Bytes of logs of a plain function that logs nothing itself: START, END and REPORT.
pub(crate) const PLAIN_LOG_BYTES: f64 = 300.0;

/// How far virtual time may go: a year, as an execution may. Source: Step Functions quotas.
pub(crate) const LONGEST_MS: u64 = foreshard_model::limits::EXECUTION_S as u64 * 1_000;

/// The assumptions, for the documentation: name, value, source.
pub const PARAMETERS: &[(&str, &str, &str)] = &[
    (
        "a Task state beside its function",
        "45 ms",
        "assumed from 50 to 100 ms a Lambda state",
    ),
    ("a Choice, Pass or Map state", "5 ms", "assumed"),
    ("start of an execution", "50 ms", "assumed"),
    ("start of a Map Run", "500 ms", "assumed"),
    ("answer to a parked lane", "30 ms", "assumed"),
    ("call of a warm function", "5 ms", "assumed"),
    (
        "DynamoDB: read, write, transaction",
        "3, 5, 9 ms",
        "single digits by its documentation",
    ),
    (
        "S3: GET, PUT",
        "20, 30 ms",
        "assumed, below the 100 to 200 ms of its documentation",
    ),
    (
        "S3: bandwidth of an environment",
        "75 MB/s",
        "the planner's, 600 Mbit/s",
    ),
    (
        "how these vary",
        "p50 1.0, p90 1.5, p99 3.0, at most 10 times",
        "assumed",
    ),
    (
        "processor time of a task",
        "p50 1.0, p90 1.08, p99 1.2, at most 1.5 times",
        "assumed",
    ),
    (
        "init of a new environment, arm64",
        "p50 13.5, p90 15.2, p99 41.6, at most 79 ms",
        "maxday/lambda-perf, 2026",
    ),
    (
        "placement and code of it",
        "p50 120, p90 250, p99 500, at most 900 ms",
        "assumed: nobody publishes it",
    ),
    (
        "idle environments are kept",
        "5 minutes",
        "measured by others, not documented",
    ),
    (
        "provisioned concurrency",
        "90 s, then 6,000 a minute, usable when all are there",
        "Lambda documentation",
    ),
    (
        "a minute of a metric is shown",
        "2 minutes after what it measures has ended",
        "measured by others, not documented",
    ),
    (
        "a timer's event",
        "within a minute of its time, evenly",
        "precision by EventBridge Scheduler; how it spreads is assumed",
    ),
];
