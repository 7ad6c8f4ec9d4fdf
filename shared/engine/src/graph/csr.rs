//! Compact adjacency: successors and predecessors of node `v` are slices of two flat arrays.

/// One edge of a graph, with the bytes that move along it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Edge {
    /// The node that comes first.
    pub from: u32,
    /// The node that needs it.
    pub to: u32,
    /// Bytes expected to move: 0 for a pure control edge.
    pub bytes: u64,
}

/// A directed graph of `len` nodes, numbered from 0, in compressed sparse rows both ways.
///
/// ```text
///   0 ──► 1 ──► 3        start  0 2 3 4 4
///   └───► 2 ─────▲       node   1 2 3 3
/// ```
///
/// 28 bytes an edge and 8 a node: a million nodes with 2.5 million edges are 78 MB.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Csr {
    successor_start: Vec<u32>,
    successors: Vec<u32>,
    predecessor_start: Vec<u32>,
    predecessors: Vec<u32>,
    predecessor_bytes: Vec<u64>,
}

impl Csr {
    /// The graph of `nodes` nodes with these edges. The neighbours of a node keep the order in which the edges come.
    ///
    /// Edges that name a node outside `0..nodes` are left out: the caller has checked its document already.
    ///
    /// # Complexity
    ///
    /// O(nodes + edges); the edges are gone through twice, so that no copy of them is made.
    #[must_use]
    pub fn new<I>(nodes: usize, edges: I) -> Self
    where
        I: Iterator<Item = Edge> + Clone,
    {
        let inside = |edge: &Edge| (edge.from as usize) < nodes && (edge.to as usize) < nodes;
        let mut successor_start = vec![0_u32; nodes + 1];
        let mut predecessor_start = vec![0_u32; nodes + 1];
        for edge in edges.clone().filter(inside) {
            successor_start[edge.from as usize + 1] += 1;
            predecessor_start[edge.to as usize + 1] += 1;
        }
        for node in 0..nodes {
            successor_start[node + 1] += successor_start[node];
            predecessor_start[node + 1] += predecessor_start[node];
        }
        let count = successor_start[nodes] as usize;
        let mut successors = vec![0_u32; count];
        let mut predecessors = vec![0_u32; count];
        let mut predecessor_bytes = vec![0_u64; count];
        let mut next_successor = successor_start.clone();
        let mut next_predecessor = predecessor_start.clone();
        for edge in edges.filter(inside) {
            let at = &mut next_successor[edge.from as usize];
            successors[*at as usize] = edge.to;
            *at += 1;
            let at = &mut next_predecessor[edge.to as usize];
            predecessors[*at as usize] = edge.from;
            predecessor_bytes[*at as usize] = edge.bytes;
            *at += 1;
        }
        Self {
            successor_start,
            successors,
            predecessor_start,
            predecessors,
            predecessor_bytes,
        }
    }

    /// Number of nodes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.successor_start.len().saturating_sub(1)
    }

    /// Whether there is no node.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Number of edges.
    #[must_use]
    pub fn edge_count(&self) -> usize {
        self.successors.len()
    }

    /// The nodes that need `node`.
    #[must_use]
    pub fn successors(&self, node: u32) -> &[u32] {
        let node = node as usize;
        &self.successors
            [self.successor_start[node] as usize..self.successor_start[node + 1] as usize]
    }

    /// The nodes that `node` needs.
    #[must_use]
    pub fn predecessors(&self, node: u32) -> &[u32] {
        &self.predecessors[self.incoming(node)]
    }

    /// The nodes that `node` needs, each with the bytes that come from it.
    pub fn incoming_bytes(&self, node: u32) -> impl Iterator<Item = (u32, u64)> + '_ {
        let range = self.incoming(node);
        self.predecessors[range.clone()]
            .iter()
            .copied()
            .zip(self.predecessor_bytes[range].iter().copied())
    }

    fn incoming(&self, node: u32) -> std::ops::Range<usize> {
        let node = node as usize;
        self.predecessor_start[node] as usize..self.predecessor_start[node + 1] as usize
    }
}
