//! Sharding: which tasks share a shard, by several strategies, judged by one fast estimate.
//!
//! Every strategy works on atoms ([`Atoms`]) and answers a [`Clustering`]; [`choose()`] judges them all and keeps the best.

mod atoms;
mod bands;
mod chains;
mod changes;
mod choose;
mod climb;
mod constants;
mod contract;
mod growing;
mod lanes;
mod market;
mod measure;
mod packed;
mod polish;
mod rules;
mod search;
mod sequence;
mod strategy;
mod tiers;
mod timed;
mod together;
mod trial;
mod wide;
mod yardstick;

use std::sync::Arc;

use crate::graph::Csr;
use crate::place::{Ladder, Load, Lying, Profile};

pub use atoms::Atoms;
pub use choose::{Chosen, Tried, choose, tried};
pub use constants::Constants;
pub use contract::{Members, contract};
pub use lanes::LaneRule;
pub use market::{Market, PARTITIONS_MAX, Quota};
pub use measure::Judged;
pub use rules::{Apart, Rules};
pub use strategy::Strategy;
pub use tiers::Tiers;
pub use trial::{Compared, Placed, counted};

#[cfg(test)]
mod tests;
#[cfg(test)]
pub(crate) use tests::shaped;

/// The workflow as the planner sees it: scaled loads on a graph without a cycle.
#[derive(Debug, Clone, Default)]
pub struct Demand {
    /// Who follows whom, with scaled bytes.
    pub graph: Arc<Csr>,
    /// A topological order of it.
    pub order: Vec<u32>,
    /// Position of each task in that order.
    pub position: Vec<u32>,
    /// The tasks by upward rank: the order in which the tasks of a shard are executed.
    pub sequence: Vec<u32>,
    /// What each task asks of a target.
    pub loads: Vec<Load>,
    /// Tiers by class of requirements.
    pub ladders: Vec<Ladder>,
    /// Groups of `affinity.together`, each of at least two tasks.
    pub together: Vec<Vec<u32>>,
    /// Tasks with `affinity.apart`.
    pub apart: Apart,
    /// Data that tasks read from elsewhere, by task; empty where no outlook tells where it lies.
    pub lying: Vec<Lying>,
    /// Tasks of which no duration is known.
    pub unknown: u32,
}

/// Which cluster each node belongs to, and what each cluster asks of a target.
#[derive(Debug, Clone, PartialEq)]
pub struct Clustering {
    /// Cluster of each node.
    pub of: Vec<u32>,
    /// The clusters, dense.
    pub profiles: Vec<Profile>,
}
