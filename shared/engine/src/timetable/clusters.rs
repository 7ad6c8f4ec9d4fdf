//! Shards out of a timetable: what one target runs in sequence becomes one shard, as far as the run hardly gets longer.

use super::{Instance, Timetable};

/// How much longer than its timetable a run may get because its tasks are in shards.
const LOOSER: f64 = 1.05;
/// Trials of sets of mergers, at least and at most.
const TRIALS: (usize, usize) = (2, 256);
/// Nodes and edges that all trials together may look at.
const LOOKS: usize = 1_000_000;

/// Shards on targets, each run in one go: it starts when the target is free and all its inputs are there, and what it leaves
/// is there when it ends.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Clustered {
    /// Shard of each task.
    pub of: Vec<u32>,
    /// Target of each shard.
    pub target: Vec<u32>,
    /// Start of each shard, in seconds.
    pub start_s: Vec<f64>,
    /// End of each shard.
    pub finish_s: Vec<f64>,
    /// End of the last.
    pub makespan_s: f64,
}

/// Merges neighbours on their target while the whole run, shards and all, stays within 1.05 times the timetable.
///
/// ```text
///   target 0 │ a │ b │ c │ d │          │   a b   │  c d  │
///   target 1 │   e   │   f   │    ─►    │    e    │   f   │      where `c` waits for `e`
/// ```
///
/// A set of mergers is tried at once; where the run would get too long, or the shards would wait for each other in a circle,
/// each half of the set is tried. So every shard is convex, and the quotient acyclic.
///
/// # Complexity
///
/// O(tasks + edges) a trial; at most 256 trials, and 2 for very large workflows.
pub fn clusters(instance: &Instance<'_>, table: &Timetable) -> Clustered {
    let mut merging = Merging::new(instance, table);
    let mut kept = merging.run().unwrap_or_default();
    let limit = kept.makespan_s.max(table.makespan_s) * LOOSER;
    let size = instance.work_s.len() + instance.graph.edge_count();
    let mut trials = (LOOKS / size.max(1)).clamp(TRIALS.0, TRIALS.1);
    loop {
        let pairs = merging.pairs(&kept, limit);
        let before = merging.shards;
        let mut sets = vec![pairs];
        while let Some(set) = sets.pop() {
            if set.is_empty() || trials == 0 {
                continue;
            }
            trials -= 1;
            let undo = (merging.next.clone(), merging.shards);
            for &position in &set {
                merging.next[position as usize] = true;
            }
            match merging.run() {
                Some(found) if found.makespan_s <= limit => kept = found,
                _ => {
                    (merging.next, merging.shards) = undo;
                    let (one, other) = set.split_at(set.len() / 2);
                    if !one.is_empty() {
                        sets.extend([other.to_vec(), one.to_vec()]);
                    }
                }
            }
        }
        if merging.shards == before || trials == 0 {
            return kept;
        }
    }
}

struct Merging<'a> {
    instance: &'a Instance<'a>,
    target: &'a [u32],
    /// Tasks of all targets, target by target, each in sequence.
    sequence: Vec<u32>,
    /// Whether the task at this position of the sequence is in the shard of the one before it.
    next: Vec<bool>,
    shards: usize,
}

impl<'a> Merging<'a> {
    fn new(instance: &'a Instance<'a>, table: &'a Timetable) -> Self {
        let mut sequence: Vec<u32> = instance.order.to_vec();
        sequence.sort_by(|&a, &b| {
            let key = |task: u32| (table.target[task as usize], table.start_s[task as usize]);
            let (one, other) = (key(a), key(b));
            one.0.cmp(&other.0).then(one.1.total_cmp(&other.1))
        });
        Self {
            instance,
            target: &table.target,
            next: vec![false; sequence.len()],
            sequence,
            shards: 0,
        }
    }

    /// Runs the shards in sequence; nothing when they wait for each other in a circle.
    fn run(&mut self) -> Option<Clustered> {
        let mut run = self.numbered();
        let shards = run.target.len();
        let graph = self.instance.graph;
        let mut missing = vec![0_u32; shards];
        let mut takes = vec![0.0_f64; shards];
        let first = self.firsts(&run);
        for &task in &self.sequence {
            let shard = run.of[task as usize] as usize;
            takes[shard] += self.instance.on(task, run.target[shard] as usize);
            for &before in graph.predecessors(task) {
                missing[shard] += u32::from(run.of[before as usize] != shard as u32);
            }
        }
        for (shard, missing) in missing.iter_mut().enumerate().skip(1) {
            *missing += u32::from(run.target[shard - 1] == run.target[shard]);
        }
        let mut ready: Vec<u32> = (0..shards as u32)
            .filter(|&shard| missing[shard as usize] == 0)
            .collect();
        let mut done = 0;
        while let Some(shard) = ready.pop() {
            done += 1;
            let at = shard as usize;
            let tasks = &self.sequence[first[at]..first[at + 1]];
            run.start_s[at] = self.start(&run, at, tasks);
            run.finish_s[at] = run.start_s[at] + takes[at];
            run.makespan_s = run.makespan_s.max(run.finish_s[at]);
            let mut arrive = |to: u32| {
                missing[to as usize] -= 1;
                if missing[to as usize] == 0 {
                    ready.push(to);
                }
            };
            tasks
                .iter()
                .flat_map(|&task| graph.successors(task))
                .map(|&after| run.of[after as usize])
                .filter(|&to| to != shard)
                .for_each(&mut arrive);
            if run.target.get(at + 1) == Some(&run.target[at]) {
                arrive(shard + 1);
            }
        }
        self.shards = shards;
        (done == shards).then_some(run)
    }

