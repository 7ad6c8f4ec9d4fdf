//! What one run teaches, the next one is planned by: sizes after a kill, durations, and the outlook.

use std::collections::BTreeMap;
use std::sync::Arc;

use foreshard_fakes::{World, block_on, build, wire};
use foreshard_model::frontier::{ShardItem, ShardState};
use foreshard_model::ids::{Round, RunId, TaskId, Tenant};
use foreshard_model::message::{AggregateRequest, Cause, PlanRequest};
use foreshard_model::outlook::{Expected, Outlook, Step, StoredOutlook};
use foreshard_model::output::{Manifest, OutputValue, TaskOutput, TaskUsage};
use foreshard_model::plan::{Plan, ShardKind};
use foreshard_model::run::{RunItem, RunState};
use foreshard_model::units::{Mib, TimeMs};
use foreshard_stages::aggregate::aggregate;
use foreshard_stages::plan::plan;
use foreshard_stages::ports::Clock as _;
use serde_json::{Value, json};

use crate::caller::{ACCOUNT, Caller, run_of};

/// One program that says of itself that it is small and takes a second.
const SORT: &str = r#"
foreshard: 1
name: sorting
version: "1"
tasks:
  - {id: sort, kind: command, run: [sort], memory_mib: 64, vcpus: 0.05, estimate_s: 1}
"#;

fn planned(caller: &Caller, key: &str) -> (RunId, Plan) {
    let answer = caller.submit_body(key, &json!({ "document": SORT }));
    assert_eq!(answer.status, 202, "{}", answer.value());
    let run = run_of(&answer);
    let request = PlanRequest {
        run: run.clone(),
        round: Round(0),
    };
    block_on(plan(&wire::plan(&caller.world), &request)).unwrap();
    let pointer = caller.world.run_item(&run).unwrap().plan.unwrap();
    let plan = serde_json::from_slice(&caller.world.blob(&pointer.plan.key).unwrap()).unwrap();
    (run, plan)
}

/// The memory of the target that the task was put on.
fn size(plan: &Plan) -> u32 {
    let work = plan.shards.iter().find(|s| s.kind == ShardKind::Work);
    let target = work.and_then(|shard| shard.target.clone()).unwrap();
    let found = plan.targets.iter().find(|t| t.id.as_str() == target);
    found.unwrap().memory.0
}

/// The run ends: its task was killed on each tier below, and finished on this one.
fn ran(world: &Arc<World>, run: &RunId, tier: u32, kills: u32, peak_mib: u64, took_ms: u64) {
    for item in world.shard_items(run) {
        let output = (item.kind == ShardKind::Work).then(|| {
            let usage = TaskUsage {
                duration_ms: took_ms,
                cpu_ms: took_ms,
                peak_kib: peak_mib * 1024,
                memory: Mib(tier),
                ..TaskUsage::default()
            };
            let output = TaskOutput {
                attempt: item.attempt,
                value: OutputValue::Inline(Value::Null),
                files: BTreeMap::new(),
                usage,
            };
            let manifest = Manifest {
                run: run.clone(),
                shard: item.id,
                tasks: [(TaskId::from("sort"), output)].into(),
            };
            let bytes = serde_json::to_vec(&manifest).unwrap();
            build::stored(world, &format!("runs/{run}/shards/{}", item.id), &bytes)
        });
        world.put_shard(ShardItem {
            state: ShardState::Done,
            tier: Mib(tier),
            failures: [(Cause::OutOfMemory, kills)].into(),
            settled_at: world.now(),
            released: true,
            output,
            ..item
        });
    }
    let item = world.run_item(run).unwrap();
    world.put_run(RunItem {
        state: RunState::Completing,
        version: item.version + 1,
        ..item
    });
    let request = AggregateRequest {
        run: run.clone(),
        round: Round(0),
        error: None,
    };
    let answer = block_on(aggregate(&wire::aggregate(world), &request)).unwrap();
    assert_eq!(answer.state, "succeeded");
}

#[test]
fn a_function_that_was_too_small_is_not_tried_again() {
    let caller = Caller::new();
    let (first, plan) = planned(&caller, "first");
    let declared = size(&plan);
    let tiers: Vec<u32> = build::pool().targets.iter().map(|t| t.memory.0).collect();
    let above = *tiers.iter().find(|tier| **tier > declared).unwrap();
    assert!(above >= 256, "150 MiB fit there: {tiers:?}");
    ran(&caller.world, &first, above, 1, 150, 1_000);

    let (_, plan) = planned(&caller, "second");
    assert_eq!(size(&plan), above, "{:#?}", plan.reasons);
    let told = plan.reasons.iter().find(|r| r.subject == "size");
    let because = told.map(|told| told.because.as_str()).unwrap_or_default();
    assert!(
        because.contains("sorting/command:sort") && because.contains("too small"),
        "{because}"
    );
}

#[test]
fn a_task_is_expected_to_take_what_its_type_took() {
    let caller = Caller::new();
    let (first, plan) = planned(&caller, "first");
    ran(&caller.world, &first, size(&plan), 0, 40, 60_000);
    let (_, next) = planned(&caller, "second");
    assert!(plan.work_ms < 10_000, "{}", plan.work_ms);
    let told = next.reasons.iter().find(|r| r.subject == "size").unwrap();
    let expected_ms = told.numbers["expected_ms"];
    assert!((50_000.0..70_000.0).contains(&expected_ms), "{told:?}");
    // The one task may be a trial on the next size, and quicker there.
    assert!(next.work_ms > 20_000, "{}", next.work_ms);
}

#[test]
fn what_one_tenant_has_learnt_is_of_no_use_to_another() {
    let caller = Caller::new();
    let (first, plan) = planned(&caller, "first");
    ran(&caller.world, &first, size(&plan), 0, 40, 60_000);
    assert_eq!(caller.world.profile_items(&Tenant::from(ACCOUNT)).len(), 1);
    assert_eq!(caller.world.profile_items(&Tenant::from("else")).len(), 0);
}

#[test]
fn a_plan_follows_the_outlook_unless_it_is_old() {
    let caller = Caller::new();
    let lanes = |n: f64| ["0.1", "0.5", "0.9"].map(|q| (q.to_owned(), n)).into();
    let scarce = |made_at| StoredOutlook {
        made_at,
        outlook: Outlook {
            regions: BTreeMap::from([(
                "us-east-1".to_owned(),
                Expected {
                    free: vec![Step {
                        from_s: 0,
                        lanes: lanes(3.0),
                    }],
                    failures_per_h: 0.0,
                },
            )]),
            ..Outlook::default()
        },
        ..StoredOutlook::default()
    };
    let told = |plan: &Plan| {
        let told = plan.reasons.iter().find(|r| r.subject == "forecast");
        told.map(|told| told.because.clone()).unwrap_or_default()
    };
    let (_, none) = planned(&caller, "none");
    assert_eq!(told(&none), "");
    caller.world.set_outlook(scarce(caller.world.now()));
    let (_, fresh) = planned(&caller, "fresh");
    assert!(told(&fresh).contains("last outlook"), "{}", told(&fresh));
    caller.world.set_outlook(scarce(TimeMs(1)));
    let (_, old) = planned(&caller, "old");
    assert!(told(&old).contains("too old"), "{}", told(&old));
}
