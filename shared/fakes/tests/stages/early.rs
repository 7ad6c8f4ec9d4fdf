//! A run that is too large to be looked at each minute is looked at before its turn where its target is unlike the last days.

use std::collections::BTreeMap;
use std::sync::Arc;

use foreshard_fakes::{World, block_on, build, wire};
use foreshard_model::frontier::{LaneItem, ShardItem, ShardState};
use foreshard_model::ids::{LaneId, Round, RunId, ShardId, TaskId};
use foreshard_model::message::{PlanRequest, ReshardRequest};
use foreshard_model::outlook::{Flag, StoredOutlook};
use foreshard_model::output::{Manifest, OutputValue, TaskOutput, TaskUsage};
use foreshard_model::plan::{Plan, PlannedShard, ShardKind};
use foreshard_model::run::{RunItem, RunState};
use foreshard_model::units::TimeMs;
use foreshard_stages::plan::plan;
use foreshard_stages::ports::{Clock as _, ForecastWrites as _};
use foreshard_stages::reshard::reshard;
use serde_json::{Value, json};

use crate::caller::{Caller, run_of};

/// Tasks of a shard at most: of more than 2,000 shards every other minute is the run's.
const TOGETHER: usize = 4;
const TASKS: usize = 2_010 * TOGETHER;
/// Shards that are left.
const LEFT: usize = 8;
/// Lanes that wait for more.
const LANES: u32 = 40;
/// What a task takes that says of itself that it takes 20 ms.
const TOOK_MS: u64 = 10_000;
const MINUTE: u64 = 60_000;

/// A run that is planned, and its plan.
fn planned(caller: &Caller) -> (RunId, Plan) {
    let task =
        |n| json!({"id": format!("t{n}"), "type": "step", "kind": "synthetic", "cpu_s": 0.02});
    let tasks: Vec<Value> = (0..TASKS).map(task).collect();
    let document = json!({"foreshard": 1, "name": "wide", "version": "1", "tasks": tasks});
    let body = json!({
        "document": document.to_string(),
        "options": {"shard_tasks_max": TOGETHER, "lanes_max": LANES},
    });
    let run = run_of(&caller.submit_body("k", &body));
    let request = PlanRequest {
        run: run.clone(),
        round: Round(0),
    };
    block_on(plan(&wire::plan(&caller.world), &request)).unwrap();
    let pointer = caller.world.run_item(&run).unwrap().plan.unwrap();
    let plan = caller.world.blob(&pointer.plan.key).unwrap();
    (run, serde_json::from_slice(&plan).unwrap())
}

/// The output of a shard whose tasks took far longer than they said.
fn slow(world: &World, run: &RunId, shard: &PlannedShard) -> foreshard_model::claim::Claim {
    let output = || TaskOutput {
        attempt: foreshard_model::ids::Attempt(1),
        value: OutputValue::Inline(Value::Null),
        files: BTreeMap::new(),
        usage: TaskUsage {
            duration_ms: TOOK_MS,
            ..TaskUsage::default()
        },
    };
    let tasks = shard.tasks.iter().map(|id: &TaskId| (id.clone(), output()));
    let manifest = Manifest {
        run: run.clone(),
        shard: shard.id,
        tasks: tasks.collect(),
    };
    let bytes = serde_json::to_vec(&manifest).unwrap();
    build::stored(world, &format!("runs/{run}/shards/{}", shard.id), &bytes)
}

/// Nearly all of it is done, and took far longer than it was said to; lanes wait while a few shards are left. And a target of it.
fn nearly_done() -> (Arc<World>, String) {
    let caller = Caller::new();
    let (run, plan) = planned(&caller);
    let world = Arc::clone(&caller.world);
    let work: BTreeMap<ShardId, &PlannedShard> = plan
        .shards
        .iter()
        .filter(|shard| shard.kind == ShardKind::Work)
        .map(|shard| (shard.id, shard))
        .collect();
    assert!(work.len() > 2_000, "{} shards", work.len());
    let items = world.shard_items(&run).into_iter();
    let items = items.filter(|item| item.kind == ShardKind::Work);
    for item in items.skip(LEFT) {
        let output = Some(slow(&world, &run, work[&item.id]));
        let mut done = ShardItem {
            state: ShardState::Done,
            settled_at: world.now(),
            released: true,
            output,
            ..item
        };
        done.usage.duration_ms = TOOK_MS * TOGETHER as u64;
        world.put_shard(done);
    }
    for number in 0..LANES {
        world.put_lane(LaneItem {
            run: run.clone(),
            lane: LaneId(number),
            version: 1,
            token: Some(format!("token {number}")),
            ..LaneItem::default()
        });
    }
    let item = world.run_item(&run).unwrap();
    world.put_run(RunItem {
        state: RunState::Running,
        version: item.version + 1,
        ..item
    });
    let target = work.values().find_map(|shard| shard.target.clone());
    (world, target.unwrap())
}

/// Whether the sweep of the next even or odd minute cuts the run again, with something strange about a place.
fn cut_again(even: bool, strange: Option<&str>) -> bool {
    let (world, target) = nearly_done();
    let minute = world.now().0 / MINUTE + 2;
    let minute = minute + u64::from(minute.is_multiple_of(2) != even);
    world.set_now(TimeMs(minute * MINUTE));
    if let Some(place) = strange {
        let flag = Flag {
            place: place.replace("TARGET", &target),
            series: "duration_ms".to_owned(),
            at: world.now(),
            score: 0.9,
            because: String::new(),
        };
        let outlook = StoredOutlook {
            made_at: world.now(),
            flags: vec![flag],
            ..StoredOutlook::default()
        };
        block_on(world.put_outlook(&outlook)).unwrap();
    }
    let answer = block_on(reshard(&wire::reshard(&world), &ReshardRequest::default()));
    answer.unwrap().recuts == 1
}

#[test]
fn what_is_unlike_the_last_days_is_looked_at_before_its_turn() {
    assert!(cut_again(true, None), "its turn");
    assert!(!cut_again(false, None), "not its turn");
    assert!(!cut_again(false, Some("eu-south-2")), "strange elsewhere");
    assert!(cut_again(false, Some("TARGET")), "strange where it runs");
    assert!(cut_again(false, Some("us-east-1")), "strange in its region");
}
