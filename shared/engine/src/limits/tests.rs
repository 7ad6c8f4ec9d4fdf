//! Each limit at its edge, and one beyond it.

use foreshard_model::ids::RunId;
use foreshard_model::limits as limit;
use foreshard_model::plan::LaneMode;

use super::*;

fn facts() -> Facts {
    let worst = |value: f64| Worst {
        value,
        place: "shard 0".to_owned(),
    };
    Facts {
        tasks: 10,
        lanes: 4,
        mode: LaneMode::Inline,
        events: 200,
        history_budget: limit::HISTORY_BUDGET_EVENTS,
        plan_answer: plan_answer_bytes(4, LaneMode::Inline),
        lane_message: worst(2_000.0),
        duration_ms: worst(1_000.0),
        limit_ms: limit::LAMBDA_TIMEOUT_MS,
        memory_mib: worst(1_769.0),
        disk_mib: worst(10.0),
        concurrency: 1_000,
        partition_writes: 40.0,
        fan: worst(3.0),
    }
}

fn broken(facts: &Facts) -> Vec<String> {
    proofs(facts)
        .into_iter()
        .filter(|proof| !proof.holds)
        .map(|proof| proof.limit)
        .collect()
}

#[test]
fn a_small_plan_keeps_within_every_limit() {
    assert_eq!(broken(&facts()), Vec::<String>::new());
    assert_eq!(proofs(&facts()).len(), 14);
}

#[test]
fn each_limit_holds_at_its_value_and_not_beyond() {
    type Change = fn(&mut Facts, f64);
    let edges: [(&str, f64, Change); 9] = [
        ("inline branches", 40.0, |f, v| f.lanes = v as u32),
        ("account concurrency", 1_000.0, |f, v| {
            f.mode = LaneMode::Distributed;
            f.lanes = v as u32;
        }),
        ("shard duration", 900_000.0, |f, v| f.duration_ms.value = v),
        ("memory", 10_240.0, |f, v| f.memory_mib.value = v),
        ("scratch disk", 10_240.0, |f, v| f.disk_mib.value = v),
        ("fan-in and fan-out", 256.0, |f, v| f.fan.value = v),
        ("partition key", 1_000.0, |f, v| f.partition_writes = v),
        ("lane message", 32_768.0, |f, v| f.lane_message.value = v),
        ("tasks", 1_000_000.0, |f, v| f.tasks = v as usize),
    ];
    for (name, edge, change) in edges {
        let mut at = facts();
        change(&mut at, edge);
        assert_eq!(broken(&at), Vec::<String>::new(), "{name} at its limit");
        let mut beyond = facts();
        change(&mut beyond, edge + 1.0);
        assert_eq!(broken(&beyond), vec![name], "{name} beyond its limit");
    }
}

#[test]
fn ten_thousand_lanes_fit_an_answer() {
    let bytes = plan_answer_bytes(limit::DISTRIBUTED_CHILDREN, LaneMode::Distributed);
    assert!(bytes < limit::STATE_PAYLOAD_BYTES, "{bytes}");
    let mut wide = facts();
    wide.lanes = limit::DISTRIBUTED_CHILDREN;
    wide.mode = LaneMode::Distributed;
    wide.concurrency = limit::DISTRIBUTED_CHILDREN;
    wide.plan_answer = bytes;
    assert_eq!(broken(&wide), Vec::<String>::new());
}

#[test]
fn a_long_run_hands_over_before_its_history_is_full() {
    let mut long = facts();
    long.events = 1_000_000;
    long.lanes = 40;
    let proof = history(&long);
    assert!(proof.holds, "{proof:?}");
    assert!(proof.place.contains("67 round(s)"), "{}", proof.place);
}

#[test]
fn the_largest_lane_message_is_measured() {
    let bytes = lane_message_bytes(&RunId::from("r-aaaaaaaaaaaaaaaaaaaa"), "w", "f:live");
    assert!((9_000..12_000).contains(&bytes), "{bytes}");
    assert!(bytes <= limit::LANE_MESSAGE_BYTES);
}
