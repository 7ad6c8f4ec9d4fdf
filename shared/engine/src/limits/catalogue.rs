//! Every limit that applies to a plan or its run: how much, who says so, and what the planner does where it is reached.

use foreshard_model::limits as limit;

/// One limit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limit {
    /// Name, as the plan's proof has it.
    pub name: &'static str,
    /// How much, in its unit.
    pub allowed: f64,
    /// The unit.
    pub unit: &'static str,
    /// Who says so.
    pub source: &'static str,
    /// What the planner does where more would be needed.
    pub beyond: &'static str,
}

const fn entry(
    name: &'static str,
    allowed: f64,
    unit: &'static str,
    source: &'static str,
    beyond: &'static str,
) -> Limit {
    Limit {
        name,
        allowed,
        unit,
        source,
        beyond,
    }
}

/// The limits, in the order of a plan's proofs.
pub const CATALOGUE: [Limit; 30] = [
    entry(
        "state payload",
        limit::STATE_PAYLOAD_BYTES as f64,
        "bytes",
        "Step Functions quotas",
        "values go by claim check; a lane holds its last answer and outcome, each of 32 KiB at most",
    ),
    entry(
        "lane message",
        limit::LANE_MESSAGE_BYTES as f64,
        "bytes",
        "Foreshard",
        "outputs, inputs and tasks are claim checks; baggage, role and names are bounded when a run is submitted",
    ),
    entry(
        "invocation payload",
        limit::LAMBDA_PAYLOAD_BYTES as f64,
        "bytes",
        "Lambda quotas",
        "as the state payload, which is smaller",
    ),
    entry(
        "execution history",
        limit::HISTORY_EVENTS as f64,
        "events",
        "Step Functions quotas",
        "lanes become children with a history each, and a round hands over to the next at 60 %",
    ),
    entry(
        "execution time",
        limit::EXECUTION_S as f64,
        "s",
        "Step Functions quotas",
        "refused, FS2012",
    ),
    entry(
        "execution name",
        limit::EXECUTION_NAME_CHARS as f64,
        "characters",
        "Step Functions API",
        "names are the run's id and the round",
    ),
    entry(
        "open executions",
        limit::OPEN_EXECUTIONS as f64,
        "executions",
        "Step Functions quotas, soft",
        "one execution a round, one a lane where lanes are distributed",
    ),
    entry(
        "open map runs",
        limit::OPEN_MAP_RUNS as f64,
        "map runs",
        "Step Functions quotas",
        "one a round; beyond a thousand runs at once the next waits",
    ),
    entry(
        "state machine definition",
        limit::DEFINITION_BYTES as f64,
        "bytes",
        "Step Functions quotas",
        "one definition serves every workflow, whatever its size",
    ),
    entry(
        "inline branches",
        limit::INLINE_BRANCHES as f64,
        "lanes",
        "Step Functions, inline Map",
        "lanes become children of a distributed Map",
    ),
    entry(
        "distributed children",
        limit::DISTRIBUTED_CHILDREN as f64,
        "lanes",
        "Step Functions quotas",
        "no more lanes",
    ),
    entry(
        "account concurrency",
        limit::ACCOUNT_CONCURRENCY as f64,
        "invocations",
        "Lambda quotas, soft; the deployment's own counts",
        "no more lanes",
    ),
    entry(
        "environment scaling",
        limit::LANE_OPENS_WITHIN_S as f64,
        "s",
        "Lambda quotas: 1,000 environments in 10 s",
        "no more lanes than open while the first question is repeated",
    ),
    entry(
        "shard duration",
        limit::LAMBDA_TIMEOUT_MS as f64,
        "ms",
        "Lambda quotas; the target's own counts",
        "more shards; one task that is longer is refused, FS2008",
    ),
    entry(
        "memory",
        limit::LAMBDA_MEMORY_MIB as f64,
        "MiB",
        "Lambda quotas",
        "refused, FS2003, with the nearest target",
    ),
    entry(
        "scratch disk",
        limit::LAMBDA_DISK_MIB as f64,
        "MiB",
        "Lambda quotas",
        "a larger tier, more shards; one task that needs more is refused, FS2005",
    ),
    entry(
        "table item",
        limit::ITEM_BYTES as f64,
        "bytes",
        "DynamoDB quotas",
        "items hold no values, and at most 256 arrivals",
    ),
    entry(
        "transaction size",
        limit::TRANSACTION_BYTES as f64,
        "bytes",
        "DynamoDB, transactions",
        "three items a transaction",
    ),
    entry(
        "transaction",
        limit::TRANSACTION_WRITES as f64,
        "writes",
        "DynamoDB quotas",
        "three writes a transaction",
    ),
    entry(
        "fan-in and fan-out",
        limit::SHARD_FAN as f64,
        "shards",
        "Foreshard: keeps arrivals small",
        "relays are inserted",
    ),
    entry(
        "partition key, writes",
        limit::PARTITION_WRITES_PER_S as f64,
        "writes/s",
        "DynamoDB, partitions",
        "more partition keys, up to 16, then no more lanes",
    ),
    entry(
        "partition key, reads",
        limit::PARTITION_READS_PER_S as f64,
        "reads/s",
        "DynamoDB, partitions",
        "more partition keys, up to 16, then no more lanes",
    ),
    entry(
        "table, writes",
        limit::TABLE_REQUESTS_PER_S as f64,
        "writes/s",
        "DynamoDB quotas, soft",
        "no more lanes",
    ),
    entry(
        "table, reads",
        limit::TABLE_REQUESTS_PER_S as f64,
        "reads/s",
        "DynamoDB quotas, soft",
        "no more lanes",
    ),
    entry(
        "state transitions",
        limit::TRANSITIONS_PER_S as f64,
        "transitions/s",
        "Step Functions quotas, soft; 5,000 in us-east-1, us-west-2, eu-west-1",
        "no more lanes, larger shards",
    ),
    entry(
        "invocation requests",
        (limit::ACCOUNT_CONCURRENCY * limit::INVOCATIONS_PER_CONCURRENCY) as f64,
        "requests/s",
        "Lambda quotas: ten for each unit of concurrency",
        "no more lanes, larger shards",
    ),
    entry(
        "metric requests",
        limit::METRIC_REQUESTS_PER_S as f64,
        "requests/s",
        "CloudWatch quotas, PutMetricData, soft",
        "no more lanes, larger shards",
    ),
    entry(
        "tasks",
        limit::WORKFLOW_TASKS as f64,
        "tasks",
        "Foreshard",
        "refused when the document is read",
    ),
    entry(
        "baggage",
        limit::BAGGAGE_BYTES as f64,
        "bytes",
        "Foreshard",
        "refused when the run is submitted",
    ),
    entry(
        "document",
        limit::UPLOADED_DOCUMENT_BYTES as f64,
        "bytes",
        "Foreshard",
        "refused when it is read; above 4 MiB it is uploaded first",
    ),
];

/// The catalogue as a table for the documentation.
#[must_use]
pub fn table() -> String {
    let mut text =
        String::from("| limit | allowed | who says so | beyond it |\n|---|---|---|---|\n");
    for limit in CATALOGUE {
        let allowed = grouped(limit.allowed as u64);
        text.push_str(&format!(
            "| {} | {allowed} {} | {} | {} |\n",
            limit.name, limit.unit, limit.source, limit.beyond
        ));
    }
    text
}

/// A number with its digits in groups of three.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
