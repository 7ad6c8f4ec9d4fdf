//! A generated layered graph: the same seed, the same graph.

use std::io::Read;

use foreshard_engine::graph::{Csr, Edge};

/// Tasks of a layer, for each square root of the number of tasks: wide enough to keep hundreds of lanes busy.
const LAYER: f64 = 1.0;
/// Bytes of an edge at most: a second at 75 MB/s.
const BYTES_MAX: u64 = 75_000_000;
/// Work of a task in seconds: from, and as much more at most.
const WORK_S: (f64, f64) = (0.5, 9.5);

/// Edges and work of a layered graph: every task but those of the first layer has a predecessor in the layer before it, the
/// further edges come from any of the three before.
pub fn layered(tasks: u32, edges_per_task: f64, seed: u64) -> (Vec<Edge>, Vec<f64>) {
    let mut state = seed;
    let mut next = move || {
        // SplitMix64, as in the engine's search.
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    };
    let width = ((f64::from(tasks)).sqrt() * LAYER).ceil().max(1.0) as u32;
    let wanted = (f64::from(tasks) * edges_per_task) as u64;
    let inner = u64::from(tasks.saturating_sub(width)).max(1);
    let mut edges = Vec::with_capacity(wanted as usize + 1);
    let mut given = 0_u64;
    for to in width..tasks {
        let layer = to / width;
        let seen = u64::from(to - width + 1);
        let due = (wanted * seen / inner).saturating_sub(given).max(1);
        given += due;
        let first = edges.len();
        for at in 0..due {
            let back = if at == 0 { 1 } else { 1 + (next() % 3) as u32 };
            let from_layer = layer - back.min(layer);
            let from = from_layer * width + (next() % u64::from(width)) as u32;
            if edges[first..].iter().all(|edge: &Edge| edge.from != from) {
                let bytes = next() % BYTES_MAX;
                edges.push(Edge { from, to, bytes });
            }
        }
    }
    let share = |drawn: u64| (drawn >> 11) as f64 / (1_u64 << 53) as f64;
    let work_s = (0..tasks)
        .map(|_| WORK_S.0 + WORK_S.1 * share(next()))
        .collect();
    (edges, work_s)
}

/// A graph as a document, written while it is read: it is never whole in memory.
pub struct Document<'a> {
    graph: &'a Csr,
    work_s: &'a [f64],
    next: usize,
    ready: Vec<u8>,
    given: usize,
}

impl<'a> Document<'a> {
    /// A document of synthetic tasks.
    pub fn new(graph: &'a Csr, work_s: &'a [f64]) -> Self {
        let head = br#"{"foreshard":1,"name":"generated","version":"1","tasks":["#;
        Self {
            graph,
            work_s,
            next: 0,
            ready: head.to_vec(),
            given: 0,
        }
    }

    /// The text of the next task; what ends the document after the last.
    fn write_next(&mut self) {
        self.ready.clear();
        self.given = 0;
        let task = self.next;
        self.next += 1;
        if let Some(work_s) = self.work_s.get(task) {
            let needs: Vec<String> = self
                .graph
                .predecessors(task as u32)
                .iter()
                .map(|need| format!(r#""t{need}""#))
                .collect();
            let comma = if task > 0 { "," } else { "" };
            let needs = needs.join(",");
            let text = format!(
                r#"{comma}{{"id":"t{task}","kind":"synthetic","cpu_s":{work_s:.3},"needs":[{needs}]}}"#
            );
            self.ready.extend_from_slice(text.as_bytes());
        } else if task == self.work_s.len() {
            self.ready.extend_from_slice(b"]}");
        }
    }
}

impl Read for Document<'_> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        if self.given == self.ready.len() && self.next <= self.work_s.len() {
            self.write_next();
        }
        let rest = &self.ready[self.given..];
        let count = rest.len().min(into.len());
        into[..count].copy_from_slice(&rest[..count]);
        self.given += count;
        Ok(count)
    }
}
