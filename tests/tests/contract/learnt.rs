//! What was learnt: metrics read back, profiles by version, forecasts of which the latest stays, decisions by time.

use std::collections::BTreeMap;
use std::sync::Arc;

use foreshard_model::forecast::{Forecast, Quantity, StoredForecast};
use foreshard_model::ids::Tenant;
use foreshard_model::outlook::{Expected, Flag, Outlook, Step, StoredOutlook};
use foreshard_model::prewarm::{PrewarmAction, PrewarmDecision, PrewarmRecord};
use foreshard_model::profile::{Ended, Profile, ProfileKey, SizeBucket, Sketch};
use foreshard_model::units::{Mib, TimeMs};
use foreshard_stages::ports::{
    MetricQuery, MetricSpan, NAMESPACE, Point, PortError, Sample, Statistic,
};

use crate::adapters::Adapters;

const MINUTE_MS: u64 = 60_000;

/// The start of this minute: stores of metrics take nothing that is long ago.
fn this_minute() -> TimeMs {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let now_ms = u64::try_from(since.unwrap().as_millis()).unwrap();
    TimeMs(now_ms / MINUTE_MS * MINUTE_MS)
}

pub async fn metrics_are_read_back_by_the_minute(on: Arc<Adapters>) {
    let now = this_minute();
    let first = TimeMs(now.0 - 10 * MINUTE_MS);
    let dimensions = || {
        vec![
            ("TaskType", "read-back".to_owned()),
            ("Target", format!("t-{}", now.0)),
        ]
    };
    let sample = |minute: u64, values: Vec<(f64, f64)>| Sample {
        name: "TaskDuration",
        unit: "Milliseconds",
        at: first.plus(minute * MINUTE_MS + 17_000),
        values,
        dimensions: dimensions(),
    };
    let samples = [
        sample(0, vec![(100.0, 3.0), (50.0, 1.0)]),
        sample(0, vec![(200.0, 1.0)]),
        sample(3, vec![(7.0, 2.0)]),
    ];
    on.metrics.publish(&samples).await.unwrap();
    let query = |statistic| MetricQuery {
        namespace: NAMESPACE,
        name: "TaskDuration",
        dimensions: dimensions(),
        statistic,
    };
    // Fewer dimensions are another metric on AWS, but not on LocalStack: more of them are everywhere.
    let region = ("Region", "nowhere".to_owned());
    let stranger = MetricQuery {
        dimensions: [dimensions(), vec![region]].concat(),
        ..query(Statistic::Sum)
    };
    let queries = [
        query(Statistic::Sum),
        query(Statistic::Maximum),
        query(Statistic::SampleCount),
        stranger,
    ];
    let span = MetricSpan {
        from: first.plus(1),
        until: now,
        period_s: 60,
    };
    let points = on.metric_reads.points(&queries, &span).await.unwrap();
    let point = |minute: u64, value| Point {
        at: first.plus(minute * MINUTE_MS),
        value,
    };
    let expected = [
        vec![point(0, 550.0), point(3, 14.0)],
        vec![point(0, 200.0), point(3, 7.0)],
        vec![point(0, 5.0), point(3, 2.0)],
        Vec::new(),
    ];
    assert_eq!(points, expected, "missing minutes have no point");
    let whole = MetricSpan {
        period_s: 600,
        ..span
    };
    let whole = on.metric_reads.points(&queries[..1], &whole).await.unwrap();
    let sum: f64 = whole[0].iter().map(|point| point.value).sum();
    assert_eq!(sum, 564.0, "{whole:?}");
    let odd = MetricSpan {
        period_s: 90,
        ..span
    };
    assert!(on.metric_reads.points(&queries, &odd).await.is_err());
    assert_eq!(on.metric_reads.points(&[], &span).await, Ok(Vec::new()));
}

fn profile(task_type: &str, bucket: u8) -> Profile {
    let sketch = Sketch {
        bins: vec![-1, 12, 30],
        weights: vec![0.25, 1.0, 7.5],
        max: 12_345.5,
    };
    Profile {
        key: ProfileKey {
            task_type: task_type.to_owned(),
            target: "execute-512:live".into(),
            bucket: SizeBucket(bucket),
        },
        memory: Mib(512),
        version: 1,
        landmark: TimeMs(1_700_000_000_000),
        latest: this_minute(),
        samples: 9,
        weight: 8.75,
        duration_ms: sketch.clone(),
        peak_kib: sketch,
        outcomes: BTreeMap::from([(Ended::Done, 8.75), (Ended::OutOfMemory, 1.0)]),
        out_of_memory_at: Some(TimeMs(1_700_000_000_000)),
        marks: vec![(1 << 48) - 1],
        ..Profile::default()
    }
}

