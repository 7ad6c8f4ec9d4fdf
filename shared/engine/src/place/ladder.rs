//! The memory tiers that a task may use: the targets with what it requires, smallest first, and where else it could go.

use super::load::{DISK_SHARE, Profile, TIME_MARGIN, TOP_TASKS};
use super::needs::Needs;
use super::sites::Sites;

/// Families that are looked at beside the first; more are left out.
const CHOICES_MAX: usize = 31;

/// Memory of the worker itself beside its tasks, in MiB.
///
/// The worker as shipped is resident with 10 to 12 MiB; the rest is for samples, manifests and buffers of transfers.
pub const WORKER_MIB: u32 = 48;

/// One tier of a ladder.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rung {
    /// Position of the target in the pool.
    pub target: usize,
    /// Its memory in MiB.
    pub memory: u32,
    /// Its scratch disk, in bytes.
    pub disk_bytes: u64,
    /// Longest attempt, in milliseconds.
    pub limit_ms: u64,
    /// Its share of processor time, in vCPUs.
    pub vcpus: f64,
    /// Tasks that its worker runs at once.
    pub threads: u32,
    /// How fast a vCPU of it is.
    pub speed: f64,
    /// Preferred labels that it does not have.
    pub missed: u32,
    /// How long a shard of several tasks should be at most, in milliseconds.
    pub length_max_ms: f64,
}

impl Rung {
    fn new(sites: &Sites<'_>, target: usize, needs: &Needs) -> Self {
        let at = &sites.pool.targets[target];
        Self {
            target,
            memory: at.memory.0,
            disk_bytes: u64::from(at.disk().0) * 1024 * 1024,
            limit_ms: at.limit_ms,
            vcpus: at.vcpus(),
            threads: at.threads(),
            speed: at.speed,
            missed: needs.wishes_missed(at),
            length_max_ms: f64::INFINITY,
        }
    }

    /// Whether it holds what its threads run at once of the set, and ends in time.
    #[must_use]
    pub fn holds(&self, profile: &Profile) -> bool {
        let at_once = self.threads.min(profile.width());
        let memory = profile.top.iter().take(at_once as usize);
        let memory = memory.fold(WORKER_MIB, |sum, &one| sum.saturating_add(one));
        let disk = profile.scratch_bytes.saturating_mul(u64::from(at_once)) as f64;
        // What is one task cannot be cut: it may use all there is.
        let (share, margin) = match profile.tasks {
            1 => (1.0, 1.0),
            _ => (DISK_SHARE, TIME_MARGIN),
        };
        memory <= self.memory
            && disk <= self.disk_bytes as f64 * share
            && profile.ms_on(self) * margin <= self.limit_ms as f64
    }
}

/// The tiers that fulfil one set of requirements, by ascending memory, one for each memory size; and for each of them where
/// else its shards may run.
#[derive(Debug, Clone, PartialEq)]
pub struct Ladder {
    rungs: Vec<Rung>,
    others: Vec<Vec<Rung>>,
    families: Vec<usize>,
}

impl Ladder {
    /// The targets that have what is required; of equal memory, the one with most of what is preferred.
    #[must_use]
    pub fn new(sites: &Sites<'_>, needs: &Needs) -> Self {
        let targets = &sites.pool.targets;
        let mut able: Vec<Rung> = (0..targets.len())
            .filter(|&at| needs.lacks(&targets[at]).is_empty())
            .map(|at| Rung::new(sites, at, needs))
            .collect();
        able.sort_by_key(|rung| (rung.memory, rung.missed, rung.target));
        let mut families: Vec<usize> = Vec::new();
        for rung in &able {
            let known = |&of: &usize| targets[of].is_of_family(&targets[rung.target]);
            if !families.iter().any(known) {
                families.push(rung.target);
            }
        }
        let mut rungs = able.clone();
        rungs.dedup_by_key(|rung| rung.memory);
        let others = rungs
            .iter()
            .map(|rung| others(sites, &able, &families, rung));
        let others: Vec<Vec<Rung>> = others.collect();
        for (rung, others) in rungs.iter_mut().zip(&others) {
            let all = std::iter::once(&*rung)
                .chain(others)
                .map(|rung| rung.target);
            rung.length_max_ms = sites.length_max_ms(all);
        }
        Self {
            rungs,
            others,
            families,
        }
    }

