//! Each item's format is kept by a golden file: what is written equals it, and what it holds is read.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_dynamodb::types::AttributeValue;
use foreshard_model::claim::Claim;
use foreshard_model::frontier::{LaneItem, ShardItem, ShardState};
use foreshard_model::ids::{Attempt, Generation, LaneId, Round, RunId, Sha256Hex, ShardId, Step};
use foreshard_model::ledger::{Event, EventKind};
use foreshard_model::message::{Answer, AnswerKind, Cause, ExecuteRequest, Failure, ShardUsage};
use foreshard_model::plan::{LaneMode, ShardKind};
use foreshard_model::run::{Context, PlanPointer, RunItem, RunState, RunSummary};
use foreshard_model::schedule::{
    Firing, Outcome, Overlap, ScheduleItem, ScheduleKey, Submission, Timing,
};
use foreshard_model::units::{Mib, TimeMs, Usd};
use foreshard_stages::ports::{PortError, RunKey};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::item::{self, Attributes};

mod learnt;

fn run_id() -> RunId {
    RunId::derive(&"acme".into(), "golden")
}

fn key() -> RunKey {
    RunKey {
        run: run_id(),
        partitions: 4,
    }
}

fn claim(key: &str) -> Claim {
    Claim {
        key: key.to_owned(),
        sha256: Sha256Hex::of(key.as_bytes()),
        bytes: key.len() as u64,
    }
}

fn context() -> Context {
    Context {
        tenant: "acme".into(),
        principal: "arn:aws:iam::111122223333:user/ann".into(),
        role: Some("arn:aws:iam::111122223333:role/tasks".into()),
        trace_id: "0af7651916cd43dd8448eb211c80319c".into(),
        baggage: BTreeMap::from([("team".into(), "night".into())]),
    }
}

fn run_item() -> RunItem {
    RunItem {
        run: run_id(),
        version: 7,
        state: RunState::Failed,
        workflow: "word-count@1".into(),
        context: context(),
        document: claim("runs/r/document"),
        input: Some(claim("runs/r/input")),
        bundles: BTreeMap::from([("bin".into(), claim("bundles/acme/x"))]),
        plan: Some(PlanPointer {
            generation: Generation(0),
            topology: claim("runs/r/plans/0/topology.json"),
            plan: claim("runs/r/plans/0/plan.json"),
            mode: LaneMode::Distributed,
            tasks: 58,
            shards: 20,
            lanes: 4,
            partitions: 4,
            ..PlanPointer::default()
        }),
        round: Round(1),
        closing_round: Some(Round(1)),
        futile_rounds: 1,
        settled_before_round: 3,
        accepted_at: TimeMs(1_700_000_000_000),
        planned_at: Some(TimeMs(1_700_000_001_000)),
        ended_at: Some(TimeMs(1_700_000_009_000)),
        updated_at: TimeMs(1_700_000_009_000),
        cause: Some(failure()),
        result: Some(claim("runs/r/result.json")),
        summary: Some(RunSummary {
            tasks: 58,
            committed: 57,
            attempts: 21,
            shards: 20,
            lanes: 4,
            rounds: 2,
            makespan_s: 9.0,
            critical_path_s: 4.25,
            work_s: 20.5,
            cost_usd: Usd(0.000_125),
        }),
        ..RunItem::default()
    }
}

fn failure() -> Failure {
    Failure {
        cause: Cause::OutOfMemory,
        task: Some("sub/sort".into()),
        message: "killed at 512 MiB".into(),
    }
}

fn shard_item() -> ShardItem {
    ShardItem {
        run: run_id(),
        id: ShardId(6),
        version: 5,
        kind: ShardKind::Work,
        state: ShardState::Running,
        attempt: Attempt(2),
        generation: Generation(0),
        arrived: BTreeSet::from([ShardId(1), ShardId(20)]),
        rank: 3,
        tier: Mib(1769),
        progress: Some(claim("runs/r/shards/6/1/0/x")),
        lane: Some(LaneId(2)),
        target: Some("foreshard-execute-1769:live".into()),
        deadline: Some(TimeMs(1_700_000_005_000)),
        not_before: Some(TimeMs(1_700_000_002_000)),
        output: Some(claim("runs/r/shards/6/2/0/y")),
        released: false,
        failures: BTreeMap::from([(Cause::OutOfMemory, 1), (Cause::Throttled, 3)]),
        cause: Some(failure()),
        started_once: true,
        claimed_at: TimeMs(1_700_000_003_000),
        settled_at: TimeMs(0),
        usage: ShardUsage {
            duration_ms: 1200,
            cpu_ms: 900,
            peak_kib: 20_000,
            tasks: 2,
            cold: true,
        },
    }
}

