//! Atoms: what every strategy keeps together, because an annotation asks for it or because cutting it never pays.

use std::sync::Arc;

use crate::graph::{Csr, topological_order};
use crate::place::Profile;

use super::chains::fuse_chains;
use super::contract::contract;
use super::rules::{Apart, Rules};
use super::together::keep_together;
use super::{Clustering, Demand};

/// A graph whose nodes are sets of tasks, ready to be clustered further.
#[derive(Debug, Clone)]
pub struct Atoms {
    /// The atom of each task.
    pub of_task: Vec<u32>,
    /// Who follows whom; the workflow's own graph where each atom is one task.
    pub graph: Arc<Csr>,
    /// A topological order of it.
    pub order: Vec<u32>,
    /// What each asks of a target.
    pub profiles: Vec<Profile>,
    /// Which may not share a shard.
    pub apart: Apart,
    /// Groups of `together` that could not be honoured: a position in [`Demand::together`].
    pub torn: Vec<usize>,
}

impl Atoms {
    /// Groups that an annotation keeps together, and every other task for itself.
    #[must_use]
    pub fn of_annotations(demand: &Demand, rules: &Rules<'_>) -> Self {
        let grouped = keep_together(demand, rules);
        let Clustering { of, profiles } = grouped.clustering;
        let (graph, order) = if profiles.len() == demand.loads.len() {
            (Arc::clone(&demand.graph), demand.order.clone())
        } else {
            let graph = contract(&demand.graph, &of, profiles.len());
            let order = topological_order(&graph).unwrap_or_default();
            (Arc::new(graph), order)
        };
        Self {
            apart: demand.apart.lifted(&of),
            of_task: of,
            graph,
            order,
            profiles,
            torn: grouped.torn,
        }
    }

    /// Chains fused: a task that only follows one other, which only it follows, never gains from a shard of its own.
    #[must_use]
    pub fn with_chains_fused(&self, rules: &Rules<'_>) -> Self {
        let fused = fuse_chains(&self.graph, &self.order, &self.profiles, &self.apart, rules);
        self.coarser(fused)
    }

    /// The atoms after a further clustering of them.
    #[must_use]
    pub fn coarser(&self, clustering: Clustering) -> Self {
        let Clustering { of, profiles } = clustering;
        let graph = contract(&self.graph, &of, profiles.len());
        let order = topological_order(&graph).unwrap_or_default();
        Self {
            of_task: self.of_task.iter().map(|&a| of[a as usize]).collect(),
            graph: Arc::new(graph),
            order,
            profiles,
            apart: self.apart.lifted(&of),
            torn: self.torn.clone(),
        }
    }
}
