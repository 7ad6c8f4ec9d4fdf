//! The searches as strategies: a timetable over lanes whose neighbours become shards, and a partition that cuts few bytes.

use crate::graph::critical_path;
use crate::partition::partition_within;
use crate::place::{SHARD_MS, TRANSFER_BYTES_PER_MS};
use crate::timetable::{Instance, Network, Steps, best_list, clusters, search};

use super::Clustering;
use super::atoms::Atoms;
use super::growing::cut_by_rules;
use super::rules::Rules;

/// Steps of the search for one timetable: about a millisecond of a core of 2024.
const STEPS: u64 = 120_000;
/// Nodes and edges that merging neighbours may look at.
const LOOKS: u64 = 60_000;
/// Moves of one partition, all tries together.
const MOVES: usize = 24_000;
/// Atoms times lanes above which there is no timetable: a list schedule looks at every lane for every atom.
const CELLS_MAX: usize = 400_000;
/// The shortest atom, in seconds: what takes no time has no place in a timetable.
const SHORTEST_S: f64 = 1e-6;

/// Clusters atoms by a timetable: list schedules and a tabu search over so many equal lanes, then neighbours on a lane are
/// merged while the run, a start for every shard counted, stays within 1.05 times the best seen.
///
/// ```text
///   lane 0 │ a │ b │ c │ d │          │   a b   │  c d  │
///   lane 1 │   e   │   f   │    ─►    │    e    │   f   │      where `c` waits for `e`
/// ```
///
/// Shards run one after the other on their lanes, so they form no cycle.
///
/// # Complexity
///
/// O(edges + atoms · (log atoms + lanes)) for a list schedule, and a fixed number of steps for the search.
#[must_use]
pub fn cluster_by_timetable(atoms: &Atoms, rules: &Rules<'_>, lanes: u32) -> Clustering {
    let work_s = seconds(atoms, rules);
    let network = Network {
        speeds: vec![1.0; affordable(lanes, work_s.len())],
        bytes_per_s: TRANSFER_BYTES_PER_MS * 1000.0,
    };
    let instance = Instance {
        graph: &atoms.graph,
        order: &atoms.order,
        work_s: &work_s,
        network: &network,
    };
    let mut budget = Steps(STEPS);
    let first = best_list(&instance, &mut budget);
    let evenly_s = work_s.iter().sum::<f64>() / network.speeds.len() as f64;
    let bound_s = critical_path(&atoms.graph, &atoms.order, &work_s).max(evenly_s);
    let table = search(&instance, &first, bound_s, &mut budget);
    let found = clusters(&instance, &table, SHARD_MS / 1000.0, LOOKS);
    let mut sequence = atoms.order.clone();
    // Stable: whoever waits for another starts later.
    sequence.sort_by(|&a, &b| {
        let start = |atom: u32| table.start_s[atom as usize];
        start(a).total_cmp(&start(b))
    });
    cut_by_rules(atoms, rules, (&found.of, &[]), &sequence)
}

/// Clusters atoms by an acyclic partition into so many parts of about equal work, as few bytes as possible between them.
///
/// # Complexity
///
/// O(atoms + edges) for each level of the hierarchy, and a fixed number of moves.
#[must_use]
pub fn cluster_by_parts(atoms: &Atoms, rules: &Rules<'_>, parts: u32) -> Clustering {
    let work_s = seconds(atoms, rules);
    let parts = parts.clamp(1, work_s.len().max(1) as u32);
    let found = partition_within(&atoms.graph, &atoms.order, &work_s, parts, MOVES);
    cut_by_rules(atoms, rules, (&found.of, &[]), &atoms.order)
}

fn seconds(atoms: &Atoms, rules: &Rules<'_>) -> Vec<f64> {
    let profiles = atoms.profiles.iter();
    profiles
        .map(|profile| (rules.ms(profile) / 1000.0).max(SHORTEST_S))
        .collect()
}

/// Lanes that a timetable of so many atoms has at most.
fn affordable(lanes: u32, atoms: usize) -> usize {
    let most = (CELLS_MAX / atoms.max(1)).clamp(1, atoms.max(1));
    (lanes as usize).clamp(1, most)
}
