//! The annotation `affinity.together`: its groups become atoms, with whatever lies on a path between their members.

use std::collections::{BTreeMap, BTreeSet};

use crate::place::Profile;

use super::rules::{Apart, Rules};
use super::{Clustering, Demand};

/// Visits that closing all groups may take, for each node and edge of the graph; groups beyond it are not honoured.
const VISITS: usize = 20;

/// The groups that could be kept together, and those that could not.
#[derive(Debug, Clone)]
pub struct Grouped {
    /// The atom of each task.
    pub clustering: Clustering,
    /// Groups that were torn: a position in [`Demand::together`].
    pub torn: Vec<usize>,
}

/// Makes an atom of every group that the rules allow, one group after the other.
///
/// A group is closed first: what lies on a path from one member to another belongs to it, else the quotient would have a
/// cycle. Groups that have been made atoms count as one node from then on.
///
/// # Complexity
///
/// O(nodes + edges) a group, at most 20 times that for all.
#[must_use]
pub fn keep_together(demand: &Demand, rules: &Rules<'_>) -> Grouped {
    let mut groups = Groups {
        demand,
        group_of: BTreeMap::new(),
        members: Vec::new(),
        visits: VISITS * (demand.loads.len() + demand.graph.edge_count() + 64),
    };
    let mut torn = Vec::new();
    for (at, wanted) in demand.together.iter().enumerate() {
        match groups.closure(wanted) {
            Some(tasks) if groups.allowed(&tasks, rules) => groups.add(tasks),
            _ => torn.push(at),
        }
    }
    Grouped {
        clustering: groups.clustering(rules),
        torn,
    }
}

struct Groups<'a> {
    demand: &'a Demand,
    group_of: BTreeMap<u32, usize>,
    members: Vec<Vec<u32>>,
    visits: usize,
}

impl Groups<'_> {
    /// All tasks that must be in one atom with `wanted`, in topological order; `None` when that takes too long.
    fn closure(&mut self, wanted: &[u32]) -> Option<Vec<u32>> {
        let below = self.reached(wanted, true)?;
        let above = self.reached(wanted, false)?;
        let tasks: BTreeSet<u32> = below.intersection(&above).copied().collect();
        let mut tasks: Vec<u32> = tasks.into_iter().collect();
        tasks.sort_by_key(|&task| self.demand.position[task as usize]);
        Some(tasks)
    }

    /// Tasks that can be reached from `wanted`, those included, through whole groups.
    fn reached(&mut self, wanted: &[u32], forward: bool) -> Option<BTreeSet<u32>> {
        let mut seen = BTreeSet::new();
        let mut next: Vec<u32> = wanted.to_vec();
        while let Some(task) = next.pop() {
            if !seen.insert(task) {
                continue;
            }
            let neighbours = if forward {
                self.demand.graph.successors(task)
            } else {
                self.demand.graph.predecessors(task)
            };
            self.visits = self.visits.checked_sub(1 + neighbours.len())?;
            next.extend(neighbours);
            if let Some(&group) = self.group_of.get(&task) {
                next.extend(self.members[group].iter().filter(|t| !seen.contains(t)));
            }
        }
        Some(seen)
    }

    fn allowed(&self, tasks: &[u32], rules: &Rules<'_>) -> bool {
        let demand = self.demand;
        let class = demand.loads[tasks[0] as usize].class;
        let inside: BTreeSet<u32> = tasks.iter().copied().collect();
        let mut apart = Apart::default();
        for &task in tasks {
            let load = &demand.loads[task as usize];
            let followed = demand
                .graph
                .successors(task)
                .iter()
                .any(|s| inside.contains(s));
            if load.class != class || (load.ends && followed) || demand.apart.clash(task, &apart, 0)
            {
                return false;
            }
            apart.absorb(0, &demand.apart, task);
        }
        rules.settled(self.profile(tasks)).is_some()
    }

    fn profile(&self, tasks: &[u32]) -> Profile {
        let demand = self.demand;
        let mut ends: BTreeMap<u32, (u32, f64)> = BTreeMap::new();
        let mut whole: Option<Profile> = None;
        for &task in tasks {
            let one = Profile::of(&demand.loads[task as usize]);
            let (depth, chain_ms) = demand
                .graph
                .predecessors(task)
                .iter()
                .filter_map(|p| ends.get(p))
                .fold((0, 0.0_f64), |(d, c), &(depth, ms)| {
                    (d.max(depth), c.max(ms))
                });
            ends.insert(task, (depth + 1, chain_ms + one.chain_ms));
            whole = Some(match whole {
                None => one,
                Some(before) => before.joined(&one, depth, chain_ms),
            });
        }
        whole.unwrap_or_else(|| Profile::of(&demand.loads[tasks[0] as usize]))
    }

    fn add(&mut self, tasks: Vec<u32>) {
        let group = self.members.len();
        for &task in &tasks {
            if let Some(swallowed) = self.group_of.insert(task, group) {
                self.members[swallowed].clear();
            }
        }
        self.members.push(tasks);
    }

    fn clustering(&self, rules: &Rules<'_>) -> Clustering {
        let tasks = self.demand.loads.len();
        let mut of = vec![0_u32; tasks];
        let mut profiles = Vec::with_capacity(tasks);
        let mut atom_of: BTreeMap<usize, u32> = BTreeMap::new();
        for task in 0..tasks as u32 {
            let atom = match self.group_of.get(&task) {
                Some(&group) => *atom_of.entry(group).or_insert_with(|| {
                    let whole = self.profile(&self.members[group]);
                    profiles.push(rules.settled(whole).unwrap_or(whole));
                    profiles.len() as u32 - 1
                }),
                None => {
                    profiles.push(Profile::of(&self.demand.loads[task as usize]));
                    profiles.len() as u32 - 1
                }
            };
            of[task as usize] = atom;
        }
        Clustering { of, profiles }
    }
}
