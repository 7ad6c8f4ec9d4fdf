//! Turns what was sampled into metrics: few dimensions, every value kept, a bounded number of data points.

use std::collections::BTreeMap;

use foreshard_model::units::TimeMs;
use foreshard_stages::ports::Sample;

use super::Sampled;

/// Task types of one shard that get metrics of their own; a custom metric costs $0.30 a month. The rest share `other`.
const TYPES: usize = 10;

/// Data points of one metric and task type: a long attempt gets wider ones, each with more values.
const POINTS: u64 = 120;

/// Values of one data point. Source: CloudWatch `MetricDatum`, "up to 150 unique values".
const VALUES: usize = 150;

/// The share that the types without metrics of their own have together.
const OTHER: &str = "other";

/// One finished or failed execution of a task.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Execution {
    pub(crate) task_type: String,
    pub(crate) ended_at: TimeMs,
    pub(crate) duration_ms: u64,
    pub(crate) peak_kib: u64,
    pub(crate) read_bytes: u64,
    pub(crate) written_bytes: u64,
    pub(crate) failed: bool,
}

/// What is told of an attempt as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct AttemptUse {
    pub(crate) ended_at: TimeMs,
    pub(crate) duration_ms: u64,
    /// Of itself: that of a worker which is killed nobody tells here, dispatch counts it.
    pub(crate) failed: bool,
    /// Whether it is the first of its environment.
    pub(crate) cold: bool,
}

/// The metrics of one attempt.
pub(crate) fn of(
    sampled: &Sampled,
    executions: &[Execution],
    attempt: &AttemptUse,
    target: &str,
) -> Vec<Sample> {
    let mut series = Series::new(sampled, executions);
    series.add_attempt(attempt);
    for (task_type, points) in &sampled.by_type {
        for point in points {
            let at = point.at_ms;
            series.add("TaskCpu", "Percent", task_type, at, point.cpu_percent);
            series.add(
                "TaskMemory",
                "Megabytes",
                task_type,
                at,
                point.resident_kib / 1024.0,
            );
            series.add(
                "TaskDiskRead",
                "Bytes/Second",
                task_type,
                at,
                point.disk_read_per_s,
            );
            series.add(
                "TaskDiskWrite",
                "Bytes/Second",
                task_type,
                at,
                point.disk_written_per_s,
            );
        }
    }
    for execution in executions {
        let (task_type, at) = (&execution.task_type, execution.ended_at.0);
        series.add(
            "TaskDuration",
            "Milliseconds",
            task_type,
            at,
            execution.duration_ms as f64,
        );
        // Unknown for what runs in no process of its own.
        if execution.peak_kib > 0 {
            series.add(
                "TaskPeakMemory",
                "Megabytes",
                task_type,
                at,
                execution.peak_kib as f64 / 1024.0,
            );
        }
        for (name, unit, value) in [
            ("TaskErrors", "Count", f64::from(u8::from(execution.failed))),
            ("TaskRead", "Bytes", execution.read_bytes as f64),
            ("TaskWritten", "Bytes", execution.written_bytes as f64),
        ] {
            series.add(name, unit, task_type, at, value);
        }
    }
    for (at, bytes_per_s) in &sampled.network {
        series.add("Network", "Bytes/Second", "", *at, *bytes_per_s);
    }
    series.samples(target)
}

type Key = (&'static str, &'static str, String, u64);

struct Series {
    own: Vec<String>,
    began_ms: u64,
    width_ms: u64,
    values: BTreeMap<Key, Vec<f64>>,
}

impl Series {
    fn new(sampled: &Sampled, executions: &[Execution]) -> Self {
        let points = sampled.by_type.values().flatten().map(|point| point.at_ms);
        let network = sampled.network.iter().map(|(at, _)| *at);
        let ends = executions.iter().map(|execution| execution.ended_at.0);
        let times: Vec<u64> = points.chain(network).chain(ends).collect();
        let began_ms = times.iter().min().copied().unwrap_or_default() / 1_000 * 1_000;
        let ended_ms = times.iter().max().copied().unwrap_or_default();
        let length_ms = ended_ms.saturating_sub(began_ms);
        let seconds = (length_ms / 1_000 + 1).div_ceil(POINTS);
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for execution in executions {
            *counts.entry(&execution.task_type).or_default() += 1;
        }
        let mut own: Vec<(usize, &str)> = counts
            .into_iter()
            .map(|(name, count)| (count, name))
            .collect();
        own.sort_by(|a, b| b.cmp(a));
        own.truncate(TYPES);
        Self {
            own: own.into_iter().map(|(_, name)| name.to_owned()).collect(),
            began_ms,
            width_ms: seconds * 1_000,
            values: BTreeMap::new(),
        }
    }

    fn add(
        &mut self,
        name: &'static str,
        unit: &'static str,
        task_type: &str,
        at_ms: u64,
        value: f64,
    ) {
        let shown = task_type.is_empty() || self.own.iter().any(|own| own == task_type);
        let task_type = if shown { task_type } else { OTHER };
        let bucket = at_ms.saturating_sub(self.began_ms) / self.width_ms;
        let at = self.began_ms + bucket * self.width_ms;
        let key = (name, unit, task_type.to_owned(), at);
        self.values.entry(key).or_default().push(value);
    }

