//! Single rules on small workflows.

use std::collections::BTreeMap;

use foreshard_model::claim::Claim;
use foreshard_model::ids::TaskIndex;
use foreshard_model::output::{Located, LocatedFileSource};
use foreshard_model::plan::{LaneMode, LimitProof, ShardKind};
use foreshard_model::policy::RunOptions;
use foreshard_model::target::Pool;
use foreshard_model::units::Mib;
use foreshard_model::workflow::{
    Command, Effect, FileInput, FileOutput, FileSource, TaskKind, ValueSource,
};

use super::check::check;
use super::{Planned, codes, extras, planned, planned_with, pool, task, workflow};

/// Shards as `0: a b | 1: c <- 0 | END <- 1`.
fn shown(planned: &Planned) -> String {
    let shards: Vec<String> = planned
        .plan
        .shards
        .iter()
        .map(|shard| {
            let name = match shard.kind {
                ShardKind::Work => {
                    let tasks: Vec<&str> = shard.tasks.iter().map(|t| t.as_str()).collect();
                    format!("{}: {}", shard.id, tasks.join(" "))
                }
                ShardKind::Relay => format!("relay {}", shard.id),
                ShardKind::End => "END".to_owned(),
            };
            let before: Vec<String> = shard.predecessors.iter().map(ToString::to_string).collect();
            if before.is_empty() {
                name
            } else {
                format!("{name} <- {}", before.join(" "))
            }
        })
        .collect();
    shards.join(" | ")
}

fn plan_of(text: &str, options: &RunOptions) -> Planned {
    let workflow = workflow(text);
    let planned = planned(&workflow, &pool(), options).unwrap();
    check(&planned, &workflow, &pool(), options);
    planned
}

fn single() -> RunOptions {
    RunOptions {
        shard_tasks_max: Some(1),
        ..RunOptions::default()
    }
}

#[test]
fn a_chain_is_one_shard() {
    let plan = plan_of("a>b b>c", &RunOptions::default());
    assert_eq!(shown(&plan), "0: a b c | END <- 0");
    assert_eq!((plan.plan.lanes, plan.plan.mode), (1, LaneMode::Inline));
    assert_eq!(plan.plan.critical_path_ms, plan.plan.work_ms);
}

#[test]
fn one_task_a_shard_when_asked() {
    let plan = plan_of("a>b a>c b>d c>d", &single());
    assert_eq!(
        shown(&plan),
        "0: a | 1: b <- 0 | 2: c <- 0 | 3: d <- 1 2 | END <- 3"
    );
    assert_eq!(plan.plan.lanes, 2);
}

#[test]
fn independent_long_tasks_use_the_lanes() {
    let long = |text| {
        let mut workflow = workflow(text);
        for task in &mut workflow.tasks {
            task.estimate_ms = Some(60_000);
        }
        // Where no tier has room for two of them side by side.
        let mut pool = pool();
        pool.targets.retain(|target| target.memory <= Mib(1_769));
        planned(&workflow, &pool, &RunOptions::default()).unwrap()
    };
    assert_eq!(long("a b c d").plan.lanes, 4);
    assert_eq!(long("a b c d e f g h").plan.lanes, 4);
    assert_eq!(long("a>b b>c c>d").plan.lanes, 1);
}

#[test]
fn lanes_obey_pool_options_and_shared_memory() {
    let workflow = workflow("a b c d e f g h");
    let lanes = |lanes_max, asked, memory: Option<u32>| {
        let mut pool = pool();
        pool.lanes_max = lanes_max;
        pool.lane_memory = memory.map(Mib);
        let options = RunOptions {
            lanes_max: asked,
            ..single()
        };
        planned(&workflow, &pool, &options).unwrap().plan.lanes
    };
    assert_eq!(lanes(100, None, None), 8);
    assert_eq!(lanes(3, None, None), 3);
    assert_eq!(lanes(100, Some(2), None), 2);
    assert_eq!(lanes(100, None, Some(4_000)), 2);
    assert_eq!(lanes(100, Some(0), Some(1)), 1);
}

#[test]
fn forty_one_lanes_run_distributed() {
    let text: String = (0..41).map(|i| format!("t{i} ")).collect();
    let workflow = workflow(&text);
    let mode = |lanes_max| {
        let mut pool = pool();
        pool.lanes_max = lanes_max;
        let plan = planned(&workflow, &pool, &single()).unwrap();
        (plan.plan.lanes, plan.plan.mode, plan.topology.lane_events)
    };
    assert_eq!(mode(40), (40, LaneMode::Inline, 375));
    assert_eq!(mode(41), (41, LaneMode::Distributed, 15_000));
}

