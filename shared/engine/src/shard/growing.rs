//! Shards that grow atom by atom: what every strategy that goes through a topological order puts its atoms with.

use crate::place::Profile;

use super::Clustering;
use super::atoms::Atoms;
use super::rules::{Apart, Rules};

/// No shard yet.
pub const NONE: u32 = u32::MAX;

/// Shards so far.
pub struct Growing<'a> {
    atoms: &'a Atoms,
    rules: &'a Rules<'a>,
    of: Vec<u32>,
    /// Tasks, and milliseconds, from the start of its shard to the end of each atom.
    ends: Vec<(u32, f64)>,
    shards: Vec<Profile>,
    /// For each shard the smallest tier that holds every one of its atoms alone, and the threads that are wanted.
    wanted: Vec<(usize, u32)>,
    apart: Apart,
}

impl<'a> Growing<'a> {
    /// No shard, and every atom still to be put.
    pub fn new(atoms: &'a Atoms, rules: &'a Rules<'a>) -> Self {
        let count = atoms.profiles.len();
        Self {
            atoms,
            rules,
            of: vec![NONE; count],
            ends: vec![(0, 0.0); count],
            shards: Vec::new(),
            wanted: Vec::new(),
            apart: Apart::default(),
        }
    }

    /// Puts an atom into the shard, or into a new one where that is [`NONE`] or a rule forbids it; answers which.
    ///
    /// Atoms come in topological order, and a shard that is left takes no more: pieces of what forms no cycle form none.
    pub fn put(&mut self, atom: u32, shard: u32) -> u32 {
        self.put_on(atom, shard, 1)
    }

    /// The same, a new shard getting a tier with so many threads, if its tasks turn out to use them.
    pub fn put_on(&mut self, atom: u32, shard: u32, threads: u32) -> u32 {
        let one = &self.atoms.profiles[atom as usize];
        let (depth, chain_ms) = self
            .atoms
            .graph
            .predecessors(atom)
            .iter()
            .filter(|&&p| self.of[p as usize] == shard && shard != NONE)
            .map(|&p| self.ends[p as usize])
            .fold((0, 0.0_f64), |(d, c), (depth, ms)| {
                (d.max(depth), c.max(ms))
            });
        let joined = self
            .shards
            .get(shard as usize)
            .filter(|_| !self.atoms.apart.clash(atom, &self.apart, shard))
            .and_then(|open| self.rules.joined(open, one, depth, chain_ms));
        let shard = if let Some(both) = joined {
            self.shards[shard as usize] = both;
            let least = &mut self.wanted[shard as usize].0;
            *least = one.rung.max(*least);
            self.ends[atom as usize] = (depth + one.depth, chain_ms + one.chain_ms);
            shard
        } else {
            self.shards
                .push(with_threads(one, one.rung, threads, self.rules));
            self.wanted.push((one.rung, threads));
            self.ends[atom as usize] = (one.depth, one.chain_ms);
            self.shards.len() as u32 - 1
        };
        self.apart.absorb(shard, &self.atoms.apart, atom);
        self.of[atom as usize] = shard;
        shard
    }

    /// The shards, once every atom is in one.
    pub fn clustering(self) -> Clustering {
        let rules = self.rules;
        let shards = self.shards.into_iter().zip(self.wanted);
        let settled = shards.map(|(profile, (least, threads))| {
            if threads < 2 {
                return profile;
            }
            let threads = threads.min(profile.width());
            let on = |threads| rules.settled(with_threads(&profile, least, threads, rules));
            match (on(threads), on(1)) {
                // More threads that make it no shorter would only cost more.
                (Some(large), Some(small)) if rules.ms(&large) < rules.ms(&small) => large,
                (_, Some(small)) => small,
                (large, None) => large.unwrap_or(profile),
            }
        });
        Clustering {
            profiles: settled.collect(),
            of: self.of,
        }
    }
}

/// The set on the smallest tier from `least` on that has so many threads, or on the largest.
fn with_threads(profile: &Profile, least: usize, threads: u32, rules: &Rules<'_>) -> Profile {
    let rungs = rules.ladders[profile.class as usize].rungs();
    let enough = rungs.iter().position(|rung| rung.threads >= threads);
    let enough = enough.unwrap_or(rungs.len().saturating_sub(1));
    Profile {
        rung: enough.max(least),
        ..*profile
    }
}

/// Cuts clusters that know no rules into shards that keep them: each takes what comes next of its cluster until a rule
/// forbids it.
///
/// `threads` says by cluster how many tasks are to run at once; beyond its end, one. `sequence` is a topological order, and the
/// clusters form no cycle; nor do the shards then.
///
/// # Complexity
///
/// O(atoms + edges).
#[must_use]
pub fn cut_by_rules(
    atoms: &Atoms,
    rules: &Rules<'_>,
    (of, threads): (&[u32], &[u32]),
    sequence: &[u32],
) -> Clustering {
    let clusters = of.iter().max().map_or(0, |last| last + 1);
    let mut open = vec![NONE; clusters as usize];
    let mut growing = Growing::new(atoms, rules);
    for &atom in sequence {
        let cluster = of[atom as usize] as usize;
        let threads = threads.get(cluster).copied().unwrap_or(1);
        open[cluster] = growing.put_on(atom, open[cluster], threads);
    }
    growing.clustering()
}
