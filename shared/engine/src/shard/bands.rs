//! Band clustering: consecutive levels together as long as they fall apart into enough independent pieces.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::ops::Range;

use crate::graph::levels;
use crate::place::SHARD_MS;

use super::Clustering;
use super::atoms::Atoms;
use super::growing::{Growing, NONE};
use super::rules::Rules;

/// Clusters atoms by bands of levels.
///
/// A band grows by the next level while so many lanes finish it no later than two bands one after the other. What is
/// connected within a band is a piece; pieces are packed, longest first, into as many shards as there are lanes.
///
/// ```text
///   levels 0 1 2 │ 3 │ 4         a ──► b ──► c ──┐      ┌──► f
///                                                ├──► e ┤             two shards, one, two
///                                a' ─► b' ─► c' ─┘      └──► f'
/// ```
///
/// Edges stay within a piece or lead to a later band, so the quotient is acyclic whatever is packed together.
///
/// # Complexity
///
/// O(edges · α(atoms) + atoms · log atoms).
#[must_use]
pub fn cluster_by_bands(atoms: &Atoms, rules: &Rules<'_>, lanes: u32) -> Clustering {
    cluster(atoms, rules, lanes, 1)
}

/// The same for shards that run so many tasks at once: pieces that take about as long share a shard, so that no thread waits
/// long for another.
///
/// ```text
///   9 9 8 8 │ 5 5 5 4 │ 2 2 1 1          two threads: 9 8, 9 8 │ 5 4, 5 5 │ 2 1, 2 1
/// ```
#[must_use]
pub fn cluster_alike(atoms: &Atoms, rules: &Rules<'_>, lanes: u32, threads: u32) -> Clustering {
    cluster(atoms, rules, lanes, threads.max(1))
}

fn cluster(atoms: &Atoms, rules: &Rules<'_>, lanes: u32, threads: u32) -> Clustering {
    let levels = levels(&atoms.graph, &atoms.order);
    let ms: Vec<f64> = atoms.profiles.iter().map(|p| rules.ms(p)).collect();
    let mut starts: Vec<usize> = vec![0];
    let mut by_level: Vec<u32> = (0..levels.len() as u32).collect();
    by_level.sort_by_key(|&atom| levels[atom as usize]);
    for (at, pair) in by_level.windows(2).enumerate() {
        if levels[pair[0] as usize] != levels[pair[1] as usize] {
            starts.push(at + 1);
        }
    }
    starts.push(by_level.len());
    let mut pieces = Pieces {
        atoms,
        levels: &levels,
        ms: &ms,
        parent: (0..levels.len() as u32).collect(),
        sum_ms: ms.clone(),
    };
    let mut packer = Packer {
        shards: Growing::new(atoms, rules),
        lanes: lanes.max(1) as usize,
        threads,
    };
    let side_by_side = f64::from(lanes.max(1)) * f64::from(threads);
    for band in bands(&starts, &by_level, &mut pieces, side_by_side) {
        let inside = &by_level[starts[band.start]..starts[band.end]];
        pieces.join(inside, band.start as u32);
        packer.pack(inside, &mut pieces);
    }
    packer.shards.clustering()
}

/// The bands as ranges of levels.
fn bands(
    starts: &[usize],
    by_level: &[u32],
    pieces: &mut Pieces<'_>,
    lanes: f64,
) -> Vec<Range<usize>> {
    let time = |total: f64, longest: f64| SHARD_MS + longest.max(total / lanes);
    let mut bands = Vec::new();
    let (mut first, mut total, mut longest) = (0, 0.0, 0.0_f64);
    for level in 0..starts.len() - 1 {
        let nodes = &by_level[starts[level]..starts[level + 1]];
        let alone = nodes.iter().map(|&v| pieces.ms[v as usize]);
        let (alone_total, alone_longest) = (alone.clone().sum::<f64>(), alone.fold(0.0, f64::max));
        let grown = pieces.join(nodes, first as u32).max(longest);
        let one_by_one = time(total, longest) + time(alone_total, alone_longest);
        if level > first && time(total + alone_total, grown) > one_by_one {
            bands.push(first..level);
            (first, total, longest) = (level, alone_total, alone_longest);
            pieces.reset(nodes);
        } else {
            total += alone_total;
            longest = grown;
        }
    }
    bands.push(first..starts.len() - 1);
    pieces.reset(by_level);
    bands
}

