//! The strategies that compete: each turns atoms into shards.

use std::fmt;

use super::Demand;
use super::atoms::Atoms;
use super::bands::{cluster_alike, cluster_by_bands};
use super::chains::fuse_chains;
use super::lanes::{LaneRule, cluster_by_lanes};
use super::rules::Rules;
use super::sequence::cut_sequence;
use super::timed::{cluster_by_parts, cluster_by_timetable};

/// One way to make shards.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Strategy {
    /// A shard for each task, but what an annotation keeps together.
    Single,
    /// A shard for each chain.
    Chains,
    /// As few shards as fit: one topological order, cut where a rule asks for it.
    Sequence,
    /// Bands of levels, their independent pieces packed into so many shards.
    Bands(u32),
    /// A list schedule over lanes, each lane's consecutive work becoming shards.
    Lanes(LaneRule),
    /// Bands of levels over so many lanes, each running so many tasks at once: what takes about as long shares a shard.
    Alike(u32, u32),
    /// A timetable over so many lanes, searched for; what a lane runs in sequence becomes shards.
    Timetable(u32),
    /// Parts of about equal work, as few bytes as possible between them.
    Parts(u32),
}

impl Strategy {
    /// The shards that it makes: atoms coarsened so far that each is one shard.
    #[must_use]
    pub fn shards(self, demand: &Demand, chains: &Atoms, rules: &Rules<'_>) -> Atoms {
        match self {
            Self::Single => Atoms::of_annotations(demand, rules),
            Self::Chains => chains.clone(),
            Self::Sequence => chains.coarser(cut_sequence(chains, rules)),
            Self::Bands(lanes) => fused(
                chains.coarser(cluster_by_bands(chains, rules, lanes)),
                rules,
            ),
            Self::Lanes(rule) => {
                fused(chains.coarser(cluster_by_lanes(chains, rules, rule)), rules)
            }
            Self::Alike(lanes, threads) => fused(
                chains.coarser(cluster_alike(chains, rules, lanes, threads)),
                rules,
            ),
            Self::Timetable(lanes) => fused(
                chains.coarser(cluster_by_timetable(chains, rules, lanes)),
                rules,
            ),
            Self::Parts(parts) => fused(
                chains.coarser(cluster_by_parts(chains, rules, parts)),
                rules,
            ),
        }
    }
}

/// Shards in single file become one: that saves a shard and delays nobody.
fn fused(shards: Atoms, rules: &Rules<'_>) -> Atoms {
    let (graph, order) = (&shards.graph, &shards.order);
    let fused = fuse_chains(graph, order, &shards.profiles, &shards.apart, rules);
    if fused.profiles.len() == shards.profiles.len() {
        shards
    } else {
        shards.coarser(fused)
    }
}

impl fmt::Display for Strategy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Single => f.write_str("one task a shard"),
            Self::Chains => f.write_str("one chain a shard"),
            Self::Sequence => f.write_str("as few shards as fit"),
            Self::Bands(lanes) => write!(f, "bands of levels over {lanes} lanes"),
            Self::Lanes(rule) => write!(
                f,
                "list schedule over {} lanes, horizon {:.2}",
                rule.lanes, rule.slack
            ),
            Self::Alike(lanes, threads) => {
                write!(f, "bands of levels over {lanes} lanes of {threads} tasks")
            }
            Self::Timetable(lanes) => write!(f, "timetable over {lanes} lanes"),
            Self::Parts(parts) => write!(f, "{parts} parts that cut few bytes"),
        }
    }
}
