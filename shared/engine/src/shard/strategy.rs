//! The strategies that compete: each turns atoms into shards.

use std::fmt;

use super::atoms::Atoms;
use super::chains::fuse_chains;
use super::lanes::{LaneRule, cluster_by_lanes};
use super::rules::Rules;

/// One way to make shards.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Strategy {
    /// A shard for each task, but what an annotation keeps together.
    Single,
    /// A shard for each chain.
    Chains,
    /// A list schedule over lanes, each lane's consecutive work becoming shards.
    Lanes(LaneRule),
}

impl Strategy {
    /// The shards that it makes: atoms coarsened so far that each is one shard.
    #[must_use]
    pub fn shards(self, annotated: &Atoms, chains: &Atoms, rules: &Rules<'_>) -> Atoms {
        match self {
            Self::Single => annotated.clone(),
            Self::Chains => chains.clone(),
            Self::Lanes(rule) => {
                let shards = chains.coarser(cluster_by_lanes(chains, rules, rule));
                let fused = fuse_chains(
                    &shards.graph,
                    &shards.order,
                    &shards.profiles,
                    &shards.apart,
                    rules,
                );
                if fused.profiles.len() == shards.profiles.len() {
                    shards
                } else {
                    shards.coarser(fused)
                }
            }
        }
    }
}

impl fmt::Display for Strategy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Single => f.write_str("one task a shard"),
            Self::Chains => f.write_str("one chain a shard"),
            Self::Lanes(rule) if rule.slack.is_infinite() => f.write_str("as few shards as fit"),
            Self::Lanes(rule) => write!(
                f,
                "list schedule over {} lanes, horizon {:.2}",
                rule.lanes, rule.slack
            ),
        }
    }
}
