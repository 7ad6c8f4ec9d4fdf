//! Changes of a sharding that local search tries: what each does to the shards, and which are promising.

use std::cmp::Reverse;

use crate::graph::levels;
use crate::place::SHARD_MS;

use super::atoms::Atoms;
use super::contract::Members;
use super::rules::Rules;
use super::trial::Trial;

/// Shards as labels of atoms, and how many tasks at once each label would have.
#[derive(Debug, Clone, Default)]
pub(super) struct Labels {
    /// Label of each atom.
    pub(super) of: Vec<u32>,
    /// Threads that are wanted, by label.
    pub(super) threads: Vec<u32>,
}

/// One change. All changes of a set touch different shards.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    /// The second shard's atoms join the first.
    Merge(u32, u32),
    /// The same, side by side: with the threads of both.
    Pair(u32, u32),
    /// Every second of the shard's independent pieces, longest first, goes to a shard of its own; of one piece, its second half.
    Split(u32),
    /// An atom goes to another shard.
    Shift(u32, u32),
    /// The shard gets a tier with so many threads.
    Threads(u32, u32),
}

impl Labels {
    /// The labels after some changes.
    pub(super) fn with(&self, changes: &[Change], atoms: &Atoms, members: &Members) -> Self {
        let mut after = self.clone();
        for &change in changes {
            match change {
                Change::Merge(into, from) => {
                    for &atom in members.of(from) {
                        after.of[atom as usize] = into;
                    }
                    let threads = self.threads[from as usize];
                    let mine = &mut after.threads[into as usize];
                    *mine = threads.max(*mine);
                }
                Change::Pair(into, from) => {
                    for &atom in members.of(from) {
                        after.of[atom as usize] = into;
                    }
                    after.threads[into as usize] += self.threads[from as usize];
                }
                Change::Split(shard) => {
                    let label = after.threads.len() as u32;
                    after.threads.push(self.threads[shard as usize]);
                    for atom in leaving(atoms, members.of(shard), &self.of, shard) {
                        after.of[atom as usize] = label;
                    }
                }
                Change::Shift(atom, to) => after.of[atom as usize] = to,
                Change::Threads(shard, threads) => after.threads[shard as usize] = threads,
            }
        }
        after
    }
}

/// Which atoms leave a shard that is split, in topological order as they came.
fn leaving(atoms: &Atoms, members: &[u32], of: &[u32], shard: u32) -> Vec<u32> {
    let place = |atom: u32| members.iter().position(|&other| other == atom);
    // The piece of each member: the first member of what it is connected with.
    let mut piece: Vec<usize> = (0..members.len()).collect();
    for (at, &atom) in members.iter().enumerate() {
        let before = atoms.graph.predecessors(atom).iter();
        for other in before.filter(|&&other| of[other as usize] == shard) {
            let (mine, theirs) = (piece[at], place(*other).map_or(at, |p| piece[p]));
            let (low, high) = (mine.min(theirs), mine.max(theirs));
            for piece in piece.iter_mut().filter(|piece| **piece == high) {
                *piece = low;
            }
        }
    }
    let mut sums: Vec<(f64, usize)> = Vec::new();
    for (at, &atom) in members.iter().enumerate() {
        let ms = atoms.profiles[atom as usize].work_ms;
        match sums.iter_mut().find(|(_, first)| *first == piece[at]) {
            Some((sum, _)) => *sum += ms,
            None => sums.push((ms, piece[at])),
        }
    }
    if sums.len() < 2 {
        return members[members.len().div_ceil(2)..].to_vec();
    }
    sums.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    let (mut stays, mut leaves) = (0.0_f64, 0.0_f64);
    let mut gone: Vec<usize> = Vec::new();
    for (ms, first) in sums {
        if leaves + ms < stays + ms && leaves < stays {
            leaves += ms;
            gone.push(first);
        } else {
            stays += ms;
        }
    }
    let mine = members.iter().zip(&piece);
    mine.filter(|(_, piece)| gone.contains(piece))
        .map(|(&atom, _)| atom)
        .collect()
}

/// What is known of the shards of a trial.
pub(super) struct View<'a> {
    pub(super) trial: &'a Trial,
    pub(super) atoms: &'a Atoms,
    pub(super) members: &'a Members,
    level: Vec<u32>,
    /// How much later each shard could end without the run ending later, in milliseconds, other lanes left aside.
    slack_ms: Vec<f64>,
}

/// A shard is critical when it has less slack than this share of the run.
const CRITICAL: f64 = 0.005;
/// Candidates of one kind in one round, at most.
const MOST: usize = 64;

