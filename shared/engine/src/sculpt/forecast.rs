//! When tasks would run and how long they would wait: the same list schedule as for shards, before there are any.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::graph::{Csr, Edge, topological_order, upward_ranks};

/// Class of what takes no lane: it is done as soon as everything before it is.
pub(super) const NO_LANE: u32 = u32::MAX;

/// One thing that runs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Piece {
    /// Expected duration, in milliseconds.
    pub(super) ms: f64,
    /// What it contends for: those of one class run on the same targets.
    pub(super) class: u32,
}

/// What can run at once.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Room {
    /// Altogether.
    pub(super) lanes: u32,
    /// On the targets of each class.
    pub(super) of_class: Vec<u32>,
}

/// What is expected.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Forecast {
    /// End of the last, in milliseconds.
    pub(super) makespan_ms: f64,
    /// How long each waits for a lane or its targets when everything before it is done, in milliseconds.
    pub(super) wait_ms: Vec<f64>,
}

/// Runs the pieces by upward rank in the room that there is. Edges form no cycle; with one, nothing is forecast.
///
/// # Complexity
/// O(edges + pieces · (log pieces + classes)).
pub(super) fn forecast(pieces: &[Piece], edges: &[Edge], room: &Room) -> Forecast {
    let graph = Csr::new(pieces.len(), edges.iter().copied());
    let Some(order) = topological_order(&graph) else {
        return Forecast {
            makespan_ms: 0.0,
            wait_ms: vec![0.0; pieces.len()],
        };
    };
    let ms: Vec<f64> = pieces.iter().map(|piece| piece.ms).collect();
    let ranks = upward_ranks(&graph, &order, &ms, 0.0);
    let mut sorted: Vec<u32> = (0..pieces.len() as u32).collect();
    sorted.sort_by(|&a, &b| {
        ranks[b as usize]
            .total_cmp(&ranks[a as usize])
            .then(a.cmp(&b))
    });
    let mut rank = vec![0; sorted.len()];
    for (at, &piece) in sorted.iter().enumerate() {
        rank[piece as usize] = at as u32;
    }
    let mut run = Run {
        pieces,
        graph: &graph,
        rank: &rank,
        lanes: room.lanes.max(1),
        free: room.of_class.iter().map(|most| (*most).max(1)).collect(),
        ready: vec![BinaryHeap::new(); room.of_class.len()],
        running: BinaryHeap::new(),
        missing: (0..pieces.len() as u32)
            .map(|piece| graph.predecessors(piece).len() as u32)
            .collect(),
        since_us: vec![0; pieces.len()],
        wait_ms: vec![0.0; pieces.len()],
    };
    let makespan_us = run.until_done();
    Forecast {
        makespan_ms: makespan_us as f64 / 1000.0,
        wait_ms: run.wait_ms,
    }
}

struct Run<'a> {
    pieces: &'a [Piece],
    graph: &'a Csr,
    rank: &'a [u32],
    lanes: u32,
    /// Room on the targets of each class.
    free: Vec<u32>,
    /// Rank and piece, of each class.
    ready: Vec<BinaryHeap<Reverse<(u32, u32)>>>,
    /// End and piece.
    running: BinaryHeap<Reverse<(u64, u32)>>,
    missing: Vec<u32>,
    since_us: Vec<u64>,
    wait_ms: Vec<f64>,
}

impl Run<'_> {
    fn until_done(&mut self) -> u64 {
        let mut now = 0;
        for piece in 0..self.pieces.len() as u32 {
            if self.missing[piece as usize] == 0 {
                self.release(piece, now);
            }
        }
        loop {
            while let Some(piece) = self.next() {
                let at = piece as usize;
                self.wait_ms[at] = (now - self.since_us[at]) as f64 / 1000.0;
                let ends = now + (self.pieces[at].ms * 1000.0) as u64;
                self.running.push(Reverse((ends, piece)));
            }
            let Some(Reverse((ends, piece))) = self.running.pop() else {
                return now;
            };
            now = ends;
            let class = self.pieces[piece as usize].class;
            if class != NO_LANE {
                self.lanes += 1;
                self.free[class as usize] += 1;
            }
            let graph = self.graph;
            for &after in graph.successors(piece) {
                self.missing[after as usize] -= 1;
                if self.missing[after as usize] == 0 {
                    self.release(after, now);
                }
            }
        }
    }

    fn release(&mut self, piece: u32, now: u64) {
        let at = piece as usize;
        self.since_us[at] = now;
        match self.pieces[at].class {
            NO_LANE => self.running.push(Reverse((now, piece))),
            class => self.ready[class as usize].push(Reverse((self.rank[at], piece))),
        }
    }

    /// The most urgent piece for which there is a lane and room on its targets; both are taken.
    fn next(&mut self) -> Option<u32> {
        if self.lanes == 0 {
            return None;
        }
        let open = (0..self.ready.len()).filter(|&class| self.free[class] > 0);
        let first = open.filter_map(|class| self.ready[class].peek().map(|r| (r.0.0, class)));
        let (_, class) = first.min()?;
        let Reverse((_, piece)) = self.ready[class].pop()?;
        self.lanes -= 1;
        self.free[class] -= 1;
        Some(piece)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(list: &[(f64, u32)]) -> Vec<Piece> {
        list.iter()
            .map(|&(ms, class)| Piece { ms, class })
            .collect()
    }

    fn edge(from: u32, to: u32) -> Edge {
        Edge { from, to, bytes: 0 }
    }

    #[test]
    fn classes_wait_for_their_own_targets_only() {
        let room = Room {
            lanes: 3,
            of_class: vec![3, 1],
        };
        let all = pieces(&[(10.0, 1), (10.0, 1), (10.0, 0), (10.0, 0), (5.0, 0)]);
        let told = forecast(&all, &[edge(0, 4)], &room);
        assert_eq!(told.makespan_ms, 20.0);
        assert_eq!(told.wait_ms, [0.0, 10.0, 0.0, 0.0, 0.0]);
    }

    #[test]
    fn what_takes_no_lane_is_done_at_once() {
        let room = Room {
            lanes: 1,
            of_class: vec![1],
        };
        let all = pieces(&[(10.0, 0), (0.0, NO_LANE), (5.0, 0), (5.0, 0)]);
        let told = forecast(&all, &[edge(0, 1), edge(1, 2), edge(1, 3)], &room);
        assert_eq!(told.makespan_ms, 20.0);
        assert_eq!(told.wait_ms, [0.0, 0.0, 0.0, 5.0]);
    }
}
