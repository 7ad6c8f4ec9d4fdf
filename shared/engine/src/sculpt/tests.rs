//! What is cut and replaced, how often, and why.

use std::collections::BTreeMap;

use foreshard_model::limits::LAMBDA_TIMEOUT_MS;
use foreshard_model::outlook::{Expected, Outlook, Promised, Step};
use foreshard_model::target::Pool;
use foreshard_model::units::Mib;
use foreshard_model::workflow::{CONDITION, FileSource, Task, TaskKind, ValueSource, Workflow};
use proptest::prelude::*;

use crate::parse;

use super::*;

/// A document with these tasks.
fn workflow(tasks: &str) -> Workflow {
    let text = format!("foreshard: 1\nname: t\nversion: \"1\"\ntasks:\n{tasks}");
    let parsed = parse::document(text.as_bytes(), &BTreeMap::new());
    parsed
        .unwrap_or_else(|problems| panic!("{problems:?}"))
        .workflow
}

fn in_pool(workflow: &Workflow, pool: &Pool, lanes: u32) -> (Workflow, Vec<String>) {
    expecting(workflow, pool, &Outlook::default(), lanes)
}

fn expecting(
    workflow: &Workflow,
    pool: &Pool,
    outlook: &Outlook,
    lanes: u32,
) -> (Workflow, Vec<String>) {
    let sculpted = sculpt(&Given {
        workflow,
        sites: &Sites::new(pool, outlook, &Promised::default()),
        lanes,
        shard_usd: 0.000_125,
        cpu_ms: &|task| task.estimate_ms.map(|ms| ms as f64),
    });
    let reasons = sculpted.reasons.into_iter();
    let reasons = reasons.map(|r| format!("{}: {}", r.subject, r.because));
    (sculpted.workflow.into_owned(), reasons.collect())
}

fn on_aws(tasks: &str, lanes: u32) -> (Workflow, Vec<String>) {
    in_pool(&workflow(tasks), &Pool::default_on_aws("us-east-1"), lanes)
}

fn ids(workflow: &Workflow) -> Vec<&str> {
    workflow.tasks.iter().map(|task| task.id.as_str()).collect()
}

fn of<'a>(workflow: &'a Workflow, id: &str) -> &'a Task {
    workflow
        .tasks
        .iter()
        .find(|task| task.id.as_str() == id)
        .unwrap()
}

const SCORE: &str = "
  - {id: rows, kind: command, run: [rows], estimate_s: 1}
  - id: score
    kind: command
    run: [score]
    needs: [rows]
    inputs: {rows: {task: rows}, limit: {value: 3}}
    writes: [{name: log, bytes: 1000}]
    estimate_s: 100
    split: {array: $.rows, merge: arrays, fixed_s: 1, max_parts: 10}
  - {id: after, kind: command, run: [after], needs: [score], inputs: {s: {task: score}}, files: [{task: score, file: log}]}
";

#[test]
fn a_long_task_becomes_its_parts_and_their_merge_under_its_own_id() {
    let (cut, reasons) = on_aws(SCORE, 40);
    insta::assert_snapshot!(reasons.join("\n"), @"split: `score` cut into 10 parts of 10.9 s and a merge: the run is expected to end after 13.2 s instead of 102.0 s; $0.001250 for more shards at most");
    assert_eq!(ids(&cut)[..3], ["rows", "score", "after"]);
    let parts: Vec<&str> = ids(&cut)[3..].to_vec();
    assert!(parts.iter().all(|id| id.starts_with("score/part-")));
    let first = of(&cut, "score/part-1");
    let slice = first.extras().slice.unwrap();
    assert_eq!((slice.part, slice.parts as usize), (0, parts.len()));
    assert_eq!(first.task_type, "command:score/part");
    assert_eq!(
        first.estimate_ms,
        Some(1_000 + 99_000_u64.div_ceil(parts.len() as u64))
    );
    assert_eq!(
        first.writes[0].bytes,
        Some(1_000_u64.div_ceil(parts.len() as u64))
    );
    assert_eq!(first.needs, workflow(SCORE).tasks[1].needs);
    let merge = of(&cut, "score");
    assert_eq!(merge.extras().parts.len(), parts.len());
    assert_eq!(merge.needs.len(), parts.len());
    assert_eq!(
        merge.kind,
        TaskKind::Handler {
            handler: JOIN.to_owned()
        }
    );
    assert_eq!(merge.files.len(), parts.len());
    assert_eq!(merge.files[1].name, "log.2");
    assert!(
        matches!(&merge.files[1].source, FileSource::Task { task, .. } if cut.tasks[task.index()].id.as_str() == "score/part-2")
    );
    // What follows it takes from where it always did.
    assert_eq!(cut.tasks[2], workflow(SCORE).tasks[2]);
}

