//! How long a task would take on the target that it would get, or why none can run it.

use std::collections::{BTreeMap, BTreeSet};

use foreshard_model::workflow::{Affinity, FileOutput, Resources, TaskKind};

use crate::place::{Ladder, Needs, Rung, Sites, TASK_MS, TRANSFER_BYTES_PER_MS, UNKNOWN_TASK_MS};
use crate::plan::{WAITING_MIB, WAITING_VCPUS, speed};

/// What is asked of a target.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ask<'a> {
    pub(super) kind: &'a TaskKind,
    pub(super) resources: Resources,
    pub(super) affinity: Option<&'a Affinity>,
    /// Expected processor time on one vCPU, in milliseconds, scaled; `None`: nothing is known.
    pub(super) cpu_ms: Option<f64>,
    /// Bytes of the files that it finds and leaves.
    pub(super) read_bytes: u64,
    pub(super) written_bytes: u64,
}

/// What a target gives.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Fit {
    /// Expected duration, in milliseconds.
    pub(super) ms: f64,
    /// Which requirements it has: those of one class run on the same targets.
    pub(super) class: u32,
    /// Memory of the target, in MiB.
    pub(super) memory: u32,
}

/// Why no target can run a task.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Unfit {
    /// No target has the labels or the GPU.
    NoTarget,
    /// Memory, in MiB: what is asked, and what the largest target has.
    Memory(u32, u32),
    /// No target has the scratch disk.
    Disk,
    /// Expected duration and longest attempt, in milliseconds.
    TooLong(f64, u64),
}

impl std::fmt::Display for Unfit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NoTarget => f.write_str("no target has what it requires"),
            Self::Memory(asked, largest) => {
                write!(
                    f,
                    "it needs {asked} MiB and the largest target has {largest} MiB"
                )
            }
            Self::Disk => f.write_str("no target has the scratch disk that it needs"),
            Self::TooLong(ms, limit_ms) => write!(
                f,
                "it takes {:.0} s and its target stops after {} s",
                ms / 1000.0,
                limit_ms / 1000
            ),
        }
    }
}

/// The targets for each set of requirements met so far.
pub(super) struct Classes<'a> {
    sites: &'a Sites<'a>,
    known: BTreeMap<Needs, u32>,
    ladders: Vec<Ladder>,
}

impl<'a> Classes<'a> {
    pub(super) fn new(sites: &'a Sites<'a>) -> Self {
        Self {
            sites,
            known: BTreeMap::new(),
            ladders: Vec::new(),
        }
    }

    /// Lanes that are free on average on the targets of each class, at least one.
    pub(super) fn free(&self) -> impl Iterator<Item = u32> {
        self.ladders.iter().map(|ladder| {
            let targets = ladder.rungs().iter().map(|rung| rung.target);
            let yards: BTreeSet<u32> = targets
                .chain(ladder.families().iter().copied())
                .map(|target| self.sites.yard_of[target])
                .collect();
            let free = yards
                .iter()
                .map(|&yard| self.sites.yards[yard as usize].mean);
            (free.sum::<f64>() as u32).max(1)
        })
    }

    /// What the smallest target that can run it gives.
    ///
    /// # Errors
    /// No target can.
    pub(super) fn fit(&mut self, ask: &Ask<'_>) -> Result<Fit, Unfit> {
        let class = self.class(ask.affinity, ask.resources.gpu.map(|gpu| gpu.0));
        let ladder = &self.ladders[class as usize];
        let Some(largest) = ladder.rungs().last() else {
            return Err(Unfit::NoTarget);
        };
        let waits = matches!(ask.kind, TaskKind::Http(_) | TaskKind::Lambda { .. });
        let vcpus = if waits {
            WAITING_VCPUS
        } else {
            f64::from(ask.resources.vcpus)
        };
        let memory = ask.resources.memory.0;
        let memory = if waits {
            memory.min(WAITING_MIB)
        } else {
            memory
        };
        let asked = u64::from(ask.resources.disk.0) * 1024 * 1024;
        let disk_bytes = ask.read_bytes.saturating_add(ask.written_bytes).max(asked);
        let Some(rung) = ladder.alone(memory, vcpus, disk_bytes) else {
            return Err(match ladder.alone(memory, vcpus, 0) {
                None => Unfit::Memory(memory, largest.memory),
                Some(_) => Unfit::Disk,
            });
        };
        let cpu_ms = ask.cpu_ms.unwrap_or(UNKNOWN_TASK_MS);
        let at = &ladder.rungs()[rung];
        let moved = ask.written_bytes as f64 / TRANSFER_BYTES_PER_MS;
        let ms = cpu_ms / speed(at.vcpus, vcpus) + TASK_MS + moved;
        let in_time = |on: &Rung| ms / on.speed <= on.limit_ms as f64;
        if !ladder.choices(rung).any(in_time) {
            return Err(Unfit::TooLong(ms / at.speed, at.limit_ms));
        }
        Ok(Fit {
            ms: ms / at.speed + ask.read_bytes as f64 / TRANSFER_BYTES_PER_MS,
            class,
            memory: at.memory,
        })
    }

    fn class(&mut self, affinity: Option<&Affinity>, gpu: Option<u32>) -> u32 {
        let mut needs = Needs {
            gpu,
            ..Needs::default()
        };
        if let Some(wishes) = affinity {
            needs.require = wishes.require.clone();
            needs.prefer = wishes.prefer.clone();
            needs.regions = wishes.residency.clone();
        }
        if let Some(&class) = self.known.get(&needs) {
            return class;
        }
        let ladder = Ladder::new(self.sites, &needs);
        let same = self.ladders.iter().position(|known| *known == ladder);
        let class = same.unwrap_or_else(|| {
            self.ladders.push(ladder);
            self.ladders.len() - 1
        }) as u32;
        self.known.insert(needs, class);
        class
    }
}

/// Bytes of files, those without an expected size left out.
pub(super) fn bytes_of(files: &[FileOutput]) -> u64 {
    let sizes = files.iter().filter_map(|file| file.bytes);
    sizes.fold(0, u64::saturating_add)
}
