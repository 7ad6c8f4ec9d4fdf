//! Coarser graphs: nodes that belong together become one, where that can close no circle.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::graph::{Csr, Edge, topological_order};

/// Nodes below which no coarser graph is made.
const SMALLEST: usize = 48;
/// A coarser graph has at most this share of the nodes, or it is not worth its while.
const SHRINKS: f64 = 0.95;
/// A node of a coarser graph weighs at most this share of a part.
const SHARE: f64 = 0.2;

/// One graph of the hierarchy.
#[derive(Debug, Clone)]
pub struct Level {
    /// Who follows whom, with the bytes between.
    pub graph: Csr,
    /// Successors with bytes, as [`Csr::incoming_bytes`] has predecessors.
    pub after: Vec<Vec<(u32, u64)>>,
    /// A topological order.
    pub order: Vec<u32>,
    /// Weight of each node.
    pub weight: Vec<f64>,
    /// Node of the next coarser graph that each node is in; empty at the coarsest.
    pub coarser: Vec<u32>,
}

/// The graph, and coarser ones until that saves little.
pub fn levels(graph: &Csr, order: &[u32], weight: &[f64], mean: f64) -> Vec<Level> {
    let mut levels = vec![Level::new(graph.clone(), order.to_vec(), weight.to_vec())];
    while let Some(last) = levels.last_mut() {
        let nodes = last.weight.len();
        if nodes <= SMALLEST {
            break;
        }
        let clusters = last.clustered(mean * SHARE);
        if clusters.count as f64 > nodes as f64 * SHRINKS {
            break;
        }
        let (of, count) = clusters.numbered();
        let Some(next) = last.contracted(&of, count) else {
            break;
        };
        last.coarser = of;
        levels.push(next);
    }
    levels
}

/// Sets of nodes that become one.
struct Clusters {
    /// A member of the same cluster, up to the one that is its own.
    joined: Vec<u32>,
    /// Weight of the cluster, at the member that is its own.
    weight: Vec<f64>,
    /// Whether others have joined the node.
    shared: Vec<bool>,
    heaviest: f64,
    count: usize,
}

impl Clusters {
    fn new(weight: &[f64], heaviest: f64) -> Self {
        Self {
            joined: (0..weight.len() as u32).collect(),
            weight: weight.to_vec(),
            shared: vec![false; weight.len()],
            heaviest,
            count: weight.len(),
        }
    }

    fn root(&self, mut node: u32) -> u32 {
        while self.joined[node as usize] != node {
            node = self.joined[node as usize];
        }
        node
    }

    /// Whether nothing has joined the node, nor the node anything.
    fn is_alone(&self, node: u32) -> bool {
        self.joined[node as usize] == node && !self.shared[node as usize]
    }

    /// Lets a node that is alone join another's cluster, if that does not get too heavy.
    fn join(&mut self, node: u32, other: u32) -> bool {
        let root = self.root(other);
        let weight = self.weight[root as usize] + self.weight[node as usize];
        let fits = root != node && weight <= self.heaviest;
        if fits {
            self.joined[node as usize] = root;
            self.weight[root as usize] = weight;
            self.shared[root as usize] = true;
            self.count -= 1;
        }
        fits
    }

    /// A number from 0 for each cluster, and how many there are.
    fn numbered(&self) -> (Vec<u32>, usize) {
        let mut number = vec![u32::MAX; self.joined.len()];
        let mut count = 0;
        for node in 0..self.joined.len() as u32 {
            let root = self.root(node) as usize;
            if number[root] == u32::MAX {
                number[root] = count;
                count += 1;
            }
            number[node as usize] = number[root];
        }
        (number, count as usize)
    }
}

impl Level {
    fn new(graph: Csr, order: Vec<u32>, weight: Vec<f64>) -> Self {
        let mut after = vec![Vec::new(); weight.len()];
        for node in 0..weight.len() as u32 {
            for (before, bytes) in graph.incoming_bytes(node) {
                after[before as usize].push((node, bytes));
            }
        }
        Self {
            graph,
            after,
            order,
            weight,
            coarser: Vec::new(),
        }
    }

    /// Clusters of the next coarser graph: ends of edges if that saves enough, siblings otherwise.
    fn clustered(&self, heaviest: f64) -> Clusters {
        let mut clusters = Clusters::new(&self.weight, heaviest);
        self.join_ends(&mut clusters);
        if clusters.count as f64 > self.weight.len() as f64 * SHRINKS {
            clusters = Clusters::new(&self.weight, heaviest);
            self.join_siblings(&mut clusters);
        }
        clusters
    }