fn lane_item() -> LaneItem {
    LaneItem {
        run: run_id(),
        lane: LaneId(2),
        version: 9,
        round: Round(1),
        step: Step(4),
        answer: Some(Answer {
            step: Step(4),
            kind: AnswerKind::Run,
            target: Some("foreshard-execute-1769:live".into()),
            shard: Some(ExecuteRequest {
                run: run_id(),
                shard: ShardId(6),
                attempt: Attempt(2),
                generation: Generation(0),
                chunk: claim("runs/r/plans/0/chunk-0.json"),
                deadline: TimeMs(1_700_000_005_000),
                progress: None,
                input: Some(claim("runs/r/input")),
                context: context(),
                workflow: "word-count@1".into(),
                partitions: 4,
                trace: true,
            }),
            wait_s: None,
            because: "first of 3 ready shards".into(),
        }),
        token: Some("token-1".into()),
        events: 48,
    }
}

fn event() -> Event {
    Event {
        run: run_id(),
        at: TimeMs(1_700_000_004_000),
        kind: EventKind::Retried,
        shard: Some(ShardId(6)),
        attempt: Some(Attempt(1)),
        lane: Some(LaneId(2)),
        target: Some("foreshard-execute-512:live".into()),
        because: "out of memory at 512 MiB: next tier 1769 MiB".into(),
        numbers: BTreeMap::from([("peak_kib".into(), 524_288.0), ("share".into(), 0.125)]),
    }
}

fn to_json(value: &AttributeValue) -> Value {
    match value {
        AttributeValue::S(text) => json!({ "S": text }),
        AttributeValue::N(number) => json!({ "N": number }),
        AttributeValue::Bool(flag) => json!({ "BOOL": flag }),
        AttributeValue::Null(flag) => json!({ "NULL": flag }),
        AttributeValue::Ns(numbers) => json!({ "NS": numbers }),
        AttributeValue::L(list) => json!({ "L": list.iter().map(to_json).collect::<Vec<_>>() }),
        AttributeValue::M(map) => json!({ "M": object(map) }),
        other => panic!("no item has {other:?}"),
    }
}

fn object(attributes: &Attributes) -> Value {
    let sorted: BTreeMap<_, _> = attributes.iter().collect();
    Value::Object(
        sorted
            .into_iter()
            .map(|(name, value)| (name.clone(), to_json(value)))
            .collect::<Map<_, _>>(),
    )
}

fn from_json(value: &Value) -> AttributeValue {
    let (kind, content) = value.as_object().unwrap().iter().next().unwrap();
    let text = |v: &Value| v.as_str().unwrap().to_owned();
    match kind.as_str() {
        "S" => AttributeValue::S(text(content)),
        "N" => AttributeValue::N(text(content)),
        "BOOL" => AttributeValue::Bool(content.as_bool().unwrap()),
        "NULL" => AttributeValue::Null(true),
        "NS" => AttributeValue::Ns(content.as_array().unwrap().iter().map(text).collect()),
        "L" => AttributeValue::L(content.as_array().unwrap().iter().map(from_json).collect()),
        "M" => AttributeValue::M(attributes(content)),
        other => panic!("unknown kind {other}"),
    }
}

fn attributes(value: &Value) -> Attributes {
    let members = value.as_object().unwrap();
    members
        .iter()
        .map(|(name, value)| (name.clone(), from_json(value)))
        .collect()
}

fn golden(file: &str, golden: &str, written: &Attributes) -> Attributes {
    let text = serde_json::to_string_pretty(&object(written)).unwrap();
    assert!(
        text.trim() == golden.trim(),
        "{file}: the format changed; raise FORMAT and read both, or undo. Written now:\n{text}"
    );
    attributes(&serde_json::from_str(golden).unwrap())
}

#[test]
fn a_run_is_as_in_its_golden_file() {
    let written = item::of_run(&run_item()).unwrap();
    let kept = golden("run", include_str!("golden/run.json"), &written);
    assert_eq!(item::read::<RunItem>(kept).unwrap(), run_item());
}

#[test]
fn a_listing_and_a_marker_are_as_in_their_golden_files() {
    let item = run_item();
    golden(
        "listing",
        include_str!("golden/listing.json"),
        &item::of_listing(&item),
    );
    golden(
        "active",
        include_str!("golden/active.json"),
        &item::of_active(&item),
    );
}

#[test]
fn a_shard_is_as_in_its_golden_file() {
    let written = item::of_shard(&key(), &shard_item()).unwrap();
    let kept = golden("shard", include_str!("golden/shard.json"), &written);
    assert_eq!(item::read::<ShardItem>(kept).unwrap(), shard_item());
}

#[test]
fn a_lane_is_as_in_its_golden_file() {
    let written = item::of_lane(&key(), &lane_item()).unwrap();
    let kept = golden("lane", include_str!("golden/lane.json"), &written);
    assert_eq!(item::read::<LaneItem>(kept).unwrap(), lane_item());
}

