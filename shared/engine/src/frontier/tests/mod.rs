//! Transitions as text: items and what happened in, what is to be written out.

mod claim;
mod failure;
mod invariants;
mod lane;
mod release;
mod resume;
mod settle;
mod spare;

use std::collections::BTreeMap;

use foreshard_model::claim::Claim;
use foreshard_model::frontier::{LaneItem, ShardItem, ShardState, Write};
use foreshard_model::ids::{Attempt, LaneId, Round, ShardId, Step, TargetId};
use foreshard_model::message::{
    Answer, AnswerKind, DispatchRequest, Finished, Next, Outcome, OutcomeStatus, ShardUsage,
};
use foreshard_model::plan::ShardKind;
use foreshard_model::run::{Context, PlanPointer, RunItem, RunState};
use foreshard_model::target::{Architecture, Target};
use foreshard_model::topology::{ShardNode, Topology};
use foreshard_model::units::{Mib, TimeMs};

const NOW: TimeMs = TimeMs(1_000_000);

/// A chain of edges as `0>1 1>2`; the last id is END, ids from 10 on are relays.
fn topology(edges: &str) -> Topology {
    let edges: Vec<(u32, u32)> = edges
        .split_whitespace()
        .map(|edge| {
            let (from, to) = edge.split_once('>').unwrap();
            (from.parse().unwrap(), to.parse().unwrap())
        })
        .collect();
    let last = edges.iter().map(|(_, to)| *to).max().unwrap();
    let shards = (0..=last).map(|id| ShardNode {
        id: ShardId(id),
        kind: match id {
            _ if id == last => ShardKind::End,
            10.. => ShardKind::Relay,
            _ => ShardKind::Work,
        },
        predecessors: u32::try_from(edges.iter().filter(|(_, to)| *to == id).count()).unwrap(),
        successors: edges
            .iter()
            .filter(|(from, _)| *from == id)
            .map(|(_, to)| ShardId(*to))
            .collect(),
        rank: id,
        tier: Mib(128),
        limit_ms: 60_000,
        tasks: 1,
        retries: 1,
        ..ShardNode::default()
    });
    Topology {
        run: "r-aaaaaaaaaaaaaaaaaaaa".into(),
        shards: shards.collect(),
        targets: [128, 256, 512].map(target).to_vec(),
        partitions: 1,
        lanes: 4,
        lane_events: 100,
        chunks: vec![Claim::default()],
        ..Topology::default()
    }
}

fn target(memory: u32) -> Target {
    Target {
        id: TargetId(format!("execute-{memory}:live")),
        region: "us-east-1".to_owned(),
        memory: Mib(memory),
        architecture: Architecture::Arm64,
        limit_ms: 900_000,
        labels: BTreeMap::new(),
        speed: 1.0,
    }
}

fn run(state: RunState) -> RunItem {
    RunItem {
        run: "r-aaaaaaaaaaaaaaaaaaaa".into(),
        version: 5,
        state,
        context: Context::default(),
        plan: Some(PlanPointer::default()),
        ..RunItem::default()
    }
}

fn item(id: u32, state: ShardState) -> ShardItem {
    let running = state == ShardState::Running;
    ShardItem {
        run: "r-aaaaaaaaaaaaaaaaaaaa".into(),
        id: ShardId(id),
        version: 7,
        state,
        attempt: Attempt(u32::from(running)),
        rank: id,
        tier: Mib(128),
        lane: running.then_some(LaneId(3)),
        target: running.then(|| TargetId("execute-128:live".to_owned())),
        deadline: running.then_some(TimeMs(NOW.0 + 10_000)),
        ..ShardItem::default()
    }
}

fn request(round: u32, last: Option<Answer>) -> DispatchRequest {
    DispatchRequest {
        run: "r-aaaaaaaaaaaaaaaaaaaa".into(),
        round: Round(round),
        lane: LaneId(3),
        next: last.map(|answer| Next { answer }),
        finished: None,
        park: false,
        step: None,
        token: None,
    }
}

fn answer(step: u32, kind: AnswerKind) -> Answer {
    Answer {
        step: Step(step),
        kind,
        target: None,
        shard: None,
        wait_s: None,
        because: "test".to_owned(),
    }
}

fn lane(round: u32, step: u32, kind: AnswerKind) -> LaneItem {
    LaneItem {
        run: "r-aaaaaaaaaaaaaaaaaaaa".into(),
        lane: LaneId(3),
        version: 9,
        round: Round(round),
        step: Step(step),
        answer: Some(answer(step, kind)),
        token: None,
        events: 24,
    }
}

fn outcome(attempt: u32, status: OutcomeStatus) -> Outcome {
    let output = (status == OutcomeStatus::Done).then(|| Claim {
        key: format!("output of attempt {attempt}"),
        ..Claim::default()
    });
    Outcome {
        shard: ShardId(0),
        attempt: Attempt(attempt),
        status,
        output,
        progress: None,
        failure: None,
        usage: ShardUsage {
            duration_ms: 100,
            tasks: 1,
            ..ShardUsage::default()
        },
    }
}

fn answered(outcome: Outcome) -> Finished {
    Finished::Answered { outcome }
}

fn caught(error: &str, cause: &str) -> Finished {
    Finished::Caught {
        error: error.to_owned(),
        cause: cause.to_owned(),
    }
}

/// A write as text: what, from which version to which, and its state.
fn written(writes: &[Write]) -> String {
    let lines: Vec<String> = writes
        .iter()
        .map(|write| match write {
            Write::Run(run, expect) => {
                let cause = run.cause.as_ref().map_or("", |c| c.message.as_str());
                format!(
                    "run v{} {expect:?} {} {cause}",
                    run.version,
                    run.state.as_str()
                )
            }
            Write::Shard(shard, expect) => {
                let released = if shard.released { " released" } else { "" };
                let arrived: Vec<u32> = shard.arrived.iter().map(|id| id.0).collect();
                format!(
                    "shard {} v{} {expect:?} {:?}{released} attempt {} arrived {arrived:?}",
                    shard.id, shard.version, shard.state, shard.attempt
                )
            }
            Write::Lane(lane, expect) => format!(
                "lane {} v{} {expect:?} round {} step {} events {} token {:?}",
                lane.lane, lane.version, lane.round, lane.step, lane.events, lane.token
            ),
        })
        .collect();
    lines.join("\n")
}
