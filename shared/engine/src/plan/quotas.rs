//! The rates that all lanes of a run share: more lanes than they allow would only slow each other down.

use std::collections::BTreeSet;

use foreshard_model::limits::{
    INVOCATIONS_PER_CONCURRENCY, LARGE_REGIONS, METRIC_REQUESTS_PER_S, PARTITION_READS_PER_S,
    PARTITION_WRITES_PER_S, TABLE_REQUESTS_PER_S, TRANSITIONS_PER_S, TRANSITIONS_PER_S_LARGE,
};
use foreshard_model::target::Pool;

use crate::price::EACH_SHARD;
use crate::shard::Quota;

/// Rates that lanes share.
pub(super) const QUOTAS: usize = 7;

/// The rates of a region, and of an account with the pool's concurrency.
pub(super) fn quotas(pool: &Pool, region: &str) -> [Quota; QUOTAS] {
    let transitions = if LARGE_REGIONS.contains(&region) {
        TRANSITIONS_PER_S_LARGE
    } else {
        TRANSITIONS_PER_S
    };
    // Each region has it for itself.
    let regions = pool.targets.iter().map(|target| target.region.as_str());
    let regions = regions.collect::<BTreeSet<&str>>().len().max(1) as u32;
    let concurrency = pool.concurrency.max(1).saturating_mul(regions);
    let invocations = concurrency.saturating_mul(INVOCATIONS_PER_CONCURRENCY);
    let each = &EACH_SHARD;
    let [writes, reads, all_writes, all_reads] = of_table();
    [
        writes,
        reads,
        all_writes,
        all_reads,
        quota(
            "state transitions",
            "transitions/s",
            transitions,
            each.transitions,
            "the transitions a second of the region",
        ),
        quota(
            "invocation requests",
            "requests/s",
            invocations,
            each.invocations,
            "the requests a second that Lambda takes",
        ),
        quota(
            "metric requests",
            "requests/s",
            METRIC_REQUESTS_PER_S,
            each.metric_requests,
            "the metric requests a second that CloudWatch takes",
        ),
    ]
}

/// What the table takes, by partition key and in all.
fn of_table() -> [Quota; 4] {
    let each = &EACH_SHARD;
    [
        Quota {
            per_key: true,
            ..quota(
                "partition key, writes",
                "writes/s",
                PARTITION_WRITES_PER_S,
                each.write_units,
                "the writes that the table's partitions take",
            )
        },
        Quota {
            per_key: true,
            ..quota(
                "partition key, reads",
                "reads/s",
                PARTITION_READS_PER_S,
                each.read_units,
                "the reads that the table's partitions take",
            )
        },
        quota(
            "table, writes",
            "writes/s",
            TABLE_REQUESTS_PER_S,
            each.write_units,
            "the writes that the table takes",
        ),
        quota(
            "table, reads",
            "reads/s",
            TABLE_REQUESTS_PER_S,
            each.read_units,
            "the reads that the table takes",
        ),
    ]
}

fn quota(
    limit: &'static str,
    unit: &'static str,
    per_s: u32,
    each_shard: f64,
    binds: &'static str,
) -> Quota {
    Quota {
        limit,
        unit,
        per_s: f64::from(per_s),
        per_key: false,
        each_shard,
        binds,
    }
}
