//! Shards and lanes: created, read, written by version, all or none, and told of arrivals.

use std::collections::BTreeSet;
use std::sync::Arc;

use foreshard_model::frontier::{Arrival, Expect, LaneItem, ShardItem, ShardState, Write};
use foreshard_model::ids::{Attempt, LaneId, Round, ShardId, Step};
use foreshard_model::message::{Answer, AnswerKind, Cause, ExecuteRequest, Failure};
use foreshard_model::run::{RunItem, RunState};
use foreshard_model::units::TimeMs;
use foreshard_stages::ports::{Opening, PortError, RunKey};

use crate::adapters::Adapters;
use crate::items::{self, claim, key};

pub async fn shards_are_created_once_and_stay_as_they_are(on: Arc<Adapters>) {
    let of = key("created");
    // More than two transactions, in every partition.
    let new: Vec<ShardItem> = (0..250).map(|id| items::shard(&of, id)).collect();
    items::create(&on, &of, &new[..120]).await;
    let touched = items::claimed(&new[7], 1, 5_000);
    on.writes
        .commit(&of, &[items::over(&touched)])
        .await
        .unwrap();
    items::create(&on, &of, &new).await;
    items::create(&on, &of, &[]).await;
    let seen = on.frontier.shard(&of, ShardId(7)).await.unwrap();
    assert_eq!(seen, Some(touched));
    let all = all_shards(&on, &of).await;
    assert_eq!(all.len(), 250);
    assert_eq!(all[249], new[249]);
}

async fn all_shards(on: &Adapters, of: &RunKey) -> Vec<ShardItem> {
    let mut all = Vec::new();
    for partition in 0..of.partitions {
        let mut after: Option<String> = None;
        loop {
            let page = on
                .frontier
                .shards_of(of, partition, after.as_deref())
                .await
                .unwrap();
            all.extend(page.items);
            after = page.next;
            if after.is_none() {
                break;
            }
        }
    }
    all.sort_by_key(|item| item.id);
    all
}

pub async fn a_partition_gives_its_shards_by_id(on: Arc<Adapters>) {
    let of = key("partition");
    let new: Vec<ShardItem> = (0..10).rev().map(|id| items::shard(&of, id)).collect();
    items::create(&on, &of, &new).await;
    // A lane of the same partition is no shard.
    let lane = LaneItem {
        run: of.run.clone(),
        lane: LaneId(1),
        version: 1,
        ..LaneItem::default()
    };
    let write = Write::Lane(Box::new(lane), Expect::Absent);
    on.writes.commit(&of, &[write]).await.unwrap();
    let page = on.frontier.shards_of(&of, 1, None).await.unwrap();
    assert_eq!(items::ids(&page.items), [1, 4, 7]);
    assert_eq!(page.next, None);
    let nobody = key("nobody");
    assert_eq!(all_shards(&on, &nobody).await, []);
}

pub async fn some_shards_are_read_and_missing_ones_left_out(on: Arc<Adapters>) {
    let of = key("some");
    let new: Vec<ShardItem> = (0..120).map(|id| items::shard(&of, id)).collect();
    items::create(&on, &of, &new).await;
    let asked: Vec<ShardId> = (0..240).step_by(2).map(ShardId).collect();
    let mut seen = on.frontier.shards(&of, &asked).await.unwrap();
    seen.sort_by_key(|item| item.id);
    let expected: Vec<u32> = (0..120).step_by(2).collect();
    assert_eq!(items::ids(&seen), expected);
    assert_eq!(on.frontier.shards(&of, &[]).await, Ok(Vec::new()));
    assert_eq!(on.frontier.shard(&of, ShardId(500)).await, Ok(None));
}

pub async fn one_write_is_by_version(on: Arc<Adapters>) {
    let of = key("one");
    let item = full(&of, 4);
    on.writes.commit(&of, &[items::new(&item)]).await.unwrap();
    let again = on.writes.commit(&of, &[items::new(&item)]).await;
    assert!(matches!(again, Err(PortError::Conflict(_))), "{again:?}");
    let seen = on.frontier.shard(&of, item.id).await.unwrap();
    assert_eq!(seen, Some(item.clone()), "every member comes back");

    let next = items::claimed(&item, 2, 9_000);
    on.writes.commit(&of, &[items::over(&next)]).await.unwrap();
    let stale = on.writes.commit(&of, &[items::over(&next)]).await;
    assert!(matches!(stale, Err(PortError::Conflict(_))), "{stale:?}");
    let absent = items::claimed(&items::shard(&of, 5), 2, 9_000);
    let nothing = on.writes.commit(&of, &[items::over(&absent)]).await;
    assert!(
        matches!(nothing, Err(PortError::Conflict(_))),
        "{nothing:?}"
    );
    assert_eq!(on.frontier.shard(&of, item.id).await, Ok(Some(next)));
    let nothing = on.writes.commit(&of, &[]).await;
    assert!(matches!(nothing, Err(PortError::Refused(_))), "{nothing:?}");
}

