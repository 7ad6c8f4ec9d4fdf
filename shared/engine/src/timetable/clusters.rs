//! Shards out of a timetable: what one target runs in sequence becomes one shard, as far as the run hardly gets longer.

use super::{Instance, Timetable};

/// How much longer than its timetable a run may get because its tasks are in shards.
const LOOSER: f64 = 1.05;
/// Trials of sets of mergers, at least and at most.
const TRIALS: (u64, u64) = (2, 256);
/// Nodes and edges that all trials together may look at where nobody asks for more: about a millisecond of a core of 2024.
pub const DEFAULT_LOOKS: u64 = 60_000;
/// The same where time is no matter: as many trials as there ever are, up to twenty thousand nodes and edges.
pub const MOST_LOOKS: u64 = 5_000_000;

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
/// Every shard takes `each_s` seconds beside its tasks: what it costs to start one.
///
/// # Complexity
///
/// O(tasks + edges) a trial; as many trials as look at `looks` nodes and edges, at least 2 and at most 256.
pub fn clusters(instance: &Instance<'_>, table: &Timetable, each_s: f64, looks: u64) -> Clustered {
    let mut merging = Merging::new(instance, table, each_s);
    let mut kept = merging.run().unwrap_or_default();
    let mut limit = kept.makespan_s.max(table.makespan_s) * LOOSER;
    let size = (instance.work_s.len() + instance.graph.edge_count()) as u64;
    let mut trials = (looks / size.max(1)).clamp(TRIALS.0, TRIALS.1);
    loop {
        let pairs = merging.pairs(&kept, limit);
        let before = kept.target.len();
        let mut sets = vec![pairs];
        while let Some(set) = sets.pop() {
            if set.is_empty() || trials == 0 {
                continue;
            }
            trials -= 1;
            for &position in &set {
                merging.next[position as usize] = true;
            }
            match merging.run() {
                Some(found) if found.makespan_s <= limit => {
                    // Where starting a shard takes time, fewer of them are quicker: what was gained is not given back.
                    limit = limit.min(found.makespan_s.max(table.makespan_s) * LOOSER);
                    kept = found;
                }
                _ => {
                    for &position in &set {
                        merging.next[position as usize] = false;
                    }
                    let (one, other) = set.split_at(set.len() / 2);
                    if !one.is_empty() {
                        sets.extend([other.to_vec(), one.to_vec()]);
                    }
                }
            }
        }
        if kept.target.len() == before || trials == 0 {
            return merging.named(kept);
        }
    }
}

/// The timetable with its tasks numbered by position: target by target, each in sequence. Shards are then ranges.
struct Merging {
    /// Task at each position.
    sequence: Vec<u32>,
    /// Target of each.
    target: Vec<u32>,
    /// Duration of each there, in seconds.
    takes_s: Vec<f64>,
    /// Where the successors of each begin, and where those of the last end.
    first: Vec<u32>,
    /// Positions of successors, each with the seconds that its data moves.
    after: Vec<(u32, f64)>,
    /// Whether each is in the shard of the one before it.
    next: Vec<bool>,
    /// Seconds that a shard takes beside its tasks.
    each_s: f64,
}

impl Merging {
    fn new(instance: &Instance<'_>, table: &Timetable, each_s: f64) -> Self {
        let mut sequence: Vec<u32> = instance.order.to_vec();
        sequence.sort_by(|&a, &b| {
            let key = |task: u32| (table.target[task as usize], table.start_s[task as usize]);
            let (one, other) = (key(a), key(b));
            one.0.cmp(&other.0).then(one.1.total_cmp(&other.1))
        });
        let graph = instance.graph;
        let mut position = vec![0_u32; sequence.len()];
        let mut first = vec![0_u32; sequence.len() + 1];
        for (at, &task) in sequence.iter().enumerate() {
            position[task as usize] = at as u32;
            first[at + 1] = first[at] + graph.successors(task).len() as u32;
        }
        let mut free = first.clone();
        let mut after = vec![(0, 0.0); graph.edge_count()];
        for &task in &sequence {
            for (before, bytes) in graph.incoming_bytes(task) {
                let away = table.target[before as usize] != table.target[task as usize];
                let moving_s = if away { instance.moving(bytes) } else { 0.0 };
                let slot = &mut free[position[before as usize] as usize];
                after[*slot as usize] = (position[task as usize], moving_s);
                *slot += 1;
            }
        }
        let target: Vec<u32> = sequence.iter().map(|&t| table.target[t as usize]).collect();
        let on = |(&task, &target): (&u32, &u32)| instance.on(task, target as usize);
        Self {
            takes_s: sequence.iter().zip(&target).map(on).collect(),
            next: vec![false; sequence.len()],
            sequence,
            target,
            first,
            after,
            each_s,
        }
    }