#[test]
fn scale_reaches_time_and_bytes_and_memory_scale_memory() {
    let mut workflow = workflow("a>b");
    workflow.tasks[0].writes = vec![FileOutput {
        name: "f".to_owned(),
        bytes: Some(10),
    }];
    workflow.tasks[0].files = vec![FileInput {
        name: "in".to_owned(),
        source: FileSource::Generated { bytes: 5_000 },
    }];
    workflow.tasks[1].files = vec![FileInput {
        name: "f".to_owned(),
        source: FileSource::Task {
            task: TaskIndex(0),
            file: "f".to_owned(),
        },
    }];
    let options = RunOptions {
        scale: 0.01,
        memory_scale: 0.5,
        ..single()
    };
    let planned = planned(&workflow, &pool(), &options).unwrap();
    let chunk = planned.chunks.of(&workflow).next().unwrap();
    let first = &chunk.shards[0].tasks[0];
    let TaskKind::Synthetic(load) = first.kind else {
        panic!("{:?}", first.kind)
    };
    assert_eq!((load.cpu_ms, load.memory), (10.0, Mib(50)));
    assert_eq!(first.resources.memory, Mib(50));
    assert_eq!(first.writes[0].bytes, Some(1));
    assert_eq!(
        first.files[0].source,
        LocatedFileSource::Generated { bytes: 50 }
    );
    let second = &chunk.shards[1].tasks[0];
    let LocatedFileSource::Task { shard, task, file } = &second.files[0].source else {
        panic!()
    };
    assert_eq!((shard.0, task.as_str(), file.as_str()), (0, "a", "f"));
    assert!(planned.plan.work_ms < 40);
}

#[test]
fn values_are_located_by_shard() {
    let mut workflow = workflow("a>b b>c");
    let of = |task| ValueSource::Task {
        task: TaskIndex(task),
        path: Some("$.n".to_owned()),
    };
    workflow.tasks[1].inputs = vec![("n".to_owned(), of(0))];
    workflow.tasks[2].inputs = vec![("n".to_owned(), of(0)), ("m".to_owned(), of(1))];
    let planned = planned(&workflow, &pool(), &RunOptions::default()).unwrap();
    let chunk = planned.chunks.of(&workflow).next().unwrap();
    let tasks = &chunk.shards[0].tasks;
    assert_eq!(tasks[2].after, [1]);
    let Located::Task { shard, task, path } = &tasks[2].inputs["n"] else {
        panic!()
    };
    assert_eq!(
        (shard.0, task.as_str(), path.as_deref()),
        (0, "a", Some("$.n"))
    );
    // Nothing declared: the sinks.
    assert_eq!(planned.topology.outputs.keys().collect::<Vec<_>>(), ["c"]);
    workflow.outputs = BTreeMap::from([("n".to_owned(), of(1))]);
    let declared = super::planned(&workflow, &pool(), &RunOptions::default()).unwrap();
    assert!(
        matches!(&declared.topology.outputs["n"], Located::Task { task, .. } if task.as_str() == "b")
    );
}

#[test]
fn priority_comes_before_upward_rank() {
    let mut workflow = workflow("a>b b>c x");
    extras(&mut workflow.tasks[3]).priority = 1;
    let planned = planned(&workflow, &pool(), &single()).unwrap();
    let node = |name: &str| {
        planned
            .topology
            .shards
            .iter()
            .find(|n| n.first_task.as_str() == name)
            .unwrap()
    };
    assert_eq!(node("x").rank, 0);
    assert!(node("a").rank < node("b").rank);
}

#[test]
fn deadlines_leave_room_for_the_tasks_own_timeouts() {
    let mut workflow = workflow("a b");
    workflow.tasks[0].timeout_ms = 300_000;
    workflow.tasks[1].timeout_ms = 5_000;
    workflow.tasks[1].retries = 3;
    let planned = planned(&workflow, &pool(), &single()).unwrap();
    let node = |name: &str| {
        planned
            .topology
            .shards
            .iter()
            .find(|n| n.first_task.as_str() == name)
            .unwrap()
    };
    assert_eq!(node("a").limit_ms, 300_000);
    assert_eq!(node("b").limit_ms, 60_000);
    assert_eq!(node("b").retries, 3);
}

