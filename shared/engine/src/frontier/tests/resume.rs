//! What a resume does to each shard.

use foreshard_model::message::Cause;

use super::*;
use crate::frontier::*;
use crate::lifecycle;

#[test]
fn what_failed_runs_again_and_what_was_skipped_waits_for_it() {
    let node = ShardNode {
        predecessors: 2,
        ..ShardNode::default()
    };
    let told = |item: &ShardItem| {
        let next = resume(item, &node, |id| id == ShardId(1), NOW);
        next.map_or("stays".to_owned(), |next| written(&[put_shard(next)]))
    };
    let failed = ShardItem {
        released: true,
        failures: BTreeMap::from([(Cause::Timeout, 3)]),
        cause: Some(lifecycle::failure(Cause::Timeout, "slow")),
        tier: Mib(512),
        ..item(0, ShardState::Failed)
    };
    let unknown = ShardItem {
        cause: Some(lifecycle::failure(Cause::OutcomeUnknown, "?")),
        ..failed.clone()
    };
    let skipped = ShardItem {
        arrived: [ShardId(1), ShardId(2)].into(),
        released: true,
        ..item(4, ShardState::Skipped)
    };
    let marked = ShardItem {
        started_once: true,
        ..item(0, ShardState::Running)
    };
    let end = ShardItem {
        kind: ShardKind::End,
        released: true,
        ..item(6, ShardState::Done)
    };
    let rows = [
        format!("failed: {}", told(&failed)),
        format!("outcome unknown: {}", told(&unknown)),
        format!("skipped: {}", told(&skipped)),
        format!("running: {}", told(&item(0, ShardState::Running))),
        format!("running, marked: {}", told(&marked)),
        format!("done: {}", told(&item(0, ShardState::Done))),
        format!("END done: {}", told(&end)),
        format!("waiting: {}", told(&item(0, ShardState::Waiting))),
        format!("ready: {}", told(&item(0, ShardState::Ready))),
    ];
    insta::assert_snapshot!(rows.join("\n"), @r"
    failed: shard 0 v8 Version(7) Ready attempt 0 arrived []
    outcome unknown: shard 0 v8 Version(7) Failed attempt 0 arrived []
    skipped: shard 4 v8 Version(7) Waiting attempt 0 arrived [1]
    running: shard 0 v8 Version(7) Ready attempt 1 arrived []
    running, marked: stays
    done: stays
    END done: shard 6 v8 Version(7) Done attempt 0 arrived []
    waiting: stays
    ready: stays
    ");
    let again = resume(&failed, &node, |_| false, NOW).unwrap();
    assert_eq!(
        (again.failures.len(), again.cause, again.tier),
        (0, None, Mib(512))
    );
    assert!(is_beyond_resume(&unknown) && !is_beyond_resume(&failed));
}

#[test]
fn a_skipped_shard_whose_predecessors_are_all_done_is_ready() {
    let node = ShardNode {
        predecessors: 1,
        ..ShardNode::default()
    };
    let skipped = ShardItem {
        arrived: [ShardId(1)].into(),
        ..item(4, ShardState::Skipped)
    };
    let next = resume(&skipped, &node, |_| true, NOW).unwrap();
    assert_eq!(next.state, ShardState::Ready);
    let relay = ShardItem {
        kind: ShardKind::Relay,
        ..skipped
    };
    assert_eq!(
        resume(&relay, &node, |_| true, NOW).unwrap().state,
        ShardState::Done
    );
}
