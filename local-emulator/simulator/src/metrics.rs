//! CloudWatch as Lambda fills it: one value a minute of each metric, shown some two minutes later, and none where nothing ran.

use std::collections::{BTreeMap, VecDeque};

use foreshard_fakes::Seeded;
use foreshard_model::units::TimeMs;
use foreshard_stages::ports::{MetricQuery, MetricSpan, Point, Statistic};

use crate::parameters::{METRIC_LAG_MS, METRICS_KEPT_MS};

/// A minute, in milliseconds: what is aggregated. Source: Lambda's metrics come at one-minute intervals.
pub(crate) const MINUTE_MS: u64 = 60_000;

/// Namespace of Lambda's metrics.
pub(crate) const LAMBDA: &str = "AWS/Lambda";

/// The place of what all functions of the region did together.
const REGION: &str = "";

/// What a minute of one metric was.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Stats {
    sum: f64,
    count: f64,
    least: f64,
    most: f64,
}

impl Stats {
    fn of(value: f64) -> Self {
        Self {
            sum: value,
            count: 1.0,
            least: value,
            most: value,
        }
    }

    fn and(self, other: Self) -> Self {
        Self {
            sum: self.sum + other.sum,
            count: self.count + other.count,
            least: self.least.min(other.least),
            most: self.most.max(other.most),
        }
    }

    fn value(self, statistic: Statistic) -> f64 {
        match statistic {
            Statistic::Sum => self.sum,
            Statistic::Average => self.sum / self.count,
            Statistic::Minimum => self.least,
            Statistic::Maximum => self.most,
            Statistic::SampleCount => self.count,
        }
    }
}

/// Minutes of a metric of a function; `""` is the region.
type Series = BTreeMap<(String, &'static str), BTreeMap<u64, Stats>>;

/// A value on its way into CloudWatch.
struct Datum {
    shown_at: TimeMs,
    place: String,
    name: &'static str,
    /// The minute of the invocation that it is of, in minutes.
    minute: u64,
    value: f64,
}

/// What is in use now, and of which minutes that is known already.
#[derive(Debug, Clone, Copy, Default)]
struct Level {
    now: f64,
    most: f64,
    minute: u64,
}

/// An invocation that has ended.
pub(crate) struct Ended<'a> {
    pub(crate) function: &'a str,
    pub(crate) begun: TimeMs,
    pub(crate) took_ms: u64,
    pub(crate) failed: bool,
    /// In a provisioned environment.
    pub(crate) provisioned: bool,
    /// Where there were provisioned ones, but all were busy.
    pub(crate) spilled: bool,
}

/// Every metric of Lambda.
pub(crate) struct Metrics {
    seed: u64,
    /// So many minutes in a thousand of a metric never come.
    unseen: u32,
    series: Series,
    coming: VecDeque<Datum>,
    levels: BTreeMap<(String, &'static str), Level>,
}

/// The function of an alias.
fn function_of(name: &str) -> &str {
    name.split(':').next().unwrap_or(name)
}

impl Metrics {
    pub(crate) fn new(seed: u64, unseen: u32) -> Self {
        Self {
            seed,
            unseen,
            series: Series::new(),
            coming: VecDeque::new(),
            levels: BTreeMap::new(),
        }
    }

    /// An invocation ended: what is known of it bears the time of its begin, so that a long one appears late.
    pub(crate) fn ended(&mut self, of: &Ended<'_>, now: TimeMs) {
        let failed = f64::from(u8::from(of.failed));
        let took_ms = of.took_ms as f64;
        let values = [
            ("Invocations", 1.0),
            ("Errors", failed),
            ("Duration", took_ms),
        ];
        for (name, value) in values {
            self.tell(of.function, name, of.begun, value, now);
        }
        if of.provisioned {
            self.tell(
                of.function,
                "ProvisionedConcurrencyInvocations",
                of.begun,
                1.0,
                now,
            );
        }
        if of.spilled {
            let name = "ProvisionedConcurrencySpilloverInvocations";
            self.tell(of.function, name, of.begun, 1.0, now);
        }
    }

    /// An invocation was refused.
    pub(crate) fn throttled(&mut self, function: &str, now: TimeMs) {
        self.tell(function, "Throttles", now, 1.0, now);
    }

