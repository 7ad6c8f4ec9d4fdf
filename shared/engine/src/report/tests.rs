//! Reports from small graphs, as text.

use std::collections::BTreeMap;

use foreshard_model::claim::Claim;
use foreshard_model::ids::{Attempt, ShardId, TaskId};
use foreshard_model::output::{Located, Manifest, OutputValue, TaskOutput, TaskUsage};
use foreshard_model::target::{Architecture, Target};
use foreshard_model::topology::Topology;
use foreshard_model::units::{Mib, TimeMs};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

/// `a>b a>c` with durations `a=3 b=1`: each task a shard of its own, started when its predecessors have ended and one
/// millisecond more.
fn measured(edges: &str, durations: &str) -> (TaskGraph, Vec<Manifest>) {
    let mut tasks: Vec<TaskId> = Vec::new();
    let mut lengths = Vec::new();
    for word in durations.split_whitespace() {
        let (name, ms) = word.split_once('=').unwrap();
        tasks.push(TaskId::from(name));
        lengths.push(ms.parse::<u64>().unwrap());
    }
    let place = |name: &str| tasks.iter().position(|t| t.as_str() == name).unwrap();
    let mut needs = vec![Vec::new(); tasks.len()];
    for edge in edges.split_whitespace() {
        let (from, to) = edge.split_once('>').unwrap();
        needs[place(to)].push(u32::try_from(place(from)).unwrap());
    }
    let mut ends: Vec<u64> = Vec::new();
    for (task, length) in lengths.iter().enumerate() {
        let start = needs[task].iter().map(|n| ends[*n as usize] + 1).max();
        ends.push(start.unwrap_or(0) + length);
    }
    let manifests = tasks
        .iter()
        .enumerate()
        .map(|(n, task)| {
            let usage = TaskUsage {
                started_ms: 1_000 + ends[n] - lengths[n],
                duration_ms: lengths[n],
                ..TaskUsage::default()
            };
            manifest(n, task, OutputValue::Inline(Value::Null), usage)
        })
        .collect();
    (
        TaskGraph {
            tasks,
            needs,
            ..TaskGraph::default()
        },
        manifests,
    )
}

fn manifest(shard: usize, task: &TaskId, value: OutputValue, usage: TaskUsage) -> Manifest {
    let output = TaskOutput {
        attempt: Attempt(1),
        value,
        files: BTreeMap::new(),
        usage,
    };
    Manifest {
        run: "r".into(),
        shard: ShardId(u32::try_from(shard).unwrap()),
        tasks: [(task.clone(), output)].into(),
    }
}

fn path_of(edges: &str, durations: &str) -> String {
    let (graph, manifests) = measured(edges, durations);
    let mut measurements = Measurements::new(&graph);
    manifests.iter().for_each(|m| measurements.add(m));
    let path = critical_path(&measurements, TimeMs(1_000));
    let steps: Vec<String> = path
        .steps
        .iter()
        .map(|s| format!("{}@{}+{}", s.task, s.start_ms, s.waited_ms))
        .collect();
    format!("{}: {}", path.duration_ms, steps.join(" "))
}

#[test]
fn the_longest_path_counts_and_the_waits_along_it() {
    insta::assert_snapshot!(path_of("a>b a>c b>d c>d", "a=3 b=1 c=5 d=2"), @"10: a@0+0 c@4+1 d@10+1");
    insta::assert_snapshot!(path_of("", "a=3 b=7"), @"7: b@0+0");
    insta::assert_snapshot!(path_of("a>b", "a=0 b=0"), @"0: a@0+0");
    insta::assert_snapshot!(path_of("", ""), @"0: ");
}

#[test]
fn tasks_that_did_not_run_count_nothing() {
    let (graph, manifests) = measured("a>b b>c", "a=3 b=4 c=5");
    let mut measurements = Measurements::new(&graph);
    measurements.add(&manifests[0]);
    measurements.add(&manifests[0]);
    assert_eq!((measurements.committed(), measurements.work_ms()), (1, 3));
    let path = critical_path(&measurements, TimeMs(0));
    assert_eq!((path.duration_ms, path.steps.len()), (3, 1));
}