    /// Nodes join the other end of their heaviest edges.
    ///
    /// A node may join its only successor, and its only predecessor, whatever that is in a cluster with: all ways out of the
    /// node, or into it, lead through that one, so no circle can close.
    fn join_ends(&self, clusters: &mut Clusters) {
        let mut edges: Vec<Edge> = Vec::new();
        for (from, after) in self.after.iter().enumerate() {
            let from = from as u32;
            edges.extend(after.iter().map(|&(to, bytes)| Edge { from, to, bytes }));
        }
        edges.sort_by_key(|edge| (Reverse(edge.bytes), edge.from, edge.to));
        for Edge { from, to, .. } in edges {
            if self.after[from as usize].len() == 1 && clusters.is_alone(from) {
                clusters.join(from, to);
            } else if self.graph.predecessors(to).len() == 1 && clusters.is_alone(to) {
                clusters.join(to, from);
            }
        }
    }

    /// Nodes of the same depth join those with the same heaviest neighbour.
    ///
    /// Depth is the number of edges on the longest way to a node. It grows along every edge, so clusters of one depth each
    /// cannot close a circle.
    fn join_siblings(&self, clusters: &mut Clusters) {
        let mut depth = vec![0_u32; self.weight.len()];
        for &node in &self.order {
            let before = self.graph.predecessors(node).iter();
            depth[node as usize] = before.map(|&b| depth[b as usize] + 1).max().unwrap_or(0);
        }
        let mut siblings: Vec<(u32, u32, u32)> = Vec::new();
        for node in 0..self.weight.len() as u32 {
            let before = self.graph.incoming_bytes(node);
            let after = self.after[node as usize].iter().copied();
            let heaviest = before
                .chain(after)
                .max_by_key(|&(other, bytes)| (bytes, Reverse(other)));
            if let Some((neighbour, _)) = heaviest {
                siblings.push((depth[node as usize], neighbour, node));
            }
        }
        siblings.sort_unstable();
        let mut last: Option<(u32, u32, u32)> = None;
        for sibling in siblings {
            let joins =
                last.filter(|&(depth, neighbour, _)| (depth, neighbour) == (sibling.0, sibling.1));
            match joins {
                Some((_, _, first)) if clusters.join(sibling.2, first) => {}
                _ => last = Some(sibling),
            }
        }
    }

    fn contracted(&self, of: &[u32], count: usize) -> Option<Self> {
        let mut weight = vec![0.0; count];
        let mut edges: Vec<Edge> = Vec::new();
        for (from, after) in self.after.iter().enumerate() {
            weight[of[from] as usize] += self.weight[from];
            for &(to, bytes) in after {
                let (from, to) = (of[from], of[to as usize]);
                if from != to {
                    edges.push(Edge { from, to, bytes });
                }
            }
        }
        edges.sort_by_key(|edge| (edge.from, edge.to));
        let mut merged: Vec<Edge> = Vec::with_capacity(edges.len());
        for edge in edges {
            match merged.last_mut() {
                Some(last) if (last.from, last.to) == (edge.from, edge.to) => {
                    last.bytes = last.bytes.saturating_add(edge.bytes);
                }
                _ => merged.push(edge),
            }
        }
        let graph = Csr::new(count, merged.iter().copied());
        let order = topological_order(&graph)?;
        Some(Self::new(graph, order, weight))
    }

    /// The parts of this graph's nodes, from those of the next coarser.
    pub fn projected(&self, parts: &[u32]) -> Vec<u32> {
        self.coarser.iter().map(|&at| parts[at as usize]).collect()
    }

    /// Parts of equal weight, one after the other along a topological order: breadth first, depth first, and mixtures.
    pub fn sliced(&self, parts: u32, attempt: usize) -> Vec<u32> {
        let order = self.ordered(attempt);
        let whole: f64 = self.weight.iter().sum();
        let mut of = vec![0_u32; self.weight.len()];
        let mut before = 0.0;
        for node in order {
            let middle = before + self.weight[node as usize] / 2.0;
            before += self.weight[node as usize];
            let part = (middle / whole.max(f64::MIN_POSITIVE) * f64::from(parts)) as u32;
            of[node as usize] = part.min(parts - 1);
        }
        of
    }

    fn ordered(&self, attempt: usize) -> Vec<u32> {
        let nodes = self.weight.len() as u32;
        let mut missing: Vec<u32> = (0..nodes)
            .map(|node| self.graph.predecessors(node).len() as u32)
            .collect();
        let mut ready: BinaryHeap<(i64, u32)> = BinaryHeap::new();
        let mut clock = 0_i64;
        let mut push = |ready: &mut BinaryHeap<(i64, u32)>, node: u32| {
            clock += 1;
            let key = match attempt % 3 {
                0 => clock,
                1 => -clock,
                _ => clock * i64::from(node % 7),
            };
            ready.push((key, node));
        };
        for node in (0..nodes).filter(|&node| missing[node as usize] == 0) {
            push(&mut ready, node);
        }
        let mut order = Vec::with_capacity(nodes as usize);
        while let Some((_, node)) = ready.pop() {
            order.push(node);
            for &(next, _) in &self.after[node as usize] {
                missing[next as usize] -= 1;
                if missing[next as usize] == 0 {
                    push(&mut ready, next);
                }
            }
        }
        order
    }
}
