//! Random topologies: layered, with relays, several tasks a shard, and tasks that must not run twice.

use foreshard_model::ids::{ShardId, TargetId};
use foreshard_model::plan::ShardKind;
use foreshard_model::target::Target;
use foreshard_model::topology::Topology;
use foreshard_model::workflow::OnFailure;

use crate::build;
use crate::seeded::Seeded;

/// A topology of up to `shards_max` shards beside END, with its number of lanes and partitions, all drawn by the seed.
#[must_use]
pub fn topology(seed: u64, shards_max: u64) -> Topology {
    let mut draws = Seeded::new(seed, "topology");
    let count = 1 + draws.below(shards_max);
    let mut words = Vec::new();
    let name = |i: u64, relay: bool| format!("{}s{i}", if relay { "~" } else { "" });
    let relays: Vec<bool> = (0..count).map(|i| i > 0 && draws.hits(120)).collect();
    for i in 0..count {
        let own = name(i, relays[usize::try_from(i).unwrap_or_default()]);
        words.push(own.clone());
        let wanted = if i == 0 { 0 } else { draws.below(4) };
        for _ in 0..wanted.max(u64::from(own.starts_with('~'))) {
            let from = draws.below(i);
            let from = name(from, relays[usize::try_from(from).unwrap_or_default()]);
            words.push(format!("{from}>{own}"));
        }
    }
    let mut topology = build::topology(&words.join(" "));
    for node in &mut topology.shards {
        if node.kind == ShardKind::Work {
            node.tasks = 1 + u32::try_from(draws.below(4)).unwrap_or_default();
            node.once = draws.hits(60);
            node.retries = u32::try_from(draws.below(4)).unwrap_or_default();
        }
    }
    // Priorities in another order than the ids.
    let places = topology.shards.len() as u64;
    for node in &mut topology.shards {
        node.rank = u32::try_from(draws.below(places)).unwrap_or_default();
    }
    topology.lanes = 1 + u32::try_from(draws.below(12)).unwrap_or_default();
    topology.partitions = 1 + u32::try_from(draws.below(4)).unwrap_or_default();
    topology.lane_events = [15_000, 15_000, 150, 60][draws.place(4)];
    topology.on_failure = [OnFailure::Stop, OnFailure::Continue][draws.place(2)];
    regions(seed, &mut topology);
    topology
}

/// Half of the plans have the same targets in a second region, and say in which order each shard may use the two.
fn regions(seed: u64, topology: &mut Topology) {
    let mut draws = Seeded::new(seed, "regions");
    if !draws.hits(500) {
        return;
    }
    let second = topology.targets.clone().into_iter().map(|target| Target {
        id: TargetId(format!("{}@eu-west-1", target.id)),
        region: "eu-west-1".to_owned(),
        ..target
    });
    let here = 0;
    let there = u32::try_from(topology.targets.len()).unwrap_or_default();
    topology.targets.extend(second);
    for node in &mut topology.shards {
        let orders = [vec![here, there], vec![there, here], vec![there]];
        node.places = orders[draws.place(orders.len())].clone();
    }
}

/// The shard of a name.
#[must_use]
pub fn named(topology: &Topology, name: &str) -> Option<ShardId> {
    let mut nodes = topology.shards.iter();
    let found = nodes.find(|node| node.first_task.as_str() == name);
    found.map(|node| node.id)
}
