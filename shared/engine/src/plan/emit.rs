//! The chosen shards as dispatch, the worker and people read them.

use std::collections::BTreeMap;

use foreshard_model::ids::{ShardId, TaskIndex};
use foreshard_model::output::Located;
use foreshard_model::plan::{PlannedShard, ShardKind};
use foreshard_model::topology::ShardNode;
use foreshard_model::units::Mib;
use foreshard_model::workflow::{Task, ValueSource};

use crate::place::{Ladder, Profile, Rung};
use crate::shard::{Chosen, Demand, Members};

use super::PlanInput;
use super::chunks::Chunks;
use super::relay::{Wiring, wire};
use super::scale::Scale;

/// Shortest deadline of an attempt, in milliseconds: below it a late answer of a service would look like a lost worker.
const LIMIT_MIN_MS: u64 = 60_000;
/// An attempt that takes ten times its estimate is taken for lost, unless a task's own timeout is longer.
const LIMIT_TIMES: f64 = 10.0;

/// The shards in their final numbering: by planned start, then priority.
pub(super) struct Layout<'a> {
    input: &'a PlanInput<'a>,
    /// What the tasks ask for.
    pub(super) demand: &'a Demand,
    /// The shards that were chosen.
    pub(super) chosen: &'a Chosen,
    /// Position in `chosen` of each shard.
    pub(super) at: Vec<u32>,
    /// Which tasks each shard has.
    pub(super) chunks: Chunks,
    /// The graph with its virtual shards.
    pub(super) wiring: Wiring,
}

impl<'a> Layout<'a> {
    /// Numbers the shards and adds the virtual ones.
    pub(super) fn new(
        input: &'a PlanInput<'a>,
        scale: Scale,
        demand: &'a Demand,
        chosen: &'a Chosen,
    ) -> Self {
        let shards = chosen.shards.profiles.len();
        let mut at: Vec<u32> = (0..shards as u32).collect();
        at.sort_by_key(|&s| {
            (
                chosen.schedule.start_us[s as usize],
                chosen.rank[s as usize],
            )
        });
        let mut number = vec![0; shards];
        for (new, &old) in at.iter().enumerate() {
            number[old as usize] = new as u32;
        }
        let of_task: Vec<u32> = chosen
            .shards
            .of_task
            .iter()
            .map(|&old| number[old as usize])
            .collect();
        let predecessors = at
            .iter()
            .map(|&old| {
                let mut before: Vec<u32> = chosen
                    .shards
                    .graph
                    .predecessors(old)
                    .iter()
                    .map(|&p| number[p as usize])
                    .collect();
                before.sort_unstable();
                before
            })
            .collect();
        Self {
            chunks: Chunks::new(
                scale,
                input.bundles,
                Members::new(&of_task, shards, &demand.sequence),
                of_task,
                &demand.loads,
            ),
            input,
            demand,
            chosen,
            at,
            wiring: wire(predecessors),
        }
    }

    /// What a shard with tasks asks of its target.
    pub(super) fn profile(&self, shard: u32) -> &Profile {
        &self.chosen.shards.profiles[self.at[shard as usize] as usize]
    }

    /// The tiers that it may use.
    pub(super) fn ladder(&self, shard: u32) -> &Ladder {
        &self.demand.ladders[self.profile(shard).class as usize]
    }

    /// The tier that it starts on.
    pub(super) fn rung(&self, shard: u32) -> &Rung {
        let at = self.at[shard as usize] as usize;
        let choice = self.chosen.placed.choice.get(at).copied().unwrap_or(0);
        self.ladder(shard).choice(self.profile(shard).rung, choice)
    }

    /// Positions among the pool's targets by memory: where a shard is to run, then one target of each other family where it
    /// may; empty where the pool has one family.
    fn places(&self, shard: u32) -> Vec<u32> {
        let targets = &self.input.pool.targets;
        let first = targets.first();
        if first.is_none_or(|first| targets.iter().all(|other| other.is_of_family(first))) {
            return Vec::new();
        }
        let chosen = self.rung(shard).target;
        let families = self.ladder(shard).families();
        let others = families.iter().copied();
        let others = others.filter(|&other| !targets[other].is_of_family(&targets[chosen]));
        std::iter::once(chosen)
            .chain(others)
            .map(|target| {
                // Stable by memory, as the topology has them.
                let memory = targets[target].memory;
                let before = targets.iter().enumerate();
                let before = before.filter(|(at, t)| (t.memory, *at) < (memory, target));
                before.count() as u32
            })
            .collect()
    }

    /// Its tasks in execution order.
    pub(super) fn tasks(&self, shard: u32) -> &[u32] {
        self.chunks.tasks(shard)
    }

