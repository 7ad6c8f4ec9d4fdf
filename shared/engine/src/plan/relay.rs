//! Virtual shards: relays where more than 256 shards meet, and END behind every sink.

use std::collections::BTreeMap;

use foreshard_model::limits::SHARD_FAN;
use foreshard_model::plan::ShardKind;

use crate::graph::Csr;

/// The shard graph with its virtual shards: shards with tasks first, then relays, END last.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Wiring {
    /// What each shard is.
    pub(super) kinds: Vec<ShardKind>,
    /// What each shard waits for, ascending.
    pub(super) predecessors: Vec<Vec<u32>>,
    /// What waits for each shard, ascending.
    pub(super) successors: Vec<Vec<u32>>,
}

/// A shared relay pays where it saves so many times the edges that it adds: it is one more item to write and settle.
const SHARED_SAVES: usize = 4;

/// Adds END and relays to the graph of shards with tasks, given by what each waits for.
///
/// ```text
///   a ─┬─► x          a ─┐    ┌─► x
///   b ─┼─► y    ──►   b ─┼─ R ┼─► y         all of {x, y, z} wait for all of {a, b, c}
///   c ─┴─► z          c ─┘    └─► z
/// ```
///
/// Trees of relays keep fan-in and fan-out at 256 at most.
///
/// # Complexity
///
/// O(edges · log edges).
pub(super) fn wire(predecessors: Vec<Vec<u32>>) -> Wiring {
    let work = predecessors.len();
    let mut nodes = predecessors;
    let mut has_successor = vec![false; work];
    for &node in nodes.iter().flatten() {
        has_successor[node as usize] = true;
    }
    let sinks = (0..work as u32)
        .filter(|&s| !has_successor[s as usize])
        .collect();
    nodes.push(sinks);
    share_relays(&mut nodes, work);
    limit_fan_in(&mut nodes);
    limit_fan_out(&mut nodes);
    renumber(nodes, work)
}

/// How many virtual shards [`wire`] adds, and how many edges there are with them.
pub(crate) fn virtual_shards(graph: &Csr) -> (u64, u64) {
    let shards = graph.len();
    let predecessors = (0..shards as u32).map(|s| graph.predecessors(s).to_vec());
    let wiring = wire(predecessors.collect());
    let edges = wiring.predecessors.iter().map(|p| p.len() as u64).sum();
    ((wiring.kinds.len() - shards) as u64, edges)
}

/// Where many shards wait for the same many shards, one relay stands between them.
fn share_relays(nodes: &mut Vec<Vec<u32>>, work: usize) {
    let mut same: BTreeMap<Vec<u32>, Vec<usize>> = BTreeMap::new();
    for (node, waits_for) in nodes[..work].iter().enumerate() {
        if waits_for.len() > SHARED_SAVES {
            same.entry(waits_for.clone()).or_default().push(node);
        }
    }
    for (waits_for, waiting) in same {
        if waits_for.len() * waiting.len() >= SHARED_SAVES * (waits_for.len() + waiting.len()) {
            let relay = nodes.len() as u32;
            nodes.push(waits_for);
            for node in waiting {
                nodes[node] = vec![relay];
            }
        }
    }
}

fn limit_fan_in(nodes: &mut Vec<Vec<u32>>) {
    for node in 0..nodes.len() {
        while nodes[node].len() > SHARD_FAN {
            let waits_for = std::mem::take(&mut nodes[node]);
            for part in even_parts(&waits_for) {
                let relay = nodes.len() as u32;
                nodes.push(part.to_vec());
                nodes[node].push(relay);
            }
        }
    }
}

fn limit_fan_out(nodes: &mut Vec<Vec<u32>>) {
    let mut successors: Vec<Vec<u32>> = vec![Vec::new(); nodes.len()];
    for (node, waits_for) in nodes.iter().enumerate() {
        for &before in waits_for {
            successors[before as usize].push(node as u32);
        }
    }
    for (node, waiting) in successors.into_iter().enumerate() {
        let mut waiting = waiting;
        let mut feeder = vec![node as u32];
        while waiting.len() > SHARD_FAN {
            let mut relays = Vec::new();
            for part in even_parts(&waiting) {
                let relay = nodes.len() as u32;
                nodes.push(feeder.clone());
                for &behind in part {
                    for before in &mut nodes[behind as usize] {
                        if *before == node as u32 {
                            *before = relay;
                        }
                    }
                }
                relays.push(relay);
            }
            waiting = relays;
            feeder = vec![node as u32];
        }
    }
}