#[test]
fn a_task_that_waits_for_others_takes_a_small_tier() {
    let mut workflow = workflow("ask compute");
    workflow.tasks[0].kind = TaskKind::Lambda {
        function: "count".to_owned(),
        errors: None,
    };
    let planned = planned(&workflow, &pool(), &single()).unwrap();
    let tier = |name: &str| {
        let nodes = &planned.topology.shards;
        nodes
            .iter()
            .find(|n| n.first_task.as_str() == name)
            .unwrap()
            .tier
    };
    assert_eq!((tier("ask"), tier("compute")), (Mib(128), Mib(1_769)));
}

#[test]
fn unknown_durations_are_assumed_and_said() {
    let mut workflow = workflow("a>b");
    workflow.tasks[0].estimate_ms = None;
    let planned = planned(&workflow, &pool(), &RunOptions::default()).unwrap();
    let assumed = planned
        .plan
        .reasons
        .iter()
        .find(|r| r.subject == "assume")
        .unwrap();
    assert_eq!(
        assumed.because,
        "1 of 2 tasks have no estimate: 1000 ms assumed for each"
    );
    for subject in ["shard", "lanes", "mode", "memory", "place", "price"] {
        assert!(
            planned.plan.reasons.iter().any(|r| r.subject == subject),
            "{subject}"
        );
    }
}

#[test]
fn a_wish_that_cannot_be_honoured_is_said() {
    let mut workflow = workflow("a>b b>c");
    for task in [0, 2] {
        extras(&mut workflow.tasks[task]).affinity.together = Some("pair".to_owned());
    }
    workflow.tasks[1].effect = Effect::Once;
    let planned = planned(&workflow, &pool(), &RunOptions::default()).unwrap();
    check(&planned, &workflow, &pool(), &RunOptions::default());
    let said = planned.plan.reasons.iter().map(|r| r.because.as_str());
    assert!(said.into_iter().any(|because| {
        because.starts_with("the 2 tasks with `together: pair` do not share a shard")
    }));
    workflow.tasks[1].effect = Effect::Pure;
    let together = super::planned(&workflow, &pool(), &RunOptions::default()).unwrap();
    assert_eq!(shown(&together), "0: a b c | END <- 0");
}

#[test]
fn a_bundle_goes_with_its_tasks() {
    let mut workflow = workflow("a b");
    workflow.tasks[0].kind = TaskKind::Command(Command {
        run: vec!["./count".to_owned()],
        bundle: Some("./bin".to_owned()),
        env: BTreeMap::new(),
    });
    assert_eq!(
        codes(&workflow, &pool(), &RunOptions::default()),
        [
            "FS2007 `tasks.a.bundle`: no bundle was uploaded for the folder `./bin` (hint: submit with the command line, which uploads it, or name it in `bundles`)"
        ]
    );
    let claim = Claim {
        key: "bundles/x".to_owned(),
        ..Claim::default()
    };
    let bundles = BTreeMap::from([("./bin".to_owned(), claim.clone())]);
    let planned = planned_with(&workflow, &pool(), &single(), &bundles).unwrap();
    let chunk = planned.chunks.of(&workflow).next().unwrap();
    assert_eq!(chunk.shards[0].tasks[0].bundle, Some(claim));
    assert_eq!(chunk.shards[1].tasks[0].bundle, None);
}

#[test]
fn what_no_target_can_run_is_refused_with_the_nearest() {
    let mut workflow = workflow("big disk long gpu zone fine");
    workflow.tasks[0].resources.memory = Mib(10_193);
    workflow.tasks[1].resources.disk = Mib(10_241);
    workflow.tasks[2].estimate_ms = Some(900_000);
    workflow.tasks[3].resources.gpu = Some(Mib(4_096));
    extras(&mut workflow.tasks[4]).affinity.require =
        BTreeMap::from([("zone".to_owned(), "moon".to_owned())]);
    let problems = codes(&workflow, &pool(), &RunOptions::default());
    let starts = [
        "FS2003 `tasks.big.resources.memory`: 10193 MiB and the worker's own 48 MiB fit on no target; the nearest, `foreshard-execute-10240:live`, has 10240 MiB",
        "FS2005 `tasks.disk.resources.disk`: 10241 MiB of scratch disk",
        "FS2008 `tasks.long.estimate_ms`: the task is expected to take 900 s and cannot be cut; `foreshard-execute-1769:live` stops after 900 s",
        "FS2004 `tasks.gpu.resources.gpu`: no target that could run it has a GPU with 4096 MiB; the nearest, `foreshard-execute-10240:live`, has none",
        "FS2006 `tasks.zone.affinity.require`: no target that could run it has the labels zone=moon; the nearest, `foreshard-execute-10240:live`, lacks zone=moon",
    ];
    assert_eq!(problems.len(), starts.len(), "{problems:?}");
    for (problem, start) in problems.iter().zip(starts) {
        assert!(problem.starts_with(start), "{problem}");
    }
}

