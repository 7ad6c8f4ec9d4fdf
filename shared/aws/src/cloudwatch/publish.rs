//! Metrics in the namespace `Foreshard`, packed into as few requests as CloudWatch's limits allow.

use async_trait::async_trait;
use aws_sdk_cloudwatch::primitives::DateTime;
use aws_sdk_cloudwatch::types::{Dimension, MetricDatum, StandardUnit};
use foreshard_stages::ports::{Metrics, NAMESPACE, PortResult, Sample};

use super::CloudWatchMetrics;
use crate::classify::port_error;

/// Values of one datum. Source: CloudWatch API reference, `MetricDatum.Values`.
const VALUES_MAX: usize = 150;
/// Data of one request. Source: CloudWatch quotas, `PutMetricData`.
const DATA_MAX: usize = 1000;
/// Bytes of one request, estimated from above; the limit is 1 MB.
const REQUEST_BYTES: usize = 900_000;
/// Bytes of a datum without its values, with the names that the query protocol gives each member.
const DATUM_BYTES: usize = 400;
/// Bytes of a value and its count, with their names.
const VALUE_BYTES: usize = 130;
/// Bytes of a dimension without its text.
const DIMENSION_BYTES: usize = 120;
/// One second: samples are taken every half second.
const RESOLUTION_S: i32 = 1;

/// A sample or a part of one: at most [`VALUES_MAX`] values.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Piece<'a> {
    sample: &'a Sample,
    values: &'a [(f64, f64)],
}

impl Piece<'_> {
    fn bytes(&self) -> usize {
        let dimensions: usize = self
            .sample
            .dimensions
            .iter()
            .map(|(name, value)| DIMENSION_BYTES + name.len() + value.len())
            .sum();
        DATUM_BYTES + dimensions + self.values.len() * VALUE_BYTES
    }

    fn datum(&self) -> MetricDatum {
        let dimensions = self
            .sample
            .dimensions
            .iter()
            .map(|(name, value)| Dimension::builder().name(*name).value(value).build())
            .collect();
        let at_ms = i64::try_from(self.sample.at.0).unwrap_or(i64::MAX);
        MetricDatum::builder()
            .metric_name(self.sample.name)
            .unit(StandardUnit::from(self.sample.unit))
            .timestamp(DateTime::from_millis(at_ms))
            .storage_resolution(RESOLUTION_S)
            .set_values(Some(self.values.iter().map(|(value, _)| *value).collect()))
            .set_counts(Some(self.values.iter().map(|(_, count)| *count).collect()))
            .set_dimensions(Some(dimensions))
            .build()
    }
}

/// Cuts samples into requests within the limits.
fn requests(samples: &[Sample]) -> Vec<Vec<Piece<'_>>> {
    let pieces = samples.iter().flat_map(|sample| {
        sample
            .values
            .chunks(VALUES_MAX)
            .map(move |values| Piece { sample, values })
    });
    let mut requests: Vec<Vec<Piece<'_>>> = Vec::new();
    let mut room = 0usize;
    for piece in pieces {
        let bytes = piece.bytes();
        match requests.last_mut() {
            Some(open) if open.len() < DATA_MAX && bytes <= room => {
                room -= bytes;
                open.push(piece);
            }
            _ => {
                room = REQUEST_BYTES.saturating_sub(bytes);
                requests.push(vec![piece]);
            }
        }
    }
    requests
}

/// Without values that are not finite: CloudWatch would refuse the whole request.
fn finite(samples: &[Sample]) -> Vec<Sample> {
    samples
        .iter()
        .map(|sample| Sample {
            values: sample
                .values
                .iter()
                .copied()
                .filter(|(value, count)| value.is_finite() && count.is_finite())
                .collect(),
            ..sample.clone()
        })
        .collect()
}

#[async_trait]
impl Metrics for CloudWatchMetrics {
    async fn publish(&self, samples: &[Sample]) -> PortResult<()> {
        let samples = finite(samples);
        for request in requests(&samples) {
            self.client
                .put_metric_data()
                .namespace(NAMESPACE)
                .set_metric_data(Some(request.iter().map(Piece::datum).collect()))
                .send()
                .await
                .map_err(|error| port_error("metrics", &error))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use foreshard_model::units::TimeMs;
    use proptest::prelude::*;

    fn sample(values: usize, text: usize) -> Sample {
        Sample {
            name: "TaskMemory",
            unit: "Kilobytes",
            at: TimeMs(1_700_000_000_000),
            values: (0..values).map(|v| (v as f64, 1.0)).collect(),
            dimensions: vec![("TaskType", "x".repeat(text))],
        }
    }

    #[test]
    fn a_long_series_is_cut() {
        let samples = [sample(301, 4)];
        let cut: Vec<usize> = requests(&samples)[0]
            .iter()
            .map(|p| p.values.len())
            .collect();
        assert_eq!(cut, [150, 150, 1]);
        let datum = requests(&samples)[0][2].datum();
        assert_eq!(datum.values(), [300.0]);
        assert_eq!(datum.counts(), [1.0]);
        assert_eq!(datum.storage_resolution(), Some(1));
    }

    #[test]
    fn nothing_is_no_request_and_what_is_not_finite_is_left_out() {
        assert!(requests(&[sample(0, 4)]).is_empty());
        let mut odd = sample(1, 4);
        odd.values.push((f64::NAN, 1.0));
        assert_eq!(finite(&[odd])[0].values, [(0.0, 1.0)]);
    }

    proptest! {
        #[test]
        fn every_value_goes_once_and_no_limit_is_passed(
            sizes in proptest::collection::vec((0usize..400, 0usize..255), 0..80)
        ) {
            let samples: Vec<Sample> = sizes.iter().map(|&(v, t)| sample(v, t)).collect();
            let requests = requests(&samples);
            let sent: usize = requests.iter().flatten().map(|p| p.values.len()).sum();
            prop_assert_eq!(sent, sizes.iter().map(|s| s.0).sum::<usize>());
            for request in &requests {
                prop_assert!(request.len() <= DATA_MAX);
                prop_assert!(request.iter().map(Piece::bytes).sum::<usize>() <= REQUEST_BYTES);
                prop_assert!(request.iter().all(|p| p.values.len() <= VALUES_MAX && !p.values.is_empty()));
            }
        }
    }
}
