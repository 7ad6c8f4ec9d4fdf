//! Adds up what the processes of each task use; reads as little of the process table as it can.

use std::collections::{BTreeMap, HashMap};

use crate::process::proc::{self, Disk};

/// Reads after which everything is looked at anew: an id may have been given to another process meanwhile.
const READS_BETWEEN_FULL: u32 = 20;

/// What the processes of one task use.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Used {
    pub(super) cpu_ticks: u64,
    pub(super) resident_kib: u64,
    /// Largest peak of one of them.
    pub(super) peak_kib: u64,
    pub(super) disk: Disk,
}

/// Which task each process belongs to: `None` for those that are nobody's.
#[derive(Default)]
pub(super) struct Table {
    task_of: HashMap<u32, Option<u32>>,
    reads: u32,
}

impl Table {
    /// What the tasks with these leaders use. A process belongs to the task whose session it is in, or whose process
    /// started it.
    pub(super) fn read(&mut self, leaders: &[u32]) -> BTreeMap<u32, Used> {
        let mut used: BTreeMap<u32, Used> = BTreeMap::new();
        if leaders.is_empty() {
            self.task_of.clear();
            return used;
        }
        self.reads += 1;
        if self.reads.is_multiple_of(READS_BETWEEN_FULL) {
            self.task_of.clear();
        }
        let mut pids = proc::pids();
        pids.sort_unstable(); // parents mostly come first
        let mut task_of = HashMap::with_capacity(pids.len());
        for pid in pids {
            let known = self.task_of.get(&pid).copied();
            // A leader was nobody's until it was watched, and a task's process may have ended with its task.
            let stale = leaders.contains(&pid)
                || known.flatten().is_some_and(|task| !leaders.contains(&task));
            let Some(task) = known.filter(|_| !stale) else {
                let task = find_task(pid, leaders, &task_of, &mut used);
                task_of.insert(pid, task);
                continue;
            };
            task_of.insert(pid, task);
            if let Some(task) = task {
                add(pid, task, &mut used);
            }
        }
        self.task_of = task_of;
        used
    }
}

fn find_task(
    pid: u32,
    leaders: &[u32],
    task_of: &HashMap<u32, Option<u32>>,
    used: &mut BTreeMap<u32, Used>,
) -> Option<u32> {
    let stat = proc::stat(pid)?;
    let task = if leaders.contains(&stat.pid) {
        stat.pid
    } else if leaders.contains(&stat.session) {
        stat.session
    } else {
        task_of.get(&stat.parent).copied().flatten()?
    };
    add(pid, task, used);
    Some(task)
}

fn add(pid: u32, task: u32, used: &mut BTreeMap<u32, Used>) {
    let Some(stat) = proc::stat(pid) else { return };
    let sum = used.entry(task).or_default();
    sum.cpu_ticks += stat.cpu_ticks;
    sum.resident_kib += stat.resident_pages * page_kib();
    sum.peak_kib = sum.peak_kib.max(proc::peak_kib(pid));
    let disk = proc::disk(pid);
    sum.disk.read_bytes += disk.read_bytes;
    sum.disk.written_bytes += disk.written_bytes;
}

fn page_kib() -> u64 {
    rustix::param::page_size() as u64 / 1024
}

/// Clock ticks in a second, the unit of the process table.
pub(super) fn ticks_per_s() -> f64 {
    rustix::param::clock_ticks_per_second() as f64
}

/// Resident memory of one process.
pub(super) fn resident_kib(pid: u32) -> u64 {
    proc::stat(pid).map_or(0, |stat| stat.resident_pages * page_kib())
}
