//! Lane clustering: a list schedule over so many lanes, each lane's consecutive work becoming shards.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::graph::upward_ranks;
use crate::place::{Profile, SHARD_MS, TRANSFER_BYTES_PER_MS};

use super::Clustering;
use super::atoms::Atoms;
use super::rules::{Apart, Rules};

/// How a lane clustering is made.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LaneRule {
    /// Lanes that the schedule may use.
    pub lanes: u32,
    /// The run is to end within so many times the lower bound; more lets more work share a shard.
    pub slack: f64,
}

/// Clusters atoms as a list schedule would run them.
///
/// Atoms come by upward rank. Each goes where the run stays within its horizon at the fewest shards: behind its
/// predecessors, to a shard of its level, or to the lane that is free first. A shard that another one waits for takes no more.
///
/// ```text
///   lane 0 │ a1 a2 a3 │ c1 c2 │         levels 1 and 3
///   lane 1 │ b1 b2 │    │ d1 │          levels 1 and 2
/// ```
///
/// Every shard has a level, above those of all shards that it waits for; an atom joins a shard only if all its predecessors are
/// in it or in shards of a lower level. So every edge between shards goes up: the quotient is acyclic, every shard convex.
///
/// # Complexity
///
/// O(edges + atoms · log lanes). After H. Topcuoglu, S. Hariri, M.-Y. Wu, IEEE TPDS 13 (2002), 260, with clusters kept.
#[must_use]
pub fn cluster_by_lanes(atoms: &Atoms, rules: &Rules<'_>, rule: LaneRule) -> Clustering {
    let ms: Vec<f64> = atoms.profiles.iter().map(|p| rules.ms(p)).collect();
    let ranks = upward_ranks(&atoms.graph, &atoms.order, &ms, SHARD_MS);
    let mut position = vec![0_u32; atoms.order.len()];
    for (at, &atom) in atoms.order.iter().enumerate() {
        position[atom as usize] = at as u32;
    }
    let mut sequence = atoms.order.clone();
    sequence.sort_by(|&a, &b| {
        ranks[b as usize]
            .total_cmp(&ranks[a as usize])
            .then(position[a as usize].cmp(&position[b as usize]))
    });
    let longest = ranks.iter().copied().fold(0.0, f64::max) + SHARD_MS;
    let evenly = ms.iter().sum::<f64>() / f64::from(rule.lanes.max(1)) + SHARD_MS;
    let mut lanes = Lanes::new(atoms, rules, rule.lanes.max(1));
    let horizon = longest.max(evenly) * rule.slack;
    for &atom in &sequence {
        let due = horizon - (ranks[atom as usize] - ms[atom as usize]);
        lanes.place(atom, ms[atom as usize], due);
    }
    Clustering {
        of: lanes.of,
        profiles: lanes.shards.into_iter().map(|s| s.profile).collect(),
    }
}

struct Shard {
    profile: Profile,
    level: u32,
    lane: u32,
    start_ms: f64,
    end_ms: f64,
    due_ms: f64,
    bytes: u64,
    awaited: bool,
}

struct Lanes<'a> {
    atoms: &'a Atoms,
    rules: &'a Rules<'a>,
    /// Shard of each atom placed so far.
    of: Vec<u32>,
    /// Tasks, and milliseconds, from the start of its shard to the end of each atom.
    ends: Vec<(u32, f64)>,
    shards: Vec<Shard>,
    /// Last shard of each lane.
    last: Vec<u32>,
    /// Lanes by the end of their last shard, in whole microseconds; entries of former ends are skipped.
    free: BinaryHeap<Reverse<(u64, u32)>>,
    /// The shard of each level that took an atom last.
    recent: Vec<u32>,
    apart: Apart,
}

const NONE: u32 = u32::MAX;

/// What is known of an atom's predecessors.
struct Before {
    ready_ms: f64,
    level: u32,
    bytes: u64,
    latest: u32,
}

struct Fit {
    shard: u32,
    profile: Profile,
    start_ms: f64,
    end_ms: f64,
    due_ms: f64,
    bytes: u64,
    late_ms: f64,
    end_of_atom: (u32, f64),
}

impl<'a> Lanes<'a> {
    fn new(atoms: &'a Atoms, rules: &'a Rules<'a>, lanes: u32) -> Self {
        let count = atoms.profiles.len();
        let lanes = lanes.min(count as u32);
        Self {
            atoms,
            rules,
            of: vec![NONE; count],
            ends: vec![(0, 0.0); count],
            shards: Vec::new(),
            last: vec![NONE; lanes as usize],
            free: (0..lanes).map(|lane| Reverse((0, lane))).collect(),
            recent: Vec::new(),
            apart: Apart::default(),
        }
    }

