//! Partition: a graph cut into parts of equal weight, as few bytes as possible between them, and no circle of parts.
//!
//! Parts are numbered, and every edge leads to the same part or to one of a higher number: that is what acyclic means, and
//! all that has to be kept. Graphs are made coarser ([`coarse`]) first; on each level, from the coarsest to the tasks
//! themselves, parts are improved by annealing ([`anneal`]).

mod anneal;
mod coarse;

use crate::graph::Csr;

use anneal::{Annealing, State};
use coarse::Level;

#[cfg(test)]
mod tests;

/// A partition without a circle.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Partition {
    /// Part of each task; edges never lead to a lower one.
    pub of: Vec<u32>,
    /// Bytes of all edges between two parts.
    pub cut_bytes: u64,
    /// Weight of the heaviest part over the mean.
    pub imbalance: f64,
}

/// How much heavier than the mean a part may be, where tasks are small enough: METIS's default for k parts.
pub const IMBALANCE: f64 = 1.03;

/// Tries that start from another order, with another seed: on small graphs they cost little and differ much. Every second one
/// knows only the graph itself: coarser ones find which groups belong together, and hide what is between groups.
const TRIES: (usize, usize) = (12, 64);
/// Moves of one try, at most, for each node of the graph.
const MOVES: usize = 1_600;
/// Moves of all tries together, at most.
const MOVES_MAX: usize = 40_000_000;
/// Nodes above which there is one try, through all levels.
const TRIED_OFTEN: usize = 60_000;
/// How hot tries begin, in turn: a cool one keeps the order that it began with, a hot one forgets it.
const HEATS: [f64; 3] = [1.0, 3.0, 9.0];
/// The same on finer levels: what coarser ones found is kept by and large.
const HEAT_FINER: f64 = 0.3;

/// Cuts a graph into so many parts, none heavier than [`IMBALANCE`] times the mean where that can be had.
///
/// ```text
///   a ─► b ─► c          part 0: a b d          edges go from 0 to 1 only
///   └──► d ─► e   ─►     part 1: c e
/// ```
///
/// # Complexity
///
/// O(edges) for each level, and at most 40 million moves in all, each O(degree). J. Herrmann, M. Y. Özkaya,
/// B. Uçar, K. Kaya, Ü. V. Çatalyürek, "Multilevel algorithms for acyclic partitioning of directed acyclic graphs", SIAM J.
/// Sci. Comput. 41 (2019), A2117; annealing instead of their refinement by gains.
#[must_use]
pub fn partition(graph: &Csr, order: &[u32], weight: &[f64], parts: u32) -> Partition {
    partition_within(graph, order, weight, parts, MOVES_MAX)
}

/// The same with at most so many moves in all.
#[must_use]
pub fn partition_within(
    graph: &Csr,
    order: &[u32],
    weight: &[f64],
    parts: u32,
    moves_max: usize,
) -> Partition {
    let parts = parts.max(1);
    let mean = weight.iter().sum::<f64>() / f64::from(parts);
    let levels = coarse::levels(graph, order, weight, mean);
    let (tries, moves) = effort(graph.len(), moves_max);
    let mut best: Option<(f64, u64, Vec<u32>)> = None;
    for attempt in 0..tries {
        let used = if attempt % 2 == 0 { levels.len() } else { 1 };
        let of = attempt_at(&levels[..used], parts, mean, attempt, moves / used);
        let judged = State::new(&levels[0], &of, parts);
        let over = judged.overweight(mean * IMBALANCE);
        let found = (over, judged.cut, of);
        let better = best
            .as_ref()
            .is_none_or(|b| (found.0, found.1) < (b.0, b.1));
        if better {
            best = Some(found);
        }
    }
    let (_, cut_bytes, of) = best.unwrap_or_default();
    let heaviest = State::heaviest(weight, &of, parts);
    Partition {
        of,
        cut_bytes,
        imbalance: if mean > 0.0 { heaviest / mean } else { 1.0 },
    }
}

/// How many tries, and the moves of each: many short ones on a small graph.
fn effort(nodes: usize, moves_max: usize) -> (usize, usize) {
    if nodes > TRIED_OFTEN {
        return (1, moves_max);
    }
    let moves = (nodes.max(1) * MOVES).min(moves_max / TRIES.0).max(1);
    ((moves_max / moves).min(TRIES.1), moves)
}

/// One try: parts of the coarsest level by its order, improved on every level.
fn attempt_at(levels: &[Level], parts: u32, mean: f64, attempt: usize, moves: usize) -> Vec<u32> {
    let Some(coarsest) = levels.last() else {
        return Vec::new();
    };
    let mut of = coarsest.sliced(parts, attempt / 2);
    for (at, level) in levels.iter().enumerate().rev() {
        let first = at + 1 == levels.len();
        let annealing = Annealing {
            parts,
            limit: mean * IMBALANCE,
            mean,
            moves,
            seed: (attempt * 31 + at) as u64,
            heat: if first {
                HEATS[attempt / 6 % HEATS.len()]
            } else {
                HEAT_FINER
            },
        };
        of = annealing.improve(level, of);
        if let Some(finer) = at.checked_sub(1).and_then(|finer| levels.get(finer)) {
            of = finer.projected(&of);
        }
    }
    of
}
