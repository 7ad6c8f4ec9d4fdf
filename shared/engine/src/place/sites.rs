//! Sites: the pool as placement sees it, with room over time, losses, prices and the ways between regions.

use foreshard_model::limits::ACCOUNT_CONCURRENCY;
use foreshard_model::outlook::{Expected, Outlook, Promised};
use foreshard_model::target::Pool;

use super::load::{SHARD_MS, TRANSFER_BYTES_PER_MS};
use super::room::Room;
use crate::price::rates;

/// The quantile of free lanes that is planned with: what is expected, not the worst.
pub const EXPECTED: f64 = 0.5;

/// Bytes a millisecond between regions that no link tells of. Assumed, not measured: a third of what a worker reads at home.
const ABROAD_BYTES_PER_MS: f64 = TRANSFER_BYTES_PER_MS / 3.0;
/// Milliseconds to the first byte from another region. Assumed: about the round trip between us-east-1 and eu-west-1.
const ABROAD_MS: f64 = 80.0;
/// Dollars a byte out of a region. Source: Amazon S3 pricing, data transfer out to another region, us-east-1, $0.02 a GB.
const ABROAD_USD_PER_BYTE: f64 = 0.02e-9;

/// A shard is never made shorter than ten times what it costs to have it, whatever is expected to be lost.
const LENGTH_MIN_MS: f64 = 10.0 * SHARD_MS;
/// How long the last step of an outlook counts where chances are averaged over time, in seconds.
const LAST_STEP_S: u64 = 3_600;

/// How data gets from one region to another.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Way {
    /// What a byte takes more than at home, in milliseconds.
    ms_per_byte: f64,
    /// Milliseconds before the first.
    latency_ms: f64,
    /// Dollars a byte.
    usd_per_byte: f64,
}

/// A region's lanes, or those that are one target's own.
#[derive(Debug, Clone, PartialEq)]
pub struct Yard {
    /// The region, or the target.
    pub name: String,
    /// Free lanes over time.
    pub room: Room,
    /// All lanes, free or not.
    pub whole: u32,
    /// Most lanes that other runs hold at once, and how many runs.
    pub promised: (u32, u32),
    /// Until when they do, in milliseconds.
    pub promised_until_ms: u64,
    /// How often an hour its lanes are expected to be gone when one is wanted.
    pub squeezed_per_h: f64,
    /// Lanes that are free on average.
    pub mean: f64,
}

/// Where shards can run.
#[derive(Debug, Clone)]
pub struct Sites<'a> {
    /// The targets.
    pub pool: &'a Pool,
    /// The regions of the targets and of the data, in the order in which they occur.
    pub regions: Vec<&'a str>,
    /// Region of each target.
    pub region_of: Vec<u32>,
    /// Whose lanes each target uses.
    pub yard_of: Vec<u32>,
    /// The lanes.
    pub yards: Vec<Yard>,
    /// Attempts that are lost in an hour of running, by target.
    pub lost_per_h: Vec<f64>,
    /// A gigabyte-second, by target.
    pub usd_gb_s: Vec<f64>,
    outlook: &'a Outlook,
    ways: Vec<Way>,
}

impl<'a> Sites<'a> {
    /// The pool, what is expected of it, and what others have been promised.
    #[must_use]
    pub fn new(pool: &'a Pool, outlook: &'a Outlook, promised: &Promised) -> Self {
        let mut regions: Vec<&str> = Vec::new();
        let of_targets = pool.targets.iter().map(|target| target.region.as_str());
        for region in of_targets.chain(outlook.data.values().map(String::as_str)) {
            if !regions.contains(&region) {
                regions.push(region);
            }
        }
        let mut sites = Self {
            pool,
            region_of: Vec::new(),
            yard_of: Vec::new(),
            yards: Vec::new(),
            lost_per_h: Vec::new(),
            usd_gb_s: Vec::new(),
            outlook,
            ways: ways(pool, &regions),
            regions,
        };
        let none = Expected::default();
        for target in &pool.targets {
            let regional = outlook.regions.get(&target.region).unwrap_or(&none);
            let own = outlook.targets.get(&target.id);
            let yard = match own.filter(|own| !own.free.is_empty()) {
                Some(own) => {
                    sites.yards.push(yard(target.id.as_str(), pool, own, None));
                    sites.yards.len() - 1
                }
                None => {
                    let known = sites.yards.iter().position(|y| y.name == target.region);
                    known.unwrap_or_else(|| {
                        let region = target.region.as_str();
                        sites
                            .yards
                            .push(yard(region, pool, regional, Some(promised)));
                        sites.yards.len() - 1
                    })
                }
            };
            let fails = own.unwrap_or(regional).failures_per_h;
            sites
                .lost_per_h
                .push(fails + sites.yards[yard].squeezed_per_h);
            sites.yard_of.push(yard as u32);
            sites
                .region_of
                .push(sites.region(&target.region).unwrap_or(0));
            let rates = rates(&target.region, target.architecture);
            sites.usd_gb_s.push(rates.gb_s);
        }
        sites
    }

    /// The number of a region.
    #[must_use]
    pub fn region(&self, name: &str) -> Option<u32> {
        self.regions
            .iter()
            .position(|region| *region == name)
            .map(|at| at as u32)
    }

    /// The number of the region in which the data of a type of task lies, if the outlook tells.
    #[must_use]
    pub fn home_of(&self, task_type: &str) -> Option<u32> {
        let data = &self.outlook.data;
        self.region(data.get(task_type).or_else(|| data.get("*"))?)
    }

    /// Most lanes that are free at once.
    #[must_use]
    pub fn most(&self) -> u32 {
        let all = self.yards.iter().map(|yard| yard.room.most());
        all.fold(0, u32::saturating_add)
    }

