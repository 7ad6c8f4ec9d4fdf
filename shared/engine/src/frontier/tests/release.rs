//! Finished shards and those that wait for them.

use foreshard_model::message::Cause;
use foreshard_model::workflow::OnFailure;

use super::*;
use crate::frontier::*;
use crate::lifecycle;

fn finished(id: u32, kind: ShardKind, state: ShardState) -> ShardItem {
    ShardItem {
        kind,
        cause: (state == ShardState::Failed)
            .then(|| lifecycle::failure(Cause::TaskFailed, "exit 1")),
        ..item(id, state)
    }
}

#[test]
fn the_first_items_of_a_run() {
    let items = initial_items(&topology("0>2 1>2 2>3"));
    let states: Vec<String> = items
        .iter()
        .map(|i| format!("{} {:?} v{}", i.id, i.state, i.version))
        .collect();
    insta::assert_snapshot!(states.join(", "), @"0 Ready v1, 1 Ready v1, 2 Waiting v1, 3 Waiting v1");
    // 10 is a relay without predecessors: what follows it is ready at once.
    let relay = initial_items(&topology("10>0 0>11"));
    assert_eq!(
        (relay[0].state, relay[10].released),
        (ShardState::Ready, true)
    );
    assert_eq!(relay[0].arrived.len(), 1);
}

