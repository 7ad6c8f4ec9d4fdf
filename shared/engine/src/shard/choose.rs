//! The judge: every strategy's shards run through the same list schedule and the same prices, the best are kept.

use foreshard_model::objective::Objective;
use foreshard_model::price::Price;

use crate::graph::levels;
use crate::objective::{Kept, Measures, Missed, keep};
use crate::place::Schedule;

use super::Demand;
use super::atoms::Atoms;
use super::climb::Climb;
use super::market::Market;
use super::measure::Judged;
use super::polish::polish;
use super::rules::Rules;
use super::search::Search;
use super::strategy::Strategy;
use super::tiers::Tiers;
use super::trial::{Placed, Trial};
use super::wide::{alike, bases, deeper, further, side_by_side};
use super::yardstick::Yardstick;

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
    /// On which targets.
    pub placed: Placed,
    /// Every outcome.
    pub judged: Vec<Judged>,
    /// Which of them was kept.
    pub kept: usize,
    /// The cost above which a strategy was left out, in dollars.
    pub ceiling_usd: f64,
    /// What each outcome was compared by, where the run has an objective; otherwise empty.
    pub measures: Vec<Measures>,
    /// Limits that the kept outcome does not keep.
    pub missed: Vec<Missed>,
}

/// Everything that was tried for a run with an objective.
#[derive(Debug, Clone)]
pub struct Tried {
    /// Every outcome.
    pub judged: Vec<Judged>,
    /// What each is compared by.
    pub measures: Vec<Measures>,
    /// What each will cost and how long it will take.
    pub prices: Vec<Price>,
    /// Whether targets make no difference: then a run without an objective has one of these plans as it is here; otherwise it
    /// places the shards once more.
    pub plain: bool,
    /// So many of them, the first, are what a run without an objective tries.
    usual: usize,
    yardstick: Yardstick,
}

/// Nodes and edges that all strategies together may look at; small workflows try many, large ones at least six.
const BUDGET: usize = 80_000;
/// Number of strategies tried, at least and at most.
const TRIED: (usize, usize) = (6, 32);

/// Nodes and edges that climbing may look at: ten tries of a million tasks with 2.5 million edges.
const CLIMBED: usize = 36_000_000;
/// Neighbours that it tries at most: it has mostly ended before.
const CLIMBS_MAX: usize = 32;

/// Tries strategies and keeps, of those that are not dearer than plain states, the one with the best score ([`Yardstick`]); of
/// equally good ones the cheapest.
///
/// With an objective more is tried, larger tiers too, and [`keep`] decides.
///
/// # Complexity
///
/// That of the strategies, times their number: at most 32 for small workflows, 6 for large ones, and a climb; about three times
/// that with an objective.
#[must_use]
pub fn choose(
    demand: &Demand,
    rules: &Rules<'_>,
    market: &Market<'_>,
    objective: &Objective,
) -> Chosen {
    let field = Field::new(demand, rules, market);
    if objective.is_none() {
        let (judged, leading) = field.usual(|_| {});
        let kept = field.best_of(&judged);
        let leading = leading
            .filter(|(at, _)| *at == kept)
            .map(|(_, trial)| trial);
        let leading = leading.unwrap_or_else(|| field.made(&judged[kept]));
        let refined = leading.refined(demand, rules, market);
        return field.chosen(judged, kept, refined);
    }
    let tried = field.tried();
    let Kept { at, missed } = tried.kept(objective);
    let trial = field.made(&tried.judged[at]);
    Chosen {
        measures: tried.measures,
        missed,
        // What was measured is what is planned: it is not placed again.
        ..field.chosen(tried.judged, at, trial)
    }
}

/// Tries all that a run with an objective has to choose from.
#[must_use]
pub fn tried(demand: &Demand, rules: &Rules<'_>, market: &Market<'_>) -> Tried {
    Field::new(demand, rules, market).tried()
}

impl Tried {
    /// Which outcome serves an objective best.
    #[must_use]
    pub fn kept(&self, objective: &Objective) -> Kept {
        keep(&self.measures, objective, |left| {
            let first = left.iter().copied().filter(|at| *at < self.usual);
            let first: Vec<usize> = first.collect();
            let left = if first.is_empty() { left } else { &first };
            let judged = left.iter().map(|&at| (at, &self.judged[at]));
            self.yardstick.best_of(judged)
        })
    }
}