    /// Where each shard begins in the sequence, and where the last ends.
    fn firsts(&self, run: &Clustered) -> Vec<usize> {
        let mut first = vec![0_usize; run.target.len() + 1];
        for (position, &task) in self.sequence.iter().enumerate() {
            first[run.of[task as usize] as usize + 1] = position + 1;
        }
        first
    }

    fn numbered(&self) -> Clustered {
        let mut run = Clustered {
            of: vec![0; self.sequence.len()],
            ..Clustered::default()
        };
        for (position, &task) in self.sequence.iter().enumerate() {
            if !self.next[position] {
                run.target.push(self.target[task as usize]);
            }
            run.of[task as usize] = run.target.len() as u32 - 1;
        }
        run.start_s = vec![0.0; run.target.len()];
        run.finish_s = run.start_s.clone();
        run
    }

    /// When a shard can start: its target is free, and the data of all its tasks has arrived.
    fn start(&self, run: &Clustered, shard: usize, tasks: &[u32]) -> f64 {
        let target = run.target[shard];
        let mut start = match shard.checked_sub(1) {
            Some(previous) if run.target[previous] == target => run.finish_s[previous],
            _ => 0.0,
        };
        for &task in tasks {
            for (before, bytes) in self.instance.graph.incoming_bytes(task) {
                let from = run.of[before as usize] as usize;
                if from != shard {
                    let away = run.target[from] != target;
                    let moving = if away {
                        self.instance.moving(bytes)
                    } else {
                        0.0
                    };
                    start = start.max(run.finish_s[from] + moving);
                }
            }
        }
        start
    }

    /// Positions whose task could join the shard before it; no shard is in two pairs.
    fn pairs(&self, run: &Clustered, limit: f64) -> Vec<u32> {
        let tail = self.tails(run);
        let mut pairs = Vec::new();
        let mut taken = u32::MAX;
        for position in 1..self.sequence.len() {
            let (one, other) = (self.sequence[position - 1], self.sequence[position]);
            let (a, b) = (run.of[one as usize], run.of[other as usize]);
            let same = run.target[a as usize] == run.target[b as usize];
            if a == b || !same || taken == a {
                continue;
            }
            let start =
                run.start_s[b as usize] - (run.finish_s[a as usize] - run.start_s[a as usize]);
            let start = start.max(run.start_s[a as usize]);
            let takes = |s: u32| run.finish_s[s as usize] - run.start_s[s as usize];
            let longest = start + takes(a) + takes(b) + tail[a as usize];
            if longest.max(run.finish_s[b as usize]) <= limit {
                pairs.push(position as u32);
                taken = b;
            }
        }
        pairs
    }

    /// Longest way behind each shard, the next on its target left out.
    fn tails(&self, run: &Clustered) -> Vec<f64> {
        let mut order: Vec<u32> = (0..run.target.len() as u32).collect();
        order.sort_by(|&a, &b| {
            let start = |s: u32| (run.start_s[s as usize], run.finish_s[s as usize]);
            let (one, other) = (start(a), start(b));
            other.0.total_cmp(&one.0).then(other.1.total_cmp(&one.1))
        });
        let first = self.firsts(run);
        let mut data = vec![0.0_f64; run.target.len()];
        let mut whole = vec![0.0_f64; run.target.len()];
        for shard in order {
            let at = shard as usize;
            let next = run.target.get(at + 1) == Some(&run.target[at]);
            let behind = if next { whole[at + 1] } else { 0.0 };
            whole[at] = run.finish_s[at] - run.start_s[at] + data[at].max(behind);
            for &task in &self.sequence[first[at]..first[at + 1]] {
                for (before, bytes) in self.instance.graph.incoming_bytes(task) {
                    let from = run.of[before as usize] as usize;
                    if from != at {
                        let away = run.target[from] != run.target[at];
                        let moving = if away {
                            self.instance.moving(bytes)
                        } else {
                            0.0
                        };
                        data[from] = data[from].max(moving + whole[at]);
                    }
                }
            }
        }
        data
    }
}
