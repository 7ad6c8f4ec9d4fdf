//! What a worker may do: checkpoints fenced by its attempt, and reads of committed outputs.

use std::sync::Arc;

use foreshard_model::frontier::{Checkpoint, ShardItem, ShardState};
use foreshard_model::ids::{Attempt, ShardId};
use foreshard_model::plan::ShardKind;
use foreshard_stages::ports::{Pointer, RunKey};

use crate::adapters::Adapters;
use crate::items::{self, claim, key};

fn checkpoint(of: &RunKey, attempt: u32, progress: Option<&str>, once: bool) -> Checkpoint {
    Checkpoint {
        run: of.run.clone(),
        shard: ShardId(5),
        attempt: Attempt(attempt),
        progress: progress.map(claim),
        started_once: once,
    }
}

/// Shard 5, running with attempt 2.
async fn running(on: &Adapters, of: &RunKey) -> ShardItem {
    let mut item = items::claimed(&items::shard(of, 5), 1, 9_000);
    (item.version, item.attempt) = (1, Attempt(2));
    on.writes.commit(of, &[items::new(&item)]).await.unwrap();
    item
}

pub async fn a_checkpoint_is_fenced_by_the_attempt(on: Arc<Adapters>) {
    let of = key("fenced");
    let item = running(&on, &of).await;
    for attempt in [1, 3] {
        let stale = checkpoint(&of, attempt, Some("stale"), false);
        assert_eq!(on.attempts.checkpoint(&of, &stale).await, Ok(false));
    }
    assert_eq!(
        on.frontier.shard(&of, item.id).await,
        Ok(Some(item.clone()))
    );
    let own = checkpoint(&of, 2, Some("own"), false);
    assert_eq!(on.attempts.checkpoint(&of, &own).await, Ok(true));
    let seen = on.frontier.shard(&of, item.id).await.unwrap().unwrap();
    assert_eq!(seen.progress, Some(claim("own")));
    assert_eq!(seen.version, item.version + 1);

    let done = ShardItem {
        version: seen.version + 1,
        state: ShardState::Done,
        ..seen
    };
    on.writes.commit(&of, &[items::over(&done)]).await.unwrap();
    let late = checkpoint(&of, 2, Some("late"), false);
    assert_eq!(on.attempts.checkpoint(&of, &late).await, Ok(false));
    let nowhere = key("fenced nowhere");
    let lost = checkpoint(&nowhere, 2, None, false);
    assert_eq!(on.attempts.checkpoint(&nowhere, &lost).await, Ok(false));
}

pub async fn a_checkpoint_leaves_what_it_does_not_name(on: Arc<Adapters>) {
    let of = key("leaves");
    let item = running(&on, &of).await;
    let steps = [
        (Some("first"), false, Some("first"), false),
        (None, true, Some("first"), true),
        (Some("second"), false, Some("second"), false),
    ];
    for (progress, once, expected, expected_once) in steps {
        let own = checkpoint(&of, 2, progress, once);
        assert_eq!(on.attempts.checkpoint(&of, &own).await, Ok(true));
        let seen = on.frontier.shard(&of, item.id).await.unwrap().unwrap();
        assert_eq!(seen.progress, expected.map(claim));
        assert_eq!(seen.started_once, expected_once);
        let rest = ShardItem {
            version: item.version,
            progress: None,
            started_once: false,
            ..seen
        };
        assert_eq!(rest, item, "nothing else has changed");
    }
    let found = on
        .frontier
        .live(&of, 2, foreshard_model::frontier::Live::Running, 5)
        .await;
    assert_eq!(items::ids(&found.unwrap()), [5], "the index still has it");
}

pub async fn pointers_are_those_of_committed_outputs(on: Arc<Adapters>) {
    let of = key("pointers");
    let new: Vec<ShardItem> = (0..130)
        .map(|id| ShardItem {
            state: ShardState::Done,
            output: (id % 2 == 0).then(|| claim(&format!("output-{id}"))),
            ..items::shard(&of, id)
        })
        .collect();
    items::create(&on, &of, &new).await;
    let asked: Vec<ShardId> = (0..150).map(ShardId).collect();
    let seen = on.pointers.pointers(&of, &asked).await.unwrap();
    assert_eq!(seen.len(), 65);
    let pointer = |output: Option<&str>, behind: &[u32]| Pointer {
        output: output.map(claim),
        behind: behind.iter().copied().map(ShardId).collect(),
    };
    assert_eq!(
        seen.get(&ShardId(128)),
        Some(&pointer(Some("output-128"), &[]))
    );
    assert_eq!(seen.get(&ShardId(1)), None);
    // One that was cut again leads to those that have its tasks; one with tasks of its own does not.
    let arrived = |id: u32, kind| ShardItem {
        kind,
        output: (id == 201).then(|| claim("checkpoint")),
        arrived: [ShardId(203), ShardId(204)].into(),
        ..items::shard(&of, id)
    };
    let cut = [
        arrived(200, ShardKind::Relay),
        arrived(201, ShardKind::Relay),
        arrived(202, ShardKind::Work),
    ];
    items::create(&on, &of, &cut).await;
    let asked: Vec<ShardId> = (200..203).map(ShardId).collect();
    let seen = on.pointers.pointers(&of, &asked).await.unwrap();
    let found: Vec<_> = seen.into_iter().collect();
    assert_eq!(
        found,
        [
            (ShardId(200), pointer(None, &[203, 204])),
            (ShardId(201), pointer(Some("checkpoint"), &[203, 204])),
        ]
    );
}
