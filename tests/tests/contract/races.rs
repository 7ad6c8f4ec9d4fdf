//! Many at once: one claim wins, no arrival is lost, nothing is created twice.

use std::collections::BTreeSet;
use std::sync::Arc;

use foreshard_model::frontier::{Arrival, Expect, LaneItem, ShardItem, Write};
use foreshard_model::ids::{LaneId, ShardId, Step};
use foreshard_stages::ports::PortError;

use crate::adapters::Adapters;
use crate::items::{self, key};

pub async fn one_of_many_claims_wins(on: Arc<Adapters>) {
    let of = key("claims");
    let item = items::ready(&of, 4, 0);
    on.writes.commit(&of, &[items::new(&item)]).await.unwrap();
    let mut claims = Vec::new();
    for number in 0..8 {
        let (on, of, item) = (Arc::clone(&on), of.clone(), item.clone());
        claims.push(tokio::spawn(async move {
            let lane = LaneItem {
                run: of.run.clone(),
                lane: LaneId(number),
                version: 1,
                step: Step(1),
                ..LaneItem::default()
            };
            let writes = [
                items::over(&items::claimed(&item, number, 5_000)),
                Write::Lane(Box::new(lane), Expect::Absent),
            ];
            on.writes.commit(&of, &writes).await
        }));
    }
    let mut winners = Vec::new();
    for (number, claim) in (0..).zip(claims) {
        match claim.await.unwrap() {
            Ok(()) => winners.push(number),
            Err(PortError::Conflict(_)) => {}
            Err(other) => panic!("{other:?}"),
        }
    }
    // On AWS all may have lost to each other's transactions; then one more claim decides.
    let seen = on.frontier.shard(&of, item.id).await.unwrap().unwrap();
    assert!(winners.len() <= 1, "{winners:?}");
    assert_eq!(seen.lane, winners.first().map(|number| LaneId(*number)));
    for number in 0..8 {
        let lane = on.frontier.lane(&of, LaneId(number)).await.unwrap();
        assert_eq!(lane.is_some(), winners.contains(&number), "lane {number}");
    }
}

pub async fn arrivals_from_everywhere_are_all_there(on: Arc<Adapters>) {
    let of = key("arrivals");
    let item = items::shard(&of, 99);
    on.writes.commit(&of, &[items::new(&item)]).await.unwrap();
    let mut arrivals = Vec::new();
    for predecessor in 0..40 {
        let (on, of) = (Arc::clone(&on), of.clone());
        arrivals.push(tokio::spawn(async move {
            let arrival = Arrival {
                run: of.run.clone(),
                successor: ShardId(99),
                generation: foreshard_model::ids::Generation(0),
                predecessor: ShardId(predecessor),
            };
            on.writes.arrive(&of, &arrival).await.unwrap().arrived.len()
        }));
    }
    let mut complete = 0;
    for arrival in arrivals {
        complete += u32::from(arrival.await.unwrap() == 40);
    }
    assert_eq!(complete, 1, "exactly one arrival sees the set complete");
    let seen = on.frontier.shard(&of, item.id).await.unwrap().unwrap();
    let expected: BTreeSet<ShardId> = (0..40).map(ShardId).collect();
    assert_eq!((seen.arrived, seen.version), (expected, 41));
}

pub async fn creating_at_once_creates_once(on: Arc<Adapters>) {
    let of = key("creating");
    let new: Vec<ShardItem> = (0..150).map(|id| items::shard(&of, id)).collect();
    let creating: Vec<_> = (0..3)
        .map(|_| {
            let (on, of, new) = (Arc::clone(&on), of.clone(), new.clone());
            tokio::spawn(async move { items::create(&on, &of, &new).await })
        })
        .collect();
    for created in creating {
        created.await.unwrap();
    }
    let ids: Vec<ShardId> = (0..150).map(ShardId).collect();
    let seen = on.frontier.shards(&of, &ids).await.unwrap();
    assert_eq!(seen.len(), 150);
    assert!(seen.iter().all(|item| item.version == 1));
}