    fn task(&self, index: u32) -> &'a Task {
        &self.input.workflow.tasks[index as usize]
    }

    /// The declared outputs; without any, the whole output of every sink, by its id.
    pub(super) fn outputs(&self) -> BTreeMap<String, Located> {
        let (workflow, graph) = (self.input.workflow, &self.demand.graph);
        let located = |source: &ValueSource| self.chunks.located(&workflow.tasks, source);
        if !workflow.outputs.is_empty() {
            let declared = workflow.outputs.iter();
            return declared
                .map(|(name, source)| (name.clone(), located(source)))
                .collect();
        }
        (0..graph.len() as u32)
            .filter(|&task| graph.successors(task).is_empty())
            .map(|task| {
                let whole = ValueSource::Task {
                    task: TaskIndex(task),
                    path: None,
                };
                (self.task(task).id.0.clone(), located(&whole))
            })
            .collect()
    }

    /// Every shard as dispatch reads it, virtual ones included.
    pub(super) fn nodes(&self, chunk_of: &[u32]) -> Vec<ShardNode> {
        (0..self.wiring.kinds.len() as u32)
            .map(|shard| {
                let mut node = ShardNode {
                    id: ShardId(shard),
                    kind: self.wiring.kinds[shard as usize],
                    predecessors: self.wiring.predecessors[shard as usize].len() as u32,
                    successors: ids(&self.wiring.successors[shard as usize]),
                    rank: shard,
                    ..ShardNode::default()
                };
                if node.kind == ShardKind::Work {
                    self.describe(&mut node, chunk_of[shard as usize]);
                }
                node
            })
            .collect()
    }

    fn describe(&self, node: &mut ShardNode, chunk: u32) {
        let shard = node.id.0;
        let at = self.at[shard as usize] as usize;
        let rung = self.rung(shard);
        let tasks = || self.tasks(shard).iter().map(|&task| self.task(task));
        let estimate = self.chosen.duration_ms[at];
        let timeout = tasks().map(|task| task.timeout_ms).max().unwrap_or(0);
        node.rank = self.chosen.rank[at];
        node.tier = Mib(rung.memory);
        node.places = self.places(shard);
        node.limit_ms = ((estimate * LIMIT_TIMES) as u64)
            .max(timeout)
            .max(LIMIT_MIN_MS)
            .min(rung.limit_ms);
        node.estimate_ms = estimate.ceil() as u64;
        node.chunk = chunk;
        node.tasks = self.tasks(shard).len() as u32;
        node.once = self.chosen.shards.profiles[at].alone;
        node.retries = tasks().map(|task| task.retries).max().unwrap_or(0);
        node.first_task = tasks()
            .next()
            .map(|task| task.id.clone())
            .unwrap_or_default();
    }

    /// Every shard as people see it.
    pub(super) fn planned(&self) -> Vec<PlannedShard> {
        let mut shards: Vec<PlannedShard> = (0..self.at.len() as u32)
            .map(|shard| self.planned_work(shard))
            .collect();
        for shard in self.at.len()..self.wiring.kinds.len() {
            shards.push(PlannedShard {
                id: ShardId(shard as u32),
                kind: self.wiring.kinds[shard],
                tasks: Vec::new(),
                predecessors: ids(&self.wiring.predecessors[shard]),
                target: None,
                lane: None,
                start_ms: 0,
                duration_ms: 0,
                upward_rank_ms: 0,
                reason: match self.wiring.kinds[shard] {
                    ShardKind::End => {
                        "follows every sink: done means that the run is done".to_owned()
                    }
                    _ => format!(
                        "between {} and {} shards",
                        self.wiring.predecessors[shard].len(),
                        self.wiring.successors[shard].len()
                    ),
                },
            });
        }
        self.time_virtual(&mut shards);
        shards
    }

    fn planned_work(&self, shard: u32) -> PlannedShard {
        let at = self.at[shard as usize] as usize;
        let profile = &self.chosen.shards.profiles[at];
        let rung = self.rung(shard);
        let tasks = self.tasks(shard);
        let form = match (profile.tasks, profile.depth) {
            (1, _) => "one task".to_owned(),
            (tasks, depth) if tasks == depth => format!("{tasks} tasks in single file"),
            (tasks, depth) => format!("{tasks} tasks, {depth} of them in single file"),
        };
        PlannedShard {
            id: ShardId(shard),
            kind: ShardKind::Work,
            tasks: tasks
                .iter()
                .map(|&task| self.task(task).id.clone())
                .collect(),
            predecessors: ids(&self.wiring.predecessors[shard as usize]),
            target: Some(self.input.pool.targets[rung.target].id.0.clone()),
            lane: Some(self.chosen.schedule.lane[at]),
            start_ms: self.chosen.schedule.start_us[at] / 1000,
            duration_ms: self.chosen.duration_ms[at].ceil() as u64,
            upward_rank_ms: self.chosen.ranks[at].ceil() as u64,
            reason: format!(
                "{form}; {} MiB hold the largest {} of {} MiB and the worker",
                rung.memory,
                rung.threads.min(profile.width()),
                profile.top[0]
            ),
        }
    }

    /// Virtual shards take no time: they start when the last of their predecessors ends.
    fn time_virtual(&self, shards: &mut [PlannedShard]) {
        let virtual_shards = self.at.len()..shards.len();
        let mut changed = true;
        while changed {
            changed = false;
            for shard in virtual_shards.clone() {
                let ends = |&p: &u32| shards[p as usize].start_ms + shards[p as usize].duration_ms;
                let start_ms = self.wiring.predecessors[shard].iter().map(ends).max();
                let behind = |&s: &u32| shards[s as usize].upward_rank_ms;
                let rank_ms = self.wiring.successors[shard].iter().map(behind).max();
                let times = (start_ms.unwrap_or(0), rank_ms.unwrap_or(0));
                changed |= times != (shards[shard].start_ms, shards[shard].upward_rank_ms);
                (shards[shard].start_ms, shards[shard].upward_rank_ms) = times;
            }
        }
    }
}

fn ids(shards: &[u32]) -> Vec<ShardId> {
    shards.iter().map(|&shard| ShardId(shard)).collect()
}