/// What is connected within a band: a union-find forest.
struct Pieces<'a> {
    atoms: &'a Atoms,
    levels: &'a [u32],
    ms: &'a [f64],
    parent: Vec<u32>,
    sum_ms: Vec<f64>,
}

impl Pieces<'_> {
    fn root(&mut self, mut node: u32) -> u32 {
        while self.parent[node as usize] != node {
            let above = self.parent[self.parent[node as usize] as usize];
            self.parent[node as usize] = above;
            node = above;
        }
        node
    }

    /// Joins nodes with their predecessors from level `first` on; answers the longest piece that they are in.
    fn join(&mut self, nodes: &[u32], first: u32) -> f64 {
        let mut longest = 0.0_f64;
        for &node in nodes {
            let mut root = self.root(node);
            for &predecessor in self.atoms.graph.predecessors(node) {
                if self.levels[predecessor as usize] < first {
                    continue;
                }
                let other = self.root(predecessor);
                if other != root {
                    let (low, high) = (root.min(other), root.max(other));
                    self.parent[high as usize] = low;
                    self.sum_ms[low as usize] += self.sum_ms[high as usize];
                    root = low;
                }
            }
            longest = longest.max(self.sum_ms[root as usize]);
        }
        longest
    }

    fn reset(&mut self, nodes: &[u32]) {
        for &node in nodes {
            self.parent[node as usize] = node;
            self.sum_ms[node as usize] = self.ms[node as usize];
        }
    }
}

/// Packs the pieces of one band after the other.
struct Packer<'a> {
    shards: Growing<'a>,
    lanes: usize,
    threads: u32,
}

impl Packer<'_> {
    /// Pieces longest first, each to the shard of the band that is shortest so far.
    fn pack(&mut self, inside: &[u32], pieces: &mut Pieces<'_>) {
        let mut members: Vec<(u32, u32)> = inside.iter().map(|&v| (pieces.root(v), v)).collect();
        // Stable: within a piece the atoms stay in the order of their levels.
        members.sort_by_key(|&(root, _)| root);
        let mut groups: Vec<&[(u32, u32)]> = members.chunk_by(|a, b| a.0 == b.0).collect();
        groups.sort_by(|a, b| {
            let ms = |group: &[(u32, u32)]| pieces.sum_ms[group[0].0 as usize];
            ms(b).total_cmp(&ms(a)).then(a[0].0.cmp(&b[0].0))
        });
        if self.threads > 1 {
            self.pack_alike(&groups, pieces);
            return;
        }
        let mut bins: BinaryHeap<Reverse<(u64, usize)>> = (0..self.lanes.min(groups.len()))
            .map(|bin| Reverse((0, bin)))
            .collect();
        let mut shard_of = vec![NONE; bins.len()];
        for group in groups {
            let Some(Reverse((filled, bin))) = bins.pop() else {
                break;
            };
            for &(_, atom) in group {
                shard_of[bin] = self.shards.put(atom, shard_of[bin]);
            }
            let us = (pieces.sum_ms[group[0].0 as usize] * 1000.0) as u64;
            bins.push(Reverse((filled + us.max(1), bin)));
        }
    }

    /// Pieces longest first, as many in a row to each shard as make an equal share, in rounds of as many as there are threads.
    fn pack_alike(&mut self, groups: &[&[(u32, u32)]], pieces: &Pieces<'_>) {
        let ms = |group: &[(u32, u32)]| pieces.sum_ms[group[0].0 as usize];
        let threads = self.threads as usize;
        let shards = self.lanes.min(groups.len().div_ceil(threads));
        let share_ms = groups.iter().map(|group| ms(group)).sum::<f64>() / shards.max(1) as f64;
        let (mut shard, mut filled_ms, mut count) = (NONE, 0.0, 0);
        for group in groups {
            let full = filled_ms + ms(group) / 2.0 > share_ms;
            if full && (count % threads == 0 || count > ROUNDS * threads) {
                (shard, filled_ms, count) = (NONE, 0.0, 0);
            }
            for &(_, atom) in *group {
                shard = self.shards.put_on(atom, shard, self.threads);
            }
            filled_ms += ms(group);
            count += 1;
        }
    }
}

/// Rounds of threads after which a shard need not end with a whole round: one task more or less hardly shows.
const ROUNDS: usize = 4;
