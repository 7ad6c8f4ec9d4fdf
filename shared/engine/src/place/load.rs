//! What a task, and a set of tasks, asks of the target that runs it.

use super::{Ladder, Rung};

/// How much longer than estimated a shard may take and still end within its target's limit.
///
/// A shard that is longer yields and goes on in another attempt: this margin keeps that rare, it is not what keeps it safe.
pub const TIME_MARGIN: f64 = 1.5;

/// Share of its target's scratch disk that a shard may fill: sizes are estimates.
pub const DISK_SHARE: f64 = 0.8;

/// Time that a shard costs beside its tasks, in milliseconds: dispatch before it, and the states around it.
///
/// Two Lambda states of a Standard execution take 50 to 100 ms each; on a laptop the pair was measured at 100 to 150 ms.
pub const SHARD_MS: f64 = 150.0;

/// Time that a task costs beside its work, in milliseconds: starting its process, and storing its output.
pub const TASK_MS: f64 = 5.0;

/// Assumed duration of a task of which nothing is known, in milliseconds.
pub const UNKNOWN_TASK_MS: f64 = 1_000.0;

/// Bytes between a worker and the object store in a millisecond: 75 MB/s, the bandwidth of a Lambda environment.
pub const TRANSFER_BYTES_PER_MS: f64 = 75_000.0;

/// Largest tasks of a shard that are remembered: more than the threads of the largest Lambda tier (5).
pub const TOP_TASKS: usize = 6;

/// One task as the planner sees it, scaled.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Load {
    /// Expected duration on its own tier at speed 1, in milliseconds, outputs stored.
    pub ms: f64,
    /// Expected processor time, in milliseconds on one vCPU.
    pub cpu_ms: f64,
    /// Peak memory of the task alone, in MiB.
    pub memory: u32,
    /// The smallest tier that holds it: a position in the ladder of its class.
    pub rung: usize,
    /// Which requirements it has: a position in the table of ladders.
    pub class: u32,
    /// Scratch disk, in bytes: what it asked for, or the files that it finds and leaves. Gone with the task.
    pub disk_bytes: u64,
    /// Objects that it leaves in the store.
    pub objects: u32,
    /// Higher runs earlier.
    pub priority: i32,
    /// Must run in a shard of its own.
    pub alone: bool,
    /// Nothing that follows it may be in its shard.
    pub ends: bool,
}

/// A convex set of tasks on one target.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Profile {
    /// Number of tasks.
    pub tasks: u32,
    /// Tasks on the longest path within.
    pub depth: u32,
    /// Sum of the durations, in milliseconds.
    pub work_ms: f64,
    /// Sum of the processor times, in milliseconds.
    pub cpu_ms: f64,
    /// Longest path within, in milliseconds.
    pub chain_ms: f64,
    /// What only one thread can do, in milliseconds: the longest path, or what the order of the tasks comes to where that is
    /// known.
    pub serial_ms: f64,
    /// The largest tasks, descending, in MiB.
    pub top: [u32; TOP_TASKS],
    /// Tier: a position in the ladder of the class.
    pub rung: usize,
    /// Position in the table of ladders.
    pub class: u32,
    /// The largest scratch disk of a task, in bytes.
    pub scratch_bytes: u64,
    /// Objects left in the store.
    pub objects: u32,
    /// Whether it must stay alone.
    pub alone: bool,
    /// Whether nothing more may follow in it.
    pub ends: bool,
}

impl Profile {
    /// The set of one task.
    #[must_use]
    pub fn of(load: &Load) -> Self {
        let mut top = [0; TOP_TASKS];
        top[0] = load.memory;
        Self {
            tasks: 1,
            depth: 1,
            work_ms: load.ms,
            cpu_ms: load.cpu_ms,
            chain_ms: load.ms,
            serial_ms: load.ms,
            top,
            rung: load.rung,
            class: load.class,
            scratch_bytes: load.disk_bytes,
            objects: load.objects,
            alone: load.alone,
            ends: load.ends,
        }
    }