impl<'a> View<'a> {
    pub(super) fn new(trial: &'a Trial, atoms: &'a Atoms, members: &'a Members) -> Self {
        let end_ms = trial.schedule.makespan_us as f64 / 1000.0;
        let start_us = trial.schedule.start_us.iter();
        let slack = start_us
            .zip(&trial.ranks)
            .map(|(us, rank)| end_ms - *us as f64 / 1000.0 - rank);
        Self {
            level: levels(&trial.shards.graph, &trial.shards.order),
            slack_ms: slack.collect(),
            trial,
            atoms,
            members,
        }
    }

    fn shards(&self) -> u32 {
        self.slack_ms.len() as u32
    }

    fn ms(&self, shard: u32) -> f64 {
        self.trial.duration_ms[shard as usize]
    }

    /// Critical shards, longest first.
    fn critical(&self) -> Vec<u32> {
        let end_ms = self.trial.schedule.makespan_us as f64 / 1000.0;
        let slack = |shard: &u32| self.slack_ms[*shard as usize];
        let mut critical: Vec<u32> = (0..self.shards())
            .filter(|shard| slack(shard) <= end_ms * CRITICAL)
            .collect();
        critical.sort_by(|&a, &b| self.ms(b).total_cmp(&self.ms(a)).then(a.cmp(&b)));
        critical.truncate(MOST);
        critical
    }

    /// Splits of critical shards that have something to run side by side.
    pub(super) fn splits(&self) -> Vec<Change> {
        let critical = self.critical().into_iter();
        critical
            .filter(|&shard| self.members.of(shard).len() > 1)
            .map(Change::Split)
            .collect()
    }

    /// The next larger number of threads for critical shards.
    pub(super) fn raises(&self, threads: &[u32], steps: &[u32]) -> Vec<Change> {
        let profiles = &self.trial.shards.profiles;
        let critical = self.critical().into_iter();
        critical
            .filter_map(|shard| {
                let now = threads[shard as usize];
                let width = profiles[shard as usize].width();
                let next = steps.iter().copied().find(|&more| more > now)?;
                (width > now).then_some(Change::Threads(shard, next))
            })
            .collect()
    }

    /// The next smaller number of threads for shards that have time, those with most of it first.
    pub(super) fn lowers(&self, threads: &[u32], steps: &[u32]) -> Vec<Change> {
        let mut lowered: Vec<(f64, Change)> = (0..self.shards())
            .filter_map(|shard| {
                let now = threads[shard as usize];
                let less = steps.iter().copied().rev().find(|&less| less < now)?;
                let longer = self.ms(shard) * (f64::from(now) / f64::from(less) - 1.0);
                let left = self.slack_ms[shard as usize] - longer;
                (left > 0.0).then_some((left, Change::Threads(shard, less)))
            })
            .collect();
        lowered.sort_by(|a, b| b.0.total_cmp(&a.0));
        lowered.into_iter().take(MOST).map(|(_, c)| c).collect()
    }

    /// Atoms of critical shards that could go to another shard of the level that has time for them.
    pub(super) fn shifts(&self) -> Vec<Change> {
        let mut free = self.by_slack();
        let mut shifts = Vec::new();
        for shard in self.critical() {
            let members = self.members.of(shard);
            if members.len() < 2 {
                continue;
            }
            let level = self.level[shard as usize];
            let class = self.trial.shards.profiles[shard as usize].class;
            let shortest = members.iter().copied().min_by(|&a, &b| {
                let ms = |atom: u32| self.atoms.profiles[atom as usize].work_ms;
                ms(a).total_cmp(&ms(b)).then(a.cmp(&b))
            });
            let Some(atom) = shortest else { continue };
            let needs_ms = self.atoms.profiles[atom as usize].work_ms;
            let fits = |&other: &u32| {
                self.level[other as usize] == level
                    && self.trial.shards.profiles[other as usize].class == class
                    && self.slack_ms[other as usize] > needs_ms
            };
            if let Some(at) = free.iter().position(fits) {
                shifts.push(Change::Shift(atom, free.remove(at)));
            }
        }
        shifts
    }

    /// Shards that are not critical, those with most time left first.
    fn by_slack(&self) -> Vec<u32> {
        let mut shards: Vec<u32> = (0..self.shards()).collect();
        let slack = |shard: u32| self.slack_ms[shard as usize];
        shards.sort_by(|&a, &b| slack(b).total_cmp(&slack(a)).then(a.cmp(&b)));
        shards
    }

