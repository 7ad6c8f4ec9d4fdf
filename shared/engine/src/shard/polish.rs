//! Local search: the best sharding changed, shard by shard, while a counted budget lasts.

use crate::place::Profile;

use super::changes::{Change, Labels, View};
use super::choose::Field;
use super::contract::Members;
use super::growing::cut_by_rules;
use super::measure::Judged;
use super::trial::{Trial, trial};

/// Nodes, edges and tasks that one search may look at.
const LOOKS: usize = 600_000;
/// Trials below which a search is not begun.
const TRIALS_MIN: usize = 8;
/// Share of the trials that is left for saving money once nothing makes the run shorter.
const FOR_MONEY: f64 = 0.4;
/// A run counts as shorter when it is shorter by this share.
const SHORTER: f64 = 1e-4;

/// Improves a sharding: first the run gets shorter by what the judge weighs, then cheaper while it stays about as short.
///
/// ```text
///   critical:  split a shard · larger tier · an atom to a shard with time · two in a row become one
///   others:    two become one · two side by side on a larger tier · smaller tier
/// ```
///
/// A set of changes is tried at once; where that does not serve, each half of it. Every trial keeps rules and annotations,
/// its quotient is acyclic, and it is judged as every strategy is. `None` when nothing is better.
///
/// # Complexity
///
/// O(tasks + edges) a trial, at most 600,000 tasks, atoms and edges in all.
pub(super) fn polish(field: &Field<'_>, base: &Judged, start: &Trial) -> Option<Trial> {
    let mut search = Polishing::new(field, base, start)?;
    search.quicken();
    search.cheapen();
    search.improved.then_some(search.now)
}

struct Polishing<'a> {
    field: &'a Field<'a>,
    base: &'a Judged,
    labels: Labels,
    members: Members,
    now: Trial,
    score: f64,
    usd: f64,
    /// Numbers of threads that tiers have, ascending.
    steps: Vec<u32>,
    trials: usize,
    improved: bool,
    /// The score that may not be exceeded while money is saved; before, the best so far.
    bearable: Option<f64>,
}

impl<'a> Polishing<'a> {
    fn new(field: &'a Field<'a>, base: &'a Judged, start: &Trial) -> Option<Self> {
        let atoms = &field.chains;
        let size = atoms.profiles.len() + atoms.graph.edge_count() + field.demand.loads.len();
        let trials = LOOKS / size.max(1);
        let mut of = vec![u32::MAX; atoms.profiles.len()];
        for (&atom, &shard) in atoms.of_task.iter().zip(&start.shards.of_task) {
            let known = &mut of[atom as usize];
            if *known != u32::MAX && *known != shard {
                // Chains are torn: another kind of atoms.
                return None;
            }
            *known = shard;
        }
        if trials < TRIALS_MIN {
            return None;
        }
        let ladders = field.rules.ladders.iter();
        let mut steps: Vec<u32> = ladders
            .flat_map(|ladder| ladder.rungs().iter().map(|rung| rung.threads))
            .collect();
        steps.sort_unstable();
        steps.dedup();
        let judged = start.judged(base.strategy, base.tiers, field.rules, field.market);
        let threads = threads(field, &start.shards.profiles);
        Some(Self {
            members: Members::new(&of, threads.len(), &atoms.order),
            labels: Labels { of, threads },
            now: start.clone(),
            score: field.yardstick.score(&judged),
            usd: judged.usd,
            steps,
            trials,
            improved: false,
            bearable: None,
            field,
            base,
        })
    }

    /// Makes the run shorter while that goes.
    fn quicken(&mut self) {
        let kept = (self.trials as f64 * FOR_MONEY) as usize;
        loop {
            let before = self.score;
            for kind in 0..5 {
                let view = View::new(&self.now, &self.field.chains, &self.members);
                let set = match kind {
                    0 => self.pairs(&view),
                    1 => view.raises(&self.labels.threads, &self.steps),
                    2 => view.splits(),
                    3 => view.joins(),
                    _ => view.shifts(),
                };
                self.halve(set, kept);
            }
            if self.score >= before * (1.0 - SHORTER) || self.trials <= kept {
                return;
            }
        }
    }

