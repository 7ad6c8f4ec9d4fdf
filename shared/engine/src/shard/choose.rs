//! The judge: every strategy's shards run through the same list schedule and the same prices, the best are kept.

use crate::graph::levels;
use crate::place::Schedule;
use crate::price::{expected_usd, plain_usd};

use super::Demand;
use super::atoms::Atoms;
use super::market::Market;
use super::rules::Rules;
use super::search::Search;
use super::strategy::Strategy;
use super::trial::{Trial, trial};

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
/// Shards that may always be had, as a cost above plain states: nobody waits to save $0.0005.
const FREE_SHARDS: f64 = 4.0;
/// Up to so many tasks, each may even be a shard on a lane of its own, that parks once: three shards' worth; from there on the
/// allowance shrinks, and ends at [`SMALL_ENDS`]. A handful of long tasks is not put in single file to save $0.006.
const SMALL: f64 = 16.0;
/// See [`SMALL`].
const SMALL_ENDS: f64 = 26.0;
/// Each percent above the ceiling must make the run half as fast again: (1.01)^40 = 1.49. A soft wall, because a plan that is
/// one percent dearer and ten times faster is the better one.
const DEARER_IS_SLOWER: i32 = 40;
/// A plan within this share of the fastest, and [`TOLERANCE_MS`], counts as equally fast.
const TOLERANCE: f64 = 1.05;
/// See [`TOLERANCE`].
const TOLERANCE_MS: f64 = 50.0;
/// Share of the longest cuttable shard that is added to the makespan.
const UNCERTAINTY: f64 = 0.25;
/// Nodes and edges that all strategies together may look at; small workflows try many, large ones at least six.
const BUDGET: usize = 80_000;
/// Number of strategies tried, at least and at most.
const TRIED: (usize, usize) = (6, 32);

/// Tries strategies and keeps, of those that are not dearer than plain states, the fastest; of equally fast ones the cheapest.
///
/// # Complexity
///
/// That of the strategies, times their number: at most 32 for small workflows, 6 for large ones.
#[must_use]
pub fn choose(demand: &Demand, rules: &Rules<'_>, market: &Market<'_>) -> Chosen {
    let annotated = Atoms::of_annotations(demand, rules);
    let chains = annotated.with_chains_fused(rules);
    let size = chains.profiles.len() + chains.graph.edge_count();
    let plain_usd = plain_usd(&market.tasks, market.rates);
    let free = free_shards(demand.loads.len()) * rules.shard_usd;
    let ceiling_usd = (plain_usd * DEARER).max(plain_usd + free);
    let tries = (BUDGET / size.max(1)).clamp(TRIED.0, TRIED.1);
    let mut search = Search::new(
        market.lanes.0,
        chains.profiles.len(),
        affordable_lanes(&chains, rules, market, ceiling_usd),
    );
    let mut judged: Vec<Judged> = Vec::with_capacity(tries);
    let mut leading: Option<(usize, Trial)> = None;
    while let Some(strategy) = search.propose() {
        let trial = trial(
            demand,
            strategy.shards(&annotated, &chains, rules),
            rules,
            market,
        );
        let outcome = trial.outcome(strategy, rules, market);
        search.learn(strategy, outcome.usd <= ceiling_usd);
        judged.push(outcome);
        let best = best_of(&judged, ceiling_usd);
        if best + 1 == judged.len() {
            leading = Some((best, trial));
        }
        if judged.len() == tries {
            break;
        }
    }
    let kept = best_of(&judged, ceiling_usd);
    let trial = match leading {
        Some((at, trial)) if at == kept => trial,
        _ => {
            let shards = judged[kept].strategy.shards(&annotated, &chains, rules);
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

/// A shard and the parking of its lane until the next level, in shards.
const WITH_PARKING: f64 = 1.6;

/// Lanes for which the money suffices when every level has a shard on each of them: a guess to begin with.
fn affordable_lanes(
    atoms: &Atoms,
    rules: &Rules<'_>,
    market: &Market<'_>,
    ceiling_usd: f64,
) -> u32 {
    let tasks = &market.tasks;
    let inevitable = tasks.plain_gb_s * market.rates.gb_s + tasks.objects as f64 * market.rates.put;
    let shards = ((ceiling_usd - inevitable) / rules.shard_usd).max(1.0);
    let levels = levels(&atoms.graph, &atoms.order);
    let levels = levels.into_iter().max().map_or(1, |last| last + 1);
    (shards / f64::from(levels) / WITH_PARKING) as u32
}

/// Shards whose cost may come on top of plain states.
fn free_shards(tasks: usize) -> f64 {
    let tasks = tasks as f64;
    let left = ((SMALL_ENDS - tasks) / (SMALL_ENDS - SMALL)).clamp(0.0, 1.0);
    FREE_SHARDS.max(3.0 * tasks.min(SMALL) * left)
}

/// The cheapest of those about as fast as the fastest, where what is dearer than the ceiling counts as slower.
fn best_of(judged: &[Judged], ceiling_usd: f64) -> usize {
    let score = |j: &Judged| j.judged_ms * (j.usd / ceiling_usd).max(1.0).powi(DEARER_IS_SLOWER);
    let fastest = judged.iter().map(score).fold(f64::INFINITY, f64::min);
    judged
        .iter()
        .enumerate()
        .filter(|(_, j)| score(j) <= fastest * TOLERANCE + TOLERANCE_MS)
        .min_by(|(_, a), (_, b)| {
            a.usd
                .total_cmp(&b.usd)
                .then(a.judged_ms.total_cmp(&b.judged_ms))
        })
        .map_or(0, |(at, _)| at)
}

impl Trial {
    /// What the judge compares.
    fn outcome(&self, strategy: Strategy, rules: &Rules<'_>, market: &Market<'_>) -> Judged {
        let profiles = &self.shards.profiles;
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
            usd: expected_usd(&self.counted(rules, &market.tasks), market.rates),
        }
    }
}
