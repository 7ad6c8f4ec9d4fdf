//! Which of several regions is expected to be done first with a run.

use foreshard_model::outlook::Outlook;
use foreshard_model::plan::Reason;
use foreshard_model::target::Pool;

use crate::forecast::reason;

/// The quantile of free lanes that is counted on: a run that is promised more is late one time in three.
const CAUTIOUS: f64 = 0.3;
/// Megabytes a second between regions where no link is given: what one connection across an ocean reaches.
const FAR_MB_PER_S: f64 = 25.0;
/// Seconds after which a region without any free lane is given up.
const GIVEN_UP_S: f64 = 172_800.0;
/// A region elsewhere must be so much faster than home: data, logs and people are at home.
const AWAY: f64 = 0.9;

/// What a run is expected to need of a region.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Wanted<'a> {
    /// Lanes that it could use.
    pub lanes: u32,
    /// Work in lane-seconds.
    pub lane_s: f64,
    /// Where its data lies; none: nobody knows.
    pub data: Option<&'a str>,
    /// Bytes that it reads from there.
    pub bytes: u64,
}

/// One region and what is expected of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    /// Its name.
    pub region: String,
    /// Seconds until the run's work would be done there; none: no lane is expected in two days.
    pub done_s: Option<f64>,
}

impl Candidate {
    fn time(&self) -> f64 {
        self.done_s.unwrap_or(f64::INFINITY)
    }
}

/// The candidate that is expected to be done first, the first of those that are alike, and why; home unless another one is a
/// tenth faster. None of no candidates.
pub(super) fn choose<'a>(
    candidates: &'a [Candidate],
    home: &str,
) -> (Option<&'a Candidate>, Reason) {
    let best = candidates
        .iter()
        .min_by(|a, b| a.time().total_cmp(&b.time()));
    let home = candidates.iter().find(|c| c.region == home);
    let (chosen, because) = match (best, home) {
        (None, _) => (None, "no region is one that the run may go to".to_owned()),
        (Some(best), Some(home)) if best.time() >= AWAY * home.time() => {
            let name = &home.region;
            let because = if home.region == best.region {
                format!("`{name}`: it is home, and done first there")
            } else {
                format!(
                    "`{name}`: it is home, and `{}` is not a tenth faster",
                    best.region
                )
            };
            (Some(home), because)
        }
        (Some(best), _) => (Some(best), format!("`{}`: done first there", best.region)),
    };
    let times = candidates.iter().map(|c| (c.region.as_str(), c.time()));
    let times: Vec<(&str, f64)> = times.collect();
    (chosen, reason("region", because, &times))
}

/// What is expected of a region.
///
/// One that is not in the outlook has all of the pool's lanes.
pub(super) fn candidate(
    name: &str,
    outlook: &Outlook,
    pool: &Pool,
    wanted: &Wanted<'_>,
) -> Candidate {
    let expected = outlook.regions.get(name);
    let most = f64::from(wanted.lanes.clamp(1, pool.lanes_max.max(1)));
    let hours = wanted.lane_s.max(0.0) / 3_600.0;
    let failures = expected.map_or(0.0, |e| e.failures_per_h.max(0.0));
    // A failed attempt repeats half of its shard on average; shards are not known yet, so half an attempt's minute each.
    let work = wanted.lane_s.max(0.0) + hours * failures * 30.0;
    let from = wanted.data.unwrap_or_default();
    let moving = if from == name {
        0.0
    } else {
        let alike = |l: &&foreshard_model::target::Link| {
            l.from == from && l.to == name || l.from == name && l.to == from
        };
        let link = pool.links.iter().find(alike);
        let rate = link.map_or(FAR_MB_PER_S, |l| l.mb_per_s.max(0.001));
        // Every lane reads its own share.
        wanted.bytes as f64 / 1e6 / rate / most
    };
    let steps: Vec<(f64, f64)> = expected.map_or_else(Vec::new, |e| {
        e.free
            .iter()
            .map(|step| (step.from_s as f64, step.lanes_at(CAUTIOUS)))
            .collect()
    });
    let done_s = done(&steps, work, most).map(|s| s + moving);
    Candidate {
        region: name.to_owned(),
        done_s,
    }
}

/// When so much work is done on the free lanes, at most `most` of them at a time.
fn done(steps: &[(f64, f64)], work: f64, most: f64) -> Option<f64> {
    if steps.is_empty() {
        return Some(work / most);
    }
    let mut left = work;
    for (at, &(from, free)) in steps.iter().enumerate() {
        let lanes = free.min(most).max(0.0);
        let until = steps
            .get(at + 1)
            .map_or(GIVEN_UP_S.max(from), |next| next.0);
        if lanes >= 1.0 && left <= lanes * (until - from) {
            return Some(from + left / lanes);
        }
        left -= lanes * (until - from);
    }
    None
}
