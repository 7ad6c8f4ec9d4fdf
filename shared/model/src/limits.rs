//! Limits of AWS and of Foreshard, each with its source. A limit is checked where it applies, never assumed.

/// Input or output of a state, a task, an execution. Source: Step Functions quotas, "Maximum input or output size".
pub const STATE_PAYLOAD_BYTES: usize = 256 * 1024;

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

/// Default concurrency of an account in a region. Source: Lambda quotas.
pub const ACCOUNT_CONCURRENCY: u32 = 1_000;

/// Of it, what runs leave to the control functions and to everything else in the account: Lambda keeps the same 100 free
/// of reservations. Source: Lambda documentation, "Reserved concurrency".
pub const CONCURRENCY_KEPT_FREE: u32 = 100;

/// Writes in one DynamoDB transaction. Source: DynamoDB quotas, `TransactWriteItems`.
pub const TRANSACTION_WRITES: usize = 100;

/// Writes a second that one partition key takes. Source: DynamoDB, "Partitions and data distribution".
pub const PARTITION_WRITES_PER_S: u32 = 1_000;

/// Fan-in and fan-out of a shard; beyond it the planner inserts virtual shards. It keeps `arrived` below 1 KiB.
pub const SHARD_FAN: usize = 256;

/// What a lane carries of its last answer, and of its last outcome.
pub const LANE_MESSAGE_BYTES: usize = 32 * 1024;

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