    /// Whether so many lanes are free in every yard at all times: then room never decides anything.
    #[must_use]
    pub fn is_roomy(&self, lanes: u32) -> bool {
        self.yards.iter().all(|yard| yard.room.least() >= lanes)
    }

    /// Milliseconds and dollars that bytes cost more from one region to another than within one.
    #[must_use]
    pub fn moving(&self, from: u32, to: u32, bytes: u64) -> (f64, f64) {
        let way = self.ways[from as usize * self.regions.len() + to as usize];
        if from == to || bytes == 0 {
            return (0.0, 0.0);
        }
        let bytes = bytes as f64;
        (
            way.latency_ms + bytes * way.ms_per_byte,
            bytes * way.usd_per_byte,
        )
    }

    /// How long a shard should be at most where it could go to these targets: beyond it, more is lost with failed attempts
    /// than further shards would cost. Infinite where nothing is lost.
    ///
    /// J. T. Daly, "A higher order estimate of the optimum checkpoint interval for restart dumps", Future Generation
    /// Computer Systems 22 (2006), 303, equation 6: √(2 · cost / rate) − cost. A shard's end is its checkpoint. Targets count
    /// by the lanes that they have free.
    #[must_use]
    pub fn length_max_ms(&self, targets: impl Iterator<Item = usize>) -> f64 {
        let (mut lanes, mut lost) = (0.0, 0.0);
        for target in targets {
            let free = self.yards[self.yard_of[target] as usize].mean.max(0.01);
            lanes += free;
            lost += free * self.lost_per_h[target];
        }
        let per_ms = lost / f64::max(lanes, 0.01) / 3_600_000.0;
        if per_ms <= 0.0 {
            return f64::INFINITY;
        }
        ((2.0 * SHARD_MS / per_ms).sqrt() - SHARD_MS).max(LENGTH_MIN_MS)
    }
}

fn yard(name: &str, pool: &Pool, expected: &Expected, promised: Option<&Promised>) -> Yard {
    let whole = match promised {
        Some(_) => pool.concurrency,
        None => ACCOUNT_CONCURRENCY,
    };
    let holds = promised.into_iter().flat_map(|promised| &promised.holds);
    let holds: Vec<_> = holds.filter(|hold| hold.region == name).collect();
    let mut changes: Vec<u64> = vec![0];
    changes.extend(expected.free.iter().map(|step| step.from_s * 1_000));
    changes.extend(holds.iter().flat_map(|hold| [hold.from_ms, hold.until_ms]));
    changes.sort_unstable();
    changes.dedup();
    let mut most_promised = 0;
    let steps: Vec<(u64, u32)> = changes
        .into_iter()
        .map(|at_ms| {
            let now = |hold: &&&foreshard_model::outlook::Hold| {
                hold.from_ms <= at_ms && at_ms < hold.until_ms
            };
            let held = holds.iter().filter(now).map(|hold| hold.lanes);
            let held = held.fold(0, u32::saturating_add);
            most_promised = most_promised.max(held);
            let step = expected
                .free
                .iter()
                .rev()
                .find(|step| step.from_s * 1_000 <= at_ms);
            let step = step.or(expected.free.first());
            let free = step.map_or(whole, |step| (step.lanes_at(EXPECTED) as u32).min(whole));
            (at_ms * 1_000, free.saturating_sub(held))
        })
        .collect();
    let mut lengths = lengths(expected);
    let all_s: f64 = lengths.iter().map(|(_, s)| s).sum();
    let mean = lengths
        .iter()
        .map(|(step, s)| step.lanes_at(EXPECTED) * s)
        .sum::<f64>()
        / all_s;
    lengths.retain(|(step, _)| step.chance_below(1.0) > 0.0);
    let squeezes: f64 = lengths.iter().map(|(step, _)| step.chance_below(1.0)).sum();
    Yard {
        name: name.to_owned(),
        room: Room::new(steps),
        whole,
        promised: (most_promised, holds.len() as u32),
        promised_until_ms: holds.iter().map(|hold| hold.until_ms).max().unwrap_or(0),
        squeezed_per_h: if all_s > 0.0 {
            squeezes * 3_600.0 / all_s
        } else {
            0.0
        },
        mean: if all_s > 0.0 { mean } else { f64::from(whole) },
    }
}

/// The steps with their lengths in seconds.
fn lengths(expected: &Expected) -> Vec<(&foreshard_model::outlook::Step, f64)> {
    let ends = expected.free.iter().skip(1).map(|step| step.from_s);
    let last = expected
        .free
        .last()
        .map_or(0, |step| step.from_s + LAST_STEP_S);
    expected
        .free
        .iter()
        .zip(ends.chain([last]))
        .map(|(step, end)| (step, end.saturating_sub(step.from_s) as f64))
        .collect()
}

fn ways(pool: &Pool, regions: &[&str]) -> Vec<Way> {
    let mut ways = Vec::with_capacity(regions.len() * regions.len());
    for from in regions {
        for to in regions {
            let there = pool
                .links
                .iter()
                .find(|l| (l.from.as_str(), l.to.as_str()) == (from, to));
            let back = pool
                .links
                .iter()
                .find(|l| (l.to.as_str(), l.from.as_str()) == (from, to));
            let (bytes_per_ms, latency_ms) = there
                .or(back)
                .map_or((ABROAD_BYTES_PER_MS, ABROAD_MS), |link| {
                    (link.mb_per_s * 1_000.0, link.latency_ms)
                });
            ways.push(Way {
                ms_per_byte: (1.0 / bytes_per_ms - 1.0 / TRANSFER_BYTES_PER_MS).max(0.0),
                latency_ms,
                usd_per_byte: ABROAD_USD_PER_BYTE,
            });
        }
    }
    ways
}