#[test]
fn what_gains_nothing_is_left_whole() {
    let one_lane = on_aws(SCORE, 1);
    insta::assert_snapshot!(one_lane.1.join("\n"), @"split: `score` left whole: up to 10 parts end the run hardly earlier than 102.0 s");
    assert_eq!(one_lane.0, workflow(SCORE));
    let short = SCORE
        .replace("estimate_s: 100", "estimate_s: 0.5")
        .replace("fixed_s: 1, ", "");
    insta::assert_snapshot!(on_aws(&short, 40).1.join("\n"), @"split: `score` left whole: no part would be 1.0 s long or longer, or have more than one place to be");
    let unknown = SCORE
        .replace("estimate_s: 100", "priority: 1")
        .replace("fixed_s: 1, ", "");
    insta::assert_snapshot!(on_aws(&unknown, 40).1.join("\n"), @"split: `score` left whole: it has no estimate");
    // A hundred of them fill the lanes already.
    let many: String = (0..100).map(|n| format!("  - {{id: s-{n}, kind: command, run: [s], inputs: {{r: {{run: $}}}}, estimate_s: 60, split: {{array: $.r, merge: numbers}}}}\n")).collect();
    insta::assert_snapshot!(on_aws(&many, 25).1.join("\n"), @"split: `s-0` and 99 more like it left whole: up to 48 parts end the run hardly earlier than 240.0 s");
}

#[test]
fn two_long_tasks_side_by_side_are_both_cut() {
    let both = "
  - {id: a, kind: command, run: [a], inputs: {r: {run: $}}, estimate_s: 100, split: {array: $.r, merge: numbers}}
  - {id: b, kind: command, run: [b], inputs: {r: {run: $}}, estimate_s: 90, split: {array: $.r, merge: numbers}}
";
    insta::assert_snapshot!(on_aws(both, 20).1.join("\n"), @r"
    split: `a` cut into 20 parts of 5.0 s and a merge: the run is expected to end after 10.0 s instead of 100.0 s; $0.002500 for more shards at most
    split: `b` cut into 20 parts of 4.5 s and a merge: the run is expected to end after 10.0 s instead of 100.0 s; $0.002500 for more shards at most
    ");
}

#[test]
fn what_is_too_long_or_too_large_is_cut_until_it_fits() {
    let long = SCORE.replace("estimate_s: 100", "estimate_s: 5000");
    let (cut, reasons) = on_aws(&long, 1);
    insta::assert_snapshot!(reasons.join("\n"), @"split: `score` cut into 6 parts of 834.2 s and a merge: fewer cannot run: it takes 1251 s and its target stops after 900 s; $0.000750 for more shards at most");
    let part = of(&cut, "score/part-1").estimate_ms.unwrap();
    assert!(part <= LAMBDA_TIMEOUT_MS, "{part}");
    let large = SCORE
        .replace("fixed_s: 1", "fixed_memory_mib: 1000")
        .replace(
            "kind: command\n    run: [score]",
            "kind: command\n    memory_mib: 40000\n    run: [score]",
        );
    let (cut, reasons) = on_aws(&large, 1);
    insta::assert_snapshot!(reasons.join("\n"), @"split: `score` cut into 6 parts of 16.7 s and a merge: fewer cannot run: it needs 10750 MiB and the largest target has 10240 MiB; $0.000750 for more shards at most");
    assert_eq!(
        of(&cut, "score/part-1").resources.memory,
        Mib(1_000 + 39_000_u32.div_ceil(ids(&cut).len() as u32 - 3))
    );
    // No number of parts is enough: it is left to the plan to refuse it.
    let hopeless = large.replace("fixed_memory_mib: 1000", "fixed_memory_mib: 20000");
    assert_eq!(on_aws(&hopeless, 8).0, workflow(&hopeless));
}

#[test]
fn the_fewest_parts_that_are_asked_for_are_made() {
    let asked = SCORE.replace("max_parts: 10", "min_parts: 3, max_parts: 3");
    let (cut, reasons) = on_aws(&asked, 1);
    insta::assert_snapshot!(reasons.join("\n"), @"split: `score` cut into 3 parts of 34.0 s and a merge: it asks for no fewer; $0.000375 for more shards at most");
    assert_eq!(cut.tasks.len(), 6);
}

#[test]
fn no_workflow_grows_beyond_its_limit() {
    let many: String = (0..1_100).map(|n| format!("  - {{id: s-{n}, kind: command, run: [s], inputs: {{r: {{run: $}}}}, split: {{array: $.r, min_parts: 1000, merge: numbers}}}}\n")).collect();
    let (cut, reasons) = on_aws(&many, 25);
    insta::assert_snapshot!(reasons.join("\n"), @"split: `s-0` and 1099 more like it left whole: 1000 parts of each would be more than a workflow may have");
    assert_eq!(cut.tasks.len(), 1_100);
}

#[test]
fn a_merge_of_ones_own_is_a_task_like_any_other() {
    let own = SCORE
        .replace(
            "merge: arrays",
            "merge: {run: [put, together], memory_mib: 900, estimate_s: 2}",
        )
        .replace(
            "needs: [rows]\n",
            "needs: [rows]\n    when: {task: rows, path: $.any}\n",
        );
    let (cut, _) = on_aws(&own, 10);
    let merge = of(&cut, "score");
    assert_eq!(
        (merge.resources.memory, merge.estimate_ms),
        (Mib(900), Some(2_000))
    );
    assert!(matches!(&merge.kind, TaskKind::Command(command) if command.run[0] == "put"));
    let names: Vec<&str> = merge.inputs.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, [CONDITION]);
    // Its condition is upstream of it, and it asks for it itself.
    assert!(merge.needs.iter().any(|need| need.task.0 == 0));
}

