//! What a benchmark costs: CPU seconds of this process, and its peak memory.

use foreshard_engine::timetable::Budget;
use rustix::time::{ClockId, clock_gettime};

/// CPU seconds of this process so far.
pub fn cpu_s() -> f64 {
    let now = clock_gettime(ClockId::ProcessCPUTime);
    now.tv_sec as f64 + now.tv_nsec as f64 / 1e9
}

/// What something costs in CPU seconds.
pub fn measured<T>(work: impl FnOnce() -> T) -> (T, f64) {
    let before = cpu_s();
    let done = work();
    (done, cpu_s() - before)
}

/// Most memory that was resident at a time, in MiB, by the kernel's count (`VmHWM`); 0 where there is none.
pub fn peak_mib() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .and_then(|rest| rest.split_whitespace().next())
        .and_then(|kib| kib.parse::<f64>().ok());
    (peak.unwrap_or(0.0) / 1024.0 * 10.0).round() / 10.0
}

/// Steps between two looks at the clock: it costs as much as some hundred of them.
const STEPS_A_LOOK: u64 = 50_000;

/// A budget in CPU seconds.
#[derive(Debug)]
pub struct CpuBudget {
    until_s: f64,
    left: u64,
}

impl CpuBudget {
    /// Ends when the process has used so many CPU seconds in all.
    pub fn until(until_s: f64) -> Self {
        Self {
            until_s,
            left: STEPS_A_LOOK,
        }
    }
}

impl Budget for CpuBudget {
    fn allows(&mut self, steps: u64) -> bool {
        if let Some(left) = self.left.checked_sub(steps) {
            self.left = left;
            return true;
        }
        self.left = STEPS_A_LOOK;
        cpu_s() < self.until_s
    }
}
