//! Plans over several families, under outlooks and beside other runs: where, how long, and the reasons.

use std::collections::BTreeMap;

use foreshard_model::ids::{Generation, RunId, TargetId};
use foreshard_model::outlook::{Expected, Hold, Outlook, Promised, Step};
use foreshard_model::plan::ShardKind;
use foreshard_model::policy::RunOptions;
use foreshard_model::problem::Problem;
use foreshard_model::target::{Architecture, Pool};
use foreshard_model::units::Mib;
use foreshard_model::workflow::{FileInput, FileSource, Workflow};
use proptest::prelude::*;

use super::{PlanInput, Planned, extras, from_edges, plan, pool, workflow};
use crate::shard::shaped;

fn planned_under(
    workflow: &Workflow,
    pool: &Pool,
    outlook: &Outlook,
    promised: &Promised,
) -> Result<Planned, Vec<Problem>> {
    plan(&PlanInput {
        run: &RunId::from("r-aaaaaaaaaaaaaaaaaaaa"),
        generation: Generation(0),
        workflow,
        pool,
        options: &RunOptions::default(),
        bundles: &BTreeMap::new(),
        region: "us-east-1",
        outlook,
        promised,
    })
}

/// The pool in two regions, the second one with both architectures and a GPU.
fn two_regions() -> Pool {
    let mut all = pool();
    for (region, architecture, mark) in [
        ("eu-west-1", Architecture::Arm64, "eu"),
        ("eu-west-1", Architecture::X86_64, "gpu"),
    ] {
        for target in &pool().targets {
            let mut target = target.clone();
            target.id = TargetId(format!("{mark}-{}", target.memory.0));
            region.clone_into(&mut target.region);
            target.architecture = architecture;
            if mark == "gpu" {
                target.labels = BTreeMap::from([("gpu_mib".to_owned(), "2048".to_owned())]);
            }
            all.targets.push(target);
        }
    }
    all.lanes_max = 1_000;
    all
}

fn outlook(lanes: &[(&str, f64)], failures_per_h: f64) -> Outlook {
    let lanes = lanes.iter().map(|&(q, lanes)| (q.to_owned(), lanes));
    let expected = Expected {
        free: vec![Step {
            from_s: 0,
            lanes: lanes.collect(),
        }],
        failures_per_h,
    };
    Outlook {
        regions: BTreeMap::from([("us-east-1".to_owned(), expected)]),
        ..Outlook::default()
    }
}

/// Shards, lanes, the longest shard, and what `outlook` and `shard` were decided for that an outlook decides.
fn story(planned: &Planned) -> String {
    let plan = &planned.plan;
    let work = plan.shards.iter().filter(|s| s.kind == ShardKind::Work);
    let longest = work.clone().map(|s| s.duration_ms).max().unwrap_or(0);
    let mut lines = vec![format!(
        "{} shards on {} lanes, the longest {longest} ms",
        work.count(),
        plan.lanes
    )];
    let told = plan.reasons.iter().filter(|reason| {
        ["outlook", "lanes"].contains(&reason.subject.as_str())
            || reason.numbers.contains_key("length_max_s")
    });
    lines.extend(told.map(|reason| format!("{}: {}", reason.subject, reason.because)));
    lines.join("\n")
}

/// Two hundred tasks of ten seconds each.
fn bag() -> Workflow {
    let mut workflow = from_edges(200, &[], |at| format!("t{at}"));
    for task in &mut workflow.tasks {
        task.estimate_ms = Some(10_000);
    }
    workflow
}

