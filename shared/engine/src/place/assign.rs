//! Assignment: every shard to the target where it ends first, on top of what is placed already.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::graph::Csr;

use super::ladder::{Ladder, Rung};
use super::load::{Profile, SHARD_MS, TRANSFER_BYTES_PER_MS};
use super::room::Room;
use super::schedule::Schedule;
use super::sites::Sites;

/// Bytes that no task of the workflow writes, and where they lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Lying {
    /// The task, or the shard, that reads them.
    pub reader: u32,
    /// Their region: a position in [`Sites::regions`].
    pub region: u32,
    /// How many.
    pub bytes: u64,
}

/// What is to be placed.
#[derive(Debug, Clone, Copy)]
pub struct Shards<'a> {
    /// Who follows whom, with the bytes that move; without a cycle.
    pub graph: &'a Csr,
    /// A topological order of it.
    pub order: &'a [u32],
    /// What each shard asks of a target.
    pub profiles: &'a [Profile],
    /// Tiers by class of requirements.
    pub ladders: &'a [Ladder],
    /// Data from elsewhere, by reader.
    pub lying: &'a [Lying],
    /// Most lanes.
    pub lanes: u32,
    /// Where they can run.
    pub sites: &'a Sites<'a>,
}

/// How the target of a shard is chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// Where it ends first.
    Earliest,
    /// Where its end and what remains at best behind it come to least.
    LookAhead,
    /// The cheapest of those where it ends nearly first.
    Thrift,
}

/// Where and when each shard runs.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Placement {
    /// When, and on which lane.
    pub schedule: Schedule,
    /// Which of its ladder's choices each has; empty: the first, for all.
    pub choice: Vec<u8>,
    /// How long each takes there, in milliseconds.
    pub duration_ms: Vec<f64>,
    /// Dollars of the data that moves between regions.
    pub moved_usd: f64,
}

/// Share of its duration that a shard may end later where that is cheaper.
const THRIFT: f64 = 0.05;
/// Share of its duration that a shard may end later for each preferred label.
const WISH: f64 = 0.25;
/// How often run and target are asked in turns for a time that suits both, before the time after all full ones is taken.
const ROUNDS: usize = 16;

impl<'a> Shards<'a> {
    /// What a shard takes on a tier of its own region, in milliseconds.
    #[must_use]
    pub fn alone_ms(&self, shard: u32, rung: &Rung) -> f64 {
        let bytes: u64 = self.graph.incoming_bytes(shard).map(|(_, b)| b).sum();
        SHARD_MS + self.profiles[shard as usize].ms_on(rung) + bytes as f64 / TRANSFER_BYTES_PER_MS
    }

    /// The tiers that can run it, with their positions among its ladder's choices.
    pub fn choices(&self, shard: u32) -> impl Iterator<Item = (u8, &'a Rung)> {
        let profile = &self.profiles[shard as usize];
        let choices = self.ladders[profile.class as usize].choices(profile.rung);
        let choices = choices.enumerate().map(|(at, rung)| (at as u8, rung));
        choices.filter(|&(at, rung)| at == 0 || rung.holds(profile))
    }
}