    /// By target alone: the mean of `ColdStart` is their share, that of `AttemptErrors` the share of failures, and the
    /// sum of `AttemptDuration` in a minute is the concurrency there.
    fn add_attempt(&mut self, attempt: &AttemptUse) {
        let at = attempt.ended_at.0;
        let whether = |yes: bool| f64::from(u8::from(yes));
        for (name, unit, value) in [
            (
                "AttemptDuration",
                "Milliseconds",
                attempt.duration_ms as f64,
            ),
            ("AttemptErrors", "Count", whether(attempt.failed)),
            ("ColdStart", "Count", whether(attempt.cold)),
        ] {
            self.add(name, unit, "", at, value);
        }
    }

    fn samples(self, target: &str) -> Vec<Sample> {
        let mut samples = Vec::new();
        for ((name, unit, task_type, at), values) in self.values {
            let mut dimensions = vec![("Target", target.to_owned())];
            if !task_type.is_empty() {
                dimensions.insert(0, ("TaskType", task_type));
            }
            for values in counted(values).chunks(VALUES) {
                samples.push(Sample {
                    name,
                    unit,
                    at: TimeMs(at),
                    values: values.to_vec(),
                    dimensions: dimensions.clone(),
                });
            }
        }
        samples
    }
}

/// Values with their number, ascending.
fn counted(mut values: Vec<f64>) -> Vec<(f64, f64)> {
    values.sort_by(f64::total_cmp);
    let mut counted: Vec<(f64, f64)> = Vec::new();
    for value in values {
        match counted.last_mut() {
            Some((last, count)) if *last == value => *count += 1.0,
            _ => counted.push((value, 1.0)),
        }
    }
    counted
}

#[cfg(test)]
mod tests {
    use super::super::Point;
    use super::*;

    fn execution(task_type: &str, at: u64) -> Execution {
        Execution {
            task_type: task_type.to_owned(),
            ended_at: TimeMs(at),
            duration_ms: 20,
            peak_kib: 2_048,
            read_bytes: 10,
            written_bytes: 7,
            failed: false,
        }
    }

    fn attempt(at: u64) -> AttemptUse {
        AttemptUse {
            ended_at: TimeMs(at),
            duration_ms: 900,
            failed: false,
            cold: true,
        }
    }

    fn lines(samples: &[Sample]) -> Vec<String> {
        let dimensions = |s: &Sample| {
            s.dimensions
                .iter()
                .map(|(_, v)| v.as_str())
                .collect::<Vec<_>>()
                .join(" ")
        };
        samples
            .iter()
            .map(|s| format!("{} {} {} {:?}", s.name, s.at.0, dimensions(s), s.values))
            .collect()
    }

    #[test]
    fn a_second_is_one_data_point_and_equal_values_are_counted() {
        let executions = [
            execution("a", 1_100),
            execution("a", 1_900),
            execution("b", 2_000),
        ];
        let expected = [
            "AttemptDuration 2000 t [(900.0, 1.0)]",
            "AttemptErrors 2000 t [(0.0, 1.0)]",
            "ColdStart 2000 t [(1.0, 1.0)]",
            "TaskDuration 1000 a t [(20.0, 2.0)]",
            "TaskDuration 2000 b t [(20.0, 1.0)]",
            "TaskErrors 1000 a t [(0.0, 2.0)]",
            "TaskErrors 2000 b t [(0.0, 1.0)]",
            "TaskPeakMemory 1000 a t [(2.0, 2.0)]",
            "TaskPeakMemory 2000 b t [(2.0, 1.0)]",
            "TaskRead 1000 a t [(10.0, 2.0)]",
            "TaskRead 2000 b t [(10.0, 1.0)]",
            "TaskWritten 1000 a t [(7.0, 2.0)]",
            "TaskWritten 2000 b t [(7.0, 1.0)]",
        ];
        let samples = of(&Sampled::default(), &executions, &attempt(2_000), "t");
        assert_eq!(lines(&samples), expected);
    }

    #[test]
    fn types_and_points_are_bounded_and_no_value_is_lost() {
        let executions: Vec<_> = (0..40)
            .map(|i| execution(&format!("type-{i:02}"), i))
            .collect();
        let mut sampled = Sampled::default();
        let points = (0..1_800).map(|i| Point {
            at_ms: i * 500,
            cpu_percent: i as f64,
            ..Point::default()
        });
        sampled
            .by_type
            .insert("type-39".to_owned(), points.collect());
        let samples = of(&sampled, &executions, &attempt(0), "t");
        let cpu: Vec<_> = samples.iter().filter(|s| s.name == "TaskCpu").collect();
        assert!(cpu.len() as u64 <= POINTS, "{}", cpu.len());
        assert_eq!(cpu.iter().map(|s| s.values.len()).sum::<usize>(), 1_800);
        let of_types = samples.iter().filter(|s| s.dimensions.len() == 2);
        let types: std::collections::BTreeSet<_> = of_types.map(|s| &s.dimensions[0].1).collect();
        assert_eq!(types.len(), TYPES + 1);
    }
}
