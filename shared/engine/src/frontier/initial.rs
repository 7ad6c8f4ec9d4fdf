//! Decides the first state of every shard of a plan.

use foreshard_model::frontier::{ShardItem, ShardState};
use foreshard_model::ids::ShardId;
use foreshard_model::plan::ShardKind;
use foreshard_model::topology::{ShardNode, Topology};

/// The items of a new run, by id: shards without predecessors are ready, the rest waits.
///
/// A virtual shard without predecessors is done at once and its successors have its arrival, so that nobody has to
/// release it. When END itself is done, the run has nothing to execute: the sweep completes it.
///
/// # Complexity
/// Linear in shards and edges.
#[must_use]
pub fn initial_items(topology: &Topology) -> Vec<ShardItem> {
    let nodes = topology.shards.iter();
    let mut items: Vec<ShardItem> = nodes.map(|node| waiting(topology, node)).collect();
    let roots = topology.shards.iter().filter(|n| n.predecessors == 0);
    let mut open: Vec<ShardId> = roots.map(|node| node.id).collect();
    while let Some(id) = open.pop() {
        let (Some(node), Some(item)) = (topology.node(id), items.get_mut(id.index())) else {
            continue;
        };
        match node.kind {
            ShardKind::Work => item.state = ShardState::Ready,
            ShardKind::End => item.state = ShardState::Done,
            ShardKind::Relay => {
                item.state = ShardState::Done;
                item.released = true;
                for successor in &node.successors {
                    let Some(next) = items.get_mut(successor.index()) else {
                        continue;
                    };
                    next.arrived.insert(id);
                    let expected = topology.node(*successor).map_or(0, |n| n.predecessors);
                    if next.arrived.len() as u64 == u64::from(expected) {
                        open.push(*successor);
                    }
                }
            }
        }
    }
    items
}

/// The item of a shard of which nothing has happened yet.
pub(super) fn waiting(topology: &Topology, node: &ShardNode) -> ShardItem {
    ShardItem {
        run: topology.run.clone(),
        id: node.id,
        version: 1,
        kind: node.kind,
        generation: node.generation,
        rank: node.rank,
        tier: node.tier,
        ..ShardItem::default()
    }
}