/// A shard with every member set.
fn full(of: &RunKey, id: u32) -> ShardItem {
    ShardItem {
        arrived: BTreeSet::from([ShardId(1), ShardId(2)]),
        progress: Some(claim("progress")),
        not_before: Some(TimeMs(7)),
        output: Some(claim("output")),
        failures: [(Cause::OutOfMemory, 1)].into(),
        cause: Some(Failure {
            cause: Cause::Timeout,
            task: Some("a/b".into()),
            message: "took too long: \u{1F40C} \"x\"".to_owned(),
        }),
        started_once: true,
        claimed_at: TimeMs(3),
        settled_at: TimeMs(4),
        ..items::shard(of, id)
    }
}

pub async fn several_writes_are_all_or_none(on: Arc<Adapters>) {
    let of = key("several");
    let run = RunItem {
        run: of.run.clone(),
        ..items::run("several", "several", 1_000)
    };
    on.run_writes.create_run(&run).await.unwrap();
    let (a, b) = (items::ready(&of, 1, 0), items::ready(&of, 2, 1));
    on.writes
        .commit(&of, &[items::new(&a), items::new(&b)])
        .await
        .unwrap();

    let lane = LaneItem {
        run: of.run.clone(),
        lane: LaneId(3),
        version: 1,
        ..LaneItem::default()
    };
    let claimed = items::claimed(&a, 3, 5_000);
    let new_lane = || Write::Lane(Box::new(lane.clone()), Expect::Absent);
    // The second shard's write is stale: nothing of it happens.
    let stale = ShardItem {
        version: 5,
        ..b.clone()
    };
    let broken = [items::over(&claimed), new_lane(), items::over(&stale)];
    let refused = on.writes.commit(&of, &broken).await;
    assert!(
        matches!(refused, Err(PortError::Conflict(_))),
        "{refused:?}"
    );
    assert_eq!(on.frontier.shard(&of, a.id).await, Ok(Some(a.clone())));
    assert_eq!(on.frontier.lane(&of, lane.lane).await, Ok(None));

    let next_run = RunItem {
        version: 2,
        state: RunState::Running,
        ..run.clone()
    };
    let write_run = Write::Run(Box::new(next_run.clone()), Expect::Version(1));
    on.writes
        .commit(&of, &[items::over(&claimed), new_lane(), write_run])
        .await
        .unwrap();
    assert_eq!(on.frontier.shard(&of, a.id).await, Ok(Some(claimed)));
    assert_eq!(on.frontier.lane(&of, lane.lane).await, Ok(Some(lane)));
    assert_eq!(on.runs.run(&of.run).await, Ok(Some(next_run)));
}

pub async fn a_question_is_opened_by_one_call(on: Arc<Adapters>) {
    let of = key("opening");
    let run = RunItem {
        run: of.run.clone(),
        ..items::run("opening", "opening", 1_000)
    };
    let (a, b) = (items::ready(&of, 1, 0), items::ready(&of, 2, 1));
    let lane = LaneItem {
        run: of.run.clone(),
        lane: LaneId(3),
        version: 1,
        ..LaneItem::default()
    };
    on.run_writes.create_run(&run).await.unwrap();
    let new_lane = Write::Lane(Box::new(lane.clone()), Expect::Absent);
    on.writes
        .commit(&of, &[items::new(&a), items::new(&b), new_lane])
        .await
        .unwrap();

    let opened = on.frontier.opening(&of, lane.lane, Some(a.id)).await;
    let all = Opening {
        run: Some(run),
        lane: Some(lane),
        finished: Some(a),
    };
    assert_eq!(opened, Ok(all.clone()));
    let opened = on.frontier.opening(&of, LaneId(4), None).await;
    let only_the_run = Opening {
        lane: None,
        finished: None,
        ..all
    };
    assert_eq!(opened, Ok(only_the_run));
    let nobody = key("nobody");
    let opened = on.frontier.opening(&nobody, LaneId(3), Some(b.id)).await;
    assert_eq!(opened, Ok(Opening::default()));
}