    /// Saves money while the run stays about as short.
    fn cheapen(&mut self) {
        self.bearable = Some(self.field.yardstick.about(self.score));
        loop {
            let before = self.usd;
            for kind in 0..3 {
                let view = View::new(&self.now, &self.field.chains, &self.members);
                let set = match kind {
                    0 => self.pairs(&view),
                    1 => view.merges(),
                    _ => view.lowers(&self.labels.threads, &self.steps),
                };
                self.halve(set, 0);
            }
            if self.usd >= before || self.trials == 0 {
                return;
            }
        }
    }

    fn pairs(&self, view: &View<'_>) -> Vec<Change> {
        let most = self.steps.last().copied().unwrap_or(1);
        view.pairs(&self.labels.threads, most, self.field.rules)
    }

    /// Tries a set of changes, and where it does not serve, each half.
    fn halve(&mut self, set: Vec<Change>, kept: usize) {
        let mut sets = vec![set];
        while let Some(set) = sets.pop() {
            if set.is_empty() || self.trials <= kept {
                continue;
            }
            self.trials -= 1;
            if self.attempt(&set) {
                // Shards have other numbers now: what was proposed for the old ones is void.
                return;
            }
            let (one, other) = set.split_at(set.len() / 2);
            if !one.is_empty() {
                sets.extend([other.to_vec(), one.to_vec()]);
            }
        }
    }

    /// Makes the changes if they serve.
    fn attempt(&mut self, set: &[Change]) -> bool {
        let field = self.field;
        let labels = self.labels.with(set, &field.chains, &self.members);
        let Some(found) = self.tried(&labels) else {
            return false;
        };
        let (strategy, tiers) = (self.base.strategy, self.base.tiers);
        let judged = found.judged(strategy, tiers, field.rules, field.market);
        let score = field.yardstick.score(&judged);
        let serves = match self.bearable {
            None => {
                score < self.score * (1.0 - SHORTER)
                    || (score <= self.score && judged.usd < self.usd * (1.0 - SHORTER))
            }
            Some(most) => score <= most && judged.usd < self.usd * (1.0 - SHORTER),
        };
        if serves {
            self.score = score;
            self.usd = judged.usd;
            self.improved = true;
            self.adopt(found);
        }
        serves
    }

    /// The trial of some labels; `None` when their shards would wait for each other.
    fn tried(&self, labels: &Labels) -> Option<Trial> {
        let field = self.field;
        let labelled = (&labels.of[..], &labels.threads[..]);
        let atoms = &field.chains;
        let clustering = cut_by_rules(atoms, field.rules, labelled, &atoms.order);
        let shards = field.chains.coarser(clustering);
        if shards.order.len() < shards.profiles.len() {
            return None;
        }
        Some(trial(field.demand, shards, field.rules, field.market))
    }

    fn adopt(&mut self, found: Trial) {
        let atoms = &self.field.chains;
        for (&atom, &shard) in atoms.of_task.iter().zip(&found.shards.of_task) {
            self.labels.of[atom as usize] = shard;
        }
        self.labels.threads = threads(self.field, &found.shards.profiles);
        self.members = Members::new(&self.labels.of, self.labels.threads.len(), &atoms.order);
        self.now = found;
    }
}

/// Threads of each shard's tier.
fn threads(field: &Field<'_>, profiles: &[Profile]) -> Vec<u32> {
    let threads = profiles.iter().map(|profile| {
        let rungs = field.rules.ladders[profile.class as usize].rungs();
        rungs.get(profile.rung).map_or(1, |rung| rung.threads)
    });
    threads.collect()
}
