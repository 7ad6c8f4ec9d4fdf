//! What is measured: samples of a known load, metrics with few dimensions.

use std::collections::BTreeSet;

use crate::bench::{Bench, RUN, With as _, script, synthetic};

#[tokio::test]
async fn metrics_are_published_by_task_type_and_target() {
    let bench = Bench::with(
        |settings| settings.target = "foreshard-execute-512".to_owned(),
        |_| {},
    );
    let tasks = vec![script("work1", "true"), script("work2", "exit 1")];
    bench.execute(&bench.shard(0, tasks)).await;
    let samples = bench.world.samples();
    let names: BTreeSet<_> = samples.iter().map(|sample| sample.name).collect();
    for name in [
        "TaskCpu",
        "TaskMemory",
        "TaskDuration",
        "TaskPeakMemory",
        "TaskErrors",
        "TaskRead",
        "TaskWritten",
        "AttemptDuration",
        "AttemptErrors",
        "ColdStart",
    ] {
        assert!(names.contains(name), "{name} in {names:?}");
    }
    let errors: Vec<_> = samples.iter().filter(|s| s.name == "TaskErrors").collect();
    let count: f64 = errors
        .iter()
        .flat_map(|s| &s.values)
        .map(|(value, count)| value * count)
        .sum();
    assert!((count - 1.0).abs() < f64::EPSILON, "{errors:?}");
    let dimensions: BTreeSet<_> = errors.iter().flat_map(|s| s.dimensions.clone()).collect();
    let expected = [
        ("Target", "foreshard-execute-512".to_owned()),
        ("TaskType", "work".to_owned()),
    ];
    assert_eq!(dimensions, BTreeSet::from(expected));
    let cold = samples.iter().find(|s| s.name == "ColdStart");
    let cold = cold.map(|s| (s.values.clone(), s.dimensions.len()));
    assert_eq!(
        cold,
        Some((vec![(1.0, 1.0)], 1)),
        "the environment is new, and only its target is named"
    );
}

#[tokio::test]
async fn no_metrics_and_no_empty_objects_cost_nothing() {
    let bench = Bench::new();
    bench
        .execute(&bench.shard(0, vec![synthetic("t", 1.0, 0)]))
        .await;
    let keys = bench.world.blob_keys(&format!("runs/{RUN}/"));
    assert_eq!(keys.len(), 2, "the chunk and the manifest: {keys:?}");
    assert_eq!(
        bench.item(foreshard_model::ids::ShardId(0)).version,
        1,
        "no checkpoint"
    );
}

#[tokio::test]
async fn the_log_keeps_the_end() {
    let bench = Bench::new();
    let task = script(
        "talk",
        "head -c 300000 /dev/zero | tr '\\0' x >&2; echo the end >&2",
    );
    bench
        .execute(&bench.shard(0, vec![task.timeout(10_000)]))
        .await;
    let log = bench.log("talk");
    assert!(
        log.starts_with("[37864 bytes left out]\nxxx") && log.ends_with("xthe end\n"),
        "{}",
        log.len()
    );
}