#[test]
fn an_event_is_as_in_its_golden_file() {
    let written = item::of_event(&event()).unwrap();
    let kept = golden("event", include_str!("golden/event.json"), &written);
    assert_eq!(item::read::<Event>(kept).unwrap(), event());
}

fn schedule_item() -> ScheduleItem {
    let firing = |time: u64, outcome| Firing {
        time: TimeMs(time),
        decided_at: TimeMs(time + 5),
        outcome,
    };
    let because = || "because".to_owned();
    ScheduleItem {
        tenant: "acme".into(),
        name: "etl.nightly".to_owned(),
        version: 4,
        workflow: "etl".to_owned(),
        workflow_version: "1".to_owned(),
        declared: true,
        timing: Timing {
            expression: "cron(0 2 * * ? *)".to_owned(),
            timezone: "Europe/Berlin".to_owned(),
            start: Some(TimeMs(1_700_000_000_000)),
            end: Some(TimeMs(1_900_000_000_000)),
            anchor: TimeMs(1_700_000_000_000),
        },
        overlap: Overlap::Skip,
        catch_up: true,
        paused: false,
        submission: Submission {
            input: Some("{\"day\":1}".to_owned()),
            role: Some("arn:aws:iam::111122223333:role/tasks".to_owned()),
            baggage: BTreeMap::from([("team".into(), "night".into())]),
            bundles: BTreeMap::from([("bin".into(), Sha256Hex::of(b"x"))]),
            ..Submission::default()
        },
        principal: "arn:aws:iam::111122223333:user/ann".to_owned(),
        created_at: TimeMs(1_700_000_000_000),
        updated_at: TimeMs(1_700_000_001_000),
        since: TimeMs(1_700_000_000_000),
        last: Some(TimeMs(1_700_010_800_000)),
        recent: vec![
            firing(1, Outcome::Missed { because: because() }),
            firing(2, Outcome::Skipped { because: because() }),
            firing(3, Outcome::Failed { because: because() }),
            firing(
                4,
                Outcome::Started {
                    run: run_id(),
                    because: because(),
                },
            ),
            firing(
                5,
                Outcome::Starting {
                    run: run_id(),
                    because: because(),
                },
            ),
        ],
    }
}

#[test]
fn a_schedule_and_its_marker_are_as_in_their_golden_files() {
    let item = schedule_item();
    let written = item::of_schedule(&item).unwrap();
    let kept = golden("schedule", include_str!("golden/schedule.json"), &written);
    assert_eq!(item::read::<ScheduleItem>(kept).unwrap(), item);
    let marker = item::of_timer(&item.key(), TimeMs(1_700_020_000_000)).unwrap();
    let kept = golden("timer", include_str!("golden/timer.json"), &marker);
    assert_eq!(item::read::<ScheduleKey>(kept).unwrap(), item.key());
}

#[test]
fn new_items_have_neither_empty_sets_nor_index_keys() {
    let shard = item::of_shard(&key(), &ShardItem::default()).unwrap();
    let lane = item::of_lane(&key(), &LaneItem::default()).unwrap();
    for absent in ["arrived", "ready_rank", "live"] {
        assert!(!shard.contains_key(absent), "{absent}");
        assert!(!lane.contains_key(absent), "{absent}");
    }
    assert_eq!(
        item::read::<ShardItem>(shard).unwrap(),
        ShardItem::default()
    );
    assert_eq!(item::read::<LaneItem>(lane).unwrap(), LaneItem::default());
}

#[test]
fn a_foreign_format_is_refused_by_name() {
    let mut written = item::of_event(&event()).unwrap();
    written.insert("format".into(), AttributeValue::N("2".into()));
    let error = item::read::<Event>(written.clone()).unwrap_err();
    assert!(
        matches!(&error, PortError::Corrupt(text) if text.contains("format 2")),
        "{error}"
    );
    written.remove("format");
    assert!(item::read::<Event>(written).is_err());
}

proptest! {
    #[test]
    fn shards_come_back_as_they_were(
        id in 0u32..10_000_000,
        version in 1u64..u64::MAX,
        arrived in proptest::collection::btree_set(0u32..10_000_000, 0..256),
        deadline in proptest::option::of(0u64..9_999_999_999_999),
        message in "\\PC{0,40}",
    ) {
        let mut item = shard_item();
        item.id = ShardId(id);
        item.version = version;
        item.arrived = arrived.into_iter().map(ShardId).collect();
        item.deadline = deadline.map(TimeMs);
        item.cause = Some(Failure { message, ..failure() });
        let back: ShardItem = item::read(item::of_shard(&key(), &item).unwrap()).unwrap();
        prop_assert_eq!(back, item);
    }
}
