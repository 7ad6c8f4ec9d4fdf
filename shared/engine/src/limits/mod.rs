//! The proof that a plan keeps within the limits: each limit that applies, the worst value, and where it occurs.

mod message;

use foreshard_model::limits as limit;
use foreshard_model::plan::{LaneMode, LimitProof};

pub use message::{lane_message_bytes, plan_answer_bytes};

#[cfg(test)]
mod tests;

/// A worst value and where it occurs.
#[derive(Debug, Clone, PartialEq)]
pub struct Worst {
    /// The value.
    pub value: f64,
    /// Where.
    pub place: String,
}

/// The facts of a plan that limits speak of.
#[derive(Debug, Clone, PartialEq)]
pub struct Facts {
    /// Tasks of the workflow.
    pub tasks: usize,
    /// Lanes of a round.
    pub lanes: u32,
    /// How they run.
    pub mode: LaneMode,
    /// Events that all lanes of the run together are expected to write.
    pub events: u64,
    /// Events after which a round hands over.
    pub history_budget: u32,
    /// The largest answer of plan, in bytes.
    pub plan_answer: usize,
    /// The largest answer of dispatch, in bytes.
    pub lane_message: Worst,
    /// The longest shard, in milliseconds.
    pub duration_ms: Worst,
    /// The shortest limit of the targets used, in milliseconds.
    pub limit_ms: u64,
    /// The largest tier, in MiB.
    pub memory_mib: Worst,
    /// The fullest scratch disk, in MiB.
    pub disk_mib: Worst,
    /// Invocations that may be in flight in the account and region.
    pub concurrency: u32,
    /// Writes a second on one partition key.
    pub partition_writes: f64,
    /// The largest fan-in or fan-out.
    pub fan: Worst,
}

/// Writes of the largest transaction: claim and settle each touch the run, a shard and a lane.
const TRANSACTION: f64 = 3.0;
/// Events that a round may write after its budget is used: each lane ends its shard, asks once more and ends.
const EVENTS_AFTER_BUDGET: u32 = 40;

/// A proof for every limit that can be known before the run.
#[must_use]
pub fn proofs(facts: &Facts) -> Vec<LimitProof> {
    let mut proofs = payloads(facts);
    proofs.push(history(facts));
    proofs.extend(branches(facts));
    proofs.extend(functions(facts));
    proofs.extend(table(facts));
    proofs.push(row(
        "tasks",
        "tasks",
        limit::WORKFLOW_TASKS as f64,
        facts.tasks as f64,
        "the workflow",
    ));
    proofs
}

fn branches(facts: &Facts) -> [LimitProof; 4] {
    let lanes = f64::from(facts.lanes);
    let (inline, distributed) = match facts.mode {
        LaneMode::Inline => (lanes, 0.0),
        LaneMode::Distributed => (0.0, lanes),
    };
    let children = f64::from(limit::DISTRIBUTED_CHILDREN);
    [
        row(
            "state machine definition",
            "bytes",
            limit::DEFINITION_BYTES as f64,
            0.0,
            "one definition, deployed once, serves every workflow",
        ),
        row(
            "inline branches",
            "lanes",
            f64::from(limit::INLINE_BRANCHES),
            inline,
            "inline Map",
        ),
        row(
            "distributed children",
            "lanes",
            children,
            distributed,
            "distributed Map",
        ),
        row(
            "account concurrency",
            "invocations",
            f64::from(facts.concurrency),
            lanes,
            "each lane has one invocation in flight",
        ),
    ]
}

fn functions(facts: &Facts) -> [LimitProof; 3] {
    let memory = f64::from(limit::LAMBDA_MEMORY_MIB);
    let disk = f64::from(limit::LAMBDA_DISK_MIB);
    [
        at(
            "shard duration",
            "ms",
            facts.limit_ms as f64,
            &facts.duration_ms,
        ),
        at("memory", "MiB", memory, &facts.memory_mib),
        at("scratch disk", "MiB", disk, &facts.disk_mib),
    ]
}

fn table(facts: &Facts) -> [LimitProof; 3] {
    [
        row(
            "transaction",
            "writes",
            limit::TRANSACTION_WRITES as f64,
            TRANSACTION,
            "claim of a shard",
        ),
        row(
            "partition key",
            "writes/s",
            f64::from(limit::PARTITION_WRITES_PER_S),
            facts.partition_writes,
            "all lanes busy, shards of average length",
        ),
        at(
            "fan-in and fan-out",
            "shards",
            limit::SHARD_FAN as f64,
            &facts.fan,
        ),
    ]
}

fn payloads(facts: &Facts) -> Vec<LimitProof> {
    let carried = 2 * limit::LANE_MESSAGE_BYTES;
    vec![
        row(
            "state payload",
            "bytes",
            limit::STATE_PAYLOAD_BYTES as f64,
            facts.plan_answer.max(carried) as f64,
            if facts.plan_answer > carried {
                "answer of plan: the lane numbers"
            } else {
                "a lane: its last answer and outcome at their most"
            },
        ),
        at(
            "lane message",
            "bytes",
            limit::LANE_MESSAGE_BYTES as f64,
            &facts.lane_message,
        ),
    ]
}

/// A round hands over at its budget, so only what the lanes write after that can exceed it.
fn history(facts: &Facts) -> LimitProof {
    let (histories, lanes_each) = match facts.mode {
        LaneMode::Inline => (1, facts.lanes),
        LaneMode::Distributed => (facts.lanes.max(1), 1),
    };
    let budget = u64::from(facts.history_budget.max(1));
    let worst = facts.events.min(budget) + u64::from(EVENTS_AFTER_BUDGET * lanes_each);
    let rounds = facts.events.div_ceil(budget * u64::from(histories)).max(1);
    row(
        "execution history",
        "events",
        f64::from(limit::HISTORY_EVENTS),
        worst as f64,
        &format!("{histories} history(ies) a round, about {rounds} round(s)"),
    )
}

fn at(name: &str, unit: &str, allowed: f64, worst: &Worst) -> LimitProof {
    row(name, unit, allowed, worst.value, &worst.place)
}

fn row(name: &str, unit: &str, allowed: f64, worst: f64, place: &str) -> LimitProof {
    LimitProof {
        limit: name.to_owned(),
        unit: unit.to_owned(),
        allowed,
        worst,
        place: place.to_owned(),
        holds: worst <= allowed,
    }
}
