//! Recorded metrics, profiles, forecasts and decisions.

use std::collections::BTreeMap;

use async_trait::async_trait;
use foreshard_model::forecast::{Quantity, StoredForecast};
use foreshard_model::ids::{TargetId, Tenant};
use foreshard_model::outlook::StoredOutlook;
use foreshard_model::prewarm::PrewarmRecord;
use foreshard_model::profile::{Profile, ProfileKey};
use foreshard_model::units::TimeMs;
use foreshard_stages::ports::{
    ForecastReads, ForecastWrites, MetricQuery, MetricReads, MetricSpan, NAMESPACE, Point,
    PortError, PortResult, ProfileReads, ProfileWrites, Statistic,
};

use crate::world::{State, World, conflict};

/// What was learnt, and the metrics that others recorded.
#[derive(Default)]
pub(crate) struct Learnt {
    recorded: BTreeMap<Series, Vec<(TimeMs, f64)>>,
    profiles: BTreeMap<(Tenant, ProfileKey), Profile>,
    forecasts: BTreeMap<(String, Quantity), StoredForecast>,
    outlook: Option<StoredOutlook>,
    prewarm: BTreeMap<(TargetId, TimeMs), PrewarmRecord>,
}

/// A metric by namespace, name and dimensions.
type Series = (String, String, Vec<(String, String)>);

