//! What shardings are compared by when a run has no objective: time, held against what plain states cost.

use crate::price::{plain_orchestration_usd, plain_usd};

use super::Demand;
use super::constants::Constants;
use super::market::Market;
use super::measure::Judged;
use super::rules::Rules;

/// Share of plain states' orchestration that a sharding's may be: a little below all of it, since lanes park more often than a
/// schedule foresees.
const ORCHESTRATION: f64 = 0.97;
/// The same where the median task is [`BRIEF_MS`] or shorter: there orchestration is most of what plain states cost.
const ORCHESTRATION_OF_BRIEF: f64 = 0.48;
/// See [`ORCHESTRATION_OF_BRIEF`], in milliseconds.
const BRIEF_MS: f64 = 1_000.0;
/// Plain states whose orchestration is added to both sides: a handful of tasks is not put in single file to save $0.001.
const HANDFUL: f64 = 16.0;

/// Plain states' figures for one workflow, and what a sharding is worth beside them.
#[derive(Debug, Clone, Copy)]
pub struct Yardstick {
    /// The cost above which a sharding counts as slower, in dollars.
    pub ceiling_usd: f64,
    /// Orchestration of plain states, in dollars.
    plain_usd: f64,
    /// Share of it above which a sharding counts as slower.
    share: f64,
    /// [`HANDFUL`], in dollars.
    handful_usd: f64,
    constants: Constants,
}

impl Yardstick {
    /// Of a workflow.
    pub(super) fn new(demand: &Demand, rules: &Rules<'_>, market: &Market<'_>) -> Self {
        let (tasks, rates, constants) = (&market.tasks, market.rates, market.constants);
        let plain = plain_usd(tasks, rates);
        let free = constants.free_shards(demand.loads.len()) * rules.shard_usd;
        Self {
            ceiling_usd: (plain * constants.dearer).max(plain + free),
            plain_usd: plain_orchestration_usd(tasks, rates),
            share: if median_ms(demand) <= BRIEF_MS {
                ORCHESTRATION_OF_BRIEF
            } else {
                ORCHESTRATION
            },
            handful_usd: HANDFUL * (rates.transition + rates.invocation),
            constants,
        }
    }

    /// How fast an outcome counts, in milliseconds: a dear one as slower, and one of little orchestration as faster.
    pub(super) fn score(&self, judged: &Judged) -> f64 {
        let constants = &self.constants;
        let dearer = (judged.usd / self.ceiling_usd).max(1.0);
        let orchestration =
            (judged.orchestration_usd + self.handful_usd) / (self.plain_usd + self.handful_usd);
        let missed = if orchestration > self.share {
            constants.missed
        } else {
            1.0
        };
        judged.judged_ms
            * dearer.powi(constants.dearer_is_slower)
            * orchestration.powf(constants.thrift)
            * missed
    }

    /// The same, and for those to whom orchestration matters not at all, or twice as much.
    pub(super) fn leaning(&self) -> [Self; 3] {
        [1.0, 0.0, 2.0].map(|times| Self {
            constants: Constants {
                thrift: self.constants.thrift * times,
                ..self.constants
            },
            ..*self
        })
    }

    /// The score up to which an outcome counts as good as one of the score given.
    pub(super) fn about(&self, score: f64) -> f64 {
        score + self.constants.tolerance_ms
    }

    /// The cheapest of those about as good as the best.
    pub(super) fn best_of<'a>(
        &self,
        judged: impl Iterator<Item = (usize, &'a Judged)> + Clone,
    ) -> usize {
        let scores = judged.clone().map(|(_, j)| self.score(j));
        let about = self.about(scores.fold(f64::INFINITY, f64::min));
        judged
            .filter(|(_, j)| self.score(j) <= about)
            .min_by(|(_, a), (_, b)| {
                let usd = a.usd.total_cmp(&b.usd);
                usd.then(a.judged_ms.total_cmp(&b.judged_ms))
            })
            .map_or(0, |(at, _)| at)
    }
}

/// Half of the tasks take at most so long, in milliseconds.
fn median_ms(demand: &Demand) -> f64 {
    let mut ms: Vec<f64> = demand.loads.iter().map(|load| load.ms).collect();
    let middle = ms.len() / 2;
    if ms.is_empty() {
        return 0.0;
    }
    *ms.select_nth_unstable_by(middle, f64::total_cmp).1
}