#[test]
fn a_graph_that_is_none_gives_no_path() {
    let graph = TaskGraph {
        tasks: vec!["a".into(), "b".into()],
        needs: vec![vec![1], vec![0]],
        ..TaskGraph::default()
    };
    let measurements = Measurements::new(&graph);
    assert_eq!(critical_path(&measurements, TimeMs(0)).tasks, 0);
    let graph = TaskGraph {
        tasks: vec!["a".into()],
        needs: vec![vec![9]],
        ..TaskGraph::default()
    };
    assert_eq!(
        critical_path(&Measurements::new(&graph), TimeMs(0)).tasks,
        0
    );
}

fn topology() -> Topology {
    Topology {
        targets: vec![Target {
            id: "f:live".into(),
            region: "us-east-1".into(),
            memory: Mib(1024),
            architecture: Architecture::Arm64,
            limit_ms: 900_000,
            labels: BTreeMap::new(),
            speed: 1.0,
        }],
        ..Topology::default()
    }
}

#[test]
fn a_shard_costs_a_few_states_beside_its_own_time_and_a_parking_its_own() {
    let nothing = spent(&Used::default(), &topology());
    assert!(nothing.total().0.abs() < 1e-12);
    let one = Used {
        attempts: 1,
        lanes: 1,
        rounds: 1,
        lane_answers: 2,
        busy_ms: [(Mib(1024), 1_000)].into(),
        ..Used::default()
    };
    let cost = spent(&one, &topology());
    // Two answers of two states, one execute, the lane's end, four of the round: ten transitions.
    assert!((cost.by_service["step_functions"].0 - 10.0 * 25e-6).abs() < 1e-12);
    assert!(cost.by_service["lambda"].0 > 13.333e-6 && cost.by_service["lambda"].0 < 15e-6);
    let parked = Used {
        lane_answers: 5,
        ..one.clone()
    };
    let more = spent(&parked, &topology());
    assert!((more.by_service["step_functions"].0 - 19.0 * 25e-6).abs() < 1e-12);
    // Three parkings of 18 write and 10 read units.
    let table = more.by_service["dynamodb"].0 - cost.by_service["dynamodb"].0;
    assert!((table - 3.0 * (18.0 * 0.625e-6 + 10.0 * 0.125e-6)).abs() < 1e-12);
}

fn task_output(shard: u32, task: &str, path: Option<&str>) -> Located {
    Located::Task {
        shard: ShardId(shard),
        task: task.into(),
        path: path.map(str::to_owned),
    }
}

