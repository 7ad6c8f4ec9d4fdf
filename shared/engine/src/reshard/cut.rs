//! Makes the next generation of a plan: some shards give up their tasks, new ones take them over, nothing else changes.

use std::collections::{BTreeMap, BTreeSet};

use foreshard_model::ids::{Generation, ShardId, TaskId};
use foreshard_model::limits::SHARD_FAN;
use foreshard_model::output::{Located, LocatedFileSource, ShardTask};
use foreshard_model::plan::{Chunk, Recut, ShardKind, ShardTasks};
use foreshard_model::topology::{ShardNode, Topology};
use foreshard_model::units::Mib;

use super::group::{Cut, Cutting, Group, Held, Part, Uncuttable};

/// Serialized size of a chunk, in bytes: one read of the store serves as many shards as a worker is likely to see.
const CHUNK_BYTES: usize = 256 * 1024;

/// An attempt that takes ten times its estimate is taken for lost, as in planning.
const LIMIT_TIMES: u64 = 10;

/// Cuts these groups again.
///
/// ```text
///   x ─► s ─► t    becomes    x ─► gate ─► part, part ─► s ─► t     s waits: one gate takes its arrivals
///                             part, part ─► s ─► t                  s is ready: nobody is left to arrive
///                             x ─► part ─► a, b ─► …                a and b are merged
/// ```
///
/// # Errors
/// [`Uncuttable`]; nothing is cut then.
///
/// # Complexity
/// O(shards + edges + tasks of the groups · log).
pub fn cut(cutting: &Cutting<'_>, groups: &[Group], recut: Recut) -> Result<Cut, Uncuttable> {
    let mut work = Work::new(cutting, groups)?;
    for (at, group) in groups.iter().enumerate() {
        work.regroup(at, group)?;
    }
    let replaced = groups.iter().flat_map(|group| group.old.iter().copied());
    let mut replaced: Vec<ShardId> = replaced.collect();
    replaced.sort_unstable();
    let topology = work.finish(recut, replaced.len())?;
    Ok(Cut {
        topology,
        chunks: work.chunks,
        replaced,
    })
}

struct Work<'a> {
    cutting: &'a Cutting<'a>,
    generation: Generation,
    shards: Vec<ShardNode>,
    /// Who came before each shard that gives up.
    before: BTreeMap<ShardId, BTreeSet<ShardId>>,
    /// Where each task goes.
    moved: BTreeMap<(ShardId, TaskId), ShardId>,
    /// The first new id of each group: its gate where it has one, then its parts.
    first: Vec<u32>,
    chunks: Vec<Chunk>,
    filled: usize,
}

impl<'a> Work<'a> {
    fn new(cutting: &'a Cutting<'a>, groups: &[Group]) -> Result<Self, Uncuttable> {
        let topology = cutting.topology;
        let mut before: BTreeMap<ShardId, BTreeSet<ShardId>> = BTreeMap::new();
        for old in groups.iter().flat_map(|group| &group.old) {
            before.insert(*old, BTreeSet::new());
        }
        for node in &topology.shards {
            for successor in &node.successors {
                if let Some(others) = before.get_mut(successor) {
                    others.insert(node.id);
                }
            }
        }
        let mut work = Self {
            cutting,
            generation: topology.generation.next(),
            shards: topology.shards.clone(),
            before,
            moved: BTreeMap::new(),
            first: Vec::with_capacity(groups.len()),
            chunks: Vec::new(),
            filled: usize::MAX,
        };
        let mut next = topology.shards.len() as u32;
        for group in groups {
            work.first.push(next);
            let gate = u32::from(work.has_gate(group)?);
            work.place(group, next + gate)?;
            next += gate + group.parts.len() as u32;
        }
        Ok(work)
    }

