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
        rates: vec![(writes(), 40.0)],
        item_bytes: item_bytes(&RunId::from("r-aaaaaaaaaaaaaaaaaaaa"), 2_000),
        makespan_s: 60.0,
        execution_name: 30,
        fan: worst(3.0),
    }
}

fn writes() -> Quota {
    Quota {
        limit: "partition key, writes",
        unit: "writes/s",
        per_s: 1_000.0,
        per_key: true,
        each_shard: 13.0,
        binds: "the writes",
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
    assert_eq!(proofs(&facts()).len(), 22);
}

#[test]
fn each_limit_holds_at_its_value_and_not_beyond() {
    type Change = fn(&mut Facts, f64);
    let edges: [(&str, f64, Change); 17] = [
        ("inline branches", 40.0, |f, v| f.lanes = v as u32),
        ("account concurrency", 1_000.0, |f, v| {
            f.mode = LaneMode::Distributed;
            f.lanes = v as u32;
        }),
        ("shard duration", 900_000.0, |f, v| f.duration_ms.value = v),
        ("memory", 10_240.0, |f, v| f.memory_mib.value = v),
        ("scratch disk", 10_240.0, |f, v| f.disk_mib.value = v),
        ("fan-in and fan-out", 256.0, |f, v| f.fan.value = v),
        ("partition key, writes", 1_000.0, |f, v| f.rates[0].1 = v),
        ("execution time", 31_536_000.0, |f, v| f.makespan_s = v),
        ("execution name", 80.0, |f, v| f.execution_name = v as usize),
        ("table item", 409_600.0, |f, v| f.item_bytes = v as usize),
        ("state payload", 262_144.0, |f, v| {
            f.plan_answer = v as usize
        }),
        ("open executions", 999_999.0, |f, v| {
            f.mode = LaneMode::Distributed;
            (f.lanes, f.concurrency) = (v as u32, u32::MAX);
        }),
        ("distributed children", 10_000.0, |f, v| {
            f.mode = LaneMode::Distributed;
            (f.lanes, f.concurrency) = (v as u32, u32::MAX);
        }),
        ("environment scaling", 9_000.0, |f, v| {
            f.mode = LaneMode::Distributed;
            (f.lanes, f.concurrency) = (v as u32, u32::MAX);
        }),
        ("execution history", 9_960.0, |f, v| {
            (f.history_budget, f.events) = (u32::MAX, v as u64 + 14_880);
        }),
        ("lane message", 32_768.0, |f, v| f.lane_message.value = v),
        ("tasks", 1_000_000.0, |f, v| f.tasks = v as usize),
    ];
    for (name, edge, change) in edges {
        let is_broken = |value: f64| {
            let mut facts = facts();
            change(&mut facts, value);
            broken(&facts).contains(&name.to_owned())
        };
        assert!(!is_broken(edge), "{name} at its limit");
        assert!(is_broken(edge + 1.0), "{name} beyond its limit");
    }
}

#[test]
fn ten_thousand_lanes_fit_an_answer() {
    let bytes = plan_answer_bytes(limit::DISTRIBUTED_CHILDREN, LaneMode::Distributed);
    assert!(bytes < limit::STATE_PAYLOAD_BYTES, "{bytes}");
    let mut wide = facts();
    wide.lanes = 9_000;
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
    // Baggage of 4 KiB, two ARNs of 2 KiB whose every character is escaped, and what dispatch says.
    assert!((12_288..16_000).contains(&bytes), "{bytes}");
    assert!(bytes <= limit::LANE_MESSAGE_BYTES);
}

#[test]
fn every_proof_is_in_the_catalogue() {
    for proof in proofs(&facts()) {
        let listed = CATALOGUE.iter().find(|limit| limit.name == proof.limit);
        let listed = listed.unwrap_or_else(|| panic!("`{}` is not listed", proof.limit));
        assert_eq!(listed.unit, proof.unit, "{}", proof.limit);
        assert_eq!(listed.allowed, proof.allowed, "{}", proof.limit);
    }
}

#[test]
fn the_documentation_has_the_catalogue() {
    let written = include_str!("../../../../docs/limits.md");
    assert!(
        written.contains(&table()),
        "docs/limits.md should have\n{}",
        table()
    );
}