fn series(namespace: &str, name: &str, dimensions: &[(&'static str, String)]) -> Series {
    let mut dimensions: Vec<(String, String)> = dimensions
        .iter()
        .map(|(name, value)| ((*name).to_owned(), value.clone()))
        .collect();
    dimensions.sort();
    (namespace.to_owned(), name.to_owned(), dimensions)
}

impl State {
    /// Values and counts of a metric with their times: what others recorded, and what stages published.
    fn values_of(&self, query: &MetricQuery) -> Vec<(TimeMs, f64, f64)> {
        let wanted = series(query.namespace, query.name, &query.dimensions);
        let recorded = self.learnt.recorded.get(&wanted).into_iter().flatten();
        let recorded = recorded.map(|&(at, value)| (at, value, 1.0));
        let published = self
            .samples
            .iter()
            .filter(|sample| series(NAMESPACE, sample.name, &sample.dimensions) == wanted);
        let published = published.flat_map(|sample| {
            let values = sample.values.iter();
            values.map(move |&(value, count)| (sample.at, value, count))
        });
        recorded.chain(published).collect()
    }

    fn points_of(&self, query: &MetricQuery, span: &MetricSpan) -> Vec<Point> {
        let period_ms = u64::from(span.period_s) * 1_000;
        let first = span.from.0 / period_ms * period_ms;
        let mut periods: BTreeMap<u64, Vec<(f64, f64)>> = BTreeMap::new();
        for (at, value, count) in self.values_of(query) {
            let start = at.0 / period_ms * period_ms;
            if start >= first && start < span.until.0 {
                periods.entry(start).or_default().push((value, count));
            }
        }
        let point = |(start, values): (u64, Vec<(f64, f64)>)| Point {
            at: TimeMs(start),
            value: reduced(query.statistic, &values),
        };
        periods.into_iter().map(point).collect()
    }
}

/// The statistic over values and their counts, of which there is at least one.
fn reduced(statistic: Statistic, values: &[(f64, f64)]) -> f64 {
    let each = || values.iter().map(|(value, _)| *value);
    let sum: f64 = values.iter().map(|(value, count)| value * count).sum();
    let count: f64 = values.iter().map(|(_, count)| count).sum();
    match statistic {
        Statistic::Sum => sum,
        Statistic::Average => sum / count,
        Statistic::Minimum => each().fold(f64::INFINITY, f64::min),
        Statistic::Maximum => each().fold(f64::NEG_INFINITY, f64::max),
        Statistic::SampleCount => count,
    }
}

impl World {
    /// Records values of a metric that no stage publishes, such as those of Lambda.
    pub fn record_metric(
        &self,
        namespace: &str,
        name: &str,
        dimensions: &[(&'static str, String)],
        values: impl IntoIterator<Item = (TimeMs, f64)>,
    ) {
        let series = series(namespace, name, dimensions);
        let mut state = self.lock();
        let recorded = state.learnt.recorded.entry(series).or_default();
        recorded.extend(values);
    }

    /// Every profile of a tenant, by key.
    #[must_use]
    pub fn profile_items(&self, tenant: &Tenant) -> Vec<Profile> {
        let state = self.lock();
        let all = state.learnt.profiles.iter();
        all.filter(|((of, _), _)| of == tenant)
            .map(|(_, profile)| profile.clone())
            .collect()
    }

    /// Puts a profile as it is.
    pub fn set_profile(&self, tenant: &Tenant, profile: Profile) {
        let key = (tenant.clone(), profile.key.clone());
        self.lock().learnt.profiles.insert(key, profile);
    }

    /// Puts an outlook as it is.
    pub fn set_outlook(&self, outlook: StoredOutlook) {
        self.lock().learnt.outlook = Some(outlook);
    }
}

#[async_trait]
impl MetricReads for World {
    async fn points(
        &self,
        queries: &[MetricQuery],
        span: &MetricSpan,
    ) -> PortResult<Vec<Vec<Point>>> {
        if span.period_s < 60 || !span.period_s.is_multiple_of(60) {
            let period_s = span.period_s;
            return Err(PortError::Refused(format!("period of {period_s} s")));
        }
        self.read(|state| {
            let points = queries.iter().map(|query| state.points_of(query, span));
            Ok(points.collect())
        })
        .await
    }
}

#[async_trait]
impl ProfileReads for World {
    async fn profile(&self, tenant: &Tenant, key: &ProfileKey) -> PortResult<Option<Profile>> {
        let key = (tenant.clone(), key.clone());
        self.read(|state| Ok(state.learnt.profiles.get(&key).cloned()))
            .await
    }

    async fn profiles_of(
        &self,
        tenant: &Tenant,
        task_type: &str,
        limit: usize,
    ) -> PortResult<Vec<Profile>> {
        self.read(|state| {
            let all = state.learnt.profiles.iter();
            let mine = all.filter(|((of, key), _)| of == tenant && key.task_type == task_type);
            Ok(mine
                .map(|(_, profile)| profile.clone())
                .take(limit)
                .collect())
        })
        .await
    }
}

#[async_trait]
impl ProfileWrites for World {
    async fn put_profile(&self, tenant: &Tenant, profile: &Profile) -> PortResult<()> {
        self.write("put_profile", |state| {
            let key = (tenant.clone(), profile.key.clone());
            let found = state.learnt.profiles.get(&key).map_or(0, |old| old.version);
            if found + 1 != profile.version {
                let task_type = &profile.key.task_type;
                return Err(conflict(format!(
                    "profile of `{task_type}` has version {found}"
                )));
            }
            state.learnt.profiles.insert(key, profile.clone());
            Ok(())
        })
        .await
    }
}

#[async_trait]
impl ForecastReads for World {
    async fn outlook(&self) -> PortResult<Option<StoredOutlook>> {
        self.read(|state| Ok(state.learnt.outlook.clone())).await
    }

    async fn forecast(
        &self,
        place: &str,
        quantity: Quantity,
    ) -> PortResult<Option<StoredForecast>> {
        let key = (place.to_owned(), quantity);
        self.read(|state| Ok(state.learnt.forecasts.get(&key).cloned()))
            .await
    }

    async fn forecasts(&self, limit: usize) -> PortResult<Vec<StoredForecast>> {
        self.read(|state| {
            let all = state.learnt.forecasts.values();
            Ok(all.take(limit).cloned().collect())
        })
        .await
    }

    async fn prewarm_records(
        &self,
        target: &TargetId,
        limit: usize,
    ) -> PortResult<Vec<PrewarmRecord>> {
        self.read(|state| {
            let newest = state.learnt.prewarm.iter().rev();
            let mine = newest.filter(|((of, _), _)| of == target);
            Ok(mine.map(|(_, record)| record.clone()).take(limit).collect())
        })
        .await
    }
}

#[async_trait]
impl ForecastWrites for World {
    async fn put_outlook(&self, outlook: &StoredOutlook) -> PortResult<()> {
        self.write("put_outlook", |state| {
            let kept = &mut state.learnt.outlook;
            if kept
                .as_ref()
                .is_none_or(|old| old.made_at <= outlook.made_at)
            {
                *kept = Some(outlook.clone());
            }
            Ok(())
        })
        .await
    }

    async fn put_forecast(&self, forecast: &StoredForecast) -> PortResult<()> {
        self.write("put_forecast", |state| {
            let key = (forecast.place.clone(), forecast.quantity);
            let kept = state.learnt.forecasts.get(&key);
            if kept.is_none_or(|old| old.made_at <= forecast.made_at) {
                state.learnt.forecasts.insert(key, forecast.clone());
            }
            Ok(())
        })
        .await
    }

    async fn put_prewarm_record(&self, record: &PrewarmRecord) -> PortResult<()> {
        self.write("put_prewarm_record", |state| {
            let key = (record.decision.target.clone(), record.at);
            state.learnt.prewarm.insert(key, record.clone());
            Ok(())
        })
        .await
    }
}
