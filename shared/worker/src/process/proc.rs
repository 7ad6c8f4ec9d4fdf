//! Reads the kernel's process table: who descends from whom, and what each uses.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

/// One line of the table, `/proc/<pid>/stat`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stat {
    pub(crate) pid: u32,
    pub(crate) parent: u32,
    pub(crate) session: u32,
    /// CPU time of it and of the children that it waited for, in clock ticks.
    pub(crate) cpu_ticks: u64,
    /// Resident memory, in pages.
    pub(crate) resident_pages: u64,
    /// It has ended, and its parent has not collected it.
    pub(crate) zombie: bool,
}

/// Bytes that a process moved to and from disks, `/proc/<pid>/io`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Disk {
    pub(crate) read_bytes: u64,
    pub(crate) written_bytes: u64,
}

/// Reads a line of `/proc/<pid>/stat`. The name may hold spaces and brackets, so what follows its last bracket counts.
pub(crate) fn parse_stat(text: &str) -> Option<Stat> {
    let pid = text.split_whitespace().next()?.parse().ok()?;
    let fields: Vec<&str> = text[text.rfind(')')? + 1..].split_whitespace().collect();
    let number = |index: usize| fields.get(index)?.parse::<u64>().ok();
    Some(Stat {
        pid,
        parent: u32::try_from(number(1)?).ok()?,
        session: u32::try_from(number(3)?).ok()?,
        cpu_ticks: number(11)? + number(12)? + number(13)? + number(14)?,
        resident_pages: number(21)?,
        zombie: matches!(fields.first(), Some(&("Z" | "X"))),
    })
}

/// Reads `/proc/<pid>/io`.
pub(crate) fn parse_io(text: &str) -> Disk {
    let field = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name))?;
        line.trim().parse().ok()
    };
    Disk {
        read_bytes: field("read_bytes:").unwrap_or_default(),
        written_bytes: field("write_bytes:").unwrap_or_default(),
    }
}

/// Reads the peak of resident memory in KiB out of `/proc/<pid>/status`.
pub(crate) fn parse_peak_kib(text: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}

/// Sums `/proc/net/dev` over all interfaces but the loopback, both directions.
pub(crate) fn parse_network_bytes(text: &str) -> u64 {
    let interfaces = text.lines().filter_map(|line| line.split_once(':'));
    interfaces
        .filter(|(name, _)| name.trim() != "lo")
        .map(|(_, counters)| {
            let counters: Vec<u64> = counters
                .split_whitespace()
                .map_while(|n| n.parse().ok())
                .collect();
            counters.first().copied().unwrap_or_default()
                + counters.get(8).copied().unwrap_or_default()
        })
        .sum()
}

pub(crate) fn stat(pid: u32) -> Option<Stat> {
    parse_stat(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
}

pub(crate) fn disk(pid: u32) -> Disk {
    fs::read_to_string(format!("/proc/{pid}/io"))
        .map(|text| parse_io(&text))
        .unwrap_or_default()
}

pub(crate) fn peak_kib(pid: u32) -> u64 {
    let text = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    parse_peak_kib(&text).unwrap_or_default()
}

pub(crate) fn network_bytes() -> u64 {
    let text = fs::read_to_string("/proc/self/net/dev").unwrap_or_default();
    parse_network_bytes(&text)
}

/// Every process id.
pub(crate) fn pids() -> Vec<u32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .collect()
}

/// Every process below `root`, itself not among them.
pub(crate) fn descendants(root: u32) -> Vec<Stat> {
    below(root, pids().into_iter().filter_map(stat))
}

fn below(root: u32, table: impl Iterator<Item = Stat>) -> Vec<Stat> {
    let mut children: BTreeMap<u32, Vec<Stat>> = BTreeMap::new();
    for stat in table {
        children.entry(stat.parent).or_default().push(stat);
    }
    let (mut found, mut next, mut seen) = (Vec::new(), vec![root], BTreeSet::from([root]));
    while let Some(parent) = next.pop() {
        for stat in children.remove(&parent).unwrap_or_default() {
            if seen.insert(stat.pid) {
                next.push(stat.pid);
                found.push(stat);
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_the_table_is_read_whatever_the_name_is() {
        let text = "42 (a ) b) S 7 42 41 0 -1 4194304 180 0 0 0 11 5 2 3 20 0 1 0 88000 9000 321 18446744073709551615 1 1";
        let expected = Stat {
            pid: 42,
            parent: 7,
            session: 41,
            cpu_ticks: 21,
            resident_pages: 321,
            zombie: false,
        };
        assert_eq!(parse_stat(text), Some(expected));
        assert_eq!(parse_stat("42 (x"), None);
    }

    #[test]
    fn counters_are_read() {
        let io = "rchar: 9\nwchar: 9\nsyscr: 1\nsyscw: 1\nread_bytes: 4096\nwrite_bytes: 8192\ncancelled_write_bytes: 0\n";
        assert_eq!(
            parse_io(io),
            Disk {
                read_bytes: 4096,
                written_bytes: 8192
            }
        );
        assert_eq!(
            parse_peak_kib("VmPeak:\t 9 kB\nVmHWM:\t    1234 kB\n"),
            Some(1234)
        );
        let network = "Inter-|   Receive |  Transmit\n face |bytes packets\n    lo: 5 1 0 0 0 0 0 0 5 1\n  eth0: 100 1 0 0 0 0 0 0 23 1\n";
        assert_eq!(parse_network_bytes(network), 123);
    }

    #[test]
    fn descendants_are_found_at_any_depth() {
        let stat = |pid, parent| Stat {
            pid,
            parent,
            session: pid,
            cpu_ticks: 0,
            resident_pages: 0,
            zombie: false,
        };
        let table = [
            stat(1, 0),
            stat(2, 1),
            stat(3, 2),
            stat(4, 1),
            stat(5, 4),
            stat(6, 5),
        ];
        let found: Vec<_> = below(4, table.into_iter()).iter().map(|s| s.pid).collect();
        assert_eq!(found, [5, 6]);
    }

    #[test]
    fn this_process_is_in_the_table() {
        let me = stat(std::process::id()).unwrap();
        assert!(me.resident_pages > 0 && !me.zombie);
    }
}
