//! The processes of tasks: which ones live, and how to end each with everything that it started.

use std::collections::BTreeSet;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, WaitOptions};
use tokio::sync::Notify;

use super::proc;

/// Passes over the process table until nothing is left: one pass may miss what a dying process has just started.
const SWEEPS: u32 = 20;

/// Longest pause between two passes. What was killed goes when it is next given a processor: on a busy machine that takes
/// longer than twenty passes without a pause.
const PAUSE_MAX: Duration = Duration::from_millis(100);

/// The living processes of tasks.
#[derive(Default)]
pub(crate) struct Children {
    living: Mutex<BTreeSet<u32>>,
    changed: Notify,
}

/// One task's process, the leader of its session. Dropped while it lives, it is killed.
#[derive(Clone)]
pub(crate) struct Session(Arc<Leader>);

struct Leader {
    pid: u32,
    /// Set when the id may belong to somebody else.
    collected: Mutex<bool>,
    children: Arc<Children>,
}

impl Children {
    fn lock(&self) -> MutexGuard<'_, BTreeSet<u32>> {
        self.living.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes note of a process that was just started.
    pub(crate) fn add(self: &Arc<Self>, pid: u32) -> Killer {
        self.lock().insert(pid);
        Killer(Session(Arc::new(Leader {
            pid,
            collected: Mutex::new(false),
            children: Arc::clone(self),
        })))
    }

    /// Waits until no process of a task lives.
    pub(crate) async fn none_left(&self) {
        loop {
            let changed = self.changed.notified();
            if self.lock().is_empty() {
                return;
            }
            changed.await;
        }
    }

    /// Ends every descendant of this process that is no task's living process: what left its session to outlive its
    /// task. Only for a process that has no other children. False when something would not go.
    pub(crate) async fn sweep(&self) -> bool {
        for pass in 0..SWEEPS {
            tokio::time::sleep(pause_before(pass)).await;
            if has_no_children() {
                return true;
            }
            let living = self.lock().clone();
            let strays: Vec<_> = proc::descendants(std::process::id())
                .into_iter()
                .filter(|stat| !living.contains(&stat.session) && !living.contains(&stat.pid))
                .collect();
            if strays.is_empty() {
                return true;
            }
            for stray in strays {
                let Some(pid) = pid_of(stray.pid) else {
                    continue;
                };
                let _gone = rustix::process::kill_process(pid, Signal::KILL);
                let _not_mine = rustix::process::waitpid(Some(pid), WaitOptions::NOHANG);
            }
        }
        false
    }
}

/// None before the first pass, then a millisecond, doubled each time: about a second and a half in all.
fn pause_before(pass: u32) -> Duration {
    match pass.checked_sub(1) {
        None => Duration::ZERO,
        Some(doublings) => Duration::from_millis(1 << doublings.min(10)).min(PAUSE_MAX),
    }
}

/// Asks the kernel, which is a thousand times cheaper than reading the process table. What was left behind is a child
/// of this process, because it collects orphans.
fn has_no_children() -> bool {
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
    matches!(
        rustix::process::waitid(WaitId::All, options),
        Err(rustix::io::Errno::CHILD)
    )
}

fn pid_of(pid: u32) -> Option<Pid> {
    Pid::from_raw(i32::try_from(pid).ok()?)
}

/// Kills the session when it goes out of scope.
pub(crate) struct Killer(Session);

impl std::ops::Deref for Killer {
    type Target = Session;

    fn deref(&self) -> &Session {
        &self.0
    }
}

impl Drop for Killer {
    fn drop(&mut self) {
        self.0.kill();
    }
}

impl Session {
    /// Kills the process and its session, unless it was collected already.
    pub(crate) fn kill(&self) {
        let collected = self
            .0
            .collected
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if !*collected {
            self.kill_all();
        }
    }

    fn kill_all(&self) {
        if let Some(pid) = pid_of(self.0.pid) {
            // The group does not exist before the process has made its session.
            let _no_session_yet = rustix::process::kill_process_group(pid, Signal::KILL);
            let _ended = rustix::process::kill_process(pid, Signal::KILL);
        }
    }

    /// Waits until the process has ended, without collecting it: its id stays its own.
    pub(crate) fn await_end(&self) {
        let Some(pid) = pid_of(self.0.pid) else {
            return;
        };
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
        while let Err(rustix::io::Errno::INTR) = rustix::process::waitid(WaitId::Pid(pid), options)
        {
        }
    }

    /// Kills what is left of the session and collects the process.
    pub(crate) fn end<T>(&self, collect: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        let mut collected = self
            .0
            .collected
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        self.kill_all();
        let result = collect();
        *collected = true;
        self.0.children.lock().remove(&self.0.pid);
        self.0.children.changed.notify_waiters();
        result
    }
}
