//! The trial of a sharding: its shards' durations, priorities and schedule, and what they add up to.

use crate::graph::upward_ranks;
use crate::place::{
    Ladder, Lying, Placement, Rule, SHARD_MS, Schedule, Shards, TRANSFER_BYTES_PER_MS,
    list_schedule, place, remaining_ms,
};
use crate::price::Counted;

use super::Demand;
use super::atoms::Atoms;
use super::market::Market;
use super::packed::pack;
use super::rules::Rules;

/// One sharding, scheduled.
#[derive(Clone)]
pub(super) struct Trial {
    /// The shards, as atoms.
    pub(super) shards: Atoms,
    /// Duration of each, in milliseconds, overhead and transfers included.
    pub(super) duration_ms: Vec<f64>,
    /// Upward rank of each, in milliseconds.
    pub(super) ranks: Vec<f64>,
    /// Place of each in the order of priority.
    pub(super) rank: Vec<u32>,
    /// When the lanes will run them.
    pub(super) schedule: Schedule,
    /// On which targets.
    pub(super) placed: Placed,
}

/// Where the shards were placed, beside the schedule.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Placed {
    /// Which of its ladder's choices each shard has; empty: the first, for all, without having looked at others.
    pub choice: Vec<u8>,
    /// Dollars that the gigabyte-seconds cost more than at the first target's price; less than nothing where they are cheaper.
    pub dearer_usd: f64,
    /// Dollars of the data that moves between regions.
    pub moved_usd: f64,
    /// The ways that were tried for the kept shards, the taken one first.
    pub compared: Vec<Compared>,
}

/// One way to place the shards.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Compared {
    /// How targets were chosen.
    pub rule: Rule,
    /// Whether priorities look at the targets that are there, or only at the shards.
    pub by_targets: bool,
    /// Expected end of the run, in milliseconds.
    pub makespan_ms: f64,
    /// What gigabyte-seconds and moved data cost more than at the first target's price.
    pub more_usd: f64,
}

/// Shards up to which every way to place them is tried; beyond it, only the look-ahead beside the first.
const ALL_WAYS: usize = 5_000;
/// A placement within this share of the fastest, and [`TOLERANCE_MS`], counts as equally fast: the cheaper one is taken.
const TOLERANCE: f64 = 1.05;
/// See [`TOLERANCE`].
const TOLERANCE_MS: f64 = 50.0;

/// Schedules a sharding on as many lanes as it can have, each shard where it ends first.
pub(super) fn trial(
    demand: &Demand,
    mut shards: Atoms,
    rules: &Rules<'_>,
    market: &Market<'_>,
) -> Trial {
    pack(demand, &mut shards, rules);
    let duration_ms: Vec<f64> = (0..shards.profiles.len() as u32)
        .map(|shard| {
            let bytes: u64 = shards.graph.incoming_bytes(shard).map(|(_, b)| b).sum();
            SHARD_MS
                + rules.ms(&shards.profiles[shard as usize])
                + bytes as f64 / TRANSFER_BYTES_PER_MS
        })
        .collect();
    let ranks = upward_ranks(&shards.graph, &shards.order, &duration_ms, 0.0);
    let rank = priorities(demand, &shards, &ranks);
    let (lanes, _) = market.lanes_for(&shards.profiles, &duration_ms, rules);
    let mut trial = Trial {
        shards,
        duration_ms,
        ranks,
        rank,
        schedule: Schedule::default(),
        placed: Placed::default(),
    };
    if is_plain(demand, rules, market, lanes) {
        let duration_us = trial.duration_ms.iter().map(|ms| (ms * 1000.0) as u64);
        let duration_us: Vec<u64> = duration_us.collect();
        trial.schedule = list_schedule(&trial.shards.graph, &duration_us, &trial.rank, lanes);
        return trial;
    }
    let lying = trial.lying(demand);
    let placement = place(
        &trial.to_place(&lying, lanes, rules, market),
        &trial.rank,
        Rule::Earliest,
        &[],
    );
    let mut trial = trial.with(placement, rules, market);
    trial.placed.compared = vec![trial.compared(Rule::Earliest, false)];
    trial
}