/// What strategies compete on.
pub(super) struct Field<'a> {
    pub(super) demand: &'a Demand,
    pub(super) rules: &'a Rules<'a>,
    pub(super) market: &'a Market<'a>,
    pub(super) chains: Atoms,
    pub(super) yardstick: Yardstick,
    tries: usize,
    /// Neighbours of the best that may be tried.
    climbs: usize,
}

impl<'a> Field<'a> {
    fn new(demand: &'a Demand, rules: &'a Rules<'a>, market: &'a Market<'a>) -> Self {
        let chains = Atoms::of_annotations(demand, rules).with_chains_fused(rules);
        let size = chains.profiles.len() + chains.graph.edge_count();
        Self {
            demand,
            rules,
            market,
            chains,
            yardstick: Yardstick::new(demand, rules, market),
            tries: (BUDGET / size.max(1)).clamp(TRIED.0, TRIED.1),
            climbs: (CLIMBED / size.max(1)).min(CLIMBS_MAX),
        }
    }

    fn best_of(&self, judged: &[Judged]) -> usize {
        self.yardstick.best_of(judged.iter().enumerate())
    }

    /// The best, and those that are the best to whom orchestration matters less, or more.
    fn leading(&self, judged: &[Judged]) -> Vec<usize> {
        let mut leading: Vec<usize> = Vec::new();
        for yardstick in self.yardstick.leaning() {
            let best = yardstick.best_of(judged.iter().enumerate());
            if !leading.contains(&best) {
                leading.push(best);
            }
        }
        leading
    }

    /// The trial of one way to make shards; `None` when no shard has the tiers asked for.
    fn trial(&self, strategy: Strategy, tiers: Tiers) -> Option<Trial> {
        let shards = strategy.shards(self.demand, &self.chains, self.rules);
        tiers.trial(self.demand, shards, self.rules, self.market)
    }

    /// What every run tries, and the trial of the best where it is at hand.
    fn usual(&self, each: impl FnMut(&Trial)) -> (Vec<Judged>, Option<(usize, Trial)>) {
        let (rules, market) = (self.rules, self.market);
        let mut search = Search::new(
            market.lanes.0,
            self.chains.profiles.len(),
            affordable_lanes(&self.chains, rules, market, self.yardstick.ceiling_usd),
        );
        let mut usual = Usual {
            field: self,
            each,
            judged: Vec::with_capacity(self.tries),
            leading: None,
        };
        while usual.judged.len() < self.tries
            && let Some(strategy) = search.propose()
        {
            if let Some(usd) = usual.attempt(strategy, Tiers::Smallest) {
                search.learn(strategy, usd <= self.yardstick.ceiling_usd);
            }
        }
        if self.tries > TRIED.0 {
            for strategy in deeper(&usual.judged, self.best_of(&usual.judged)) {
                usual.attempt(strategy, Tiers::Smallest);
            }
        }
        let many = self.tries == TRIED.1;
        let tiers = Tiers::worth_trying(rules, many);
        let most = if many { self.tries / 4 } else { 1 };
        for strategy in bases(&usual.judged, most) {
            for &tiers in &tiers {
                usual.attempt(strategy, tiers);
            }
        }
        if self.tries > TRIED.0 {
            for best in self.leading(&usual.judged) {
                for strategy in alike(&usual.judged, best, rules) {
                    let known = |j: &Judged| j.is(strategy, Tiers::Smallest);
                    if !usual.judged.iter().any(known) {
                        usual.attempt(strategy, Tiers::Smallest);
                    }
                }
            }
        }
        usual.climb();
        usual.polish();
        (usual.judged, usual.leading)
    }

    /// What a run with an objective tries: the usual, further widths, and larger tiers for the best of both.
    fn tried(&self) -> Tried {
        let mut measures = Vec::new();
        let mut prices = Vec::new();
        let mut plain = true;
        let (judged, _) = self.usual(|trial| {
            plain &= trial.placed.compared.is_empty();
            let (price, measured) = trial.priced(self.rules, self.market);
            prices.push(price);
            measures.push(measured);
        });
        let mut tried = Tried {
            usual: judged.len(),
            judged,
            measures,
            prices,
            plain,
            yardstick: self.yardstick,
        };
        let (lanes, atoms) = (self.market.lanes.0, self.chains.profiles.len());
        let mut more = further(&tried.judged, lanes, atoms, self.tries);
        let judged = &tried.judged;
        more.extend(side_by_side(
            judged,
            lanes,
            atoms,
            self.rules,
            self.tries * 2,
        ));
        for strategy in more {
            self.try_also(strategy, Tiers::Smallest, &mut tried);
        }
        let tiers = Tiers::worth_trying(self.rules, self.tries == TRIED.1);
        for strategy in bases(&tried.judged, (self.tries / 4).max(2)) {
            for &tiers in &tiers {
                self.try_also(strategy, tiers, &mut tried);
            }
        }
        tried
    }

