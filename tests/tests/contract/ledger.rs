//! The ledger: by time, each event once, read forward.

use std::sync::Arc;

use foreshard_model::ids::{Attempt, LaneId, RunId, ShardId};
use foreshard_model::ledger::{Event, EventKind};
use foreshard_model::units::TimeMs;

use crate::adapters::Adapters;
use crate::items::key;

fn event(run: &RunId, at: u64, kind: EventKind, shard: u32) -> Event {
    Event {
        run: run.clone(),
        at: TimeMs(at),
        kind,
        shard: Some(ShardId(shard)),
        attempt: Some(Attempt(1)),
        lane: Some(LaneId(2)),
        target: Some("foreshard-execute-512:live".to_owned()),
        because: format!("because of {shard}"),
        numbers: [
            ("cost".to_owned(), 0.000_000_125),
            ("tasks".to_owned(), 3.0),
        ]
        .into(),
    }
}

pub async fn events_come_by_time_and_once(on: Arc<Adapters>) {
    let run = key("events").run;
    // More than one batch.
    let events: Vec<Event> = (0..60)
        .map(|n| event(&run, 1_700_000_000_000 + n, EventKind::Claimed, 7))
        .collect();
    let mut shuffled = events.clone();
    shuffled.reverse();
    on.ledger_writes.record(&shuffled).await.unwrap();
    on.ledger_writes.record(&shuffled[10..40]).await.unwrap();
    on.ledger_writes.record(&events[..1]).await.unwrap();
    on.ledger_writes
        .record(&[events[3].clone(), events[3].clone()])
        .await
        .unwrap();
    on.ledger_writes.record(&[]).await.unwrap();
    assert_eq!(on.ledger.events(&run, "", 1_000).await, Ok(events));
}

pub async fn reading_goes_on_after_a_key(on: Arc<Adapters>) {
    let run = key("reading").run;
    let events = [
        event(&run, 1_000, EventKind::Accepted, 0),
        event(&run, 2_000, EventKind::Claimed, 1),
        event(&run, 2_000, EventKind::Claimed, 2),
        event(&run, 2_000, EventKind::Settled, 1),
        event(&run, 10_000, EventKind::Claimed, 3),
    ];
    on.ledger_writes.record(&events).await.unwrap();
    let first = on.ledger.events(&run, "", 2).await.unwrap();
    assert_eq!(first, events[..2]);
    let rest = on
        .ledger
        .events(&run, &first[1].sort_key(), 10)
        .await
        .unwrap();
    assert_eq!(rest, events[2..]);
    let end = on.ledger.events(&run, &events[4].sort_key(), 10).await;
    assert_eq!(end, Ok(Vec::new()));
    let other = key("no events").run;
    assert_eq!(on.ledger.events(&other, "", 10).await, Ok(Vec::new()));
}
