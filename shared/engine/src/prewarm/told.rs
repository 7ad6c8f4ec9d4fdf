//! Demand as others tell it: a forecast's quantiles as steps, the concurrency of a plan as waves, and nothing counted twice.

use foreshard_model::forecast::{Forecast, StoredForecast};
use foreshard_model::prewarm::{DemandStep, Wave};
use foreshard_model::units::TimeMs;

use crate::forecast::Demand;

/// How long load must have been watched before a forecast of it is built on, in seconds: a day. What has been seen for less
/// has had no time to pass: a forecast takes the first wave of a deployment for steady load.
const WATCHED_MIN_S: u64 = 86_400;

/// What recurs by a stored forecast, from `now` on; nothing, and why, where it has seen too little.
#[must_use]
pub fn recurring(stored: &StoredForecast, now: TimeMs) -> (Vec<DemandStep>, Option<String>) {
    let watched_s = stored.watched_s();
    if watched_s >= WATCHED_MIN_S {
        return (steps(&stored.forecast, now), None);
    }
    let note = format!(
        "the forecast has seen {watched_s} s of load, less than the {WATCHED_MIN_S} s that are built on: what counts is \
         schedules and plans in flight"
    );
    (Vec::new(), Some(note))
}

/// A forecast of concurrency as steps of demand; those that have ended by `now` are left out.
fn steps(forecast: &Forecast, now: TimeMs) -> Vec<DemandStep> {
    let mut named: Vec<(f64, &Vec<f64>)> = forecast
        .quantiles
        .iter()
        .filter_map(|(name, values)| Some((name.parse().ok()?, values)))
        .collect();
    named.sort_by(|a, b| a.0.total_cmp(&b.0));
    let step_ms = u64::from(forecast.step_s.max(1)) * 1000;
    let start = u64::try_from(forecast.start_s).unwrap_or(0) * 1000;
    let all = (0..forecast.steps()).map(|at| DemandStep {
        from: TimeMs(start + at as u64 * step_ms),
        quantiles: named
            .iter()
            .filter_map(|(q, values)| Some((*q, *values.get(at)?)))
            .collect(),
    });
    all.filter(|step| step.from.plus(step_ms) > now).collect()
}

/// Concurrency of one run on one target as waves: a stretch without a break is one, as high as its peak, since a lane that goes on
/// with its next shard keeps its environment.
///
/// ```text
/// peaks  2 3 3 0 1   steps of 60 s
/// waves  └─3─┘   └1
/// ```
#[must_use]
pub fn waves(demand: &Demand, from: TimeMs, step_s: u32) -> Vec<Wave> {
    let moment = |at: usize| from.plus(at as u64 * u64::from(step_s.max(1)) * 1000);
    let mut found: Vec<Wave> = Vec::new();
    let mut open = false;
    for (at, peak) in demand.peak.iter().enumerate() {
        let environments = peak.ceil() as u32;
        if environments == 0 {
            open = false;
            continue;
        }
        match found.last_mut().filter(|_| open) {
            Some(wave) => {
                wave.environments = wave.environments.max(environments);
                wave.until = moment(at + 1);
            }
            None => found.push(Wave {
                from: moment(at),
                until: moment(at + 1),
                environments,
            }),
        }
        open = true;
    }
    found
}

/// Forecast steps less what waves already say: what recurs because of a schedule is in the forecast, and known as a wave too.
#[must_use]
pub fn without(steps: Vec<DemandStep>, waves: &[Wave]) -> Vec<DemandStep> {
    let ends: Vec<TimeMs> = steps.iter().skip(1).map(|step| step.from).collect();
    let all = steps.into_iter().enumerate();
    all.map(|(at, step)| {
        let until = ends.get(at).copied().unwrap_or(TimeMs(u64::MAX));
        let within = waves
            .iter()
            .filter(|wave| wave.from < until && wave.until > step.from);
        let known: f64 = within.map(|wave| f64::from(wave.environments)).sum();
        let less = |(q, n): (f64, f64)| (q, (n - known).max(0.0));
        DemandStep {
            from: step.from,
            quantiles: step.quantiles.into_iter().map(less).collect(),
        }
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: TimeMs = TimeMs(1_700_000_000_000);

    #[test]
    fn a_forecast_is_told_from_the_step_that_runs_on() {
        let quantiles = [("0.99", vec![9.0, 8.0, 7.0]), ("0.5", vec![1.0, 2.0, 3.0])];
        let forecast = Forecast {
            start_s: 1_700_000_000,
            step_s: 300,
            quantiles: quantiles.map(|(q, v)| (q.to_owned(), v)).into(),
            model: "level".to_owned(),
            judged: Vec::new(),
            reasons: Vec::new(),
        };
        let told = steps(&forecast, START.plus(300_001));
        let expected = [(300_000, 2.0, 8.0), (600_000, 3.0, 7.0)];
        assert_eq!(told.len(), 2);
        for (step, (after, low, high)) in told.iter().zip(expected) {
            assert_eq!(step.from, START.plus(after));
            assert_eq!(step.quantiles, [(0.5, low), (0.99, high)]);
        }
    }

    #[test]
    fn a_stretch_without_a_break_is_one_wave() {
        let demand = Demand {
            mean: vec![0.0; 6],
            peak: vec![2.0, 2.4, 3.0, 0.0, 1.0, 0.0],
        };
        let wave = |from: u64, until: u64, environments| Wave {
            from: START.plus(from * 60_000),
            until: START.plus(until * 60_000),
            environments,
        };
        assert_eq!(waves(&demand, START, 60), [wave(0, 3, 3), wave(4, 5, 1)]);
    }

    #[test]
    fn what_a_wave_says_is_not_counted_again() {
        let step = |minutes: u64, n: f64| DemandStep {
            from: START.plus(minutes * 60_000),
            quantiles: vec![(0.5, n), (0.9, 2.0 * n)],
        };
        let wave = Wave {
            from: START.plus(360_000),
            until: START.plus(420_000),
            environments: 10,
        };
        let left = without(vec![step(0, 8.0), step(5, 8.0), step(10, 8.0)], &[wave]);
        let medians: Vec<f64> = left.iter().map(|step| step.quantiles[0].1).collect();
        assert_eq!(medians, [8.0, 0.0, 8.0]);
        assert_eq!(left[1].quantiles[1].1, 6.0);
    }
}
