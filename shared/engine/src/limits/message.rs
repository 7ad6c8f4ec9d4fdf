//! The largest messages of a run, made and measured rather than guessed.

use std::collections::BTreeMap;

use foreshard_model::claim::Claim;
use foreshard_model::ids::{
    Attempt, Generation, LaneId, RunId, Sha256Hex, ShardId, Step, TargetId, Tenant,
};
use foreshard_model::message::{Answer, AnswerKind, ExecuteRequest, PlanAnswer};
use foreshard_model::plan::LaneMode;
use foreshard_model::run::Context;
use foreshard_model::units::TimeMs;

/// What a context may be at most: principal and role are ARNs, the baggage is limited by submit.
const CONTEXT_BYTES: usize = 8 * 1024;

/// Bytes of plan's answer with so many lanes.
#[must_use]
pub fn plan_answer_bytes(lanes: u32, mode: LaneMode) -> usize {
    bytes(&PlanAnswer {
        lanes: (0..lanes).map(LaneId).collect(),
        mode,
    })
}

/// Bytes of the largest `run` answer that dispatch can give: every number at its longest, every claim present.
#[must_use]
pub fn lane_message_bytes(run: &RunId, workflow: &str, longest_target: &str) -> usize {
    let claim = Claim {
        key: format!(
            "runs/{run}/shards/{}/{}/{}/{}",
            u32::MAX,
            u32::MAX,
            u32::MAX,
            "0".repeat(64)
        ),
        sha256: Sha256Hex("0".repeat(64)),
        bytes: u64::MAX,
    };
    let shard = ExecuteRequest {
        run: run.clone(),
        shard: ShardId(u32::MAX),
        attempt: Attempt(u32::MAX),
        generation: Generation(u32::MAX),
        chunk: claim.clone(),
        deadline: TimeMs(u64::MAX),
        progress: Some(claim.clone()),
        input: Some(claim),
        context: Context {
            tenant: Tenant(String::new()),
            principal: String::new(),
            role: None,
            trace_id: "0".repeat(32),
            baggage: BTreeMap::new(),
        },
        workflow: workflow.to_owned(),
        partitions: u32::MAX,
        trace: false,
    };
    let answer = Answer {
        step: Step(u32::MAX),
        kind: AnswerKind::Run,
        target: Some(TargetId(longest_target.to_owned())),
        shard: Some(shard),
        wait_s: None,
        because: "0".repeat(256),
    };
    bytes(&answer) + CONTEXT_BYTES
}

fn bytes<T: serde::Serialize>(message: &T) -> usize {
    serde_json::to_vec(message).map_or(usize::MAX, |json| json.len())
}
