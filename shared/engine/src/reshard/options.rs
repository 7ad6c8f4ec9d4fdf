//! The cuts that are tried, each by the same yardstick, and which of them is taken.

use std::collections::BTreeMap;

use foreshard_model::frontier::{ShardItem, ShardState};
use foreshard_model::ids::ShardId;
use foreshard_model::limits::TRANSACTION_WRITES;
use foreshard_model::output::ShardTask;
use foreshard_model::plan::{Recut, ShardKind};
use foreshard_model::topology::ShardNode;

use super::cut::cut;
use super::decide::Seen;
use super::grain::{Piece, parts};
use super::group::{Cut, Cutting, Group, Held, Part};
use super::lanes::{EACH_SHARD_MS, Left, makespan_ms};
use super::observe::{Observed, open};

/// Writes that a re-cut may have beside the run's own.
const WRITES: usize = TRANSACTION_WRITES - 1;

/// Most parts of one shard: beyond it the rest of the transaction is worth more elsewhere.
const PARTS: usize = 64;

/// Shortest part, in milliseconds: ten times what a shard costs its lane beside its tasks.
const GRAIN_MIN_MS: f64 = 10.0 * EACH_SHARD_MS;

/// Grains that are tried: the share of a lane in what is left, through these.
const GRAINS: [f64; 4] = [1.0, 2.0, 4.0, 8.0];

/// A shard is cut when it is so many times as long as the grain.
const WORTH_CUTTING: f64 = 1.5;

/// A cut is taken when what is left ends within this share of the time, and earlier by [`GRAIN_MIN_MS`].
const CLEARLY_EARLIER: f64 = 0.9;

/// A merge is taken when what is left ends within this share of the time.
const AS_EARLY: f64 = 1.02;

/// Estimates have to be so far above what was observed before shards are merged.
const TOO_LONG: f64 = 2.0;

/// Tasks of a merged shard.
const TASKS: usize = 256;

/// An equivalent is considered for a task that takes so many times as long.
const WORTH_REPLACING: f64 = 1.5;

/// What the options are made of.
pub(super) struct Ground<'a> {
    pub(super) seen: &'a Seen<'a>,
    pub(super) observed: &'a Observed,
    pub(super) held: &'a BTreeMap<ShardId, Held>,
    /// Realised over estimated of the type that is farthest off.
    pub(super) ratio: f64,
}

/// A cut and when the run ends with it.
struct Tried {
    cut: Cut,
    makespan_ms: f64,
    replaced_tasks: usize,
}

/// The best cut; otherwise why there is none. `why`: what was observed, for the reason.
pub(super) fn best(ground: &Ground<'_>, why: &str) -> Result<Cut, String> {
    let left = ground.left();
    let without_ms = makespan_ms(ground.seen.topology, &left, ground.seen.lanes);
    let work_ms: f64 = left.iter().filter(|l| !l.is_settled()).map(|l| l.ms).sum();
    let share_ms = work_ms / f64::from(ground.seen.lanes.max(1));
    let mut tried: Vec<Tried> = Vec::new();
    for with_equivalents in [false, true] {
        for through in GRAINS {
            let grain_ms = (share_ms / through).max(GRAIN_MIN_MS);
            let groups = ground.finer(grain_ms, with_equivalents);
            tried.extend(ground.tried(&groups, &left));
        }
    }
    let enough_ms = (without_ms * CLEARLY_EARLIER).min(without_ms - GRAIN_MIN_MS);
    // The first of those about as good as the best: fewer parts, and tasks as they were written.
    let best_ms = tried
        .iter()
        .map(|t| t.makespan_ms)
        .fold(f64::INFINITY, f64::min);
    let good = |t: &Tried| t.makespan_ms <= enough_ms && t.makespan_ms * CLEARLY_EARLIER <= best_ms;
    if let Some(at) = tried.iter().position(good) {
        return Ok(ground.said(tried.swap_remove(at), why, without_ms));
    }
    if ground.ratio * TOO_LONG <= 1.0 {
        let groups = ground.coarser();
        let merged = ground.tried(&groups, &left);
        let most_ms = without_ms * AS_EARLY + EACH_SHARD_MS;
        if let Some(merged) = merged.filter(|t| t.makespan_ms <= most_ms) {
            return Ok(ground.said(merged, why, without_ms));
        }
    }
    let best_ms = best_ms.min(without_ms);
    Err(format!(
        "no cut ends the rest clearly earlier: {:.1} s at best instead of {:.1} s",
        best_ms / 1_000.0,
        without_ms / 1_000.0
    ))
}

