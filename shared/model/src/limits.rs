//! Limits of AWS and of Foreshard, each with its source. A limit is checked where it applies, never assumed.

/// Input or output of a state, a task, an execution. Source: Step Functions quotas, "Maximum input or output size".
pub const STATE_PAYLOAD_BYTES: usize = 256 * 1024;

/// Longest execution, in seconds: a year. Source: Step Functions quotas, "Maximum execution time".
pub const EXECUTION_S: u32 = 365 * 24 * 3600;

/// Executions of one account and region that may be open. Source: Step Functions quotas (raised on request).
pub const OPEN_EXECUTIONS: u32 = 1_000_000;

/// Distributed Maps of one account and region that may be open; further ones wait. Source: Step Functions quotas.
pub const OPEN_MAP_RUNS: u32 = 1_000;

/// Name of an execution. Source: Step Functions API, `StartExecution`.
pub const EXECUTION_NAME_CHARS: usize = 80;

/// Transitions a second of all Standard executions of an account and region. Source: Step Functions quotas, "StateTransition"
/// (raised on request; beyond it executions are slowed down).
pub const TRANSITIONS_PER_S: u32 = 800;

/// The same in [`LARGE_REGIONS`]. Source: Step Functions quotas, "StateTransition".
pub const TRANSITIONS_PER_S_LARGE: u32 = 5_000;

/// Regions with larger quotas. Source: Step Functions quotas.
pub const LARGE_REGIONS: [&str; 3] = ["us-east-1", "us-west-2", "eu-west-1"];

/// Events in one execution's history; the execution fails at it. Source: Step Functions quotas.
pub const HISTORY_EVENTS: u32 = 25_000;

/// What a whole round may use of it: 60 %, the rest is for retries and parking.
pub const HISTORY_BUDGET_EVENTS: u32 = 15_000;

/// Events that one shard costs in the history of its lane: two Lambda tasks of five events, and the choice between them (two).
pub const EVENTS_PER_SHARD: u32 = 12;

/// Events that parking and waking a lane costs.
pub const EVENTS_PER_PARKING: u32 = 13;

/// Branches of an inline Map that run at once. Source: Step Functions, "Map state in Inline mode".
pub const INLINE_BRANCHES: u32 = 40;

/// Children of a distributed Map that run at once. Source: Step Functions quotas, "Open Map Run children".
pub const DISTRIBUTED_CHILDREN: u32 = 10_000;

/// A state machine's definition. Source: Step Functions quotas.
pub const DEFINITION_BYTES: usize = 1024 * 1024;

/// The definition as it is deployed, each function's ARN at its longest. A test of `infra-cdk` measures it.
pub const DEFINITION_DEPLOYED_BYTES: usize = 7_611;

/// Longest Lambda invocation, in milliseconds. Source: Lambda quotas, "Function timeout".
pub const LAMBDA_TIMEOUT_MS: u64 = 900_000;

/// Largest memory of a Lambda function, in MiB. Source: Lambda quotas.
pub const LAMBDA_MEMORY_MIB: u32 = 10_240;

/// Memory that comes with one vCPU, in MiB. Source: Lambda documentation, "Configure Lambda function memory".
pub const MIB_PER_VCPU: u32 = 1_769;

/// Largest ephemeral storage of a Lambda function, in MiB. Source: Lambda quotas.
pub const LAMBDA_DISK_MIB: u32 = 10_240;

/// Synchronous payload of a Lambda invocation, each way. Source: Lambda quotas.
pub const LAMBDA_PAYLOAD_BYTES: usize = 6 * 1024 * 1024;

/// Requests a second for each unit of concurrency. Source: Lambda quotas, "Invocation requests per second".
pub const INVOCATIONS_PER_CONCURRENCY: u32 = 10;

/// Calls of PutMetricData a second. Source: CloudWatch quotas, soft.
pub const METRIC_REQUESTS_PER_S: u32 = 500;

/// Environments that a function gets in addition every ten seconds. Source: Lambda quotas, "Concurrency scaling".
pub const ENVIRONMENTS_PER_10_S: u32 = 1_000;

