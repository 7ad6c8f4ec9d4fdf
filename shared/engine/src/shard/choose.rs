//! The judge: every strategy's shards run through the same list schedule and the same prices, the best are kept.

use crate::graph::upward_ranks;
use crate::place::{SHARD_MS, Schedule, TRANSFER_BYTES_PER_MS, list_schedule};

use super::atoms::Atoms;
use super::lanes::LaneRule;
use super::rules::Rules;
use super::strategy::Strategy;
use super::Demand;

/// What the judge compares with.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Market {
    /// Most lanes that the run can have.
    pub lanes: u32,
    /// Memory that all lanes share, in MiB; `None` where it is not shared.
    pub lane_memory: Option<u32>,
    /// The same tasks as one Standard state each, in dollars.
    pub plain_usd: f64,
}

/// One strategy's outcome.
#[derive(Debug, Clone, PartialEq)]
pub struct Judged {
    /// Which.
    pub strategy: Strategy,
    /// Shards that it makes.
    pub shards: u32,
    /// Lanes that it keeps busy.
    pub lanes: u32,
    /// Expected end of the run, in milliseconds.
    pub makespan_ms: f64,
    /// The same, and a quarter of the longest shard that could have been cut: estimates are not exact.
    pub judged_ms: f64,
    /// Expected cost, in dollars.
    pub usd: f64,
}

/// The kept shards.
#[derive(Debug, Clone)]
pub struct Chosen {
    /// The shards, as atoms.
    pub shards: Atoms,
    /// Duration of each, in milliseconds, overhead and transfers included.
    pub duration_ms: Vec<f64>,
    /// Upward rank of each, in milliseconds.
    pub ranks: Vec<f64>,
    /// Place of each in the order of priority.
    pub rank: Vec<u32>,
    /// When the lanes will run them.
    pub schedule: Schedule,
    /// Every strategy's outcome.
    pub judged: Vec<Judged>,
    /// Which of them was kept.
    pub kept: usize,
    /// The cost above which a strategy was left out, in dollars.
    pub ceiling_usd: f64,
}

/// Cost above plain states that a faster plan may have: the promise is at most 2 %.
const DEARER: f64 = 1.02;
/// Shards that may always be had, as a cost above plain states: in a small workflow nobody waits to save $0.0005.
const FREE_SHARDS: f64 = 4.0;
/// A plan within this share of the fastest, and [`TOLERANCE_MS`], counts as equally fast.
const TOLERANCE: f64 = 1.05;
/// See [`TOLERANCE`].
const TOLERANCE_MS: f64 = 50.0;
/// Share of the longest cuttable shard that is added to the makespan.
const UNCERTAINTY: f64 = 0.25;
/// Nodes and edges that all strategies together may look at; small workflows try many, large ones at least four.
const BUDGET: usize = 200_000;
/// Number of strategies tried, at least and at most.
const TRIED: (usize, usize) = (4, 48);

/// Tries strategies and keeps, of those that are not dearer than plain states, the fastest; of equally fast ones the cheapest.
///
/// # Complexity
///
/// That of the strategies, times their number: at most 48 for small workflows, 4 for large ones.
#[must_use]
pub fn choose(demand: &Demand, rules: &Rules<'_>, market: &Market) -> Chosen {
    let annotated = Atoms::of_annotations(demand, rules);
    let chains = annotated.with_chains_fused(rules);
    let size = chains.profiles.len() + chains.graph.edge_count();
    let strategies = strategies(market.lanes, chains.profiles.len(), BUDGET / size.max(1));
    let ceiling_usd = (market.plain_usd * DEARER).max(market.plain_usd + FREE_SHARDS * rules.shard_usd);
    let mut judged: Vec<Judged> = Vec::with_capacity(strategies.len());
    let mut leading: Option<(usize, Trial)> = None;
    for &strategy in &strategies {
        let trial = trial(demand, strategy.shards(&annotated, &chains, rules), rules, market);
        judged.push(trial.outcome(strategy, rules));
        let best = best_of(&judged, ceiling_usd);
        if best + 1 == judged.len() {
            leading = Some((best, trial));
        }
    }
    let kept = best_of(&judged, ceiling_usd);
    let trial = match leading {
        Some((at, trial)) if at == kept => trial,
        _ => {
            let shards = strategies[kept].shards(&annotated, &chains, rules);
            trial(demand, shards, rules, market)
        }
    };
    Chosen {
        shards: trial.shards,
        duration_ms: trial.duration_ms,
        ranks: trial.ranks,
        rank: trial.rank,
        schedule: trial.schedule,
        judged,
        kept,
        ceiling_usd,
    }
}

