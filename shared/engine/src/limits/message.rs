//! The largest messages of a run, made and measured rather than guessed.

use std::collections::BTreeMap;

use foreshard_model::claim::Claim;
use foreshard_model::frontier::{LaneItem, ShardItem};
use foreshard_model::ids::{
    Attempt, Generation, LaneId, Round, RunId, Sha256Hex, ShardId, Step, TargetId, Tenant,
};
use foreshard_model::limits::{ARN_CHARS, BAGGAGE_BYTES, SHARD_FAN};
use foreshard_model::message::{Answer, AnswerKind, ExecuteRequest, Failure, PlanAnswer};
use foreshard_model::plan::LaneMode;
use foreshard_model::run::Context;
use foreshard_model::units::TimeMs;

/// A task token, at most. Source: Step Functions API, `SendTaskSuccess`.
const TOKEN_CHARS: usize = 2_048;
/// What a failure says of itself, at most, in characters of at most six bytes each as JSON.
const FAILURE_CHARS: usize = 1_024;

/// The largest context that submit accepts: ARNs at their longest, of characters that JSON escapes, and all the baggage.
fn largest_context() -> Context {
    Context {
        tenant: Tenant("0".repeat(12)),
        principal: "\\".repeat(ARN_CHARS),
        role: Some("\\".repeat(ARN_CHARS)),
        trace_id: "0".repeat(32),
        // Two braces, four quotes and a colon: the rest is the value.
        baggage: BTreeMap::from([("k".to_owned(), "v".repeat(BAGGAGE_BYTES - 8))]),
    }
}

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
    let claim = largest_claim(run);
    let shard = ExecuteRequest {
        run: run.clone(),
        shard: ShardId(u32::MAX),
        attempt: Attempt(u32::MAX),
        generation: Generation(u32::MAX),
        chunk: claim.clone(),
        deadline: TimeMs(u64::MAX),
        progress: Some(claim.clone()),
        input: Some(claim),
        context: largest_context(),
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
    bytes(&answer)
}

/// Bytes of the largest item that the run keeps in the table: a lane with its answer and token, or a shard on which as many
/// as may arrive have arrived.
#[must_use]
pub fn item_bytes(run: &RunId, lane_message: usize) -> usize {
    let lane = LaneItem {
        run: run.clone(),
        lane: LaneId(u32::MAX),
        version: u64::MAX,
        round: Round(u32::MAX),
        step: Step(u32::MAX),
        answer: None,
        token: Some("0".repeat(TOKEN_CHARS)),
        events: u32::MAX,
    };
    let shard = ShardItem {
        run: run.clone(),
        id: ShardId(u32::MAX),
        version: u64::MAX,
        arrived: (0..SHARD_FAN as u32)
            .map(|at| ShardId(u32::MAX - at))
            .collect(),
        progress: Some(largest_claim(run)),
        output: Some(largest_claim(run)),
        cause: Some(Failure {
            message: "\u{1}".repeat(FAILURE_CHARS),
            ..Failure::default()
        }),
        ..ShardItem::default()
    };
    let lane = bytes(&lane) + lane_message;
    lane.max(bytes(&shard))
}

fn largest_claim(run: &RunId) -> Claim {
    let most = u32::MAX;
    Claim {
        key: format!("runs/{run}/shards/{most}/{most}/{most}/{}", "0".repeat(64)),
        sha256: Sha256Hex("0".repeat(64)),
        bytes: u64::MAX,
    }
}

fn bytes<T: serde::Serialize>(message: &T) -> usize {
    serde_json::to_vec(message).map_or(usize::MAX, |json| json.len())
}