    /// Critical shards with the critical one behind them: what starting the second takes is saved.
    pub(super) fn joins(&self) -> Vec<Change> {
        let mut touched = vec![false; self.slack_ms.len()];
        let mut joins = Vec::new();
        for shard in self.critical() {
            let behind = self.trial.shards.graph.successors(shard).iter().copied();
            let next = behind.min_by(|&a, &b| {
                let slack = |shard: u32| self.slack_ms[shard as usize];
                slack(a).total_cmp(&slack(b))
            });
            let Some(next) = next else { continue };
            let near = self.level[next as usize] == self.level[shard as usize] + 1;
            if near && !touched[shard as usize] && !touched[next as usize] {
                touched[shard as usize] = true;
                touched[next as usize] = true;
                joins.push(Change::Merge(shard, next));
            }
        }
        joins
    }

    /// Pairs of a level, or a shard and one behind it, that have time to be one shard: most time left first.
    pub(super) fn merges(&self) -> Vec<Change> {
        let mut pairs: Vec<(f64, u32, u32)> = Vec::new();
        let mut by_level: Vec<u32> = (0..self.shards()).collect();
        let key = |shard: u32| (self.level[shard as usize], Reverse(order(self.ms(shard))));
        by_level.sort_by_key(|&shard| (key(shard), shard));
        for pair in by_level.windows(2) {
            let (one, other) = (pair[0], pair[1]);
            if self.level[one as usize] == self.level[other as usize] {
                pairs.push((self.left_ms(one, other), one, other));
            }
        }
        for shard in 0..self.shards() {
            for &next in self.trial.shards.graph.successors(shard) {
                if self.level[next as usize] == self.level[shard as usize] + 1 {
                    let left = self.left_ms(shard, next) + SHARD_MS;
                    pairs.push((left, shard, next));
                }
            }
        }
        let nearest_first = pairs.into_iter().map(|(left, a, b)| (-left, a, b));
        self.disjoint(nearest_first.collect(), Change::Merge)
    }

    /// Pairs of a level that take about as long, to run side by side on one target: what waits for the longer one costs less
    /// than a shard. Those with the least to wait for first.
    pub(super) fn pairs(&self, threads: &[u32], most: u32, rules: &Rules<'_>) -> Vec<Change> {
        let mut by_level: Vec<u32> = (0..self.shards()).collect();
        let key = |shard: u32| (self.level[shard as usize], Reverse(order(self.ms(shard))));
        by_level.sort_by_key(|&shard| (key(shard), shard));
        let mut pairs: Vec<(f64, u32, u32)> = Vec::new();
        for pair in by_level.windows(2) {
            let (one, other) = (pair[0], pair[1]);
            let profiles = [one, other].map(|s| &self.trial.shards.profiles[s as usize]);
            let both = threads[one as usize] + threads[other as usize];
            if self.level[one as usize] != self.level[other as usize]
                || profiles[0].class != profiles[1].class
                || both > most
            {
                continue;
            }
            let ladder = &rules.ladders[profiles[1].class as usize];
            let waits_s = (self.ms(one) - self.ms(other)) / 1000.0;
            let usd = waits_s * profiles[1].memory_gb(ladder) * rules.gb_s_usd;
            if usd < rules.shard_usd {
                pairs.push((usd, one, other));
            }
        }
        self.disjoint(pairs, Change::Pair)
    }

    /// The first of these, each shard in one of them.
    fn disjoint(
        &self,
        mut pairs: Vec<(f64, u32, u32)>,
        as_change: fn(u32, u32) -> Change,
    ) -> Vec<Change> {
        pairs.sort_by(|a, b| a.0.total_cmp(&b.0).then((a.1, a.2).cmp(&(b.1, b.2))));
        let mut touched = vec![false; self.slack_ms.len()];
        let mut found = Vec::new();
        for (_, one, other) in pairs {
            if found.len() == MOST {
                break;
            }
            if !touched[one as usize] && !touched[other as usize] {
                touched[one as usize] = true;
                touched[other as usize] = true;
                found.push(as_change(one, other));
            }
        }
        found
    }

    /// Time that would be left if both were one after the other on one lane.
    fn left_ms(&self, one: u32, other: u32) -> f64 {
        let slack = |shard: u32| self.slack_ms[shard as usize];
        (slack(one) - self.ms(other)).min(slack(other) - self.ms(one))
    }
}

/// Milliseconds as a key that sorts.
fn order(ms: f64) -> u64 {
    (ms.max(0.0) * 1000.0) as u64
}
