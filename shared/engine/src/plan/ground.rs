//! What strategies are judged on: prices, rules and bounds of one run.

use foreshard_model::target::Architecture;

use crate::place::Sites;
use crate::price::{EACH_SHARD, Rates, rates};
use crate::shard::{Constants, Demand, Market, Quota, Rules};

use super::quotas::{QUOTAS, quotas};
use super::{PlanInput, lanes, summary};

/// Prices and processors for a run, with what it is planned from.
pub(super) struct Ground<'a> {
    input: &'a PlanInput<'a>,
    demand: &'a Demand,
    sites: &'a Sites<'a>,
    rates: Rates,
    quotas: [Quota; QUOTAS],
    chips: Vec<Architecture>,
}

impl<'a> Ground<'a> {
    /// For a run.
    pub(super) fn new(input: &'a PlanInput<'a>, demand: &'a Demand, sites: &'a Sites<'a>) -> Self {
        let chips: Vec<Architecture> = input.pool.targets.iter().map(|t| t.architecture).collect();
        let first = chips.first().copied().unwrap_or_default();
        Self {
            input,
            demand,
            sites,
            rates: rates(input.region, first),
            quotas: quotas(input.pool, input.region),
            chips,
        }
    }

    /// What may share a shard.
    pub(super) fn rules(&self) -> Rules<'_> {
        Rules {
            ladders: &self.demand.ladders,
            tasks_max: self
                .input
                .options
                .shard_tasks_max
                .unwrap_or(u32::MAX)
                .max(1),
            shard_usd: EACH_SHARD.usd(&self.rates),
            gb_s_usd: self.rates.gb_s,
        }
    }

    /// What bounds the lanes, and what everything costs.
    pub(super) fn market(&self) -> Market<'_> {
        Market {
            lanes: lanes::lanes_allowed(self.sites, self.input.options),
            lane_memory: self.input.pool.lane_memory.map(|memory| memory.0),
            sites: self.sites,
            rates: &self.rates,
            quotas: &self.quotas,
            tasks: summary::counted_tasks(self.demand),
            chips: &self.chips,
            constants: Constants::default(),
        }
    }
}