/// How long a lane repeats its first question while Lambda adds environments, in seconds: half of the ten back-offs of the
/// state machine (1, 2, 4, … 30 s), because each is drawn between none and all of it.
pub const LANE_OPENS_WITHIN_S: u32 = 90;

/// Default concurrency of an account in a region. Source: Lambda quotas.
pub const ACCOUNT_CONCURRENCY: u32 = 1_000;

/// Of it, what runs leave to the control functions and to everything else in the account: Lambda keeps the same 100 free
/// of reservations. Source: Lambda documentation, "Reserved concurrency".
pub const CONCURRENCY_KEPT_FREE: u32 = 100;

/// Writes in one DynamoDB transaction. Source: DynamoDB quotas, `TransactWriteItems`.
pub const TRANSACTION_WRITES: usize = 100;

/// What the requests of one transaction may hold together. Source: DynamoDB, "Transactions".
pub const TRANSACTION_BYTES: usize = 4 * 1024 * 1024;

/// One item. Source: DynamoDB quotas.
pub const ITEM_BYTES: usize = 400 * 1024;

/// Reads a second that one partition key takes. Source: DynamoDB, "Partitions and data distribution".
pub const PARTITION_READS_PER_S: u32 = 3_000;

/// Writes, and reads, a second of a table on demand. Source: DynamoDB quotas (raised on request).
pub const TABLE_REQUESTS_PER_S: u32 = 40_000;

/// Writes a second that one partition key takes. Source: DynamoDB, "Partitions and data distribution".
pub const PARTITION_WRITES_PER_S: u32 = 1_000;

/// Writes a second that an on-demand table takes from its first second on; it doubles with use. Source: DynamoDB, "On-demand
/// capacity mode", initial throughput.
pub const TABLE_WRITES_PER_S: u32 = 4_000;

/// Shards that are created in one call: a throttled call is repeated whole, and a small one is throttled less often.
pub const CREATION_BATCH: usize = 25;

/// Fan-in and fan-out of a shard; beyond it the planner inserts virtual shards. It keeps `arrived` below 1 KiB.
pub const SHARD_FAN: usize = 256;

/// What a lane carries of its last answer, and of its last outcome.
pub const LANE_MESSAGE_BYTES: usize = 32 * 1024;

/// Longest ARN of a role. Source: IAM, "Identifiers".
pub const ARN_CHARS: usize = 2_048;

/// Members of a run's baggage.
pub const BAGGAGE_MEMBERS: usize = 32;

/// All of them, as JSON: they go with every shard, whose message holds 32 KiB.
pub const BAGGAGE_BYTES: usize = 4 * 1024;

/// A document inside a request, inflated. Lambda's 6 MB less the envelope and base64.
pub const INLINE_DOCUMENT_BYTES: usize = 4 * 1024 * 1024;

/// An uploaded document, inflated.
pub const UPLOADED_DOCUMENT_BYTES: u64 = 1024 * 1024 * 1024;

/// Tasks of one workflow.
pub const WORKFLOW_TASKS: usize = 1_000_000;

/// Depth of a document.
pub const DOCUMENT_DEPTH: usize = 64;

/// Values that YAML aliases may add to a document; guards against alias bombs.
pub const ALIAS_NODES: usize = 10_000;

/// Depth of sub-workflows within sub-workflows.
pub const SUB_WORKFLOW_DEPTH: usize = 16;

/// Length of a task's id.
pub const TASK_ID_CHARS: usize = 256;

/// A task's JSON output. Larger results belong into a file.
pub const TASK_OUTPUT_BYTES: usize = 64 * 1024 * 1024;

/// What is kept of a task's standard error.
pub const TASK_LOG_BYTES: usize = 256 * 1024;

/// A bundle of `command` programs, compressed.
pub const BUNDLE_BYTES: u64 = 250 * 1024 * 1024;

/// Problems reported for one document; further ones are counted.
pub const PROBLEMS_REPORTED: usize = 200;
