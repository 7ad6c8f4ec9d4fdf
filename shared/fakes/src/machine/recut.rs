//! Cuts a run again without any reason, as a seed draws: split, merged, or moved, by the production stage.

use std::collections::{BTreeMap, BTreeSet};

use foreshard_engine::reshard::{Cutting, Decision, Group, Held, Part, Seen, cut, held};
use foreshard_model::ids::{RunId, ShardId, TaskId};
use foreshard_model::limits::TRANSACTION_WRITES;
use foreshard_model::plan::Recut;
use foreshard_stages::StageError;
use foreshard_stages::reshard::{Ports, recut_by};

use crate::seeded::Seeded;

/// Cuts about half of what can be cut. True: nothing is left to do, whether anything was cut or not.
pub(super) async fn at_random(ports: &Ports, run: &RunId, seed: u64) -> Result<bool, StageError> {
    recut_by(ports, run, &|seen: &Seen<'_>| decided(seen, seed)).await?;
    Ok(true)
}

fn decided(seen: &Seen<'_>, seed: u64) -> Decision {
    let held = held(seen);
    let groups = groups(seen, &held, seed);
    if groups.is_empty() {
        return Decision::Leave("nothing was drawn".to_owned());
    }
    let cutting = Cutting {
        topology: seen.topology,
        stored: seen.stored,
        held: &held,
        now: seen.now,
    };
    let because = "because a seed drew it".to_owned();
    let recut = Recut {
        because,
        ..Recut::default()
    };
    match cut(&cutting, &groups, recut) {
        Ok(cut) => Decision::Cut(Box::new(cut)),
        Err(error) => Decision::Leave(error.to_string()),
    }
}

fn groups(seen: &Seen<'_>, held: &BTreeMap<ShardId, Held>, seed: u64) -> Vec<Group> {
    let mut draws = Seeded::new(seed, "recut");
    let mut before: BTreeMap<ShardId, BTreeSet<ShardId>> = BTreeMap::new();
    for node in &seen.topology.shards {
        for successor in &node.successors {
            before.entry(*successor).or_default().insert(node.id);
        }
    }
    let mut left: BTreeMap<ShardId, &Held> = held.iter().map(|(id, held)| (*id, held)).collect();
    let mut room = TRANSACTION_WRITES - 1;
    let mut groups = Vec::new();
    while let Some((id, first)) = left.pop_first() {
        if !draws.hits(500) {
            continue;
        }
        let sibling = left.keys().find(|other| {
            !first.ready && !held[*other].ready && before.get(other) == before.get(&id)
        });
        let group = match sibling.copied().filter(|_| draws.hits(500)) {
            Some(other) => {
                left.remove(&other);
                let both = open(first).into_iter().chain(open(&held[&other]));
                Group {
                    old: vec![id, other],
                    parts: vec![part(both)],
                }
            }
            None => Group {
                old: vec![id],
                parts: parts(first, &mut draws),
            },
        };
        let writes = group.old.len() + group.parts.len() + 1;
        if writes > room {
            break;
        }
        room -= writes;
        groups.push(group);
    }
    groups
}

fn open(held: &Held) -> Vec<TaskId> {
    let tasks = held.tasks.iter().map(|task| task.id.clone());
    tasks.filter(|id| !held.finished.contains(id)).collect()
}

/// Up to three parts: in turns where the tasks are independent, otherwise one after another in their order.
fn parts(held: &Held, draws: &mut Seeded) -> Vec<Part> {
    let open = open(held);
    let count = 1 + draws.place(3).min(open.len().saturating_sub(1));
    let free = held.tasks.iter().all(|task| task.after.is_empty());
    let length = open.len().div_ceil(count).max(1);
    let mut parts: Vec<Vec<TaskId>> = vec![Vec::new(); count];
    for (place, task) in open.into_iter().enumerate() {
        let at = if free { place % count } else { place / length };
        parts[at].push(task);
    }
    parts.retain(|tasks| !tasks.is_empty());
    parts.into_iter().map(part).collect()
}

fn part(tasks: impl IntoIterator<Item = TaskId>) -> Part {
    Part {
        tasks: tasks.into_iter().collect(),
        estimate_ms: 1_000,
        instead: BTreeMap::new(),
    }
}