#[test]
fn the_largest_task_that_fits_is_planned() {
    let mut workflow = workflow("a b");
    workflow.tasks[0].resources.memory = Mib(10_192);
    workflow.tasks[1].estimate_ms = Some(899_000);
    let planned = planned(&workflow, &pool(), &RunOptions::default()).unwrap();
    check(&planned, &workflow, &pool(), &RunOptions::default());
    let [warning] = &planned.plan.warnings[..] else {
        panic!("{:?}", planned.plan.warnings);
    };
    insta::assert_snapshot!(warning, @"FS2013 `tasks.b.estimate_ms`: the task is expected to take 899 s, and `foreshard-execute-1769:live` stops after 900 s: one that takes 0.1 % longer fails (hint: declare how the task can be split, or give it more vCPUs if it can use them)");
}

#[test]
fn a_task_that_ends_in_time_by_far_is_planned_without_a_word() {
    let limit_s = |seconds: u64| {
        let mut workflow = workflow("a b");
        workflow.tasks[0].estimate_ms = Some(seconds * 1_000);
        let planned = planned(&workflow, &pool(), &RunOptions::default()).unwrap();
        planned.plan.warnings.len()
    };
    // 1.3 times as long is 900 s.
    assert_eq!([limit_s(690), limit_s(694)], [0, 1]);
}

#[test]
fn the_smallest_account_runs_the_smallest_tasks() {
    // Two invocations for each shard, and ten requests a second are all that Lambda takes.
    let small = Pool {
        concurrency: 1,
        lanes_max: 1,
        ..pool()
    };
    let mut workflow = workflow("a b>c");
    for task in &mut workflow.tasks {
        task.estimate_ms = Some(1);
    }
    let planned = planned(&workflow, &small, &RunOptions::default()).unwrap();
    let requests = |proof: &&LimitProof| proof.limit == "invocation requests";
    let proof = planned.plan.limits.iter().find(requests).unwrap();
    assert_eq!((planned.plan.lanes, proof.worst), (1, 10.0), "{proof:?}");
}

#[test]
fn empty_workflows_pools_and_wild_options_are_problems() {
    let none = workflow("");
    assert!(codes(&none, &pool(), &RunOptions::default())[0].starts_with("FS2001"));
    let mut empty = pool();
    empty.targets.clear();
    let problems = codes(&workflow("a"), &empty, &RunOptions::default());
    assert!(problems[0].starts_with("FS2002"), "{problems:?}");
    for scale in [f64::NAN, f64::INFINITY, -1.0] {
        let options = RunOptions {
            scale,
            ..RunOptions::default()
        };
        let problems = codes(&workflow("a"), &pool(), &options);
        assert!(
            problems[0].starts_with("FS2010 `options.scale`"),
            "{problems:?}"
        );
    }
}

#[test]
fn a_cycle_is_a_problem_not_a_panic() {
    let mut workflow = workflow("a>b");
    let need = workflow.tasks[1].needs[0];
    workflow.tasks[0]
        .needs
        .push(foreshard_model::workflow::Need {
            task: TaskIndex(1),
            ..need
        });
    assert!(codes(&workflow, &pool(), &RunOptions::default())[0].starts_with("FS2011"));
}

#[test]
fn problems_beyond_the_limit_are_counted() {
    let mut workflow = workflow("");
    workflow.tasks = (0..250).map(|i| task(&format!("t{i}"))).collect();
    for task in &mut workflow.tasks {
        task.resources.memory = Mib(20_000);
    }
    let problems = codes(&workflow, &pool(), &RunOptions::default());
    assert_eq!(problems.len(), 201);
    assert!(
        problems[200].contains("50 further problems"),
        "{}",
        problems[200]
    );
}
