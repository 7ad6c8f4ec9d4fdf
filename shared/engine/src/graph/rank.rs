//! Upward rank and critical path: how long the rest of the run takes from a node on.

use super::Csr;

/// For each node its own duration and that of the longest path behind it, with `edge_ms` between two nodes.
///
/// Nodes in descending upward rank are in topological order, where durations are positive.
///
/// # Complexity
///
/// O(nodes + edges): H. Topcuoglu, S. Hariri, M.-Y. Wu, "Performance-effective and low-complexity task scheduling for
/// heterogeneous computing", IEEE TPDS 13 (2002), equation 8.
#[must_use]
pub fn upward_ranks(graph: &Csr, order: &[u32], node_ms: &[f64], edge_ms: f64) -> Vec<f64> {
    let mut ranks = vec![0.0_f64; graph.len()];
    for &node in order.iter().rev() {
        let behind = graph
            .successors(node)
            .iter()
            .map(|&s| ranks[s as usize] + edge_ms)
            .fold(0.0, f64::max);
        ranks[node as usize] = node_ms[node as usize] + behind;
    }
    ranks
}

/// The longest path through the graph: no schedule is shorter, however many lanes there are.
///
/// # Complexity
///
/// O(nodes + edges).
#[must_use]
pub fn critical_path(graph: &Csr, order: &[u32], node_ms: &[f64]) -> f64 {
    upward_ranks(graph, order, node_ms, 0.0)
        .into_iter()
        .fold(0.0, f64::max)
}