    /// So many invocations of the function, and of the region, run from now on.
    pub(crate) fn running(&mut self, function: &str, own: u32, all: u32, now: TimeMs) {
        let name = "ConcurrentExecutions";
        self.level(function, name, f64::from(own), now);
        self.level(REGION, name, f64::from(all), now);
    }

    /// So much of the provisioned concurrency of a function is in use from now on, as a share.
    pub(crate) fn utilized(&mut self, function: &str, share: f64, now: TimeMs) {
        self.level(function, "ProvisionedConcurrencyUtilization", share, now);
    }

    fn tell(&mut self, function: &str, name: &'static str, at: TimeMs, value: f64, now: TimeMs) {
        for place in [function_of(function), REGION] {
            self.coming.push_back(Datum {
                shown_at: now.plus(METRIC_LAG_MS),
                place: place.to_owned(),
                name,
                minute: at.0 / MINUTE_MS,
                value,
            });
        }
        self.show(now);
    }

    /// A level is told once for each minute in which it was above nothing, as its highest of that minute.
    fn level(&mut self, function: &str, name: &'static str, value: f64, now: TimeMs) {
        let key = (function_of(function).to_owned(), name);
        let level = self.levels.entry(key).or_default();
        let minute = now.0 / MINUTE_MS;
        let place = function_of(function);
        while level.minute < minute {
            if level.most <= 0.0 {
                level.minute = minute;
                break;
            }
            let end = TimeMs((level.minute + 1) * MINUTE_MS);
            let at = self
                .coming
                .partition_point(|datum| datum.shown_at <= end.plus(METRIC_LAG_MS));
            let datum = Datum {
                shown_at: end.plus(METRIC_LAG_MS),
                place: place.to_owned(),
                name,
                minute: level.minute,
                value: level.most,
            };
            self.coming.insert(at, datum);
            level.most = level.now;
            level.minute += 1;
        }
        level.now = value;
        level.most = level.most.max(value);
    }

    /// Shows what has arrived, and forgets what is too old.
    fn show(&mut self, now: TimeMs) {
        let oldest = now.0.saturating_sub(METRICS_KEPT_MS) / MINUTE_MS;
        while self
            .coming
            .front()
            .is_some_and(|datum| datum.shown_at <= now)
        {
            let Some(datum) = self.coming.pop_front() else {
                break;
            };
            let minutes = self.series.entry((datum.place, datum.name)).or_default();
            let value = Stats::of(datum.value);
            let known = minutes.get(&datum.minute);
            let stats = known.map_or(value, |known| known.and(value));
            minutes.insert(datum.minute, stats);
            while minutes
                .first_key_value()
                .is_some_and(|(minute, _)| *minute < oldest)
            {
                minutes.pop_first();
            }
        }
    }

    /// The points of a query that are shown by now; those of a dimension that nobody publishes are none.
    pub(crate) fn points(
        &mut self,
        query: &MetricQuery,
        span: &MetricSpan,
        now: TimeMs,
    ) -> Vec<Point> {
        self.turn(now);
        let Some(place) = place(query) else {
            return Vec::new();
        };
        let Some(minutes) = self.series.get(&(place.to_owned(), query.name)) else {
            return Vec::new();
        };
        let period = u64::from(span.period_s / 60).max(1);
        let first = span.from.0 / MINUTE_MS / period * period;
        let after = span.until.0.div_ceil(MINUTE_MS * period) * period;
        let mut periods: BTreeMap<u64, Stats> = BTreeMap::new();
        for (minute, stats) in minutes.range(first..after.max(first)) {
            if self.is_lost(place, query.name, *minute) {
                continue;
            }
            let of = periods.entry(minute / period * period);
            of.and_modify(|known| *known = known.and(*stats))
                .or_insert(*stats);
        }
        let point = |(minute, stats): (u64, Stats)| Point {
            at: TimeMs(minute * MINUTE_MS),
            value: stats.value(query.statistic),
        };
        periods.into_iter().map(point).collect()
    }

    /// Brings every level up to this moment, and shows what has arrived.
    fn turn(&mut self, now: TimeMs) {
        let levels: Vec<_> = self
            .levels
            .iter()
            .map(|((place, name), level)| (place.clone(), *name, level.now))
            .collect();
        for (place, name, value) in levels {
            self.level(&place, name, value, now);
        }
        self.show(now);
    }

