//! A generated layered graph: the same seed, the same graph.

use foreshard_engine::graph::Edge;

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
