//! Decides whether unfinished shards are cut again, and how: finer, coarser, or with equivalents, or not at all.

use std::collections::{BTreeMap, BTreeSet};

use foreshard_model::claim::Claim;
use foreshard_model::frontier::{ShardItem, ShardState};
use foreshard_model::ids::{ShardId, TaskId};
use foreshard_model::output::{Manifest, ShardTask};
use foreshard_model::plan::ShardKind;
use foreshard_model::run::{RunItem, RunState};
use foreshard_model::topology::Topology;
use foreshard_model::units::TimeMs;

use super::group::{Cut, Held};
use super::observe::{Observed, open};
use super::options::{Ground, best};
use crate::frontier::is_complete;

/// Most generations of one run: with the time between two of them it bounds how often anything is cut.
pub const GENERATIONS_MAX: u32 = 16;

/// Shards beyond which a run is left as it was planned: each generation stores and reads the topology whole, some 200 bytes a
/// shard.
pub const SHARDS_MAX: usize = 20_000;

/// Time between two cuts of a run, in milliseconds: the new shards are to show first what they take.
const SETTLING_MS: u64 = 50_000;

/// Realised against estimated, either way, from which an estimate counts as wrong.
const WRONG: f64 = 2.0;

/// Difference below which it does not matter, in milliseconds.
const WRONG_BY_MS: u64 = 1_000;

/// What a running shard may have spent before its first task, in milliseconds: a repeat of dispatch's answer, a cold start.
const STARTING_MS: u64 = 5_000;

/// Finished shards whose tasks are looked at, the latest first, and as many running ones.
const SAMPLE: usize = 48;

/// Shards that may be cut again that are looked at: more do not fit a transaction anyway.
const CANDIDATES: usize = 500;

/// What to read before [`decide`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Suspicion {
    /// Shards that could be cut again: their tasks, and their checkpoints.
    pub candidates: Vec<ShardId>,
    /// Shards that tell what tasks take: their tasks, and outputs or checkpoints.
    pub witnesses: Vec<ShardId>,
}

/// Everything that a decision looks at.
#[derive(Debug, Clone, Copy)]
pub struct Seen<'a> {
    /// The run.
    pub run: &'a RunItem,
    /// Its plan's shards.
    pub topology: &'a Topology,
    /// Where they are stored.
    pub stored: &'a Claim,
    /// All shards, as read.
    pub items: &'a [ShardItem],
    /// Tasks of the shards of a [`Suspicion`].
    pub tasks: &'a BTreeMap<ShardId, Vec<ShardTask>>,
    /// Their manifests, where they have one.
    pub manifests: &'a BTreeMap<ShardId, Manifest>,
    /// Lanes that are still there: they run a shard, or are parked.
    pub lanes: u32,
    /// Now.
    pub now: TimeMs,
}

/// What is decided.
#[derive(Debug, Clone, PartialEq)]
pub enum Decision {
    /// Nothing is to be cut; why.
    Leave(String),
    /// Write this.
    Cut(Box<Cut>),
}

/// Shards of which a run may be looked at each minute; a larger one is looked at less often, so that the reads of looking
/// stay those of so many shards a minute.
const LOOKED_AT_PER_MINUTE: usize = 2_000;

/// The interval between two sweeps, in milliseconds.
const MINUTE_MS: u64 = 60_000;

/// Whether a run of so many shards is to be looked at in the sweep of this minute.
#[must_use]
pub fn is_due(shards: usize, now: TimeMs) -> bool {
    let every = shards.div_ceil(LOOKED_AT_PER_MINUTE).max(1) as u64;
    (now.0 / MINUTE_MS).is_multiple_of(every)
}

/// Whether the run may be cut again at all: to be asked before its shards are read.
///
/// # Errors
/// Why not.
pub fn may_be_cut(run: &RunItem, topology: &Topology, now: TimeMs) -> Result<(), &'static str> {
    if run.state != RunState::Running {
        return Err("the run is not running");
    }
    if topology.generation.0 >= GENERATIONS_MAX {
        return Err("it was cut again as often as may be");
    }
    if topology.shards.len() > SHARDS_MAX {
        return Err("it has too many shards to store its plan again");
    }
    let last = topology.recuts.last();
    if last.is_some_and(|recut| now.since(recut.at) < SETTLING_MS) {
        return Err("it was cut again a moment ago");
    }
    Ok(())
}

/// Whether the run may be cut again, and its items say that estimates are wrong: a look that reads no task.
///
/// # Errors
/// Why not.
///
/// # Complexity
/// O(shards · log).
pub fn suspects(
    run: &RunItem,
    topology: &Topology,
    items: &[ShardItem],
    now: TimeMs,
) -> Result<Suspicion, &'static str> {
    may_be_cut(run, topology, now)?;
    let candidates = candidates(topology, items, now);
    if candidates.is_empty() {
        return Err("nothing is left that could be cut");
    }
    let mut seen: Vec<(&ShardItem, u64)> = items
        .iter()
        .filter(|item| item.kind == ShardKind::Work)
        .filter_map(|item| Some((item, taken_ms(item, now)?)))
        .collect();
    if !disagrees(topology, &seen) {
        return Err("durations are as expected");
    }
    seen.sort_by_key(|(item, _)| (std::cmp::Reverse(item.settled_at), item.id));
    let of = |state| {
        let some = seen.iter().filter(move |(item, _)| item.state == state);
        some.take(SAMPLE).map(|(item, _)| item.id)
    };
    Ok(Suspicion {
        witnesses: of(ShardState::Done)
            .chain(of(ShardState::Running))
            .collect(),
        candidates,
    })
}

