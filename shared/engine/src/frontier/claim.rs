//! Decides which ready shard a lane takes, where it runs, and until when.

use foreshard_model::frontier::{ShardItem, ShardState, Write};
use foreshard_model::ids::Attempt;
use foreshard_model::ledger::Event;
use foreshard_model::message::{Answer, AnswerKind, Cause, ExecuteRequest};
use foreshard_model::run::RunItem;
use foreshard_model::target::Target;
use foreshard_model::topology::{ShardNode, Topology};
use foreshard_model::units::TimeMs;

use super::target::target_for;
use super::{Turn, claimed_event, is_behind, is_open, put_shard, seed, touched};
use crate::lifecycle;

/// Most ready shards that a lane picks among.
///
/// With n lanes that choose among n shards at random, about 37 % collide and look again (1/e); more to choose from costs
/// priority, fewer costs conflicts. 16 was chosen as the point where the first conflict is cheaper than the disorder.
pub const LOOK_AHEAD_MAX: usize = 16;

/// From a claim to the worker's start, in milliseconds: a repeat of dispatch's answer, and a cold start.
pub const DELIVERY_MS: u64 = 30_000;

/// From the worker's answer to its settlement, and the skew of clocks, in milliseconds: retries of dispatch, mostly.
///
/// An attempt that is given up too early costs its work and nothing else: it is fenced off.
pub const SETTLE_MS: u64 = 60_000;

/// What a claim needs to see.
#[derive(Debug, Clone, Copy)]
pub struct View<'a> {
    /// The run, as read before.
    pub run: &'a RunItem,
    /// Its plan.
    pub topology: &'a Topology,
    /// The lane's question.
    pub turn: &'a Turn,
    /// Ready shards by priority.
    pub ready: &'a [ShardItem],
    /// How often the lane has lost against others in this turn.
    pub tries: u32,
    /// Now.
    pub now: TimeMs,
}

/// What a claim leads to.
#[derive(Debug, Clone, PartialEq)]
pub enum Claimed {
    /// Write these two in one transaction, then give the answer.
    Run {
        /// Shard ready→running, lane one step on.
        writes: Vec<Write>,
        /// What the lane does.
        answer: Box<Answer>,
        /// For the ledger.
        event: Box<Event>,
    },
    /// No target can run this shard: write it, release it, ask again.
    NoTarget(Box<ShardItem>),
    /// What is ready was cut again by a later plan than this view has: read run and plan again, ask again.
    Behind,
    /// Nothing can be claimed.
    Nothing,
}

/// How many ready shards a lane of this plan picks among: as many as there are lanes to collide with.
#[must_use]
pub fn look_ahead(topology: &Topology) -> usize {
    (topology.lanes as usize).clamp(1, LOOK_AHEAD_MAX)
}

/// Ready shards that do not back off, by priority.
#[must_use]
pub fn claimable(ready: &[ShardItem], now: TimeMs) -> Vec<&ShardItem> {
    let mut free: Vec<&ShardItem> = ready
        .iter()
        .filter(|item| item.state == ShardState::Ready)
        .filter(|item| item.not_before.is_none_or(|at| at <= now))
        .collect();
    free.sort_by_key(|item| (item.rank, item.id));
    free
}

/// Takes one of the first ready shards, drawn by lane and step, in one transaction with the lane's answer.
#[must_use]
pub fn claim(view: &View<'_>) -> Claimed {
    if !is_open(view.run, view.turn.round()) {
        return Claimed::Nothing;
    }
    let mut free = claimable(view.ready, view.now);
    if free.iter().any(|item| is_behind(view.topology, item)) {
        return Claimed::Behind;
    }
    free.truncate(look_ahead(view.topology));
    let draw = seed::mix(&[
        u64::from(view.turn.lane().0),
        u64::from(view.turn.step().0),
        u64::from(view.turn.round().0),
        u64::from(view.tries),
    ]);
    let Some(item) = free.get(seed::below(draw, free.len())) else {
        return Claimed::Nothing;
    };
    let Some(node) = view.topology.node(item.id) else {
        return Claimed::NoTarget(Box::new(no_target(item, view.now, "the plan lacks it")));
    };
    let Some(target) = target_for(item, node, &view.topology.targets) else {
        let because = format!("no target has {}", item.tier);
        return Claimed::NoTarget(Box::new(no_target(item, view.now, &because)));
    };
    let Some(chunk) = view.topology.chunks.get(node.chunk as usize) else {
        let because = format!("the plan lacks chunk {}", node.chunk);
        return Claimed::NoTarget(Box::new(no_target(item, view.now, &because)));
    };
    let running = running(item, node, target, view);
    let because = format!(
        "rank {}, one of {} ready, attempt {} on {}",
        item.rank,
        free.len(),
        running.attempt,
        target.memory
    );
    let answer = Answer {
        step: view.turn.step(),
        kind: AnswerKind::Run,
        target: Some(target.id.clone()),
        shard: Some(ExecuteRequest {
            run: view.run.run.clone(),
            shard: item.id,
            attempt: running.attempt,
            generation: item.generation,
            chunk: chunk.clone(),
            deadline: TimeMs(
                running
                    .deadline
                    .unwrap_or_default()
                    .0
                    .saturating_sub(SETTLE_MS),
            ),
            progress: item.progress.clone(),
            input: view.run.input.clone(),
            context: view.run.context.clone(),
            workflow: view.run.workflow.clone(),
            partitions: view.topology.partitions,
            trace: view.run.options.trace,
        }),
        wait_s: None,
        because: because.clone(),
    };
    Claimed::Run {
        event: Box::new(claimed_event(&running, node, &because)),
        writes: vec![put_shard(running), view.turn.answered(&answer)],
        answer: Box::new(answer),
    }
}

fn running(item: &ShardItem, node: &ShardNode, target: &Target, view: &View<'_>) -> ShardItem {
    let limit_ms = node.limit_ms.min(target.limit_ms);
    ShardItem {
        state: ShardState::Running,
        attempt: Attempt(item.attempt.0 + 1),
        lane: Some(view.turn.lane()),
        target: Some(target.id.clone()),
        deadline: Some(view.now.plus(limit_ms + DELIVERY_MS + SETTLE_MS)),
        not_before: None,
        started_once: false,
        claimed_at: view.now,
        ..touched(item)
    }
}

fn no_target(item: &ShardItem, now: TimeMs, because: &str) -> ShardItem {
    ShardItem {
        state: ShardState::Failed,
        cause: Some(lifecycle::failure(Cause::NoTarget, because)),
        settled_at: now,
        released: false,
        ..touched(item)
    }
}