    fn try_also(&self, strategy: Strategy, tiers: Tiers, tried: &mut Tried) {
        let (rules, market) = (self.rules, self.market);
        if tried.judged.iter().any(|j| j.is(strategy, tiers)) {
            return;
        }
        if let Some(trial) = self.trial(strategy, tiers) {
            let (price, measures) = trial.priced(rules, market);
            tried.prices.push(price);
            tried.measures.push(measures);
            tried
                .judged
                .push(trial.judged(strategy, tiers, rules, market));
        }
    }

    /// The trial of an outcome, made again.
    fn made(&self, judged: &Judged) -> Trial {
        let Judged {
            strategy, tiers, ..
        } = *judged;
        let trial = self.trial(strategy, tiers).unwrap_or_else(|| {
            let shards = strategy.shards(self.demand, &self.chains, self.rules);
            super::trial::trial(self.demand, shards, self.rules, self.market)
        });
        if judged.polished {
            return polish(self, judged, &trial).unwrap_or(trial);
        }
        trial
    }

    fn chosen(&self, judged: Vec<Judged>, kept: usize, trial: Trial) -> Chosen {
        Chosen {
            shards: trial.shards,
            duration_ms: trial.duration_ms,
            ranks: trial.ranks,
            rank: trial.rank,
            schedule: trial.schedule,
            placed: trial.placed,
            judged,
            kept,
            ceiling_usd: self.yardstick.ceiling_usd,
            measures: Vec::new(),
            missed: Vec::new(),
        }
    }
}

/// The outcomes of what every run tries.
struct Usual<'a, F> {
    field: &'a Field<'a>,
    /// Is told of each.
    each: F,
    judged: Vec<Judged>,
    /// The best, when it was the last one that was better.
    leading: Option<(usize, Trial)>,
}

impl<F: FnMut(&Trial)> Usual<'_, F> {
    /// Tries a strategy; answers what it costs, or nothing when no shard has the tiers asked for.
    fn attempt(&mut self, strategy: Strategy, tiers: Tiers) -> Option<f64> {
        let field = self.field;
        let trial = field.trial(strategy, tiers)?;
        (self.each)(&trial);
        let outcome = trial.judged(strategy, tiers, field.rules, field.market);
        let usd = outcome.usd;
        self.note(outcome, trial);
        Some(usd)
    }

    fn note(&mut self, outcome: Judged, trial: Trial) {
        self.judged.push(outcome);
        let best = self.field.best_of(&self.judged);
        if best + 1 == self.judged.len() {
            self.leading = Some((best, trial));
        }
    }

    /// Tries neighbours of the best, whichever that is by then.
    fn climb(&mut self) {
        let field = self.field;
        let mut climb = Climb::new(&self.judged, field.chains.profiles.len(), field.rules);
        for _ in 0..field.climbs {
            let best = field.best_of(&self.judged);
            let Some((strategy, tiers)) = climb.propose(&self.judged[best]) else {
                break;
            };
            self.attempt(strategy, tiers);
        }
    }

    /// Changes the best so far step by step, and those that are the best to whom time matters more, or less.
    fn polish(&mut self) {
        let field = self.field;
        for at in field.leading(&self.judged) {
            let Some(base) = self.judged.get(at).cloned() else {
                continue;
            };
            let start = match &self.leading {
                Some((leading, trial)) if *leading == at => trial.clone(),
                _ => field.made(&base),
            };
            if let Some(trial) = polish(field, &base, &start) {
                (self.each)(&trial);
                let outcome = Judged {
                    polished: true,
                    ..trial.judged(base.strategy, base.tiers, field.rules, field.market)
                };
                self.note(outcome, trial);
            }
        }
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