/// Shards that may give up their tasks: ready and not backing off, or waiting with somebody still to arrive; by priority.
#[must_use]
pub fn candidates(topology: &Topology, items: &[ShardItem], now: TimeMs) -> Vec<ShardId> {
    let mut found: Vec<(bool, u32, ShardId)> = Vec::new();
    for item in items.iter().filter(|item| item.kind == ShardKind::Work) {
        let Some(node) = topology.node(item.id) else {
            continue;
        };
        let waits = item.state == ShardState::Waiting && !is_complete(item, node);
        let ready = item.state == ShardState::Ready && item.not_before.is_none_or(|at| at <= now);
        if (waits || ready) && !node.once && item.generation == node.generation {
            found.push((waits, item.rank, item.id));
        }
    }
    found.sort_unstable();
    found.truncate(CANDIDATES);
    found.into_iter().map(|(_, _, id)| id).collect()
}

/// How long a shard has taken, in milliseconds, so far where it is running; `None` where it says nothing.
fn taken_ms(item: &ShardItem, now: TimeMs) -> Option<u64> {
    match item.state {
        ShardState::Done => Some(item.usage.duration_ms),
        ShardState::Running => Some(now.since(item.claimed_at)),
        _ => None,
    }
}

/// Whether one shard is clearly longer than expected, or all that are done together clearly shorter.
fn disagrees(topology: &Topology, seen: &[(&ShardItem, u64)]) -> bool {
    let mut done = (0, 0, 0);
    for (item, taken_ms) in seen {
        let Some(node) = topology.node(item.id) else {
            continue;
        };
        let estimate_ms = node.estimate_ms.max(1);
        let longer = *taken_ms as f64 >= WRONG * estimate_ms as f64;
        if longer && taken_ms - estimate_ms >= WRONG_BY_MS {
            return true;
        }
        if item.state == ShardState::Done {
            done = (done.0 + 1, done.1 + taken_ms, done.2 + estimate_ms);
        }
    }
    let (count, taken_ms, estimate_ms) = done;
    count >= 3 && taken_ms as f64 * WRONG <= estimate_ms as f64
}

/// Decides, by what the tasks took: the cut that ends the run clearly earlier, or as early with clearly fewer shards.
///
/// # Complexity
/// O((shards + edges) · log shards) for each of up to ten cuts that are tried.
#[must_use]
pub fn decide(seen: &Seen<'_>) -> Decision {
    let observed = observed(seen);
    let Some((task_type, ratio, count)) = observed.farthest() else {
        return Decision::Leave("too few tasks have finished to know what they take".to_owned());
    };
    if ratio.max(1.0 / ratio) < WRONG {
        let because = format!("`{task_type}` takes {ratio:.1} times its estimate: near enough");
        return Decision::Leave(because);
    }
    let held = held(seen);
    let why = format!("`{task_type}` takes {ratio:.1} times its estimate (median of {count})");
    let options = Ground {
        seen,
        observed: &observed,
        held: &held,
        ratio,
    };
    match best(&options, &why) {
        Ok(cut) => Decision::Cut(Box::new(cut)),
        Err(because) => Decision::Leave(format!("{why}; {because}")),
    }
}

fn observed(seen: &Seen<'_>) -> Observed {
    let mut observed = Observed::default();
    for (id, manifest) in seen.manifests {
        if let Some(tasks) = seen.tasks.get(id) {
            observed.add(tasks, manifest);
        }
    }
    observed.seal();
    // Who runs far longer than even that is an observation too, though not a finished one.
    for item in seen.items.iter().filter(|i| i.state == ShardState::Running) {
        let (Some(tasks), Some(node)) = (seen.tasks.get(&item.id), seen.topology.node(item.id))
        else {
            continue;
        };
        let finished = finished(seen, item.id);
        let left: Vec<&ShardTask> = open(tasks, &finished).collect();
        let expected_ms: f64 = left.iter().map(|task| observed.expected_ms(task)).sum();
        let scale = observed.scale(node, tasks);
        let since_ms = seen.now.since(item.claimed_at).saturating_sub(STARTING_MS);
        let over = since_ms as f64 / (expected_ms * scale).max(1.0);
        if over >= WRONG {
            for task in left {
                let ms = observed.expected_ms(task) * over;
                observed.took(task, ms);
            }
        }
    }
    observed.seal();
    observed
}

fn finished(seen: &Seen<'_>, id: ShardId) -> BTreeSet<TaskId> {
    let manifest = seen.manifests.get(&id);
    manifest
        .map(|m| m.tasks.keys().cloned().collect())
        .unwrap_or_default()
}

/// The shards that may be cut, where everything about them was read and nothing binds their tasks.
#[must_use]
pub fn held(seen: &Seen<'_>) -> BTreeMap<ShardId, Held> {
    let items: BTreeMap<ShardId, &ShardItem> = seen.items.iter().map(|i| (i.id, i)).collect();
    let candidates = candidates(seen.topology, seen.items, seen.now);
    let found = candidates.into_iter().filter_map(|id| {
        let (item, tasks) = (items.get(&id)?, seen.tasks.get(&id)?);
        let read = item.progress.is_none() || seen.manifests.contains_key(&id);
        let finished = finished(seen, id);
        let free = !tasks.iter().any(|task| task.bound);
        let left = tasks.iter().any(|task| !finished.contains(&task.id));
        (read && free && left).then(|| {
            let held = Held {
                tasks: tasks.clone(),
                finished,
                ready: item.state == ShardState::Ready,
                tier: item.tier,
            };
            (id, held)
        })
    });
    found.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_larger_a_run_the_less_often_it_is_looked_at() {
        let due = |shards: usize| {
            (0..12)
                .filter(|m| is_due(shards, TimeMs(m * 60_000)))
                .count()
        };
        assert_eq!([0, 1, 2_000, 2_001, 6_000].map(due), [12, 12, 12, 6, 4]);
    }
}