    /// The tier, and then the others that could serve instead of it.
    pub fn choices(&self, rung: usize) -> impl Iterator<Item = &Rung> {
        let others = self.others.get(rung).map_or(&[][..], Vec::as_slice);
        self.rungs.get(rung).into_iter().chain(others)
    }

    /// One of [`Ladder::choices`].
    #[must_use]
    pub fn choice(&self, rung: usize, choice: u8) -> &Rung {
        match choice {
            0 => &self.rungs[rung],
            more => &self.others[rung][usize::from(more) - 1],
        }
    }

    /// Whether placement has anything to choose.
    #[must_use]
    pub fn has_choices(&self) -> bool {
        self.others.iter().any(|others| !others.is_empty())
    }

    /// One target of each family that fulfils the requirements.
    #[must_use]
    pub fn families(&self) -> &[usize] {
        &self.families
    }

    /// The tiers, smallest first.
    #[must_use]
    pub fn rungs(&self) -> &[Rung] {
        &self.rungs
    }

    /// The smallest tier that holds one task and its files, with the processor share that it can use where any tier has it.
    ///
    /// `None`: every tier is too small.
    #[must_use]
    pub fn alone(&self, memory: u32, vcpus: f64, disk_bytes: u64) -> Option<usize> {
        let holds = self.rungs.iter().position(|r| {
            r.memory >= memory.saturating_add(WORKER_MIB) && r.disk_bytes >= disk_bytes
        })?;
        let quick = self.rungs[holds..].iter().position(|r| r.vcpus >= vcpus);
        Some(quick.map_or(self.rungs.len() - 1, |more| holds + more))
    }

    /// The smallest tier from `from` on that holds the tasks which its threads can run at once.
    ///
    /// `top` are the largest tasks in descending order; at most `width` of the shard's tasks are independent.
    #[must_use]
    pub fn together(&self, from: usize, top: &[u32; TOP_TASKS], width: u32) -> Option<usize> {
        (from..self.rungs.len()).find(|&at| {
            let rung = &self.rungs[at];
            let at_once = rung.threads.min(width) as usize;
            let need = top
                .iter()
                .take(at_once)
                .fold(WORKER_MIB, |sum, &memory| sum.saturating_add(memory));
            rung.memory >= need
        })
    }
}

/// The smallest sufficient tier of each other family. What shares the lanes of the tier and is neither faster nor cheaper
/// nor rather wished for is left out: it could never be the better choice.
fn others(sites: &Sites<'_>, able: &[Rung], families: &[usize], rung: &Rung) -> Vec<Rung> {
    let targets = &sites.pool.targets;
    let usd = |rung: &Rung| sites.usd_gb_s[rung.target] * f64::from(rung.memory) / rung.speed;
    let mut others = Vec::new();
    for &family in families {
        if targets[family].is_of_family(&targets[rung.target]) {
            continue;
        }
        let other = able.iter().find(|other| {
            other.memory >= rung.memory && targets[family].is_of_family(&targets[other.target])
        });
        let Some(other) = other else { continue };
        let useless = sites.yard_of[other.target] == sites.yard_of[rung.target]
            && other.speed <= rung.speed
            && other.missed >= rung.missed
            && sites.lost_per_h[other.target] >= sites.lost_per_h[rung.target]
            && usd(other) >= usd(rung);
        let shared = sites.pool.lane_memory.is_some() && other.memory > rung.memory;
        if !useless && !shared && others.len() < CHOICES_MAX {
            others.push(*other);
        }
    }
    others
}
