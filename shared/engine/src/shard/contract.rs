//! The quotient graph: clusters as nodes, the edges between them once each.

use crate::graph::{Csr, Edge};

/// The nodes of each cluster, as slices of one array.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Members {
    start: Vec<u32>,
    nodes: Vec<u32>,
}

impl Members {
    /// Groups nodes by cluster; within a cluster they keep the order of `sequence`.
    ///
    /// # Complexity
    ///
    /// O(nodes + clusters).
    #[must_use]
    pub fn new(of: &[u32], clusters: usize, sequence: &[u32]) -> Self {
        let mut start = vec![0_u32; clusters + 1];
        for &cluster in of {
            start[cluster as usize + 1] += 1;
        }
        for cluster in 0..clusters {
            start[cluster + 1] += start[cluster];
        }
        let mut next = start.clone();
        let mut nodes = vec![0_u32; of.len()];
        for &node in sequence {
            let at = &mut next[of[node as usize] as usize];
            nodes[*at as usize] = node;
            *at += 1;
        }
        Self { start, nodes }
    }

    /// The nodes of one cluster.
    #[must_use]
    pub fn of(&self, cluster: u32) -> &[u32] {
        let cluster = cluster as usize;
        &self.nodes[self.start[cluster] as usize..self.start[cluster + 1] as usize]
    }
}

/// The quotient of `graph` by the clustering `of`.
///
/// Bytes of parallel edges are added up, but what one node sends to several nodes of one cluster is read there once.
///
/// # Complexity
///
/// O(nodes + edges + clusters).
#[must_use]
pub fn contract(graph: &Csr, of: &[u32], clusters: usize) -> Csr {
    let sequence: Vec<u32> = (0..of.len() as u32).collect();
    let members = Members::new(of, clusters, &sequence);
    let mut edges: Vec<Edge> = Vec::new();
    let mut slot = vec![usize::MAX; clusters];
    let mut read = vec![(u32::MAX, 0_u64); of.len()];
    for to in 0..clusters as u32 {
        let first = edges.len();
        for &node in members.of(to) {
            for (predecessor, bytes) in graph.incoming_bytes(node) {
                let from = of[predecessor as usize];
                if from == to {
                    continue;
                }
                let (reader, had) = &mut read[predecessor as usize];
                if *reader != to {
                    (*reader, *had) = (to, 0);
                }
                let more = bytes.saturating_sub(*had);
                *had += more;
                let at = &mut slot[from as usize];
                if *at != usize::MAX && *at >= first {
                    edges[*at].bytes = edges[*at].bytes.saturating_add(more);
                } else {
                    *at = edges.len();
                    edges.push(Edge {
                        from,
                        to,
                        bytes: more,
                    });
                }
            }
        }
    }
    Csr::new(clusters, edges.iter().copied())
}