const RENDER: &str = "
  - id: render
    kind: command
    run: [render, --gpu]
    gpu_mib: 8192
    affinity: {require: {disk: fast}, together: x}
    memory_mib: 2000
    estimate_s: 10
    timeout_s: 100
    equivalents:
      - {run: [render, --tiny], memory_mib: 20000}
      - {run: [render, --cpu], vcpus: 2, estimate_s: 60, note: noisier shadows}
";

#[test]
fn what_no_target_can_run_is_replaced_by_the_first_that_one_can() {
    let (sculpted, reasons) = on_aws(RENDER, 10);
    insta::assert_snapshot!(reasons.join("\n"), @"equivalent: `render` runs as equivalent 2 (noisier shadows): no target has what it requires");
    let task = &sculpted.tasks[0];
    assert!(matches!(&task.kind, TaskKind::Command(command) if command.run[1] == "--cpu"));
    assert_eq!(
        (task.resources.gpu, task.resources.memory),
        (None, Mib(2_000))
    );
    assert_eq!((task.estimate_ms, task.timeout_ms), (Some(60_000), 100_000));
    assert_eq!(task.extras().affinity.together.as_deref(), Some("x"));
    assert!(task.extras().affinity.require.is_empty());
}

fn tasks(count: usize, each: &str) -> String {
    (0..count)
        .map(|n| format!("  - {{id: t-{n}, kind: command, run: [long], estimate_s: 60, {each}}}\n"))
        .collect()
}

#[test]
fn where_tasks_would_wait_as_many_are_replaced_as_it_takes() {
    let quicker = "equivalents: [{run: [short], estimate_s: 20, note: coarser}]";
    let (sculpted, reasons) = on_aws(&tasks(20, quicker), 10);
    insta::assert_snapshot!(reasons.join("\n"), @"equivalent: `t-19` and 9 more like it run as equivalent 1 (coarser): 10 of their type would wait for a lane or their targets, up to 60.0 s; the run is expected to end after 80.0 s instead of 120.0 s");
    let replaced = sculpted
        .tasks
        .iter()
        .filter(|task| task.estimate_ms == Some(20_000))
        .count();
    assert!((1..20).contains(&replaced), "{replaced}");
    // With lanes for all of them nobody waits, and the first choice stays.
    let plenty = on_aws(&tasks(20, quicker), 40);
    assert_eq!(
        (plenty.0, plenty.1.len()),
        (workflow(&tasks(20, quicker)), 0)
    );
    // One that is no quicker helps nobody.
    let slower = "equivalents: [{run: [slow], estimate_s: 90}]";
    assert_eq!(on_aws(&tasks(20, slower), 10).1, [""; 0]);
}

