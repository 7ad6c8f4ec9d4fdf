//! Reads recorded metrics with `GetMetricData`: as many metrics a request as it takes, page by page, what is missing left out.

use async_trait::async_trait;
use aws_sdk_cloudwatch::primitives::DateTime;
use aws_sdk_cloudwatch::types::{
    Dimension, Metric, MetricDataQuery, MetricDataResult, MetricStat, ScanBy, StatusCode,
};
use foreshard_model::units::TimeMs;
use foreshard_stages::ports::{
    MetricQuery, MetricReads, MetricSpan, Point, PortError, PortResult, Statistic,
};

use super::CloudWatchMetrics;
use crate::classify::port_error;

/// Metrics of one request. Source: CloudWatch quotas, `GetMetricData`.
const QUERIES_MAX: usize = 500;
/// Points of one page. Source: CloudWatch quotas, `GetMetricData`.
const POINTS_MAX: usize = 100_800;
/// Pages of one request at most: 500 metrics for 15 days of minutes are 108.
const PAGES_MAX: usize = 256;
/// Shortest period of metrics that are not published at a finer resolution, in seconds.
const PERIOD_MIN_S: u32 = 60;

#[async_trait]
impl MetricReads for CloudWatchMetrics {
    async fn points(
        &self,
        queries: &[MetricQuery],
        span: &MetricSpan,
    ) -> PortResult<Vec<Vec<Point>>> {
        let period_s = period(span)?;
        let (from, until) = whole(span);
        if from >= until {
            return Ok(vec![Vec::new(); queries.len()]);
        }
        let mut found = Vec::with_capacity(queries.len());
        for batch in queries.chunks(QUERIES_MAX) {
            let mut points = vec![Vec::new(); batch.len()];
            self.read(batch, (from, until), period_s, &mut points)
                .await?;
            found.extend(points.into_iter().map(ordered));
        }
        Ok(found)
    }
}

impl CloudWatchMetrics {
    /// All pages of one request.
    async fn read(
        &self,
        batch: &[MetricQuery],
        (from, until): (TimeMs, TimeMs),
        period_s: i32,
        points: &mut [Vec<Point>],
    ) -> PortResult<()> {
        let queries: Vec<MetricDataQuery> = batch
            .iter()
            .enumerate()
            .map(|(at, query)| asked(at, query, period_s))
            .collect();
        let mut token = None;
        for _ in 0..PAGES_MAX {
            let answer = self
                .client
                .get_metric_data()
                .set_metric_data_queries(Some(queries.clone()))
                .start_time(date(from))
                .end_time(date(until))
                .scan_by(ScanBy::TimestampAscending)
                .max_datapoints(i32::try_from(POINTS_MAX).unwrap_or(i32::MAX))
                .set_next_token(token)
                .send()
                .await
                .map_err(|error| port_error("recorded metrics", &error))?;
            for result in answer.metric_data_results() {
                take(result, points)?;
            }
            token = answer.next_token.filter(|token| !token.is_empty());
            if token.is_none() {
                return Ok(());
            }
        }
        Err(PortError::Refused(format!(
            "recorded metrics: more than {PAGES_MAX} pages"
        )))
    }
}

/// The period as the service takes it.
fn period(span: &MetricSpan) -> PortResult<i32> {
    let good = span.period_s >= PERIOD_MIN_S && span.period_s.is_multiple_of(PERIOD_MIN_S);
    match i32::try_from(span.period_s) {
        Ok(period_s) if good => Ok(period_s),
        _ => Err(PortError::Refused(format!(
            "period of {} s is no multiple of {PERIOD_MIN_S} s",
            span.period_s
        ))),
    }
}

/// The span in whole periods: the service rounds too, by rules that depend on how old it is.
fn whole(span: &MetricSpan) -> (TimeMs, TimeMs) {
    let period_ms = u64::from(span.period_s) * 1_000;
    let down = |at: TimeMs| at.0 / period_ms * period_ms;
    let until = down(TimeMs(span.until.0.saturating_add(period_ms - 1)));
    (TimeMs(down(span.from)), TimeMs(until))
}

fn date(at: TimeMs) -> DateTime {
    DateTime::from_millis(i64::try_from(at.0).unwrap_or(i64::MAX))
}

/// A query as the service takes it, named by its position.
fn asked(at: usize, query: &MetricQuery, period_s: i32) -> MetricDataQuery {
    let dimensions = query
        .dimensions
        .iter()
        .map(|(name, value)| Dimension::builder().name(*name).value(value).build())
        .collect();
    let metric = Metric::builder()
        .namespace(query.namespace)
        .metric_name(query.name)
        .set_dimensions(Some(dimensions))
        .build();
    let stat = MetricStat::builder()
        .metric(metric)
        .period(period_s)
        .stat(statistic(query.statistic))
        .build();
    MetricDataQuery::builder()
        .id(format!("m{at}"))
        .metric_stat(stat)
        .return_data(true)
        .build()
}

