//! The proof that a plan keeps within the limits: each limit that applies, the worst value, and where it occurs.

mod catalogue;
mod message;

use foreshard_model::limits as limit;
use foreshard_model::plan::{LaneMode, LimitProof};

use crate::shard::Quota;

pub use catalogue::{CATALOGUE, Limit, table};
pub use message::{item_bytes, lane_message_bytes, plan_answer_bytes};

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
    /// Rates that lanes share, and what all of them take a second.
    pub rates: Vec<(Quota, f64)>,
    /// The largest item of the table, in bytes.
    pub item_bytes: usize,
    /// A pessimistic end of the run, in seconds.
    pub makespan_s: f64,
    /// The longest name of one of its executions, in characters.
    pub execution_name: usize,
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
    proofs.extend(executions(facts));
    proofs.extend(branches(facts));
    proofs.extend(functions(facts));
    proofs.extend(table_rows(facts));
    proofs.push(row(
        "tasks",
        "tasks",
        limit::WORKFLOW_TASKS as f64,
        facts.tasks as f64,
        "the workflow",
    ));
    proofs
}

/// What an account and region hold of executions.
fn executions(facts: &Facts) -> [LimitProof; 4] {
    let (maps, children) = match facts.mode {
        LaneMode::Inline => (0.0, 0.0),
        LaneMode::Distributed => (1.0, f64::from(facts.lanes)),
    };
    [
        row(
            "execution time",
            "s",
            f64::from(limit::EXECUTION_S),
            facts.makespan_s.ceil(),
            "all rounds together, pessimistic",
        ),
        row(
            "execution name",
            "characters",
            limit::EXECUTION_NAME_CHARS as f64,
            facts.execution_name as f64,
            "the run and its last round",
        ),
        row(
            "open executions",
            "executions",
            f64::from(limit::OPEN_EXECUTIONS),
            1.0 + children,
            "a round and its lanes",
        ),
        row(
            "open map runs",
            "map runs",
            f64::from(limit::OPEN_MAP_RUNS),
            maps,
            "one in a round of distributed lanes",
        ),
    ]
}

fn branches(facts: &Facts) -> [LimitProof; 5] {
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
            limit::DEFINITION_DEPLOYED_BYTES as f64,
            "one definition serves every workflow; each ARN at its longest",
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
        row(
            "environment scaling",
            "s",
            f64::from(limit::LANE_OPENS_WITHIN_S),
            lanes * 10.0 / f64::from(limit::ENVIRONMENTS_PER_10_S),
            "until every lane's first question has an environment",
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

fn table_rows(facts: &Facts) -> Vec<LimitProof> {
    let item = facts.item_bytes as f64;
    let mut rows = vec![
        row(
            "table item",
            "bytes",
            limit::ITEM_BYTES as f64,
            item,
            "a lane with its last answer, or a shard with every arrival",
        ),
        row(
            "transaction size",
            "bytes",
            limit::TRANSACTION_BYTES as f64,
            TRANSACTION * item,
            "claim of a shard",
        ),
        row(
            "transaction",
            "writes",
            limit::TRANSACTION_WRITES as f64,
            TRANSACTION,
            "claim of a shard",
        ),
        at(
            "fan-in and fan-out",
            "shards",
            limit::SHARD_FAN as f64,
            &facts.fan,
        ),
    ];
    rows.extend(facts.rates.iter().map(|(quota, used)| {
        let place = "all lanes busy, shards of average length";
        row(quota.limit, quota.unit, quota.per_s, *used, place)
    }));
    rows
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
        row(
            "invocation payload",
            "bytes",
            limit::LAMBDA_PAYLOAD_BYTES as f64,
            facts.plan_answer.max(carried) as f64,
            "what a state hands to a function, or takes from it",
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