pub async fn a_profile_is_written_by_version(on: Arc<Adapters>) {
    let (tenant, other) = (Tenant::from("learner"), Tenant::from("other-learner"));
    let first = profile("command:versions", 3);
    assert_eq!(on.profiles.profile(&tenant, &first.key).await, Ok(None));
    let put = async |profile: &Profile| on.profile_writes.put_profile(&tenant, profile).await;
    put(&first).await.unwrap();
    let again = put(&first).await;
    assert!(matches!(again, Err(PortError::Conflict(_))), "{again:?}");
    let second = Profile {
        version: 2,
        samples: 10,
        ..first.clone()
    };
    put(&second).await.unwrap();
    let late = put(&Profile {
        version: 4,
        ..first.clone()
    })
    .await;
    assert!(matches!(late, Err(PortError::Conflict(_))), "{late:?}");
    let found = on.profiles.profile(&tenant, &first.key).await;
    assert_eq!(found, Ok(Some(second)));
    assert_eq!(
        on.profiles.profile(&other, &first.key).await,
        Ok(None),
        "what a tenant has learnt is its own"
    );
}

pub async fn profiles_of_a_type_are_found_by_key(on: Arc<Adapters>) {
    let tenant = Tenant::from("learner");
    let mut all = [12, 0, 3].map(|bucket| profile("command:listed", bucket));
    let stranger = profile("command:listed-as-well", 3);
    for profile in all.iter().chain([&stranger]) {
        on.profile_writes
            .put_profile(&tenant, profile)
            .await
            .unwrap();
    }
    all.sort_by(|a, b| a.key.cmp(&b.key));
    let of = async |limit| {
        let found = on.profiles.profiles_of(&tenant, "command:listed", limit);
        found.await.unwrap()
    };
    assert_eq!(of(10).await, all);
    assert_eq!(of(2).await, all[..2]);
}

fn forecast(place: &str, made_at: u64) -> StoredForecast {
    let quantiles = [("0.5", vec![1.0, 2.5]), ("0.99", vec![4.0, 1e-3])];
    StoredForecast {
        place: place.to_owned(),
        quantity: Quantity::Concurrency,
        made_at: TimeMs(made_at),
        rows: 2,
        forecast: Forecast {
            start_s: 1_700_000_000,
            step_s: 300,
            quantiles: quantiles.map(|(q, v)| (q.to_owned(), v)).into(),
            model: "level of 288 rows".to_owned(),
            judged: Vec::new(),
            reasons: Vec::new(),
        },
        known: vec![0.0, 12.0],
        busy: Some(0.5),
    }
}

pub async fn the_latest_forecast_of_a_place_stays(on: Arc<Adapters>) {
    let read = async || {
        let read = on.forecasts.forecast("stays", Quantity::Concurrency);
        read.await.unwrap().map(|found| found.made_at.0)
    };
    assert_eq!(read().await, None);
    for (made_at, expected) in [(5, 5), (5, 5), (9, 9), (7, 9)] {
        let made = forecast("stays", made_at);
        on.forecast_writes.put_forecast(&made).await.unwrap();
        assert_eq!(read().await, Some(expected));
    }
    let claimed = StoredForecast {
        quantity: Quantity::Claimed,
        ..forecast("stays", 1)
    };
    on.forecast_writes.put_forecast(&claimed).await.unwrap();
    let all = on.forecasts.forecasts(100).await.unwrap();
    let mine: Vec<_> = all.into_iter().filter(|f| f.place == "stays").collect();
    assert_eq!(mine.len(), 2);
    assert!(mine.contains(&claimed) && mine.contains(&forecast("stays", 9)));
}

pub async fn the_latest_outlook_stays(on: Arc<Adapters>) {
    let step = Step {
        from_s: 300,
        lanes: BTreeMap::from([("0.1".to_owned(), 3.0), ("0.5".to_owned(), 80.0)]),
    };
    let expected = Expected {
        free: vec![step],
        failures_per_h: 0.25,
    };
    let made = |at| StoredOutlook {
        made_at: TimeMs(at),
        outlook: Outlook {
            regions: BTreeMap::from([("eu-west-1".to_owned(), expected.clone())]),
            ..Outlook::default()
        },
        flags: vec![Flag {
            place: "eu-west-1".to_owned(),
            series: "throttles".to_owned(),
            at: TimeMs(at),
            score: 0.5,
            because: "a record".to_owned(),
        }],
        reasons: Vec::new(),
    };
    for (at, stays) in [(5, 5), (9, 9), (7, 9)] {
        on.forecast_writes.put_outlook(&made(at)).await.unwrap();
        assert_eq!(on.forecasts.outlook().await, Ok(Some(made(stays))));
    }
}

pub async fn decisions_come_newest_first(on: Arc<Adapters>) {
    let record = |target: &str, at: u64, environments| PrewarmRecord {
        at: TimeMs(at),
        decision: PrewarmDecision {
            target: target.into(),
            environments,
            action: PrewarmAction::Put { environments },
            reasons: vec!["because".to_owned()],
            ..PrewarmDecision::default()
        },
        ..PrewarmRecord::default()
    };
    let all = [
        record("warm-1:live", 1_000, 3),
        record("warm-1:live", 2_000, 4),
        record("warm-2:live", 1_500, 5),
        record("warm-1:live", 2_000, 6),
    ];
    for record in &all {
        on.forecast_writes.put_prewarm_record(record).await.unwrap();
    }
    let of = async |limit| {
        let target = "warm-1:live".into();
        on.forecasts.prewarm_records(&target, limit).await.unwrap()
    };
    assert_eq!(of(9).await, [all[3].clone(), all[0].clone()]);
    assert_eq!(of(1).await, [all[3].clone()]);
}