/// Whether targets make no difference: one region, one family each, room for every lane.
fn is_plain(demand: &Demand, rules: &Rules<'_>, market: &Market<'_>, lanes: u32) -> bool {
    market.sites.regions.len() <= 1
        && demand.lying.is_empty()
        && market.sites.is_roomy(lanes)
        && !rules.ladders.iter().any(Ladder::has_choices)
}

/// The cheapest of those about as fast as the fastest; the first of equally good ones.
fn best(compared: &[Compared]) -> usize {
    let fastest = compared.iter().map(|way| way.makespan_ms);
    let near = fastest.fold(f64::INFINITY, f64::min) * TOLERANCE + TOLERANCE_MS;
    let near = |way: &(usize, &Compared)| way.1.makespan_ms <= near;
    let cheapest = compared
        .iter()
        .enumerate()
        .filter(near)
        .min_by(|(_, a), (_, b)| {
            let usd = a.more_usd.total_cmp(&b.more_usd);
            usd.then(a.makespan_ms.total_cmp(&b.makespan_ms))
        });
    cheapest.map_or(0, |(at, _)| at)
}

/// Place of each shard: declared priority first, then upward rank.
fn priorities(demand: &Demand, shards: &Atoms, ranks: &[f64]) -> Vec<u32> {
    let mut declared = vec![i32::MIN; shards.profiles.len()];
    for (load, &shard) in demand.loads.iter().zip(&shards.of_task) {
        let highest = &mut declared[shard as usize];
        *highest = load.priority.max(*highest);
    }
    let mut sorted: Vec<u32> = (0..shards.profiles.len() as u32).collect();
    sorted.sort_by(|&a, &b| {
        declared[b as usize]
            .cmp(&declared[a as usize])
            .then(ranks[b as usize].total_cmp(&ranks[a as usize]))
            .then(a.cmp(&b))
    });
    let mut rank = vec![0; sorted.len()];
    for (at, &shard) in sorted.iter().enumerate() {
        rank[shard as usize] = at as u32;
    }
    rank
}

impl Trial {
    /// The same shards, placed in every way there is, and the best kept: the cheapest of those about as fast as the fastest.
    pub(super) fn refined(self, demand: &Demand, rules: &Rules<'_>, market: &Market<'_>) -> Self {
        if self.placed.choice.is_empty() {
            return self;
        }
        let lying = self.lying(demand);
        let (lanes, _) = market.lanes_for(&self.shards.profiles, &self.duration_ms, rules);
        let shards = self.to_place(&lying, lanes, rules, market);
        let remaining = remaining_ms(&shards);
        let regions = market.sites.regions.len();
        let by_targets: Vec<f64> = (0..self.ranks.len())
            .map(|shard| {
                let row = &remaining[shard * regions..(shard + 1) * regions];
                self.duration_ms[shard] + row.iter().sum::<f64>() / regions as f64
            })
            .collect();
        let by_targets = priorities(demand, &self.shards, &by_targets);
        let mut ways = vec![(&self.rank, Rule::LookAhead, false)];
        if self.ranks.len() <= ALL_WAYS {
            ways.push((&self.rank, Rule::Thrift, false));
            ways.push((&by_targets, Rule::Earliest, true));
            ways.push((&by_targets, Rule::LookAhead, true));
        }
        let mut compared = vec![self.compared(Rule::Earliest, false)];
        let mut tried: Vec<Self> = Vec::new();
        for (rank, rule, by_targets) in ways {
            let placement = place(&shards, rank, rule, &remaining);
            let other = Self {
                shards: self.shards.clone(),
                duration_ms: Vec::new(),
                ranks: self.ranks.clone(),
                rank: rank.clone(),
                schedule: Schedule::default(),
                placed: Placed::default(),
            };
            let other = other.with(placement, rules, market);
            compared.push(other.compared(rule, by_targets));
            tried.push(other);
        }
        let best = best(&compared);
        compared.swap(0, best);
        let mut kept = match best.checked_sub(1) {
            Some(other) => tried.swap_remove(other),
            None => self,
        };
        kept.placed.compared = compared;
        kept
    }