#[test]
fn what_a_finished_shard_means() {
    let plan = topology("0>1 0>2 1>3 2>3");
    let said = |item: &ShardItem, on_failure| {
        let node = plan.node(item.id).unwrap();
        let plan = Topology {
            on_failure,
            ..plan.clone()
        };
        match release(item, node, &plan) {
            Release::Arrive(arrivals) => {
                let to: Vec<u32> = arrivals.iter().map(|a| a.successor.0).collect();
                format!("{} arrives at {to:?}", item.id)
            }
            other => format!("{other:?}"),
        }
    };
    let mut complete = finished(3, ShardKind::End, ShardState::Skipped);
    complete.arrived = [ShardId(1), ShardId(2)].into();
    let mut rows = Vec::new();
    for on_failure in [OnFailure::Stop, OnFailure::Continue] {
        rows.push(format!("{on_failure:?}"));
        for shard in [
            finished(0, ShardKind::Work, ShardState::Done),
            finished(0, ShardKind::Work, ShardState::Failed),
            finished(1, ShardKind::Work, ShardState::Skipped),
            finished(3, ShardKind::End, ShardState::Done),
            finished(0, ShardKind::Work, ShardState::Running),
            complete.clone(),
        ] {
            rows.push(format!(
                "  {:?} {:?}: {}",
                shard.kind,
                shard.state,
                said(&shard, on_failure)
            ));
        }
    }
    insta::assert_snapshot!(rows.join("\n"), @r#"
    Stop
      Work Done: 0 arrives at [1, 2]
      Work Failed: Fails(Failure { cause: TaskFailed, task: None, message: "exit 1" })
      Work Skipped: Hold
      End Done: Completes
      Work Running: Nothing
      End Skipped: Fails(Failure { cause: TaskFailed, task: None, message: "a task before it failed" })
    Continue
      Work Done: 0 arrives at [1, 2]
      Work Failed: Skip([ShardId(1), ShardId(2)])
      Work Skipped: Hold
      End Done: Completes
      Work Running: Nothing
      End Skipped: Fails(Failure { cause: TaskFailed, task: None, message: "a task before it failed" })
    "#);
    let known = ShardItem {
        released: true,
        ..finished(0, ShardKind::Work, ShardState::Done)
    };
    assert_eq!(said(&known, OnFailure::Stop), "Nothing");
    assert_eq!(released(&known), None);
}

fn seen(item: &ShardItem, predecessors: u32) -> String {
    let node = ShardNode {
        predecessors,
        ..ShardNode::default()
    };
    match arrived(item, &node, NOW) {
        Arrived::Nothing => "nothing".to_owned(),
        Arrived::Ready(next) => written(&[put_shard(*next)]),
        Arrived::Follow(Some(next)) => format!("{}, follow", written(&[put_shard(*next)])),
        Arrived::Follow(None) => "follow".to_owned(),
    }
}

#[test]
fn a_successor_is_ready_when_everybody_has_arrived() {
    let both = |kind, state| ShardItem {
        arrived: [ShardId(1), ShardId(2)].into(),
        ..finished(5, kind, state)
    };
    let mut rows = Vec::new();
    for kind in [ShardKind::Work, ShardKind::Relay, ShardKind::End] {
        for state in [
            ShardState::Waiting,
            ShardState::Ready,
            ShardState::Running,
            ShardState::Done,
            ShardState::Skipped,
        ] {
            let (two, three) = (seen(&both(kind, state), 2), seen(&both(kind, state), 3));
            rows.push(format!("{kind:?} {state:?}: {two} | of three: {three}"));
        }
    }
    insta::assert_snapshot!(rows.join("\n"), @r"
    Work Waiting: shard 5 v8 Version(7) Ready attempt 0 arrived [1, 2] | of three: nothing
    Work Ready: nothing | of three: nothing
    Work Running: nothing | of three: nothing
    Work Done: nothing | of three: nothing
    Work Skipped: follow | of three: nothing
    Relay Waiting: shard 5 v8 Version(7) Done attempt 0 arrived [1, 2], follow | of three: nothing
    Relay Ready: nothing | of three: nothing
    Relay Running: nothing | of three: nothing
    Relay Done: follow | of three: follow
    Relay Skipped: follow | of three: nothing
    End Waiting: shard 5 v8 Version(7) Done attempt 0 arrived [1, 2], follow | of three: nothing
    End Ready: nothing | of three: nothing
    End Running: nothing | of three: nothing
    End Done: follow | of three: follow
    End Skipped: follow | of three: nothing
    ");
}

#[test]
fn a_failure_skips_in_a_transaction_with_the_failed_shard() {
    let failed = finished(0, ShardKind::Work, ShardState::Failed);
    let waiting = finished(1, ShardKind::Work, ShardState::Waiting);
    let skipped = skip(&failed, &waiting, NOW).unwrap();
    insta::assert_snapshot!(written(&skipped.writes), @r"
    shard 1 v8 Version(7) Skipped attempt 0 arrived [0]
    shard 0 v8 Version(7) Failed attempt 0 arrived []
    ");
    assert_eq!(skipped.successor.cause, failed.cause);
    assert_eq!(skip(&failed, &skipped.successor, NOW), None);
    let other = finished(2, ShardKind::Work, ShardState::Skipped);
    let twice = skip(&other, &skipped.successor, NOW).unwrap();
    assert_eq!(twice.successor.arrived.len(), 2);
    assert_eq!(
        skip(
            &failed,
            &finished(1, ShardKind::Work, ShardState::Ready),
            NOW
        ),
        None
    );
}

#[test]
fn the_end_of_a_run_is_one_transaction_with_the_shard_that_brings_it() {
    let end = finished(3, ShardKind::End, ShardState::Done);
    let failed = finished(0, ShardKind::Work, ShardState::Failed);
    let cause = failed.cause.clone().unwrap();
    let cancelling = run(RunState::Cancelling);
    let noted_run = RunItem {
        cause: Some(lifecycle::failure(Cause::Timeout, "the first")),
        ..run(RunState::Running)
    };
    let rows = [
        written(&completes(&run(RunState::Running), &end, NOW).unwrap()),
        format!("{:?}", completes(&cancelling, &end, NOW)),
        written(&fails(&run(RunState::Running), &failed, &cause, NOW).unwrap()),
        written(&fails(&noted_run, &failed, &cause, NOW).unwrap()),
        format!("{:?}", fails(&cancelling, &failed, &cause, NOW)),
        written(&noted(&run(RunState::Running), &failed, NOW).unwrap().0),
    ];
    insta::assert_snapshot!(rows.join("\n"), @r"
    run v6 Version(5) completing 
    shard 3 v8 Version(7) Done released attempt 0 arrived []
    None
    run v6 Version(5) failing exit 1
    shard 0 v8 Version(7) Failed released attempt 0 arrived []
    run v6 Version(5) failing the first
    shard 0 v8 Version(7) Failed released attempt 0 arrived []
    None
    run v6 Version(5) running exit 1
    shard 0 v8 Version(7) Failed attempt 0 arrived []
    ");
    assert_eq!(noted(&noted_run, &failed, NOW), None);
    assert_eq!(noted(&cancelling, &failed, NOW), None);
}
