//! Processes by identity: a pid alone may have been given to somebody else, so its start goes with it.

use std::process::Command;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use serde::{Deserialize, Serialize};

/// How long a process may take to end by itself.
const GRACE: Duration = Duration::from_secs(10);

/// How often a condition is looked at while waiting.
const LOOK_EVERY: Duration = Duration::from_millis(25);

/// A process: its pid, and when it started as the system tells it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Process {
    /// Process id; also the id of its process group.
    pub pid: u32,
    /// Start as the system tells it, opaque.
    pub started: String,
}

impl Process {
    /// The process with this pid as it is now; `None` when there is none.
    #[must_use]
    pub fn of(pid: u32) -> Option<Self> {
        started(pid).map(|started| Self { pid, started })
    }

    /// Whether this very process still runs.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        started(self.pid).is_some_and(|now| now == self.started)
    }

    /// Ends it: asks first, then kills its whole group. Gives whether it had been alive.
    pub fn stop(&self) -> bool {
        if !self.is_alive() {
            return false;
        }
        let Some(pid) = i32::try_from(self.pid).ok().and_then(Pid::from_raw) else {
            return false;
        };
        let _ = kill_process(pid, Signal::TERM);
        if !wait_until(GRACE, || !self.is_alive()) {
            let _ = kill_process_group(pid, Signal::KILL);
            wait_until(GRACE, || !self.is_alive());
        }
        true
    }
}

/// Waits until `condition` holds; false when it did not within `limit`.
pub fn wait_until(limit: Duration, condition: impl Fn() -> bool) -> bool {
    let end = Instant::now() + limit;
    loop {
        if condition() {
            return true;
        }
        if Instant::now() >= end {
            return false;
        }
        std::thread::park_timeout(LOOK_EVERY);
    }
}

/// When the process started: field 22 of `/proc/<pid>/stat`, or what `ps` says. A zombie counts as ended.
fn started(pid: u32) -> Option<String> {
    if let Ok(stat) = std::fs::read_to_string(format!("/proc/{pid}/stat")) {
        let after_name = stat.rsplit_once(") ")?.1;
        let fields: Vec<&str> = after_name.split(' ').collect();
        let is_gone = matches!(fields.first(), Some(&("Z" | "X")));
        return if is_gone {
            None
        } else {
            fields.get(19).map(|f| (*f).to_owned())
        };
    }
    if std::path::Path::new("/proc/self/stat").exists() {
        return None;
    }
    let answer = Command::new("ps")
        .args(["-o", "lstart=", "-p", &pid.to_string()])
        .output()
        .ok()?;
    let text = String::from_utf8_lossy(&answer.stdout).trim().to_owned();
    (!text.is_empty()).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_known_by_pid_and_start() {
        let me = Process::of(std::process::id()).expect("this process runs");
        assert!(me.is_alive());
        let other = Process {
            started: "0".to_owned(),
            ..me
        };
        assert!(
            !other.is_alive(),
            "the same pid with another start is somebody else"
        );
        assert!(!other.stop(), "and is left alone");
    }

    #[test]
    fn a_stopped_process_is_gone() {
        let mut child = Command::new("sleep")
            .arg("60")
            .spawn()
            .expect("sleep starts");
        let process = Process::of(child.id()).expect("it runs");
        assert!(process.stop());
        assert!(!process.is_alive());
        child.wait().expect("it is reaped");
    }
}