    /// Runs the shards, each in one go; nothing when they wait for each other in a circle. `of` is by position.
    fn run(&self) -> Option<Clustered> {
        let mut run = self.numbered();
        let shards = run.target.len();
        let mut begins = vec![0_u32; shards + 1];
        let mut takes = vec![self.each_s; shards];
        let mut missing = vec![0_u32; shards];
        for (position, &shard) in run.of.iter().enumerate() {
            begins[shard as usize + 1] = position as u32 + 1;
            takes[shard as usize] += self.takes_s[position];
            for &(after, _) in self.after(position) {
                let to = run.of[after as usize];
                missing[to as usize] += u32::from(to != shard);
            }
        }
        for (missing, neighbours) in missing.iter_mut().skip(1).zip(run.target.windows(2)) {
            *missing += u32::from(neighbours[0] == neighbours[1]);
        }
        let mut ready: Vec<u32> = (0..shards as u32)
            .filter(|&shard| missing[shard as usize] == 0)
            .collect();
        let mut done = 0;
        while let Some(shard) = ready.pop() {
            done += 1;
            let at = shard as usize;
            let finish = run.start_s[at] + takes[at];
            run.finish_s[at] = finish;
            run.makespan_s = run.makespan_s.max(finish);
            let mut arrive = |to: u32, start: f64| {
                let start_s = &mut run.start_s[to as usize];
                *start_s = start_s.max(start);
                missing[to as usize] -= 1;
                if missing[to as usize] == 0 {
                    ready.push(to);
                }
            };
            let inside = begins[at] as usize..begins[at + 1] as usize;
            for &(after, moving_s) in self.after_all(inside) {
                let to = run.of[after as usize];
                if to != shard {
                    arrive(to, finish + moving_s);
                }
            }
            if run.target.get(at + 1) == Some(&run.target[at]) {
                arrive(shard + 1, finish);
            }
        }
        (done == shards).then_some(run)
    }

    fn after(&self, position: usize) -> &[(u32, f64)] {
        self.after_all(position..position + 1)
    }

    fn after_all(&self, positions: std::ops::Range<usize>) -> &[(u32, f64)] {
        &self.after[self.first[positions.start] as usize..self.first[positions.end] as usize]
    }

    fn numbered(&self) -> Clustered {
        let mut run = Clustered {
            of: Vec::with_capacity(self.sequence.len()),
            ..Clustered::default()
        };
        for (&next, &target) in self.next.iter().zip(&self.target) {
            if !next {
                run.target.push(target);
            }
            run.of.push(run.target.len() as u32 - 1);
        }
        run.start_s = vec![0.0; run.target.len()];
        run.finish_s = vec![0.0; run.target.len()];
        run
    }

    /// The same with `of` by task.
    fn named(&self, mut run: Clustered) -> Clustered {
        let by_position = run.of.clone();
        for (&task, shard) in self.sequence.iter().zip(by_position) {
            run.of[task as usize] = shard;
        }
        run
    }

    /// Positions whose task could join the shard before it; no shard is in two pairs.
    fn pairs(&self, run: &Clustered, limit: f64) -> Vec<u32> {
        let tail = self.tails(run);
        let takes = |s: usize| run.finish_s[s] - run.start_s[s];
        let mut pairs = Vec::new();
        let mut taken = u32::MAX;
        for position in 1..self.sequence.len() {
            let (a, b) = (run.of[position - 1], run.of[position]);
            let (one, other) = (a as usize, b as usize);
            if a == b || run.target[one] != run.target[other] || taken == a {
                continue;
            }
            let start = (run.start_s[other] - takes(one)).max(run.start_s[one]);
            let longest = start + takes(one) + takes(other) - self.each_s + tail[one];
            if longest.max(run.finish_s[other]) <= limit {
                pairs.push(position as u32);
                taken = b;
            }
        }
        pairs
    }

    /// Longest way behind each shard, the next on its target left out.
    fn tails(&self, run: &Clustered) -> Vec<f64> {
        let shards = run.target.len();
        let mut order: Vec<u32> = (0..shards as u32).collect();
        order.sort_unstable_by(|&a, &b| {
            let start = |s: u32| (run.start_s[s as usize], run.finish_s[s as usize]);
            let (one, other) = (start(a), start(b));
            other.0.total_cmp(&one.0).then(other.1.total_cmp(&one.1))
        });
        let mut begins = vec![0_usize; shards + 1];
        for (position, &shard) in run.of.iter().enumerate() {
            begins[shard as usize + 1] = position + 1;
        }
        let mut data = vec![0.0_f64; shards];
        let mut whole = vec![0.0_f64; shards];
        for shard in order {
            let at = shard as usize;
            data[at] = self
                .after_all(begins[at]..begins[at + 1])
                .iter()
                .map(|&(after, moving_s)| (run.of[after as usize], moving_s))
                .filter(|&(to, _)| to != shard)
                .map(|(to, moving_s)| moving_s + whole[to as usize])
                .fold(0.0, f64::max);
            let next = run.target.get(at + 1) == Some(&run.target[at]);
            let behind = if next { whole[at + 1] } else { 0.0 };
            whole[at] = run.finish_s[at] - run.start_s[at] + data[at].max(behind);
        }
        data
    }
}