/// Places the shards one after the other: of those whose predecessors are placed, the one of lowest `rank`.
///
/// Each goes into the earliest time at which run and target have a lane free for as long as it takes, gaps included. What is
/// placed takes its lane at once: the next shard sees what is left. Of equally good targets the one with the larger share of
/// its lanes free is taken.
///
/// `remaining` is what [`super::remaining_ms`] answers, for [`Rule::LookAhead`] only.
///
/// # Complexity
///
/// O(edges + shards · (log shards + choices · looks)): a search looks at a bounded number of steps.
#[must_use]
pub fn place(shards: &Shards<'_>, rank: &[u32], rule: Rule, remaining: &[f64]) -> Placement {
    let count = shards.profiles.len();
    let mut state = State::new(shards, rule, remaining);
    let mut missing: Vec<u32> = (0..count as u32)
        .map(|shard| shards.graph.predecessors(shard).len() as u32)
        .collect();
    let mut ready: BinaryHeap<Reverse<(u32, u32)>> = (0..count as u32)
        .filter(|&shard| missing[shard as usize] == 0)
        .map(|shard| Reverse((rank[shard as usize], shard)))
        .collect();
    while let Some(Reverse((_, shard))) = ready.pop() {
        state.put(shard);
        for &next in shards.graph.successors(shard) {
            missing[next as usize] -= 1;
            if missing[next as usize] == 0 {
                ready.push(Reverse((rank[next as usize], next)));
            }
        }
    }
    Placement {
        schedule: Schedule::of_times(&state.start_us, &state.takes_us),
        choice: state.choice,
        duration_ms: state.duration_ms,
        moved_usd: state.moved_usd,
    }
}

struct State<'a> {
    shards: &'a Shards<'a>,
    rule: Rule,
    remaining: &'a [f64],
    /// The lanes of the run, where they are fewer than those of all yards.
    lanes: Option<Room>,
    rooms: Vec<Room>,
    start_us: Vec<u64>,
    takes_us: Vec<u64>,
    duration_ms: Vec<f64>,
    choice: Vec<u8>,
    region: Vec<u32>,
    moved_usd: f64,
    /// Bytes that the shard at hand reads, by region.
    bytes: Vec<u64>,
}

/// A shard on one target.
struct Fit {
    choice: u8,
    target: usize,
    start_us: u64,
    takes_us: u64,
    duration_ms: f64,
    /// When it ends, and what speaks against the target, in microseconds.
    score_us: u64,
    usd: f64,
    moved_usd: f64,
    /// Share of the yard's lanes that are taken when it starts.
    taken: f64,
}

impl<'a> State<'a> {
    fn new(shards: &'a Shards<'a>, rule: Rule, remaining: &'a [f64]) -> Self {
        let count = shards.profiles.len();
        let yards = &shards.sites.yards;
        let bound = shards.lanes.max(1) < shards.sites.most();
        Self {
            shards,
            rule,
            remaining,
            lanes: bound.then(|| Room::new([(0, shards.lanes.max(1))])),
            rooms: yards.iter().map(|yard| yard.room.clone()).collect(),
            start_us: vec![0; count],
            takes_us: vec![0; count],
            duration_ms: vec![0.0; count],
            choice: vec![0; count],
            region: vec![0; count],
            moved_usd: 0.0,
            bytes: vec![0; shards.sites.regions.len()],
        }
    }

    fn put(&mut self, shard: u32) {
        let ready_us = self.read(shard);
        let alone_bytes: u64 = self
            .shards
            .graph
            .incoming_bytes(shard)
            .map(|(_, b)| b)
            .sum();
        let shards = self.shards;
        let mut fits: Vec<Fit> = Vec::with_capacity(4);
        for (choice, rung) in shards.choices(shard) {
            let read_ms = alone_bytes as f64 / TRANSFER_BYTES_PER_MS;
            fits.push(self.fit(shard, choice, rung, ready_us, read_ms));
        }
        let Some(first) = fits.iter().map(|fit| fit.score_us).min() else {
            return;
        };
        let slack = |fit: &Fit| match self.rule {
            Rule::Thrift => first.saturating_add((fit.duration_ms * 1000.0 * THRIFT) as u64),
            _ => first,
        };
        let near = fits.iter().filter(|fit| fit.score_us <= slack(fit));
        let best = near.min_by(|a, b| {
            let usd = a.usd.total_cmp(&b.usd);
            usd.then(a.taken.total_cmp(&b.taken))
                .then(a.choice.cmp(&b.choice))
        });
        if let Some(best) = best {
            self.take(shard, best);
        }
    }