pub async fn more_than_a_transaction_is_refused(on: Arc<Adapters>) {
    let of = key("too many");
    let writes: Vec<Write> = (0..100)
        .map(|id| items::new(&items::shard(&of, id)))
        .collect();
    on.writes.commit(&of, &writes).await.unwrap();
    let writes: Vec<Write> = (100..201)
        .map(|id| items::new(&items::shard(&of, id)))
        .collect();
    let refused = on.writes.commit(&of, &writes).await;
    assert!(refused.is_err(), "101 writes");
    assert_eq!(all_shards(&on, &of).await.len(), 100);
}

pub async fn a_lane_comes_back_as_it_was(on: Arc<Adapters>) {
    let of = key("lane");
    let lane = LaneItem {
        run: of.run.clone(),
        lane: LaneId(5),
        version: 1,
        round: Round(2),
        step: Step(3),
        answer: Some(answer(&of)),
        token: Some("token".to_owned()),
        events: 40,
    };
    assert_eq!(on.frontier.lane(&of, lane.lane).await, Ok(None));
    let write = Write::Lane(Box::new(lane.clone()), Expect::Absent);
    on.writes.commit(&of, &[write]).await.unwrap();
    assert_eq!(on.frontier.lane(&of, lane.lane).await, Ok(Some(lane)));
}

fn answer(of: &RunKey) -> Answer {
    Answer {
        step: Step(3),
        kind: AnswerKind::Run,
        target: Some("foreshard-execute-512:live".into()),
        shard: Some(ExecuteRequest {
            run: of.run.clone(),
            shard: ShardId(6),
            attempt: Attempt(2),
            generation: foreshard_model::ids::Generation(0),
            chunk: claim("chunk"),
            deadline: TimeMs(5_000),
            progress: Some(claim("progress")),
            input: None,
            context: items::run("t", "x", 0).context,
            workflow: "w@1".to_owned(),
            partitions: of.partitions,
            trace: true,
        }),
        wait_s: Some(2),
        because: "first of three".to_owned(),
    }
}

pub async fn an_arrival_is_harmless_when_repeated(on: Arc<Adapters>) {
    let of = key("arrival");
    let item = items::shard(&of, 8);
    on.writes.commit(&of, &[items::new(&item)]).await.unwrap();
    let mut last = item.clone();
    for predecessor in [3, 1, 3, 3] {
        let arrival = Arrival {
            run: of.run.clone(),
            successor: item.id,
            generation: foreshard_model::ids::Generation(0),
            predecessor: ShardId(predecessor),
        };
        let seen = on.writes.arrive(&of, &arrival).await.unwrap();
        assert!(
            seen.version > last.version,
            "every write raises the version"
        );
        last = seen;
    }
    assert_eq!(last.arrived, BTreeSet::from([ShardId(1), ShardId(3)]));
    assert_eq!(
        on.frontier.shard(&of, item.id).await,
        Ok(Some(last.clone()))
    );
    // The whole item is written over what arrived, and an arrival works on it again.
    let ready = ShardItem {
        version: last.version + 1,
        state: ShardState::Ready,
        ..last
    };
    on.writes.commit(&of, &[items::over(&ready)]).await.unwrap();
    let arrival = Arrival {
        run: of.run.clone(),
        successor: item.id,
        generation: foreshard_model::ids::Generation(0),
        predecessor: ShardId(9),
    };
    let seen = on.writes.arrive(&of, &arrival).await.unwrap();
    assert_eq!((seen.state, seen.arrived.len()), (ShardState::Ready, 3));
    // Who knows another generation of the shard is refused, and nothing has changed.
    let early = Arrival {
        generation: foreshard_model::ids::Generation(1),
        predecessor: ShardId(10),
        ..arrival
    };
    let refused = on.writes.arrive(&of, &early).await;
    assert!(
        matches!(refused, Err(PortError::Conflict(_))),
        "{refused:?}"
    );
    assert_eq!(on.frontier.shard(&of, item.id).await, Ok(Some(seen)));
}

pub async fn an_arrival_at_nothing_is_not_found(on: Arc<Adapters>) {
    let of = key("arrival at nothing");
    let arrival = Arrival {
        run: of.run.clone(),
        successor: ShardId(1),
        generation: foreshard_model::ids::Generation(0),
        predecessor: ShardId(0),
    };
    let seen = on.writes.arrive(&of, &arrival).await;
    assert!(matches!(seen, Err(PortError::NotFound(_))), "{seen:?}");
    assert_eq!(on.frontier.shard(&of, ShardId(1)).await, Ok(None));
}
