//! Topological order and levels.

use super::Csr;

/// The nodes, each after all that it needs; `None` when the graph has a cycle.
///
/// Nodes without an order between them come breadth first, sources in ascending number.
///
/// # Complexity
///
/// O(nodes + edges): A. B. Kahn, "Topological sorting of large networks", CACM 5 (1962), 558.
#[must_use]
pub fn topological_order(graph: &Csr) -> Option<Vec<u32>> {
    let nodes = graph.len();
    let mut missing: Vec<u32> = (0..nodes as u32)
        .map(|node| graph.predecessors(node).len() as u32)
        .collect();
    let mut order: Vec<u32> = (0..nodes as u32)
        .filter(|&node| missing[node as usize] == 0)
        .collect();
    order.reserve_exact(nodes - order.len());
    let mut next = 0;
    while next < order.len() {
        for &successor in graph.successors(order[next]) {
            let missing = &mut missing[successor as usize];
            *missing -= 1;
            if *missing == 0 {
                order.push(successor);
            }
        }
        next += 1;
    }
    (order.len() == nodes).then_some(order)
}

/// For each node the number of edges on the longest path to it: two nodes of one level never depend on each other.
///
/// # Complexity
///
/// O(nodes + edges).
#[must_use]
pub fn levels(graph: &Csr, order: &[u32]) -> Vec<u32> {
    let mut levels = vec![0_u32; graph.len()];
    for &node in order {
        levels[node as usize] = graph
            .predecessors(node)
            .iter()
            .map(|&p| levels[p as usize] + 1)
            .max()
            .unwrap_or(0);
    }
    levels
}
