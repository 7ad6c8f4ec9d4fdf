//! The account and region that everything runs in: its quotas, as AWS gives them or as they were raised.

use foreshard_model::limits::{
    ACCOUNT_CONCURRENCY, DISTRIBUTED_CHILDREN, ENVIRONMENTS_PER_10_S, HISTORY_EVENTS,
    INLINE_BRANCHES, LARGE_REGIONS, METRIC_REQUESTS_PER_S, PARTITION_READS_PER_S,
    PARTITION_WRITES_PER_S, STATE_PAYLOAD_BYTES, TABLE_REQUESTS_PER_S, TABLE_WRITES_PER_S,
    TRANSITIONS_PER_S, TRANSITIONS_PER_S_LARGE,
};

use crate::parameters::{STARTS, STARTS_LARGE, TABLE_READS_PER_S, TOKENS, TOKENS_LARGE};

/// Quotas of one account in one region. Every field is what AWS documents unless it is changed.
#[derive(Debug, Clone, PartialEq)]
pub struct Account {
    /// AWS region: it decides prices and some quotas.
    pub region: String,
    /// Invocations in flight. Source: Lambda quotas.
    pub concurrency: u32,
    /// Environments that a function gets in ten seconds. Source: Lambda quotas.
    pub environments_per_10_s: u32,
    /// State transitions a second, and as many at once. Source: Step Functions quotas.
    pub transitions_per_s: u32,
    /// Starts of executions at once, and a second. Source: Step Functions quotas.
    pub starts: (f64, f64),
    /// Answers to task tokens at once, and a second. Source: Step Functions quotas.
    pub tokens: (f64, f64),
    /// Events of one history. Source: Step Functions quotas.
    pub history_events: u32,
    /// Bytes of a state's input or output. Source: Step Functions quotas.
    pub payload_bytes: usize,
    /// Branches of an inline Map at once. Source: Step Functions documentation.
    pub inline_branches: u32,
    /// Children of a distributed Map at once. Source: Step Functions quotas.
    pub distributed_children: u32,
    /// Write units a second of a partition key. Source: DynamoDB documentation.
    pub partition_writes_per_s: u32,
    /// Read units a second of a partition key. Source: DynamoDB documentation.
    pub partition_reads_per_s: u32,
    /// Write and read units a second that the table takes at first; it grows with use.
    pub table_per_s: (u32, u32),
    /// How far it grows. Source: DynamoDB quotas.
    pub table_most_per_s: u32,
    /// `PutMetricData` a second. Source: CloudWatch quotas.
    pub metric_requests_per_s: u32,
}

impl Account {
    /// A region of an account with default quotas.
    #[must_use]
    pub fn in_region(region: &str) -> Self {
        let large = LARGE_REGIONS.contains(&region);
        let of = |there, elsewhere| if large { there } else { elsewhere };
        Self {
            region: region.to_owned(),
            concurrency: ACCOUNT_CONCURRENCY,
            environments_per_10_s: ENVIRONMENTS_PER_10_S,
            transitions_per_s: if large {
                TRANSITIONS_PER_S_LARGE
            } else {
                TRANSITIONS_PER_S
            },
            starts: of(STARTS_LARGE, STARTS),
            tokens: of(TOKENS_LARGE, TOKENS),
            history_events: HISTORY_EVENTS,
            payload_bytes: STATE_PAYLOAD_BYTES,
            inline_branches: INLINE_BRANCHES,
            distributed_children: DISTRIBUTED_CHILDREN,
            partition_writes_per_s: PARTITION_WRITES_PER_S,
            partition_reads_per_s: PARTITION_READS_PER_S,
            table_per_s: (TABLE_WRITES_PER_S, TABLE_READS_PER_S),
            table_most_per_s: TABLE_REQUESTS_PER_S,
            metric_requests_per_s: METRIC_REQUESTS_PER_S,
        }
    }
}