/// Parts of at most 256, as even as can be.
fn even_parts(all: &[u32]) -> impl Iterator<Item = &[u32]> {
    let parts = all.len().div_ceil(SHARD_FAN);
    all.chunks(all.len().div_ceil(parts.max(1)).max(1))
}

/// END, so far in the place behind the work, becomes the last.
fn renumber(nodes: Vec<Vec<u32>>, work: usize) -> Wiring {
    let end = nodes.len() as u32 - 1;
    let number = |node: u32| match node as usize {
        n if n < work => node,
        n if n == work => end,
        _ => node - 1,
    };
    let mut wiring = Wiring {
        kinds: vec![ShardKind::Relay; nodes.len()],
        predecessors: vec![Vec::new(); nodes.len()],
        successors: vec![Vec::new(); nodes.len()],
    };
    wiring.kinds[..work].fill(ShardKind::Work);
    wiring.kinds[end as usize] = ShardKind::End;
    for (node, waits_for) in nodes.into_iter().enumerate() {
        let node = number(node as u32);
        let mut waits_for: Vec<u32> = waits_for.into_iter().map(number).collect();
        waits_for.sort_unstable();
        waits_for.dedup();
        for &before in &waits_for {
            wiring.successors[before as usize].push(node);
        }
        wiring.predecessors[node as usize] = waits_for;
    }
    for successors in &mut wiring.successors {
        successors.sort_unstable();
    }
    wiring
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::{Csr, Edge, topological_order};

    fn check(wiring: &Wiring) {
        let edges: Vec<Edge> = wiring
            .predecessors
            .iter()
            .enumerate()
            .flat_map(|(to, from)| {
                from.iter().map(move |&from| Edge {
                    from,
                    to: to as u32,
                    bytes: 0,
                })
            })
            .collect();
        let graph = Csr::new(wiring.kinds.len(), edges.iter().copied());
        assert!(topological_order(&graph).is_some());
        assert!(wiring.predecessors.iter().all(|p| p.len() <= SHARD_FAN));
        assert!(wiring.successors.iter().all(|s| s.len() <= SHARD_FAN));
        assert_eq!(wiring.kinds.last(), Some(&ShardKind::End));
    }

    /// Which shards with tasks must be done before `node`, directly or through relays.
    fn awaited(wiring: &Wiring, node: u32) -> std::collections::BTreeSet<u32> {
        let mut found = std::collections::BTreeSet::new();
        for &before in &wiring.predecessors[node as usize] {
            if wiring.kinds[before as usize] == ShardKind::Work {
                found.insert(before);
            } else {
                found.extend(awaited(wiring, before));
            }
        }
        found
    }

    #[test]
    fn a_small_graph_only_gets_its_end() {
        let wiring = wire(vec![vec![], vec![0], vec![0]]);
        check(&wiring);
        assert_eq!(wiring.kinds.len(), 4);
        assert_eq!(wiring.predecessors[3], [1, 2]);
        assert_eq!(wiring.successors[0], [1, 2]);
    }

    #[test]
    fn fans_beyond_256_become_trees() {
        let mut nodes = vec![vec![]];
        nodes.extend((0..70_000).map(|_| vec![0]));
        let wiring = wire(nodes);
        check(&wiring);
        assert_eq!(
            awaited(&wiring, wiring.kinds.len() as u32 - 1).len(),
            70_000
        );
        assert!((1..=70_000).all(|s| awaited(&wiring, s) == std::collections::BTreeSet::from([0])));
    }

    #[test]
    fn fans_of_exactly_256_are_left_alone() {
        let mut nodes = vec![vec![]];
        nodes.extend((0..256).map(|_| vec![0]));
        assert_eq!(wire(nodes.clone()).kinds.len(), 258);
        nodes.push(vec![0]);
        let wiring = wire(nodes);
        check(&wiring);
        assert!(wiring.kinds.len() > 259);
    }

    #[test]
    fn a_barrier_is_one_relay() {
        let mut nodes: Vec<Vec<u32>> = vec![vec![]; 300];
        nodes.extend((0..300).map(|_| (0..300).collect()));
        let wiring = wire(nodes);
        check(&wiring);
        let edges: usize = wiring.predecessors.iter().map(Vec::len).sum();
        assert!(edges < 1_000, "{edges} edges");
        assert!((300..600).all(|s| awaited(&wiring, s).len() == 300));
    }
}