#[test]
fn outputs_come_from_manifests_or_are_missing_with_a_reason() {
    let outputs: BTreeMap<String, Located> = [
        ("here".to_owned(), task_output(0, "a", Some("$.x"))),
        ("no task".to_owned(), task_output(0, "b", None)),
        ("no shard".to_owned(), task_output(7, "c", None)),
        ("no value".to_owned(), task_output(0, "a", Some("$.y"))),
    ]
    .into();
    let mut collector = Collector::new("r".into(), &outputs);
    let value = OutputValue::Inline(json!({"x": [1]}));
    let task = TaskId::from("a");
    assert_eq!(
        collector.add(&manifest(0, &task, value, TaskUsage::default())),
        []
    );
    let result = collector.finish();
    assert_eq!(result.outputs["here"], OutputValue::Inline(json!([1])));
    let told: Vec<String> = result
        .missing
        .iter()
        .map(|(name, why)| format!("{name}: {why}\n"))
        .collect();
    insta::assert_snapshot!(told.concat(), @r"
    no shard: shard 7 has left no output
    no task: task `b` has left no output
    no value: `$.y` finds nothing in the value
    ");
}

#[test]
fn values_together_never_pass_the_limit_of_an_answer() {
    let large = json!("x".repeat(200 * 1024));
    let outputs: BTreeMap<String, Located> = (0..40)
        .map(|n| (format!("o{n:02}"), Located::Constant(large.clone())))
        .collect();
    let mut collector = Collector::new("r".into(), &outputs);
    let oversized = collector.begin(&Value::Null);
    assert_eq!(oversized.len(), 40 - INLINE_TOTAL_BYTES / (200 * 1024 + 2));
    for over in oversized {
        collector.place(&over.name, Claim::default());
    }
    let result = collector.finish();
    assert_eq!((result.outputs.len(), result.missing.len()), (40, 0));
    assert!(serde_json::to_vec(&result).unwrap().len() < 4_500_000);
}

proptest! {
    #[test]
    fn the_path_is_at_least_every_task_and_at_most_all_work(
        lengths in prop::collection::vec(0u64..50, 1..30),
        picks in prop::collection::vec((0usize..30, 0usize..30), 0..60),
    ) {
        let tasks: Vec<TaskId> = (0..lengths.len()).map(|n| TaskId(format!("t{n}"))).collect();
        let mut needs = vec![Vec::new(); lengths.len()];
        for (a, b) in picks {
            let (a, b) = (a % lengths.len(), b % lengths.len());
            if a < b { needs[b].push(u32::try_from(a).unwrap()); }
        }
        let graph = TaskGraph { tasks: tasks.clone(), needs: needs.clone(), ..TaskGraph::default() };
        let mut measurements = Measurements::new(&graph);
        let mut longest = vec![0u64; lengths.len()];
        for (n, ms) in lengths.iter().enumerate() {
            let usage = TaskUsage { duration_ms: *ms, ..TaskUsage::default() };
            measurements.add(&manifest(n, &tasks[n], OutputValue::Inline(Value::Null), usage));
            let before = needs[n].iter().map(|p| longest[*p as usize]).max().unwrap_or(0);
            longest[n] = before + ms;
        }
        let path = critical_path(&measurements, TimeMs(0));
        prop_assert_eq!(path.duration_ms, longest.iter().copied().max().unwrap());
        prop_assert!(path.duration_ms <= measurements.work_ms());
        let steps: u64 = path.steps.iter().map(|s| s.duration_ms).sum();
        prop_assert_eq!(steps, path.duration_ms);
    }
}

/// `estimate taken attempts`, one shard a word each.
fn shard_reports(text: &str) -> Vec<ShardReport> {
    let shard = |word: &str| {
        let numbers: Vec<u64> = word.split('/').map(|n| n.parse().unwrap()).collect();
        ShardReport {
            state: foreshard_model::frontier::ShardState::Done,
            estimate_ms: numbers[0],
            claimed_ms: 7,
            settled_ms: 7 + numbers[1],
            attempts: u32::try_from(numbers[2]).unwrap(),
            ..ShardReport::default()
        }
    };
    text.split_whitespace().map(shard).collect()
}

#[test]
fn forecasts_are_held_against_what_happened() {
    let interval = |mid: f64| foreshard_model::price::Interval {
        low: mid * 0.85,
        mid,
        high: mid * 1.3,
    };
    let outline: Outline = serde_json::from_value(json!({
        "price": {
            "total_usd": interval(0.02), "makespan_s": interval(100.0), "plain_usd": 0.0, "source": "",
            "by_service": {"lambda": 0.01, "dynamodb": 0.01},
        },
        "reasons": [{"subject": "lanes", "because": "4 lanes", "numbers": {"lanes": 4.0}}],
        "shards": "the rest of the plan is not read",
    }))
    .unwrap();
    let summary = foreshard_model::run::RunSummary {
        makespan_s: 120.0,
        cost_usd: foreshard_model::units::Usd(0.03),
        ..Default::default()
    };
    let spent = BTreeMap::from([("lambda".to_owned(), foreshard_model::units::Usd(0.03))]);
    let shards = shard_reports("100/50/1 100/100/1 100/300/1 100/9000/2 0/5/1");
    let made = forecasts(&outline, &summary, &spent, &shards);
    assert!((made.makespan_s.error - 0.2).abs() < 1e-12 && made.makespan_s.within);
    assert!((made.cost_usd.error - 0.5).abs() < 1e-12 && !made.cost_usd.within);
    let services: Vec<_> = made
        .cost_by_service
        .iter()
        .map(|(s, both)| (s.as_str(), both.0.0, both.1.0))
        .collect();
    assert_eq!(services, [("dynamodb", 0.01, 0.0), ("lambda", 0.01, 0.03)]);
    // Repeated shards, and those without an estimate, say nothing of estimates.
    let ShardErrors {
        compared,
        low,
        mid,
        high,
    } = made.shards;
    assert_eq!((compared, low, mid, high), (3, 0.5, 1.0, 3.0));
    assert_eq!(made.reasons, outline.reasons);
}