fn statistic(statistic: Statistic) -> &'static str {
    match statistic {
        Statistic::Sum => "Sum",
        Statistic::Average => "Average",
        Statistic::Minimum => "Minimum",
        Statistic::Maximum => "Maximum",
        Statistic::SampleCount => "SampleCount",
    }
}

/// Adds a result of one page to the points of its query.
fn take(result: &MetricDataResult, points: &mut [Vec<Point>]) -> PortResult<()> {
    let id = result.id().unwrap_or_default();
    let of = id.strip_prefix('m').and_then(|at| at.parse::<usize>().ok());
    let Some(points) = of.and_then(|at| points.get_mut(at)) else {
        return Err(PortError::Corrupt(format!(
            "recorded metrics: nobody asked for `{id}`"
        )));
    };
    match result.status_code() {
        Some(StatusCode::InternalError) => {
            return Err(PortError::Unavailable(
                "recorded metrics: internal error".into(),
            ));
        }
        Some(StatusCode::Forbidden) => {
            return Err(PortError::Refused("recorded metrics: forbidden".into()));
        }
        _ => {}
    }
    let pairs = result.timestamps().iter().zip(result.values());
    points.extend(pairs.filter_map(|(at, &value)| {
        let at = u64::try_from(at.to_millis().ok()?).ok()?;
        let at = TimeMs(at);
        value.is_finite().then_some(Point { at, value })
    }));
    Ok(())
}

/// By time; of a period that is told twice, what was told last.
fn ordered(mut points: Vec<Point>) -> Vec<Point> {
    points.reverse();
    points.sort_by_key(|point| point.at);
    points.dedup_by_key(|point| point.at);
    points
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(from: u64, until: u64, period_s: u32) -> MetricSpan {
        MetricSpan {
            from: TimeMs(from),
            until: TimeMs(until),
            period_s,
        }
    }

    #[test]
    fn spans_are_asked_in_whole_periods() {
        let asked = whole(&span(61_000, 120_001, 60));
        assert_eq!(asked, (TimeMs(60_000), TimeMs(180_000)));
        assert_eq!(period(&span(0, 1, 300)), Ok(300));
        for odd in [0, 1, 59, 90] {
            assert!(period(&span(0, 1, odd)).is_err(), "{odd}");
        }
    }

    #[test]
    fn a_query_is_asked_by_position_with_all_dimensions() {
        let query = MetricQuery {
            namespace: "AWS/Lambda",
            name: "ConcurrentExecutions",
            dimensions: vec![("FunctionName", "f".to_owned())],
            statistic: Statistic::Maximum,
        };
        let asked = asked(7, &query, 60);
        let stat = asked.metric_stat().unwrap();
        assert_eq!(asked.id(), Some("m7"));
        assert_eq!((stat.period(), stat.stat()), (Some(60), Some("Maximum")));
        assert_eq!(stat.metric().unwrap().dimensions()[0].value(), Some("f"));
    }

    fn result(id: &str, minutes: &[i64], status: StatusCode) -> MetricDataResult {
        let at = minutes.iter().map(|m| DateTime::from_secs(m * 60));
        MetricDataResult::builder()
            .id(id)
            .set_timestamps(Some(at.collect()))
            .set_values(Some(minutes.iter().map(|&m| m as f64).collect()))
            .status_code(status)
            .build()
    }

    #[test]
    fn pages_are_joined_by_time_and_gaps_stay_gaps() {
        let mut points = vec![Vec::new(); 2];
        for page in [
            result("m1", &[3, 1], StatusCode::PartialData),
            result("m1", &[7, 3], StatusCode::Complete),
        ] {
            take(&page, &mut points).unwrap();
        }
        let ordered = ordered(points.remove(1));
        let minutes: Vec<u64> = ordered.iter().map(|p| p.at.0 / 60_000).collect();
        assert_eq!(minutes, [1, 3, 7]);
        assert!(points[0].is_empty());
    }

    #[test]
    fn what_the_service_could_not_tell_is_no_gap() {
        let mut points = vec![Vec::new()];
        let failed = result("m0", &[], StatusCode::InternalError);
        let error = take(&failed, &mut points).unwrap_err();
        assert!(matches!(error, PortError::Unavailable(_)), "{error}");
        let stranger = result("m9", &[1], StatusCode::Complete);
        assert!(take(&stranger, &mut points).is_err());
    }
}