#[test]
fn two_outlooks_two_plans() {
    let mut pool = pool();
    pool.lanes_max = 1_000;
    let told = |outlook: &Outlook| {
        let planned = planned_under(&bag(), &pool, outlook, &Promised::default());
        story(&planned.unwrap())
    };
    let free = outlook(&[("0.1", 400.0), ("0.5", 800.0)], 0.0);
    let scarce = outlook(&[("0.1", 0.0), ("0.5", 8.0)], 0.0);
    let unreliable = outlook(&[("0.1", 8.0), ("0.5", 8.0)], 6.0);
    insta::assert_snapshot!(told(&free), @r#"
    17 shards on 17 lanes, the longest 21989 ms
    lanes: 17 lanes: bound by the width of the shard graph
    outlook: `us-east-1` has 800 of 1000 lanes free while the run lasts
    "#);
    insta::assert_snapshot!(told(&scarce), @r#"
    6 shards on 6 lanes, the longest 64274 ms
    lanes: 6 lanes: bound by the width of the shard graph
    outlook: `us-east-1` has 8 of 1000 lanes free while the run lasts
    shard: 6 shard(s) end within 84.7 s where their tasks do: 0.2 attempts an hour are expected to be lost, and a longer one would lose more than it saves
    "#);
    insta::assert_snapshot!(told(&unreliable), @r#"
    100 shards on 8 lanes, the longest 10492 ms
    lanes: 8 lanes: bound by what is expected to be free and promised to nobody
    outlook: `us-east-1` has 8 of 1000 lanes free while the run lasts
    shard: 100 shard(s) end within 13.3 s where their tasks do: 6.0 attempts an hour are expected to be lost, and a longer one would lose more than it saves
    "#);
}

#[test]
fn what_another_run_holds_is_not_planned_with() {
    let mut pool = pool();
    pool.lanes_max = 1_000;
    pool.concurrency = 100;
    let holds = |lanes| Promised {
        holds: vec![Hold {
            run: RunId::from("r-bbbbbbbbbbbbbbbbbbbb"),
            region: "us-east-1".to_owned(),
            lanes,
            from_ms: 0,
            until_ms: 3_600_000,
        }],
    };
    let told = |lanes| {
        let planned = planned_under(&bag(), &pool, &Outlook::default(), &holds(lanes));
        story(&planned.unwrap())
    };
    insta::assert_snapshot!(told(0), @r#"
    17 shards on 17 lanes, the longest 21989 ms
    lanes: 17 lanes: bound by the width of the shard graph
    "#);
    insta::assert_snapshot!(told(95), @r#"
    5 shards on 5 lanes, the longest 74797 ms
    lanes: 5 lanes: bound by what is expected to be free and promised to nobody
    outlook: `us-east-1` has 5 to 100 of 100 lanes free while the run lasts; other runs hold 95 of them, the last until 3600 s from now
    "#);
}

#[test]
fn an_outlook_that_leaves_everything_free_changes_nothing() {
    let pool = pool();
    let wide = outlook(&[("0.5", 1_000.0)], 0.0);
    let workflow = workflow("a>b a>c b>d c>d e f>g");
    let same = |outlook| planned_under(&workflow, &pool, outlook, &Promised::default()).unwrap();
    assert!(same(&Outlook::default()) == same(&wide));
}

fn refusals(workflow: &Workflow, pool: &Pool) -> String {
    let problems = planned_under(workflow, pool, &Outlook::default(), &Promised::default());
    let problems = problems.unwrap_err();
    let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
    lines.join("\n")
}

#[test]
fn what_nobody_can_run_is_refused_with_the_requirement_and_the_nearest() {
    let mut workflow = workflow("big gpu both chip there a>b lost");
    let require = |pairs: &[(&str, &str)]| -> BTreeMap<String, String> {
        pairs
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
            .collect()
    };
    let index = |name: &str| {
        workflow
            .tasks
            .iter()
            .position(|t| t.id.as_str() == name)
            .unwrap()
    };
    let [big, gpu, both, chip, there, a, b, lost] =
        ["big", "gpu", "both", "chip", "there", "a", "b", "lost"].map(index);
    let tasks = &mut workflow.tasks;
    tasks[big].resources.memory = Mib(20_000);
    tasks[gpu].resources.gpu = Some(Mib(4_096));
    tasks[both].resources.gpu = Some(Mib(2_048));
    extras(&mut tasks[both]).affinity.require = require(&[("architecture", "arm64")]);
    extras(&mut tasks[chip]).affinity.require =
        require(&[("architecture", "x86_64"), ("region", "us-east-1")]);
    extras(&mut tasks[there]).affinity.residency = vec!["sa-east-1".to_owned()];
    extras(&mut tasks[a]).affinity.residency = vec!["eu-west-1".to_owned()];
    extras(&mut tasks[b]).affinity.residency = vec!["us-east-1".to_owned()];
    extras(&mut tasks[lost]).affinity.require = require(&[("disk", "fast"), ("zone", "a")]);
    tasks[lost].resources.memory = Mib(10_200);
    insta::assert_snapshot!(refusals(&workflow, &two_regions()), @r#"
    FS2009 `tasks.b.affinity.residency`: the data of `a` may only be in eu-west-1, its own only in us-east-1 (hint: allow a common region, or put a task between them whose output may leave)
    FS2003 `tasks.big.resources.memory`: 20000 MiB and the worker's own 48 MiB fit on no target; the nearest, `foreshard-execute-10240:live`, has 10240 MiB (hint: lower the memory, split the task, or add a larger target to the pool)
    FS2004 `tasks.gpu.resources.gpu`: no target that could run it has a GPU with 4096 MiB; the nearest, `gpu-10240`, has one with 2048 MiB (hint: add a target with the label `gpu_mib` to the pool)
    FS2006 `tasks.both.affinity.require`: no target that could run it has the labels architecture=arm64; the nearest, `gpu-10240`, lacks architecture=arm64 (it has x86_64) (hint: drop a label, use `prefer`, or add a target that has them)
    FS2006 `tasks.chip.affinity.require`: no target that could run it has the labels architecture=x86_64, region=us-east-1; the nearest, `foreshard-execute-10240:live`, lacks architecture=x86_64 (it has arm64) (hint: drop a label, use `prefer`, or add a target that has them)
    FS2009 `tasks.there.affinity.residency`: no target that could run it is in sa-east-1; the nearest, `foreshard-execute-10240:live`, is in us-east-1 (hint: add a target there, or allow a further region)
    FS2006 `tasks.lost.affinity.require`: no target that could run it has the labels disk=fast, zone=a; the nearest, `foreshard-execute-10240:live`, lacks disk=fast, zone=a; it fails its memory, too (hint: drop a label, use `prefer`, or add a target that has them)
    "#);
}

#[test]
fn residency_holds_for_the_task_and_for_who_reads_of_it() {
    let mut workflow = workflow("a>b b>c");
    extras(&mut workflow.tasks[0]).affinity.residency = vec!["eu-west-1".to_owned()];
    for task in &mut workflow.tasks {
        task.estimate_ms = Some(60_000);
    }
    let planned = planned_under(
        &workflow,
        &two_regions(),
        &Outlook::default(),
        &Promised::default(),
    );
    let plan = planned.unwrap().plan;
    for shard in plan.shards.iter().filter(|shard| {
        shard
            .tasks
            .iter()
            .any(|task| ["a", "b"].contains(&task.as_str()))
    }) {
        let target = shard.target.as_deref().unwrap();
        assert!(
            target.starts_with("eu-") || target.starts_with("gpu-"),
            "{target}"
        );
    }
}

#[test]
fn a_shard_goes_where_its_data_lies() {
    let mut workflow = workflow("a b");
    for (task, bytes) in workflow.tasks.iter_mut().zip([0, 8_000_000_000]) {
        task.files.push(FileInput {
            name: "in".to_owned(),
            source: FileSource::Generated { bytes },
        });
        task.estimate_ms = Some(60_000);
        task.resources.memory = Mib(5_000);
    }
    let outlook = Outlook {
        data: BTreeMap::from([("*".to_owned(), "eu-west-1".to_owned())]),
        ..Outlook::default()
    };
    let planned = planned_under(&workflow, &two_regions(), &outlook, &Promised::default());
    let plan = planned.unwrap().plan;
    let shard = plan
        .shards
        .iter()
        .find(|s| s.tasks.iter().any(|t| t.as_str() == "b"));
    assert!(shard.unwrap().target.as_deref().unwrap().starts_with("eu-"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn every_plan_over_families_is_sound(
        shape in 0_u8..7,
        size in 1_u32..60,
        seed in any::<u64>(),
        marks in prop::collection::vec((0_u8..8, 1_u64..100_000), 1..20),
        lanes in prop::option::of(0_u32..30),
        failures in prop_oneof![Just(0.0), 0.0_f64..50.0],
        held in 0_u32..1_100,
    ) {
        let edges: Vec<(u32, u32)> =
            shaped(shape, size, seed).into_iter().filter(|(a, b)| a != b).collect();
        let mut workflow = from_edges(size as usize, &edges, |at| format!("t{at}"));
        for (at, task) in workflow.tasks.iter_mut().enumerate() {
            let (mark, ms) = marks[at % marks.len()];
            task.estimate_ms = Some(ms);
            let mut require = |name: &str, value: &str| {
                let require = &mut extras(task).affinity.require;
                require.insert(name.to_owned(), value.to_owned());
            };
            match mark {
                0 => require("region", "eu-west-1"),
                1 => require("architecture", "arm64"),
                2 => task.resources.gpu = Some(Mib(1_000)),
                3 => {
                    let prefer = &mut extras(task).affinity.prefer;
                    prefer.insert("region".to_owned(), "us-east-1".to_owned());
                }
                4 => task.resources.memory = Mib(3_000),
                _ => {}
            }
        }
        let pool = two_regions();
        let outlook = match lanes {
            Some(lanes) => outlook(&[("0.1", 0.0), ("0.5", f64::from(lanes))], failures),
            None => Outlook::default(),
        };
        let promised = Promised {
            holds: vec![Hold {
                run: RunId::from("r-bbbbbbbbbbbbbbbbbbbb"),
                region: "eu-west-1".to_owned(),
                lanes: held,
                from_ms: 0,
                until_ms: 30_000,
            }],
        };
        let planned = planned_under(&workflow, &pool, &outlook, &promised).unwrap();
        let again = planned_under(&workflow, &pool, &outlook, &promised).unwrap();
        prop_assert!(planned == again, "the same input gave another plan");
        let mut seen = 0;
        for (shard, node) in planned.plan.shards.iter().zip(&planned.topology.shards) {
            let Some(id) = &shard.target else { continue };
            let target = pool.targets.iter().find(|t| t.id.as_str() == id).unwrap();
            prop_assert_eq!(node.tier, target.memory);
            let places = node.places.iter().map(|&at| &planned.topology.targets[at as usize]);
            let places: Vec<_> = places.collect();
            prop_assert!(places[0].is_of_family(target));
            for id in &shard.tasks {
                seen += 1;
                let task = workflow.tasks.iter().find(|t| t.id == *id).unwrap();
                prop_assert!(task.resources.memory.0 + 48 <= target.memory.0);
                for place in std::iter::once(&target).chain(&places) {
                    for (name, value) in &task.extras().affinity.require {
                        let has = match name.as_str() {
                            "region" => place.region.clone(),
                            _ => format!("{:?}", place.architecture).to_lowercase(),
                        };
                        prop_assert_eq!(&has, value);
                    }
                    prop_assert!(task.resources.gpu.is_none() || place.labels.contains_key("gpu_mib"));
                }
            }
        }
        prop_assert_eq!(seen, size);
        prop_assert!(planned.plan.limits.iter().all(|proof| proof.holds));
    }
}