/// The strategies worth trying for so many lanes, the most promising first.
fn strategies(lanes: u32, atoms: usize, affordable: usize) -> Vec<Strategy> {
    let most = lanes.min(atoms as u32).max(1);
    let mut widths = vec![most];
    for (times, parts) in [(1, 2), (2, 1), (1, 4), (3, 4), (3, 2), (3, 1), (1, 8), (1, 16), (4, 1), (1, 32), (1, 64), (1, 128)] {
        let width = (most * times / parts).max(1).min(atoms as u32);
        if !widths.contains(&width) {
            widths.push(width);
        }
    }
    let mut tried = vec![
        Strategy::Lanes(LaneRule {
            lanes: 1,
            slack: f64::INFINITY,
        }),
        Strategy::Chains,
    ];
    for slack in [1.0, 1.3, 0.7] {
        tried.extend(widths.iter().map(|&lanes| Strategy::Lanes(LaneRule { lanes, slack })));
    }
    tried.push(Strategy::Single);
    tried.truncate(affordable.clamp(TRIED.0, TRIED.1));
    tried
}

/// Of those within the ceiling, the cheapest that is about as fast as the fastest; the cheapest when none is within it.
fn best_of(judged: &[Judged], ceiling_usd: f64) -> usize {
    let within = |j: &Judged| j.usd <= ceiling_usd;
    let fastest = judged
        .iter()
        .filter(|j| within(j))
        .map(|j| j.judged_ms)
        .fold(f64::INFINITY, f64::min);
    let about = fastest * TOLERANCE + TOLERANCE_MS;
    let eligible = |j: &Judged| !fastest.is_finite() || (within(j) && j.judged_ms <= about);
    judged
        .iter()
        .enumerate()
        .filter(|(_, j)| eligible(j))
        .min_by(|(_, a), (_, b)| {
            a.usd
                .total_cmp(&b.usd)
                .then(a.judged_ms.total_cmp(&b.judged_ms))
        })
        .map_or(0, |(at, _)| at)
}

struct Trial {
    shards: Atoms,
    duration_ms: Vec<f64>,
    ranks: Vec<f64>,
    rank: Vec<u32>,
    schedule: Schedule,
}

fn trial(demand: &Demand, shards: Atoms, rules: &Rules<'_>, market: &Market) -> Trial {
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
    let duration_us: Vec<u64> = duration_ms.iter().map(|ms| (ms * 1000.0) as u64).collect();
    let peak = shards
        .profiles
        .iter()
        .filter_map(|p| rules.ladders[p.class as usize].rungs().get(p.rung))
        .map(|rung| rung.memory)
        .max()
        .unwrap_or(1);
    let lanes = market
        .lane_memory
        .map_or(market.lanes, |memory| market.lanes.min(memory / peak.max(1)))
        .max(1);
    let schedule = list_schedule(&shards.graph, &duration_us, &rank, lanes);
    Trial {
        shards,
        duration_ms,
        ranks,
        rank,
        schedule,
    }
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
    fn outcome(&self, strategy: Strategy, rules: &Rules<'_>) -> Judged {
        let profiles = &self.shards.profiles;
        let gb_s: f64 = profiles
            .iter()
            .zip(&self.duration_ms)
            .map(|(p, ms)| p.memory_gb(&rules.ladders[p.class as usize]) * (ms - SHARD_MS) / 1000.0)
            .sum();
        let cuttable = profiles
            .iter()
            .filter(|p| p.tasks > p.depth)
            .map(|p| rules.ms(p))
            .fold(0.0, f64::max);
        let makespan_ms = self.schedule.makespan_us as f64 / 1000.0;
        Judged {
            strategy,
            shards: profiles.len() as u32,
            lanes: self.schedule.width,
            makespan_ms,
            judged_ms: makespan_ms + UNCERTAINTY * cuttable,
            usd: profiles.len() as f64 * rules.shard_usd + gb_s * rules.gb_s_usd,
        }
    }
}
