//! The sparse indexes: they list exactly what must be claimed or looked after, at once.

use std::sync::Arc;

use foreshard_model::frontier::{Expect, LaneItem, Live, ShardItem, ShardState, Write};
use foreshard_model::ids::LaneId;

use crate::adapters::Adapters;
use crate::items::{self, key};

pub async fn ready_shards_come_by_rank(on: Arc<Adapters>) {
    let of = key("ready");
    // Partition 0 of three: 0, 3, 6, 9, 12.
    let new = [
        items::ready(&of, 0, 40),
        items::ready(&of, 3, 2),
        items::shard(&of, 6),
        items::ready(&of, 9, 0),
        items::ready(&of, 12, 2),
        items::ready(&of, 1, 1),
    ];
    items::create(&on, &of, &new).await;
    let all = on.frontier.ready(&of, 0, 10).await.unwrap();
    assert_eq!(items::ids(&all), [9, 3, 12, 0]);
    assert_eq!(all[0], new[3], "the whole item");
    let first = on.frontier.ready(&of, 0, 2).await.unwrap();
    assert_eq!(items::ids(&first), [9, 3]);
    let claimed = items::claimed(&new[3], 1, 9_000);
    on.writes
        .commit(&of, &[items::over(&claimed)])
        .await
        .unwrap();
    let rest = on.frontier.ready(&of, 0, 10).await.unwrap();
    assert_eq!(items::ids(&rest), [3, 12, 0]);
    assert_eq!(
        items::ids(&on.frontier.ready(&of, 1, 10).await.unwrap()),
        [1]
    );
    assert_eq!(on.frontier.ready(&of, 2, 10).await, Ok(Vec::new()));
}

pub async fn live_lists_what_must_be_looked_after(on: Arc<Adapters>) {
    let of = key("live");
    let with = |id: u32, state: ShardState, released: bool| ShardItem {
        state,
        released,
        ..items::shard(&of, id)
    };
    let mut late = items::claimed(&items::shard(&of, 3), 1, 90_000);
    let mut early = items::claimed(&items::shard(&of, 6), 1, 10_000);
    (late.version, early.version) = (1, 1);
    let new = [
        items::shard(&of, 0),
        late,
        early,
        with(9, ShardState::Done, false),
        with(12, ShardState::Done, true),
        with(15, ShardState::Failed, false),
        with(18, ShardState::Skipped, false),
        with(21, ShardState::Superseded, false),
        items::ready(&of, 24, 0),
    ];
    items::create(&on, &of, &new).await;
    let listed = async |what| {
        let found = on.frontier.live(&of, 0, what, 10).await.unwrap();
        items::ids(&found)
    };
    assert_eq!(listed(Live::Ready).await, [24]);
    assert_eq!(listed(Live::Running).await, [6, 3], "by deadline");
    assert_eq!(listed(Live::Unreleased).await, [9, 15, 18]);
    let one = on.frontier.live(&of, 0, Live::Unreleased, 1).await.unwrap();
    assert_eq!(items::ids(&one), [9]);
    let released = ShardItem {
        version: 2,
        released: true,
        ..new[3].clone()
    };
    on.writes
        .commit(&of, &[items::over(&released)])
        .await
        .unwrap();
    assert_eq!(listed(Live::Unreleased).await, [15, 18]);
}

pub async fn parked_lanes_are_listed_until_the_token_is_gone(on: Arc<Adapters>) {
    let of = key("parked");
    let lane = |number: u32, version: u64, token: Option<&str>| LaneItem {
        run: of.run.clone(),
        lane: LaneId(number),
        version,
        token: token.map(str::to_owned),
        ..LaneItem::default()
    };
    let commit = async |item: LaneItem, expect| {
        let write = Write::Lane(Box::new(item), expect);
        on.writes.commit(&of, &[write]).await.unwrap();
    };
    // Lanes 2, 5, 8 are in partition 2.
    commit(lane(8, 1, Some("t8")), Expect::Absent).await;
    commit(lane(2, 1, Some("t2")), Expect::Absent).await;
    commit(lane(5, 1, None), Expect::Absent).await;
    commit(lane(3, 1, Some("t3")), Expect::Absent).await;
    let parked = async |limit| {
        let lanes = on.frontier.parked(&of, 2, limit).await.unwrap();
        let tokens = lanes.into_iter().map(|lane| lane.token.unwrap());
        tokens.collect::<Vec<_>>()
    };
    assert_eq!(parked(10).await, ["t2", "t8"]);
    assert_eq!(parked(1).await, ["t2"]);
    commit(lane(2, 2, None), Expect::Version(1)).await;
    assert_eq!(parked(10).await, ["t8"]);
}