    fn compared(&self, rule: Rule, by_targets: bool) -> Compared {
        Compared {
            rule,
            by_targets,
            makespan_ms: self.schedule.makespan_us as f64 / 1000.0,
            more_usd: self.placed.dearer_usd + self.placed.moved_usd,
        }
    }

    fn to_place<'a>(
        &'a self,
        lying: &'a [Lying],
        lanes: u32,
        rules: &Rules<'a>,
        market: &Market<'a>,
    ) -> Shards<'a> {
        Shards {
            graph: &self.shards.graph,
            order: &self.shards.order,
            profiles: &self.shards.profiles,
            ladders: rules.ladders,
            lying,
            lanes,
            sites: market.sites,
        }
    }

    /// What tasks read from elsewhere, by shard and region.
    fn lying(&self, demand: &Demand) -> Vec<Lying> {
        let lifted = demand.lying.iter().map(|data| Lying {
            reader: self.shards.of_task[data.reader as usize],
            ..*data
        });
        let mut lifted: Vec<Lying> = lifted.collect();
        lifted.sort_unstable();
        lifted
    }

    fn with(mut self, placement: Placement, rules: &Rules<'_>, market: &Market<'_>) -> Self {
        self.schedule = placement.schedule;
        self.duration_ms = placement.duration_ms;
        let profiles = self.shards.profiles.iter();
        let placed = profiles.zip(&placement.choice).zip(&self.duration_ms);
        let dearer = placed.map(|((profile, &choice), ms)| {
            let rung = rules.ladders[profile.class as usize].choice(profile.rung, choice);
            let gb_s = f64::from(rung.memory) / 1024.0 * (ms - SHARD_MS) / 1000.0;
            gb_s * (market.sites.usd_gb_s[rung.target] - market.rates.gb_s)
        });
        self.placed = Placed {
            dearer_usd: dearer.sum(),
            moved_usd: placement.moved_usd,
            choice: placement.choice,
            compared: Vec::new(),
        };
        self
    }

    /// What it will use.
    pub(super) fn counted(&self, rules: &Rules<'_>, tasks: &Counted) -> Counted {
        counted(
            &self.shards,
            &self.duration_ms,
            &self.schedule,
            &self.placed,
            rules.ladders,
            tasks,
        )
    }
}

/// What some shards will use; virtual shards are not known here.
#[must_use]
pub fn counted(
    shards: &Atoms,
    duration_ms: &[f64],
    schedule: &Schedule,
    placed: &Placed,
    ladders: &[Ladder],
    tasks: &Counted,
) -> Counted {
    let gb_s = shards
        .profiles
        .iter()
        .zip(duration_ms)
        .enumerate()
        .map(|(at, (p, ms))| {
            let choice = placed.choice.get(at).copied().unwrap_or(0);
            let rung = ladders[p.class as usize].choice(p.rung, choice);
            f64::from(rung.memory) / 1024.0 * (ms - SHARD_MS) / 1000.0
        })
        .sum();
    let disk_gb_s = shards
        .profiles
        .iter()
        .zip(duration_ms)
        .map(|(p, ms)| p.disk_gb(&ladders[p.class as usize]) * (ms - SHARD_MS) / 1000.0)
        .sum();
    Counted {
        disk_gb_s,
        shards: shards.profiles.len() as u64,
        edges: shards.graph.edge_count() as u64,
        lanes: u64::from(schedule.width),
        parkings: u64::from(schedule.parkings),
        gb_s,
        makespan_ms: schedule.makespan_us as f64 / 1000.0,
        dearer_usd: placed.dearer_usd,
        moved_usd: placed.moved_usd,
        ..*tasks
    }
}