    fn held(&self, id: ShardId) -> Result<&'a Held, Uncuttable> {
        let node = self.cutting.topology.node(id);
        let work = node.is_some_and(|node| node.kind == ShardKind::Work && !node.once);
        let held = self.cutting.held.get(&id).filter(|_| work);
        held.ok_or(Uncuttable::Shard(id))
    }

    /// Whether somebody may still arrive at shards that several parts take over from.
    fn has_gate(&self, group: &Group) -> Result<bool, Uncuttable> {
        let first = *group.old.first().ok_or(Uncuttable::Shard(ShardId(0)))?;
        let ready = self.held(first)?.ready;
        for old in &group.old {
            let alike = ready || self.before.get(old) == self.before.get(&first);
            if self.held(*old)?.ready != ready || !alike {
                return Err(Uncuttable::Mixed(*old));
            }
        }
        Ok(!ready && group.parts.len() > 1)
    }

    /// Notes where each task goes; each must go somewhere, and only there.
    fn place(&mut self, group: &Group, first_part: u32) -> Result<(), Uncuttable> {
        let mut owner: BTreeMap<&TaskId, ShardId> = BTreeMap::new();
        for old in &group.old {
            let held = self.held(*old)?;
            let open = held.tasks.iter().map(|task| &task.id);
            owner.extend(
                open.filter(|id| !held.finished.contains(*id))
                    .map(|id| (id, *old)),
            );
        }
        for (part, id) in group.parts.iter().zip(first_part..) {
            for task in &part.tasks {
                let from = owner.remove(task);
                let from = from.ok_or_else(|| Uncuttable::Task(task.clone()))?;
                self.moved.insert((from, task.clone()), ShardId(id));
            }
        }
        match owner.into_keys().next() {
            Some(left) => Err(Uncuttable::Task(left.clone())),
            None => Ok(()),
        }
    }

    fn regroup(&mut self, at: usize, group: &Group) -> Result<(), Uncuttable> {
        let gate = self.has_gate(group)?.then_some(ShardId(self.first[at]));
        let first_part = self.first[at] + u32::from(gate.is_some());
        let ready = self.held(group.old[0])?.ready;
        let needs = self.needs(group, first_part)?;
        let entry = gate.or_else(|| (!ready).then_some(ShardId(first_part)));
        let before = self.before.get(&group.old[0]).cloned().unwrap_or_default();
        let every = group.old.iter().flat_map(|old| &self.before[old]);
        for predecessor in every.copied().collect::<BTreeSet<_>>() {
            let node = &mut self.shards[predecessor.index()];
            node.successors.retain(|id| !group.old.contains(id));
            node.successors.extend(entry);
        }
        let model = self.model(group)?;
        let roots = needs.iter().zip(first_part..);
        let roots: Vec<ShardId> = roots
            .filter(|(needs, _)| needs.is_empty())
            .map(|(_, id)| ShardId(id))
            .collect();
        if !is_acyclic(&needs, first_part) {
            return Err(Uncuttable::Cycle(group.old[0]));
        }
        if let Some(gate) = gate {
            self.shards.push(ShardNode {
                id: gate,
                kind: ShardKind::Relay,
                predecessors: before.len() as u32,
                successors: roots.clone(),
                rank: model.rank,
                generation: self.generation,
                ..ShardNode::default()
            });
        }
        for (place, part) in group.parts.iter().enumerate() {
            let id = ShardId(first_part + place as u32);
            let arrives = match (gate, ready) {
                (Some(_), _) => usize::from(needs[place].is_empty()),
                (None, true) => 0,
                (None, false) => before.len(),
            };
            let (node, tasks) = self.part(group, part, id, &model)?;
            let behind = needs.iter().zip(first_part..);
            let behind = behind.filter(|(needs, _)| needs.contains(&id));
            let mut successors: Vec<ShardId> = behind.map(|(_, id)| ShardId(id)).collect();
            successors.extend(self.joins(group, id));
            let chunk = self.chunk(id, tasks);
            self.shards.push(ShardNode {
                predecessors: (needs[place].len() + arrives) as u32,
                successors,
                chunk,
                ..node
            });
        }
        for old in &group.old {
            self.retire(*old);
        }
        Ok(())
    }

    /// The shards that get their outputs from this part.
    fn joins(&self, group: &Group, part: ShardId) -> Vec<ShardId> {
        let has = |old: &ShardId| {
            let moved = self.moved.range((*old, TaskId::default())..);
            let mut own = moved.take_while(|((id, _), _)| id == old);
            own.any(|(_, to)| *to == part)
        };
        group.old.iter().copied().filter(has).collect()
    }

    /// From whom each part of a group reads, or after whom it runs, by position.
    fn needs(&self, group: &Group, first_part: u32) -> Result<Vec<BTreeSet<ShardId>>, Uncuttable> {
        let mut needs = vec![BTreeSet::new(); group.parts.len()];
        for old in &group.old {
            let held = self.held(*old)?;
            for task in &held.tasks {
                let Some(to) = self.moved.get(&(*old, task.id.clone())) else {
                    continue;
                };
                let after = task
                    .after
                    .iter()
                    .filter_map(|at| held.tasks.get(*at as usize));
                let mut from: Vec<(ShardId, TaskId)> =
                    after.map(|other| (*old, other.id.clone())).collect();
                from.extend(sources(task));
                for source in from {
                    let other = self.moved.get(&source).filter(|other| *other != to);
                    // Of this group only: whoever reads of another one waits for the shard that it joins.
                    let own = other.filter(|_| group.old.contains(&source.0));
                    needs[(to.0 - first_part) as usize].extend(own);
                }
            }
        }
        Ok(needs)
    }

    /// What the new shards of a group have in common.
    fn model(&self, group: &Group) -> Result<ShardNode, Uncuttable> {
        let nodes = || {
            group
                .old
                .iter()
                .filter_map(|id| self.cutting.topology.node(*id))
        };
        let first = nodes().next().ok_or(Uncuttable::Shard(group.old[0]))?;
        let tiers = group
            .old
            .iter()
            .map(|id| self.held(*id).map(|held| held.tier));
        let tiers: Vec<Mib> = tiers.collect::<Result<_, _>>()?;
        Ok(ShardNode {
            kind: ShardKind::Work,
            rank: nodes().map(|node| node.rank).min().unwrap_or(first.rank),
            tier: tiers
                .into_iter()
                .chain(nodes().map(|n| n.tier))
                .max()
                .unwrap_or(first.tier),
            places: first.places.clone(),
            limit_ms: nodes()
                .map(|node| node.limit_ms)
                .max()
                .unwrap_or(first.limit_ms),
            retries: nodes().map(|node| node.retries).max().unwrap_or(0),
            generation: self.generation,
            ..ShardNode::default()
        })
    }

    /// A new shard and its tasks, which now say where their inputs are.
    fn part(
        &self,
        group: &Group,
        part: &Part,
        id: ShardId,
        model: &ShardNode,
    ) -> Result<(ShardNode, Vec<ShardTask>), Uncuttable> {
        let mut tasks: Vec<ShardTask> = Vec::new();
        for old in &group.old {
            let held = self.held(*old)?;
            let mut place: BTreeMap<u32, u32> = BTreeMap::new();
            for (at, task) in held.tasks.iter().enumerate() {
                if self.moved.get(&(*old, task.id.clone())) == Some(&id) {
                    place.insert(at as u32, tasks.len() as u32);
                    let mut task = task.clone();
                    task.after = task
                        .after
                        .iter()
                        .filter_map(|at| place.get(at).copied())
                        .collect();
                    take_instead(&mut task, part);
                    self.relocate(&mut task);
                    tasks.push(task);
                }
            }
        }
        let timeout_ms = tasks.iter().map(|task| task.timeout_ms).max().unwrap_or(0);
        let node = ShardNode {
            id,
            limit_ms: model
                .limit_ms
                .max(part.estimate_ms * LIMIT_TIMES)
                .max(timeout_ms),
            estimate_ms: part.estimate_ms,
            tasks: tasks.len() as u32,
            first_task: tasks
                .first()
                .map(|task| task.id.clone())
                .unwrap_or_default(),
            ..model.clone()
        };
        Ok((node, tasks))
    }

    /// Inputs that have moved are where they are now; finished ones stay with the shard that finished them.
    fn relocate(&self, task: &mut ShardTask) {
        for located in task.inputs.values_mut() {
            self.relocated(located);
        }
        for part in &mut task.parts {
            if let Some(to) = self.moved.get(&(part.shard, part.task.clone())) {
                part.shard = *to;
            }
        }
        for file in &mut task.files {
            if let LocatedFileSource::Task { shard, task, .. } = &mut file.source
                && let Some(to) = self.moved.get(&(*shard, task.clone()))
            {
                *shard = *to;
            }
        }
    }

    fn relocated(&self, located: &mut Located) {
        if let Located::Task { shard, task, .. } = located
            && let Some(to) = self.moved.get(&(*shard, task.clone()))
        {
            *shard = *to;
        }
    }

    /// Puts the tasks of a new shard into a chunk, and gives its position.
    fn chunk(&mut self, id: ShardId, tasks: Vec<ShardTask>) -> u32 {
        let bytes = serde_json::to_vec(&tasks).map_or(CHUNK_BYTES, |json| json.len());
        let shard = ShardTasks { id, tasks };
        match self.chunks.last_mut() {
            Some(chunk) if self.filled.saturating_add(bytes) <= CHUNK_BYTES => {
                self.filled += bytes;
                chunk.shards.push(shard);
            }
            _ => {
                self.filled = bytes;
                let shards = vec![shard];
                self.chunks.push(Chunk { shards });
            }
        }
        (self.cutting.topology.chunks.len() + self.chunks.len() - 1) as u32
    }

    /// Who gave up its tasks is virtual, and waits for those who have them.
    fn retire(&mut self, old: ShardId) {
        let parts: BTreeSet<ShardId> = self
            .moved
            .range((old, TaskId::default())..)
            .take_while(|((id, _), _)| *id == old)
            .map(|(_, to)| *to)
            .collect();
        let node = &mut self.shards[old.index()];
        node.kind = ShardKind::Relay;
        node.predecessors = parts.len() as u32;
        node.generation = self.generation;
        node.tasks = 0;
        node.estimate_ms = 0;
    }

    fn finish(&mut self, recut: Recut, replaced: usize) -> Result<Topology, Uncuttable> {
        let old = self.cutting.topology;
        for node in &self.shards {
            let fan = node.successors.len().max(node.predecessors as usize);
            if fan > SHARD_FAN {
                return Err(Uncuttable::Fan {
                    shard: node.id,
                    fan,
                });
            }
        }
        let with_tasks = |nodes: &[ShardNode]| {
            let work = nodes.iter().filter(|node| node.kind == ShardKind::Work);
            work.count() as u32
        };
        let made = with_tasks(&self.shards[old.shards.len()..]);
        let sizes = [
            ("shards_before", with_tasks(&old.shards)),
            ("shards_after", with_tasks(&self.shards)),
        ];
        let mut numbers = recut.numbers;
        numbers.extend(sizes.map(|(name, count)| (name.to_owned(), f64::from(count))));
        let mut outputs = old.outputs.clone();
        outputs
            .values_mut()
            .for_each(|located| self.relocated(located));
        let mut topology = Topology {
            generation: self.generation,
            parent: Some(self.cutting.stored.clone()),
            shards: std::mem::take(&mut self.shards),
            outputs,
            ..old.clone()
        };
        topology.recuts.push(Recut {
            generation: self.generation,
            parent: old.generation,
            at: self.cutting.now,
            replaced: replaced as u32,
            made,
            numbers,
            because: recut.because,
        });
        Ok(topology)
    }
}