    /// When the last predecessor ends; leaves in `bytes` what is read from which region.
    fn read(&mut self, shard: u32) -> u64 {
        self.bytes.fill(0);
        let mut ready_us = 0;
        for (before, bytes) in self.shards.graph.incoming_bytes(shard) {
            let before = before as usize;
            ready_us = ready_us.max(self.start_us[before] + self.takes_us[before]);
            let from = &mut self.bytes[self.region[before] as usize];
            *from = from.saturating_add(bytes);
        }
        let lying = self.shards.lying;
        let first = lying.partition_point(|data| data.reader < shard);
        for data in lying[first..]
            .iter()
            .take_while(|data| data.reader == shard)
        {
            let from = &mut self.bytes[data.region as usize];
            *from = from.saturating_add(data.bytes);
        }
        ready_us
    }

    fn fit(&self, shard: u32, choice: u8, rung: &Rung, ready_us: u64, read_ms: f64) -> Fit {
        let sites = self.shards.sites;
        let profile = &self.shards.profiles[shard as usize];
        let region = sites.region_of[rung.target];
        let (mut abroad_ms, mut moved_usd) = (0.0, 0.0);
        for (from, &bytes) in self.bytes.iter().enumerate() {
            let (ms, usd) = sites.moving(from as u32, region, bytes);
            abroad_ms += ms;
            moved_usd += usd;
        }
        let duration_ms = SHARD_MS + profile.ms_on(rung) + read_ms + abroad_ms;
        let takes_us = (duration_ms * 1000.0) as u64;
        let yard = sites.yard_of[rung.target] as usize;
        let start_us = self.earliest(yard, ready_us, takes_us);
        let lost_per_ms = sites.lost_per_h[rung.target] / 3_600_000.0;
        let lost_ms = lost_per_ms * duration_ms * duration_ms / 2.0;
        let behind_ms = match self.rule {
            Rule::LookAhead => {
                self.remaining[shard as usize * sites.regions.len() + region as usize]
            }
            _ => 0.0,
        };
        let against_ms = lost_ms + behind_ms + WISH * duration_ms * f64::from(rung.missed);
        let gb_s = f64::from(rung.memory) / 1024.0 * (duration_ms - SHARD_MS) / 1000.0;
        let room = &self.rooms[yard];
        let free = f64::from(room.free_at(start_us));
        Fit {
            choice,
            target: rung.target,
            start_us,
            takes_us,
            duration_ms,
            score_us: start_us + takes_us + (against_ms * 1000.0) as u64,
            usd: gb_s * sites.usd_gb_s[rung.target] + moved_usd,
            moved_usd,
            taken: 1.0 - free / f64::from(room.most().max(1)),
        }
    }

    /// The earliest time that suits the run and the yard.
    fn earliest(&self, yard: usize, ready_us: u64, takes_us: u64) -> u64 {
        let room = &self.rooms[yard];
        let mut start = room.earliest(ready_us, takes_us);
        let Some(lanes) = &self.lanes else {
            return start;
        };
        for _ in 0..ROUNDS {
            let both = lanes.earliest(start, takes_us);
            if both == start {
                return start;
            }
            start = room.earliest(both, takes_us);
            if start == both {
                return start;
            }
        }
        start.max(lanes.full_until()).max(room.full_until())
    }

    fn take(&mut self, shard: u32, fit: &Fit) {
        let at = shard as usize;
        let sites = self.shards.sites;
        self.rooms[sites.yard_of[fit.target] as usize].take(fit.start_us, fit.takes_us);
        if let Some(lanes) = &mut self.lanes {
            lanes.take(fit.start_us, fit.takes_us);
        }
        self.start_us[at] = fit.start_us;
        self.takes_us[at] = fit.takes_us;
        self.duration_ms[at] = fit.duration_ms;
        self.choice[at] = fit.choice;
        self.region[at] = sites.region_of[fit.target];
        self.moved_usd += fit.moved_usd;
    }
}