impl Left {
    fn is_settled(&self) -> bool {
        !matches!(
            self.state,
            ShardState::Waiting | ShardState::Ready | ShardState::Running
        )
    }
}

impl Ground<'_> {
    /// What is left of each shard, by id.
    fn left(&self) -> Vec<Left> {
        let items: BTreeMap<ShardId, &ShardItem> =
            self.seen.items.iter().map(|item| (item.id, item)).collect();
        let nodes = self.seen.topology.shards.iter();
        nodes
            .map(|node| {
                let item = items.get(&node.id);
                let state = item.map_or(ShardState::Waiting, |item| item.state);
                let ms = match (node.kind, state) {
                    (ShardKind::Work, ShardState::Running) => {
                        let since = item.map_or(0, |i| self.seen.now.since(i.claimed_at));
                        let all_ms = self.expected_ms(node);
                        (all_ms - since as f64).max(all_ms / 10.0)
                    }
                    (ShardKind::Work, _) => self.expected_ms(node),
                    (ShardKind::Relay | ShardKind::End, _) => 0.0,
                };
                Left { ms, state }
            })
            .collect()
    }

    /// How long a shard is expected to take by now, without what it has finished, in milliseconds.
    fn expected_ms(&self, node: &ShardNode) -> f64 {
        let Some(tasks) = self.seen.tasks.get(&node.id) else {
            return node.estimate_ms as f64;
        };
        let finished = self.seen.manifests.get(&node.id);
        let open = tasks
            .iter()
            .filter(|task| finished.is_none_or(|m| !m.tasks.contains_key(&task.id)));
        let left_ms: f64 = open.map(|task| self.observed.expected_ms(task)).sum();
        left_ms * self.observed.scale(node, tasks)
    }

    /// Groups that cut what is longer than the grain.
    fn finer(&self, grain_ms: f64, with_equivalents: bool) -> Vec<Group> {
        let topology = self.seen.topology;
        let mut long: Vec<(&ShardNode, &Held, f64)> = self
            .held
            .iter()
            .filter_map(|(id, held)| Some((topology.node(*id)?, held)))
            .map(|(node, held)| (node, held, self.expected_ms(node)))
            .collect();
        long.sort_by(|a, b| b.2.total_cmp(&a.2).then(a.0.rank.cmp(&b.0.rank)));
        let mut room = WRITES;
        let mut groups = Vec::new();
        for (node, held, ms) in long {
            let gate = usize::from(!held.ready);
            if room < 3 + gate {
                break;
            }
            let pieces = self.pieces(node, held, with_equivalents);
            let replaces = pieces.iter().any(|piece| piece.instead.is_some());
            if ms <= grain_ms * WORTH_CUTTING && !replaces {
                continue;
            }
            let most = PARTS.min(room - 1 - gate);
            let whole: Vec<Piece> = pieces.iter().map(|p| p.piece.clone()).collect();
            let cuts = parts(&whole, grain_ms, most);
            if cuts.len() < 2 && !replaces {
                continue;
            }
            let gate = if cuts.len() > 1 { gate } else { 0 };
            room -= 1 + gate + cuts.len();
            groups.push(Group {
                old: vec![node.id],
                parts: cuts.iter().map(|cut| part(&pieces, cut)).collect(),
            });
        }
        // Equivalents alone are no cut; without any there is nothing that the other options have not.
        let replaces = |group: &Group| group.parts.iter().any(|part| !part.instead.is_empty());
        if with_equivalents && !groups.iter().any(replaces) {
            groups.clear();
        }
        groups
    }

    fn pieces<'t>(
        &self,
        node: &ShardNode,
        held: &'t Held,
        with_equivalents: bool,
    ) -> Vec<Named<'t>> {
        let scale = self.observed.scale(node, &held.tasks);
        let mut place: BTreeMap<u32, usize> = BTreeMap::new();
        let mut pieces: Vec<Named<'t>> = Vec::new();
        for (at, task) in held.tasks.iter().enumerate() {
            if held.finished.contains(&task.id) {
                continue;
            }
            place.insert(at as u32, pieces.len());
            let mut ms = self.observed.expected_ms(task);
            let quickest = task.instead.iter().enumerate();
            let quickest = quickest.min_by_key(|(_, instead)| instead.estimate_ms);
            let quickest = quickest.filter(|(_, instead)| {
                with_equivalents && instead.estimate_ms as f64 * WORTH_REPLACING <= ms
            });
            if let Some((_, instead)) = quickest {
                ms = instead.estimate_ms as f64;
            }
            let after = task.after.iter().filter_map(|at| place.get(at).copied());
            pieces.push(Named {
                task,
                instead: quickest.map(|(at, _)| at),
                piece: Piece {
                    ms: ms * scale,
                    after: after.collect(),
                },
            });
        }
        pieces
    }

    /// Groups of waiting shards that wait for the same ones, each about as long as shards were planned to be.
    fn coarser(&self) -> Vec<Group> {
        let topology = self.seen.topology;
        let mut planned: Vec<u64> = topology
            .shards
            .iter()
            .filter(|node| node.kind == ShardKind::Work)
            .map(|node| node.estimate_ms)
            .collect();
        planned.sort_unstable();
        let wanted_ms = planned.get(planned.len() / 2).copied().unwrap_or(0) as f64;
        let tasks_max = self.seen.run.options.shard_tasks_max;
        let tasks_max = tasks_max.map_or(TASKS, |most| TASKS.min(most as usize));
        let mut before: BTreeMap<ShardId, Vec<ShardId>> = BTreeMap::new();
        for node in &topology.shards {
            for successor in &node.successors {
                before.entry(*successor).or_default().push(node.id);
            }
        }
        let mut alike: BTreeMap<_, Vec<(&ShardNode, &Held)>> = BTreeMap::new();
        for (id, held) in self.held.iter().filter(|(_, held)| !held.ready) {
            if let Some(node) = topology.node(*id) {
                let key = (before.get(id), held.tier, &node.places, node.retries);
                alike.entry(key).or_default().push((node, held));
            }
        }
        let mut room = WRITES;
        let mut groups = Vec::new();
        for siblings in alike.into_values() {
            let mut group = Group::default();
            let mut part = Part::default();
            let mut part_ms = 0.0;
            for (node, held) in siblings {
                let ms = self.expected_ms(node);
                let tasks = open(&held.tasks, &held.finished).count();
                let full = part_ms + ms > wanted_ms || part.tasks.len() + tasks > tasks_max;
                if full && !group.old.is_empty() {
                    close(&mut group, &mut part, part_ms, &mut room, &mut groups);
                    part_ms = 0.0;
                }
                part_ms += ms;
                part.tasks
                    .extend(open(&held.tasks, &held.finished).map(|t| t.id.clone()));
                group.old.push(node.id);
            }
            close(&mut group, &mut part, part_ms, &mut room, &mut groups);
        }
        groups
    }

    fn tried(&self, groups: &[Group], left: &[Left]) -> Option<Tried> {
        if groups.is_empty() {
            return None;
        }
        let cutting = Cutting {
            topology: self.seen.topology,
            stored: self.seen.stored,
            held: self.held,
            now: self.seen.now,
        };
        let cut = cut(&cutting, groups, Recut::default()).ok()?;
        let mut left = left.to_vec();
        for id in &cut.replaced {
            left[id.index()] = Left {
                ms: 0.0,
                state: ShardState::Waiting,
            };
        }
        let new = cut.topology.shards[left.len()..].iter();
        left.extend(new.map(|node| Left {
            ms: node.estimate_ms as f64,
            state: ShardState::Waiting,
        }));
        let parts = groups.iter().flat_map(|group| &group.parts);
        Some(Tried {
            makespan_ms: makespan_ms(&cut.topology, &left, self.seen.lanes),
            replaced_tasks: parts.map(|part| part.instead.len()).sum(),
            cut,
        })
    }

    /// The cut with its reason.
    fn said(&self, tried: Tried, why: &str, without_ms: f64) -> Cut {
        let Tried {
            mut cut,
            makespan_ms,
            replaced_tasks,
        } = tried;
        let old = self.seen.topology;
        let gave = cut.replaced.iter().filter_map(|id| old.node(*id));
        let (gave, tasks_before) = gave.fold((0u32, 0u32), |(n, t), node| (n + 1, t + node.tasks));
        let took = cut.topology.shards[old.shards.len()..].iter();
        let took = took.filter(|node| node.kind == ShardKind::Work);
        let (took, tasks_after) = took.fold((0u32, 0u32), |(n, t), node| (n + 1, t + node.tasks));
        let per = |tasks: u32, shards: u32| f64::from(tasks) / f64::from(shards.max(1));
        let (before, after) = (per(tasks_before, gave), per(tasks_after, took));
        let instead = match replaced_tasks {
            0 => String::new(),
            many => format!(", with equivalents for {many} of the tasks"),
        };
        if let Some(recut) = cut.topology.recuts.last_mut() {
            recut.because = format!(
                "{why}: shards of {before:.1} tasks become shards of {after:.1}, {took} instead of {gave}{instead}; the rest is expected to take {:.1} s instead of {:.1} s",
                makespan_ms / 1_000.0,
                without_ms / 1_000.0
            );
            let numbers = [
                ("ratio", self.ratio),
                ("tasks_per_shard_before", before),
                ("tasks_per_shard_after", after),
                ("equivalents", replaced_tasks as f64),
                ("expected_s", makespan_ms / 1_000.0),
                ("without_s", without_ms / 1_000.0),
            ]
            .map(|(name, value)| (name.to_owned(), value));
            recut.numbers.extend(numbers);
        }
        cut
    }
}

/// An unfinished task and how it would run.
struct Named<'t> {
    task: &'t ShardTask,
    instead: Option<usize>,
    piece: Piece,
}

fn part(pieces: &[Named<'_>], places: &[usize]) -> Part {
    let some = || places.iter().map(|&at| &pieces[at]);
    let replaced = some().filter_map(|p| Some((p.task.id.clone(), p.instead?)));
    Part {
        tasks: some().map(|piece| piece.task.id.clone()).collect(),
        estimate_ms: some().map(|piece| piece.piece.ms).sum::<f64>().ceil() as u64,
        instead: replaced.collect(),
    }
}

/// Keeps a group of two and more, as far as there is room for it.
fn close(group: &mut Group, part: &mut Part, ms: f64, room: &mut usize, groups: &mut Vec<Group>) {
    let mut group = std::mem::take(group);
    let part = std::mem::take(part);
    let writes = group.old.len() + 1;
    if group.old.len() > 1 && writes <= *room {
        *room -= writes;
        group.parts = vec![Part {
            estimate_ms: ms.ceil() as u64,
            ..part
        }];
        groups.push(group);
    }
}