    fn place(&mut self, atom: u32, ms: f64, due_ms: f64) {
        let before = self.before(atom);
        let (free_ms, lane) = self.earliest_lane();
        let start_ms = free_ms.max(before.ready_ms);
        let end_ms = start_ms + SHARD_MS + ms + before.bytes as f64 / TRANSFER_BYTES_PER_MS;
        let late_ms = (end_ms - due_ms).max(0.0);
        let recent = self
            .recent
            .get(before.level as usize)
            .copied()
            .unwrap_or(NONE);
        let mut best: Option<Fit> = None;
        for shard in [before.latest, recent, self.last[lane as usize]] {
            if shard == NONE || best.as_ref().is_some_and(|b| b.shard == shard) {
                continue;
            }
            let Some(fit) = self.fit(atom, shard, due_ms) else {
                continue;
            };
            let bearable = fit.late_ms <= late_ms.max(self.late_ms(shard)) + 1e-6;
            if bearable
                && best
                    .as_ref()
                    .is_none_or(|b| (fit.late_ms, fit.end_ms) < (b.late_ms, b.end_ms))
            {
                best = Some(fit);
            }
        }
        match best {
            Some(fit) => self.append(atom, fit),
            None => self.open(atom, lane, start_ms, end_ms, due_ms, &before),
        }
        let mine = self.of[atom as usize];
        for &predecessor in self.atoms.graph.predecessors(atom) {
            let theirs = self.of[predecessor as usize];
            if theirs != mine {
                self.shards[theirs as usize].awaited = true;
            }
        }
        let level = self.shards[mine as usize].level as usize - 1;
        if self.recent.len() <= level {
            self.recent.resize(level + 1, NONE);
        }
        self.recent[level] = mine;
    }

    fn late_ms(&self, shard: u32) -> f64 {
        let shard = &self.shards[shard as usize];
        (shard.end_ms - shard.due_ms).max(0.0)
    }

    fn before(&self, atom: u32) -> Before {
        let mut before = Before {
            ready_ms: 0.0,
            level: 0,
            bytes: 0,
            latest: NONE,
        };
        for (predecessor, bytes) in self.atoms.graph.incoming_bytes(atom) {
            let at = self.of[predecessor as usize];
            let shard = &self.shards[at as usize];
            before.level = before.level.max(shard.level);
            before.bytes = before.bytes.saturating_add(bytes);
            if before.latest == NONE || shard.end_ms > before.ready_ms {
                before.latest = at;
                before.ready_ms = shard.end_ms;
            }
        }
        before
    }

    fn earliest_lane(&mut self) -> (f64, u32) {
        while let Some(&Reverse((end_us, lane))) = self.free.peek() {
            let last = self.last[lane as usize];
            let now_us = if last == NONE {
                0
            } else {
                micros(self.shards[last as usize].end_ms)
            };
            if now_us == end_us {
                let ms = if last == NONE {
                    0.0
                } else {
                    self.shards[last as usize].end_ms
                };
                return (ms, lane);
            }
            self.free.pop();
        }
        (0.0, 0)
    }

    /// How the shard would be with the atom in it; `None` when it may not take it.
    fn fit(&self, atom: u32, shard: u32, due_ms: f64) -> Option<Fit> {
        let open = &self.shards[shard as usize];
        if open.awaited || self.atoms.apart.clash(atom, &self.apart, shard) {
            return None;
        }
        let (mut depth, mut chain_ms, mut start_ms, mut bytes) =
            (0, 0.0_f64, open.start_ms, open.bytes);
        for (predecessor, moved) in self.atoms.graph.incoming_bytes(atom) {
            let at = self.of[predecessor as usize];
            if at == shard {
                let (tasks, ms) = self.ends[predecessor as usize];
                depth = depth.max(tasks);
                chain_ms = chain_ms.max(ms);
            } else {
                let other = &self.shards[at as usize];
                if other.level >= open.level {
                    return None;
                }
                start_ms = start_ms.max(other.end_ms);
                bytes = bytes.saturating_add(moved);
            }
        }
        let one = &self.atoms.profiles[atom as usize];
        let profile = self.rules.joined(&open.profile, one, depth, chain_ms)?;
        let end_ms =
            start_ms + SHARD_MS + self.rules.ms(&profile) + bytes as f64 / TRANSFER_BYTES_PER_MS;
        let due_ms = open.due_ms.min(due_ms);
        Some(Fit {
            shard,
            profile,
            start_ms,
            end_ms,
            due_ms,
            bytes,
            late_ms: (end_ms - due_ms).max(0.0),
            end_of_atom: (depth + one.depth, chain_ms + one.chain_ms),
        })
    }

    fn append(&mut self, atom: u32, fit: Fit) {
        let shard = &mut self.shards[fit.shard as usize];
        shard.profile = fit.profile;
        shard.start_ms = fit.start_ms;
        shard.end_ms = fit.end_ms;
        shard.due_ms = fit.due_ms;
        shard.bytes = fit.bytes;
        let lane = shard.lane;
        self.of[atom as usize] = fit.shard;
        self.ends[atom as usize] = fit.end_of_atom;
        self.apart.absorb(fit.shard, &self.atoms.apart, atom);
        if self.last[lane as usize] == fit.shard {
            self.free.push(Reverse((micros(fit.end_ms), lane)));
        }
    }

    fn open(
        &mut self,
        atom: u32,
        lane: u32,
        start_ms: f64,
        end_ms: f64,
        due_ms: f64,
        before: &Before,
    ) {
        let shard = self.shards.len() as u32;
        let profile = self.atoms.profiles[atom as usize];
        self.shards.push(Shard {
            profile,
            level: before.level + 1,
            lane,
            start_ms,
            end_ms,
            due_ms,
            bytes: before.bytes,
            awaited: false,
        });
        self.of[atom as usize] = shard;
        self.ends[atom as usize] = (profile.depth, profile.chain_ms);
        self.apart.absorb(shard, &self.atoms.apart, atom);
        self.last[lane as usize] = shard;
        self.free.push(Reverse((micros(end_ms), lane)));
    }
}

fn micros(ms: f64) -> u64 {
    (ms * 1000.0) as u64
}
