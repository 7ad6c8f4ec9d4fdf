//! How long what is left of a run takes on its lanes: the yardstick by which cuts are compared.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use foreshard_model::frontier::ShardState;
use foreshard_model::plan::ShardKind;
use foreshard_model::topology::Topology;

/// What a shard takes of its lane beside its tasks, in milliseconds: two transitions, dispatch, and opening the attempt.
pub(super) const EACH_SHARD_MS: f64 = 150.0;

/// A shard as the forecast sees it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Left {
    /// Milliseconds of work that are left.
    pub(super) ms: f64,
    pub(super) state: ShardState,
}

/// Milliseconds until the last shard is done, when lanes take ready shards by priority.
///
/// `left` is by shard; what is done, failed or skipped counts as done.
///
/// # Complexity
/// O((shards + edges) · log shards).
pub(super) fn makespan_ms(topology: &Topology, left: &[Left], lanes: u32) -> f64 {
    let settled = |at: usize| {
        matches!(
            left[at].state,
            ShardState::Done | ShardState::Failed | ShardState::Skipped | ShardState::Superseded
        )
    };
    let mut missing: Vec<u32> = vec![0; topology.shards.len()];
    for node in topology.shards.iter().filter(|n| !settled(n.id.index())) {
        node.successors.iter().for_each(|s| missing[s.index()] += 1);
    }
    let mut lanes = lanes.max(1) as usize;
    let mut ready: BinaryHeap<Reverse<(u32, usize)>> = BinaryHeap::new();
    // Times in microseconds, so that they order.
    let mut busy: BinaryHeap<Reverse<(u64, usize)>> = BinaryHeap::new();
    let us = |ms: f64| (ms.max(0.0) * 1_000.0) as u64;
    for at in 0..left.len() {
        match left[at].state {
            ShardState::Running => {
                busy.push(Reverse((us(left[at].ms), at)));
                lanes = lanes.saturating_sub(1);
            }
            _ if !settled(at) && missing[at] == 0 => {
                ready.push(Reverse((topology.shards[at].rank, at)));
            }
            _ => {}
        }
    }
    let mut now_us = 0;
    loop {
        let mut virtual_ones = Vec::new();
        while let Some(Reverse((rank, at))) = ready.pop() {
            if topology.shards[at].kind != ShardKind::Work {
                virtual_ones.push(at);
            } else if lanes > 0 {
                lanes -= 1;
                busy.push(Reverse((now_us + us(left[at].ms + EACH_SHARD_MS), at)));
            } else {
                ready.push(Reverse((rank, at)));
                break;
            }
        }
        let mut over = virtual_ones;
        if over.is_empty() {
            let Some(Reverse((end_us, at))) = busy.pop() else {
                return now_us as f64 / 1_000.0;
            };
            now_us = end_us;
            lanes += 1;
            over.push(at);
        }
        for at in over {
            for successor in &topology.shards[at].successors {
                let count = &mut missing[successor.index()];
                *count = count.saturating_sub(1);
                let next = successor.index();
                if *count == 0 && !settled(next) && left[next].state != ShardState::Running {
                    ready.push(Reverse((topology.shards[next].rank, next)));
                }
            }
        }
    }
}