#[test]
fn two_forecasts_for_scarce_targets_give_two_plans() {
    let mut pool = Pool::default_on_aws("us-east-1");
    let mut gpu = pool.targets[5].clone();
    gpu.id = "gpu:live".into();
    gpu.labels.insert("gpu_mib".to_owned(), "16000".to_owned());
    pool.targets.push(gpu);
    let wanted = workflow(&tasks(
        8,
        "gpu_mib: 8000, equivalents: [{estimate_s: 90, note: without a GPU}]",
    ));
    let free = |lanes: f64| {
        let step = Step {
            from_s: 0,
            lanes: [("0.5".to_owned(), lanes)].into(),
        };
        let expected = Expected {
            free: vec![step],
            ..Expected::default()
        };
        Outlook {
            targets: [("gpu:live".into(), expected)].into(),
            ..Outlook::default()
        }
    };
    let scarce = expecting(&wanted, &pool, &free(2.0), 100);
    insta::assert_snapshot!(scarce.1.join("\n"), @"equivalent: `t-7` and 5 more like it run as equivalent 1 (without a GPU): 6 of their type would wait for a lane or their targets, up to 180.0 s; the run is expected to end after 90.0 s instead of 240.0 s");
    assert_eq!(
        expecting(&wanted, &pool, &free(8.0), 100),
        (wanted, Vec::new())
    );
}

#[test]
fn what_declares_nothing_is_not_even_copied() {
    let workflow = workflow(&tasks(3, "priority: 1"));
    let pool = Pool::default_on_aws("us-east-1");
    let sculpted = sculpt(&Given {
        workflow: &workflow,
        sites: &Sites::new(&pool, &Outlook::default(), &Promised::default()),
        lanes: 4,
        shard_usd: 0.0,
        cpu_ms: &|_| None,
    });
    assert!(matches!(sculpted.workflow, Cow::Borrowed(_)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_cut_workflow_is_a_workflow(
        estimates in prop::collection::vec(0_u32..400, 1..12),
        edges in prop::collection::vec((0_usize..12, 0_usize..12), 0..24),
        max in 1_u32..40,
        lanes in 1_u32..60,
    ) {
        let text: String = estimates.iter().enumerate().map(|(n, s)| {
            let needs: std::collections::BTreeSet<String> = edges
                .iter()
                .filter(|(a, b)| a < b && *b == n)
                .map(|(a, _)| format!("t-{a}"))
                .collect();
            let needs: Vec<String> = needs.into_iter().collect();
            format!("  - {{id: t-{n}, kind: command, run: [x], needs: [{}], inputs: {{r: {{run: $}}}}, estimate_s: {s}, split: {{array: $.r, merge: numbers, max_parts: {max}}}, equivalents: [{{run: [y], estimate_s: {}}}]}}\n", needs.join(", "), s / 2)
        }).collect();
        let whole = workflow(&text);
        let pool = Pool::default_on_aws("us-east-1");
        let (cut, _) = in_pool(&whole, &pool, lanes);
        prop_assert_eq!(&in_pool(&whole, &pool, lanes).0, &cut);
        let count = cut.tasks.len() as u32;
        let edges: Vec<_> = cut.tasks.iter().enumerate().flat_map(|(to, task)| {
            task.needs.iter().map(move |need| crate::graph::Edge { from: need.task.0, to: to as u32, bytes: 0 })
        }).collect();
        prop_assert!(edges.iter().all(|edge| edge.from < count));
        let graph = crate::graph::Csr::new(cut.tasks.len(), edges.iter().copied());
        prop_assert!(crate::graph::topological_order(&graph).is_some());
        let unique: std::collections::BTreeSet<&str> = ids(&cut).into_iter().collect();
        prop_assert_eq!(unique.len(), cut.tasks.len());
        prop_assert_eq!(&ids(&cut)[..whole.tasks.len()], &ids(&whole)[..]);
        for task in &cut.tasks {
            for (_, source) in &task.inputs {
                let known = matches!(source, ValueSource::Run { .. } | ValueSource::Constant(_));
                prop_assert!(known);
            }
            let extras = task.extras();
            let upstream: Vec<_> = task.needs.iter().map(|need| need.task).collect();
            prop_assert!(extras.parts.iter().all(|part| upstream.contains(part)));
            prop_assert!(extras.parts.len() <= max as usize);
        }
    }
}