    /// Whether a minute of a metric never comes; it is always the same ones.
    fn is_lost(&self, place: &str, name: &str, minute: u64) -> bool {
        let seed = self.seed ^ minute.rotate_left(32);
        self.unseen > 0 && Seeded::new(seed, &format!("{name} of {place}")).hits(self.unseen)
    }
}

/// Whose metric is asked for: a function's, by its name or an alias of it, or the region's.
fn place(query: &MetricQuery) -> Option<&str> {
    if query.namespace != LAMBDA {
        return None;
    }
    match query.dimensions.as_slice() {
        [] => Some(REGION),
        [("FunctionName", name)] => Some(name),
        [("FunctionName", name), ("Resource", alias)] if function_of(alias) == name => Some(name),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: TimeMs = TimeMs(1_000 * MINUTE_MS);

    fn asked(
        metrics: &mut Metrics,
        name: &'static str,
        of: Option<&str>,
        at: TimeMs,
    ) -> Vec<(u64, f64)> {
        let function = |name: &str| ("FunctionName", name.to_owned());
        let query = MetricQuery {
            namespace: LAMBDA,
            name,
            dimensions: of.map(function).into_iter().collect(),
            statistic: match name {
                "ConcurrentExecutions" => Statistic::Maximum,
                _ => Statistic::Sum,
            },
        };
        let span = MetricSpan {
            from: START,
            until: at,
            period_s: 60,
        };
        let points = metrics.points(&query, &span, at);
        let minute = |point: &Point| (point.at.0 / MINUTE_MS - 1_000, point.value);
        points.iter().map(minute).collect()
    }

    fn ended(metrics: &mut Metrics, begun_ms: u64, ended_ms: u64) {
        let of = Ended {
            function: "f:live",
            begun: START.plus(begun_ms),
            took_ms: ended_ms - begun_ms,
            failed: false,
            provisioned: false,
            spilled: false,
        };
        metrics.ended(&of, START.plus(ended_ms));
    }

    #[test]
    fn a_minute_is_shown_two_minutes_later_at_the_time_of_its_begin() {
        let mut metrics = Metrics::new(0, 0);
        ended(&mut metrics, 0, 1_000);
        let early = START.plus(120_999);
        assert_eq!(asked(&mut metrics, "Invocations", Some("f"), early), []);
        let later = START.plus(121_000);
        assert_eq!(
            asked(&mut metrics, "Invocations", Some("f"), later),
            [(0, 1.0)]
        );
        assert_eq!(asked(&mut metrics, "Duration", None, later), [(0, 1_000.0)]);
        ended(&mut metrics, 30_000, 200_000);
        let last = START.plus(320_000);
        assert_eq!(
            asked(&mut metrics, "Invocations", Some("f"), last),
            [(0, 2.0)]
        );
        assert_eq!(asked(&mut metrics, "Invocations", Some("g"), last), []);
        assert_eq!(asked(&mut metrics, "Throttles", Some("f"), last), []);
    }

    #[test]
    fn what_runs_is_told_in_each_minute_and_idleness_is_not() {
        let mut metrics = Metrics::new(0, 0);
        metrics.running("f:live", 3, 5, START.plus(10_000));
        metrics.running("f:live", 1, 3, START.plus(70_000));
        metrics.running("f:live", 0, 2, START.plus(130_000));
        let at = START.plus(600_000);
        let own = asked(&mut metrics, "ConcurrentExecutions", Some("f"), at);
        assert_eq!(own, [(0, 3.0), (1, 3.0), (2, 1.0)]);
        let all = asked(&mut metrics, "ConcurrentExecutions", None, at);
        assert_eq!(all.len(), 8, "two minutes are on their way: {all:?}");
    }

    #[test]
    fn lost_minutes_stay_lost() {
        let mut metrics = Metrics::new(3, 300);
        for minute in 0..1_000 {
            metrics.throttled("f:live", START.plus(minute * MINUTE_MS));
        }
        let at = START.plus(2_000 * MINUTE_MS);
        let first = asked(&mut metrics, "Throttles", Some("f"), at);
        assert!((650..750).contains(&first.len()), "{}", first.len());
        assert_eq!(first, asked(&mut metrics, "Throttles", Some("f"), at));
    }
}
