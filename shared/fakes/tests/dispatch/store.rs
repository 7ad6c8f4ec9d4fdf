//! What a question asks of the store, and what a crash in the middle of it loses.

use foreshard_fakes::{Fault, build};
use foreshard_model::ids::ShardId;
use foreshard_model::ledger::EventKind;
use foreshard_model::message::AnswerKind;

use crate::lanes::Lanes;

#[test]
fn a_lane_that_goes_on_asks_the_store_a_few_times() {
    let mut topology = build::topology("a1>a2>a3 b1>b2>b3 c1>c2>c3 d1>d2>d3");
    topology.lanes = 4;
    let lanes = Lanes::of(topology);
    let first = lanes.ask(&Lanes::first(0)).unwrap();
    let second = lanes.ask(&lanes.after(0, &first)).unwrap();
    let question = lanes.after(0, &second);
    let counted = || {
        lanes
            .world
            .faults(|faults| (faults.reads(), faults.by_name().clone()))
    };
    let (reads, writes) = counted();
    let third = lanes.ask(&question).unwrap();
    assert_eq!(third.kind, AnswerKind::Run);
    let (reads_now, writes_now) = counted();
    // What the question is about, and the ready shards; no look for somebody to wake: whatever is ready was ready before.
    assert_eq!(reads_now - reads, 2);
    let more = |(name, count): (&String, &u64)| {
        let more = count - writes.get(name).unwrap_or(&0);
        (more > 0).then(|| format!("{name} {more}"))
    };
    let written: Vec<String> = writes_now.iter().filter_map(more).collect();
    let expected = [
        "commit lane + shard running 1",
        "commit shard done 1",
        "commit shard done released 1",
        "commit shard ready 1",
        "record 1",
    ];
    assert_eq!(written, expected);
}

#[test]
fn a_crash_before_the_ledger_is_told_loses_none_of_it() {
    let lanes = Lanes::new("a>b a>c");
    let first = lanes.ask(&Lanes::first(0)).unwrap();
    let question = lanes.after(0, &first);
    let mut nth = 0;
    loop {
        lanes
            .world
            .faults(|faults| faults.arm(nth, Fault::CrashBefore));
        let answered = lanes.ask(&question);
        let crashed = lanes.world.faults(|faults| {
            let crashed = faults.has_crashed();
            faults.disarm();
            faults.revive();
            crashed
        });
        if !crashed {
            assert_eq!(answered.unwrap().kind, AnswerKind::Run);
            break;
        }
        nth += 1;
    }
    assert!(nth > 0, "nothing was written after the first crash");
    lanes.ask(&question).unwrap();
    let ledger = lanes.world.ledger(&build::run_id());
    let told = |kind, shard| {
        ledger
            .iter()
            .any(|e| e.kind == kind && e.shard == Some(ShardId(shard)))
    };
    assert!(told(EventKind::Settled, 0), "{ledger:?}");
    assert!(
        told(EventKind::Claimed, 1) || told(EventKind::Claimed, 2),
        "{ledger:?}"
    );
}