    /// Both sets together, the second starting behind `depth` tasks and `chain_ms` of the first; the tier is the larger one,
    /// which may not be enough yet.
    #[must_use]
    pub fn joined(&self, other: &Self, depth: u32, chain_ms: f64) -> Self {
        let chain_ms = self.chain_ms.max(chain_ms + other.chain_ms);
        Self {
            tasks: self.tasks + other.tasks,
            depth: self.depth.max(depth + other.depth),
            work_ms: self.work_ms + other.work_ms,
            cpu_ms: self.cpu_ms + other.cpu_ms,
            chain_ms,
            serial_ms: chain_ms,
            top: merge_top(&self.top, &other.top),
            rung: self.rung.max(other.rung),
            class: self.class,
            scratch_bytes: self.scratch_bytes.max(other.scratch_bytes),
            objects: self.objects + other.objects,
            alone: self.alone || other.alone,
            ends: self.ends || other.ends,
        }
    }

    /// At most so many of the tasks are independent of each other: an antichain has one task of the longest path.
    #[must_use]
    pub fn width(&self) -> u32 {
        self.tasks - self.depth.min(self.tasks) + 1
    }

    /// Bytes on the scratch disk at most: the scratch of the tasks that run at once.
    #[must_use]
    pub fn disk_bytes(&self, ladder: &Ladder) -> u64 {
        let threads = ladder.rungs().get(self.rung).map_or(1, |r| r.threads);
        let at_once = u64::from(threads.min(self.width()));
        self.scratch_bytes.saturating_mul(at_once)
    }

    /// Expected duration on its tier, in milliseconds: an upper bound for any order of the tasks on the threads, or what
    /// their order gives where that is known ([`Profile::packed`]).
    ///
    /// R. L. Graham, "Bounds on multiprocessing timing anomalies", SIAM J. Appl. Math. 17 (1969), 416.
    #[must_use]
    pub fn ms(&self, ladder: &Ladder) -> f64 {
        match ladder.rungs().get(self.rung) {
            Some(rung) => self.ms_on(rung),
            None => self.work_ms,
        }
    }

    /// Expected duration on a tier, in milliseconds: see [`Profile::ms`].
    #[must_use]
    pub fn ms_on(&self, rung: &Rung) -> f64 {
        let threads = f64::from(rung.threads.max(1));
        let in_parallel = self.serial_ms + (self.work_ms - self.serial_ms).max(0.0) / threads;
        let least = self.chain_ms.max(self.cpu_ms / rung.vcpus.max(1.0));
        in_parallel.max(least) / rung.speed
    }

    /// The same set, known to take so long on so many threads: what one thread alone must have done for that, by the formula
    /// of the bound.
    #[must_use]
    pub fn packed(&self, threads: u32, takes_ms: f64) -> Self {
        if threads < 2 {
            return *self;
        }
        let threads = f64::from(threads);
        let serial_ms = (takes_ms * threads - self.work_ms) / (threads - 1.0);
        Self {
            serial_ms: serial_ms.clamp(0.0, self.work_ms),
            ..*self
        }
    }

    /// Gigabyte-seconds on its tier.
    #[must_use]
    pub fn gb_s(&self, ladder: &Ladder) -> f64 {
        self.memory_gb(ladder) * self.ms(ladder) / 1000.0
    }

    /// Gigabytes of its tier's scratch disk that are charged for.
    #[must_use]
    pub fn disk_gb(&self, ladder: &Ladder) -> f64 {
        let disk = ladder.rungs().get(self.rung).map_or(0, |r| r.disk_bytes);
        charged_gb(disk)
    }

    /// Gigabytes of its tier, as they are billed.
    #[must_use]
    pub fn memory_gb(&self, ladder: &Ladder) -> f64 {
        let memory = ladder.rungs().get(self.rung).map_or(0, |r| r.memory);
        f64::from(memory) / 1024.0
    }
}

/// Scratch disk that costs nothing, in bytes. Source: Lambda pricing, "Ephemeral Storage".
const FREE_DISK_BYTES: u64 = 512 * 1024 * 1024;
/// Bytes of a gigabyte, as Lambda bills them.
const GB: f64 = 1024.0 * 1024.0 * 1024.0;

/// Gigabytes of a scratch disk that are charged for.
#[must_use]
pub fn charged_gb(disk_bytes: u64) -> f64 {
    disk_bytes.saturating_sub(FREE_DISK_BYTES) as f64 / GB
}

fn merge_top(one: &[u32; TOP_TASKS], other: &[u32; TOP_TASKS]) -> [u32; TOP_TASKS] {
    let (mut a, mut b) = (0, 0);
    std::array::from_fn(|_| {
        if one[a] >= other[b] {
            a += 1;
            one[a - 1]
        } else {
            b += 1;
            other[b - 1]
        }
    })
}