/// Whether the parts can run one after another.
fn is_acyclic(needs: &[BTreeSet<ShardId>], first: u32) -> bool {
    let mut done: BTreeSet<ShardId> = BTreeSet::new();
    loop {
        let ready = needs
            .iter()
            .zip(first..)
            .map(|(needs, id)| (needs, ShardId(id)));
        let ready: Vec<ShardId> = ready
            .filter(|(needs, id)| !done.contains(id) && needs.is_subset(&done))
            .map(|(_, id)| id)
            .collect();
        if ready.is_empty() {
            return done.len() == needs.len();
        }
        done.extend(ready);
    }
}

/// The tasks of shards that a task reads of.
fn sources(task: &ShardTask) -> Vec<(ShardId, TaskId)> {
    let inputs = task.inputs.values().filter_map(|located| match located {
        Located::Task { shard, task, .. } => Some((*shard, task.clone())),
        Located::Run { .. } | Located::Constant(_) => None,
    });
    let files = task.files.iter().filter_map(|file| match &file.source {
        LocatedFileSource::Task { shard, task, .. } => Some((*shard, task.clone())),
        LocatedFileSource::Generated { .. } => None,
    });
    let parts = task
        .parts
        .iter()
        .map(|part| (part.shard, part.task.clone()));
    inputs.chain(files).chain(parts).collect()
}

/// The task runs as one of its equivalents, where its part says so.
fn take_instead(task: &mut ShardTask, part: &Part) {
    let Some(at) = part.instead.get(&task.id) else {
        return;
    };
    if let Some(instead) = task.instead.get(*at).cloned() {
        task.kind = instead.kind;
        task.resources = instead.resources;
        task.estimate_ms = instead.estimate_ms;
        task.timeout_ms = instead.timeout_ms;
        task.instead = Vec::new();
    }
}
