//! The memory tiers that a task may use: the targets with its required labels, smallest first.

use std::collections::BTreeMap;

use foreshard_model::target::{Architecture, Pool, Target};

use super::load::TOP_TASKS;

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
}

/// The tiers that fulfil one set of requirements, by ascending memory, one for each memory size.
#[derive(Debug, Clone, PartialEq)]
pub struct Ladder {
    rungs: Vec<Rung>,
}

impl Ladder {
    /// The targets of the pool that carry every label of `require`; of equal memory, the one with most labels of `prefer`.
    ///
    /// `architecture` and `region` count as labels of every target; with `gpu`, only targets whose label `gpu_mib` is as
    /// large count.
    #[must_use]
    pub fn new(
        pool: &Pool,
        require: &BTreeMap<String, String>,
        prefer: &BTreeMap<String, String>,
        gpu: Option<u32>,
    ) -> Self {
        let mut rungs: Vec<(u32, std::cmp::Reverse<usize>, usize)> = pool
            .targets
            .iter()
            .enumerate()
            .filter(|(_, target)| require.iter().all(|label| carries(target, label)))
            .filter(|(_, target)| gpu.is_none_or(|need| gpu_mib(target) >= need))
            .map(|(at, target)| {
                let wishes = prefer
                    .iter()
                    .filter(|label| carries(target, *label))
                    .count();
                (target.memory.0, std::cmp::Reverse(wishes), at)
            })
            .collect();
        rungs.sort_unstable();
        rungs.dedup_by_key(|(memory, _, _)| *memory);
        let rungs = rungs
            .into_iter()
            .map(|(memory, _, at)| {
                let target = &pool.targets[at];
                Rung {
                    target: at,
                    memory,
                    disk_bytes: u64::from(target.disk().0) * 1024 * 1024,
                    limit_ms: target.limit_ms,
                    vcpus: target.vcpus(),
                    threads: target.threads(),
                }
            })
            .collect();
        Self { rungs }
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

fn carries(target: &Target, (name, value): (&String, &String)) -> bool {
    match name.as_str() {
        "architecture" => {
            value
                == match target.architecture {
                    Architecture::Arm64 => "arm64",
                    Architecture::X86_64 => "x86_64",
                }
        }
        "region" => *value == target.region,
        _ => target.labels.get(name) == Some(value),
    }
}

fn gpu_mib(target: &Target) -> u32 {
    let label = target.labels.get("gpu_mib");
    label.and_then(|mib| mib.parse().ok()).unwrap_or(0)
}
