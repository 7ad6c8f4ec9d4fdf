//! What no plan whatever can beat: the quickest and the cheapest that a workflow can be.

use crate::graph::critical_path;
use crate::place::{Load, Rung, SHARD_MS};
use crate::price::{Counted, forecast};
use crate::shard::{Demand, Market};

/// Seconds within which nine of ten runs of any plan cannot end: the longest path, each task on the fastest tier, or all
/// processor time on all lanes; and one shard around it.
pub(super) fn seconds(demand: &Demand, market: &Market<'_>) -> f64 {
    let task_ms: Vec<f64> = demand.loads.iter().map(|load| load.ms).collect();
    let path_ms = critical_path(&demand.graph, &demand.order, &task_ms);
    let widest = rungs(demand).map(|rung| rung.vcpus).fold(1.0, f64::max);
    let cpu_ms: f64 = demand.loads.iter().map(|load| load.cpu_ms).sum();
    let targets = market.sites.pool.targets.iter();
    let fastest = targets.map(|target| target.speed).fold(1.0, f64::max);
    let least_ms = SHARD_MS + path_ms.max(cpu_ms / (f64::from(market.lanes.0) * widest)) / fastest;
    let counted = Counted {
        makespan_ms: least_ms,
        ..market.tasks
    };
    forecast(&counted, market.rates).makespan_s.high
}

/// Dollars below which nine of ten runs of any plan cannot stay: every task's cheapest share of a tier, and as few shards as
/// there can be.
pub(super) fn dollars(demand: &Demand, market: &Market<'_>) -> f64 {
    let prices = market.sites.usd_gb_s.iter().copied();
    let cheapest = prices.fold(f64::INFINITY, f64::min) / market.rates.gb_s;
    let gb_s = demand.loads.iter().map(|load| least_gb_s(demand, load));
    let alone = demand.loads.iter().filter(|load| load.alone).count();
    let counted = Counted {
        shards: alone.max(1) as u64,
        virtual_shards: 1,
        edges: 1,
        lanes: 1,
        gb_s: gb_s.sum::<f64>() * cheapest.min(1.0),
        ..market.tasks
    };
    forecast(&counted, market.rates).total_usd.high
}

/// Gigabyte-seconds that a task takes at least: a tier is shared by as many tasks as it has threads, its processors by more.
fn least_gb_s(demand: &Demand, load: &Load) -> f64 {
    let rungs = &demand.ladders[load.class as usize].rungs()[load.rung..];
    rungs
        .iter()
        .map(|rung| {
            let gb = f64::from(rung.memory) / 1024.0;
            let shared = load.ms / f64::from(rung.threads.max(1));
            let computed = load.cpu_ms / rung.vcpus.max(1.0);
            gb * shared.max(computed) / rung.speed / 1000.0
        })
        .fold(f64::INFINITY, f64::min)
}

fn rungs(demand: &Demand) -> impl Iterator<Item = &Rung> {
    demand.ladders.iter().flat_map(|ladder| ladder.rungs())
}
