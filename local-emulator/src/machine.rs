//! What the laptop can carry: how many lanes, and how much memory they share.

/// The machine's size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Machine {
    /// Cores that this process may use.
    pub cores: u32,
    /// Memory in MiB.
    pub memory_mib: u32,
}

/// Memory assumed where the system does not tell it, in MiB.
const MEMORY_UNKNOWN_MIB: u32 = 8 * 1024;

impl Machine {
    /// This machine.
    #[must_use]
    pub fn here() -> Self {
        let cores =
            std::thread::available_parallelism().map_or(1, |n| u32::try_from(n.get()).unwrap_or(1));
        let text = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
        Self {
            cores,
            memory_mib: total_memory_mib(&text).unwrap_or(MEMORY_UNKNOWN_MIB),
        }
    }

    /// Most lanes at once: two for each core, so that one computes while another talks to the control plane.
    #[must_use]
    pub fn lanes_max(self) -> u32 {
        (2 * self.cores).max(1)
    }

    /// Memory that all lanes share: half of the machine's; the planner divides it by the peak of a shard.
    #[must_use]
    pub fn lane_memory_mib(self) -> u32 {
        self.memory_mib / 2
    }
}

/// `MemTotal` of `/proc/meminfo`.
fn total_memory_mib(meminfo: &str) -> Option<u32> {
    let line = meminfo.lines().find(|l| l.starts_with("MemTotal:"))?;
    let kib: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    u32::try_from(kib / 1024).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_two_core_laptop_runs_four_lanes_in_half_its_memory() {
        let machine = Machine {
            cores: 2,
            memory_mib: 24 * 1024,
        };
        assert_eq!(
            (machine.lanes_max(), machine.lane_memory_mib()),
            (4, 12 * 1024)
        );
    }

    #[test]
    fn memory_is_read_from_meminfo() {
        assert_eq!(
            total_memory_mib("MemTotal:       24576000 kB\nMemFree: 1 kB\n"),
            Some(24_000)
        );
        assert_eq!(total_memory_mib("nothing"), None);
    }
}
