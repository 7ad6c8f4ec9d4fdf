//! Samples the processes of running tasks at fixed intervals: CPU, memory, disk, and the network of the whole environment.

pub(crate) mod metrics;
mod table;

use std::collections::BTreeMap;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use foreshard_model::units::TimeMs;

use self::table::Table;
use crate::process::proc;

/// One sample of one task.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Point {
    /// End of the interval, milliseconds since the epoch.
    pub(crate) at_ms: u64,
    /// CPU over the interval: 100 is one vCPU.
    pub(crate) cpu_percent: f64,
    /// Resident memory at its end.
    pub(crate) resident_kib: f64,
    /// Bytes read from disks, each second.
    pub(crate) disk_read_per_s: f64,
    /// Bytes written to disks, each second.
    pub(crate) disk_written_per_s: f64,
}

/// What was sampled during an attempt.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Sampled {
    /// Samples by task type.
    pub(crate) by_type: BTreeMap<String, Vec<Point>>,
    /// Bytes over the network each second, by the end of the interval.
    pub(crate) network: Vec<(u64, f64)>,
    /// Most memory that worker and tasks held together, in KiB.
    pub(crate) peak_kib: u64,
}

/// Samples until it is dropped. It has a thread of its own, so that a busy worker delays no sample.
pub(crate) struct Sampler {
    shared: Arc<Shared>,
    stop: Sender<()>,
}

struct Shared {
    began: Instant,
    began_at: TimeMs,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    watched: BTreeMap<u32, Watched>,
    sampled: Sampled,
    network_bytes: u64,
    network_at: Duration,
}

/// What is known of one task's processes.
struct Watched {
    task_type: String,
    since: Duration,
    cpu_ticks: u64,
    disk: proc::Disk,
    peak_kib: u64,
    points: u32,
}

/// Keeps a task's processes watched.
pub(crate) struct Watch {
    pid: u32,
    shared: Arc<Shared>,
}

impl Sampler {
    /// Starts sampling; `now` is the time at this moment.
    pub(crate) fn start(every_ms: u64, now: TimeMs) -> Self {
        let shared = Arc::new(Shared {
            began: Instant::now(),
            began_at: now,
            state: Mutex::default(),
        });
        shared.lock().network_bytes = proc::network_bytes();
        let (stop, stopped) = mpsc::channel();
        let every = Duration::from_millis(every_ms.max(1));
        let seen = Arc::clone(&shared);
        let sampling = move || {
            let mut table = Table::default();
            let mut due = every;
            loop {
                let pause = due.saturating_sub(seen.began.elapsed());
                if stopped.recv_timeout(pause) != Err(RecvTimeoutError::Timeout) {
                    return;
                }
                seen.sample(&mut table);
                due = (due + every).max(seen.began.elapsed());
            }
        };
        // Without a thread there are no samples; the tasks run all the same.
        let _started = std::thread::Builder::new()
            .name("sampler".to_owned())
            .spawn(sampling);
        Self { shared, stop }
    }

    /// Watches a task's process and its descendants until the answer is dropped.
    pub(crate) fn watch(&self, pid: u32, task_type: &str) -> Watch {
        let watched = Watched {
            task_type: task_type.to_owned(),
            since: self.shared.began.elapsed(),
            cpu_ticks: 0,
            disk: proc::Disk::default(),
            peak_kib: 0,
            points: 0,
        };
        self.shared.lock().watched.insert(pid, watched);
        Watch {
            pid,
            shared: Arc::clone(&self.shared),
        }
    }

    /// What was sampled since this was last asked.
    pub(crate) fn sampled(&self) -> Sampled {
        std::mem::take(&mut self.shared.lock().sampled)
    }
}

impl Drop for Sampler {
    fn drop(&mut self) {
        // Nobody waits for the thread: it holds nothing but its own memory.
        let _ended_already = self.stop.send(());
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn at(&self, elapsed: Duration) -> u64 {
        self.began_at.0 + u64::try_from(elapsed.as_millis()).unwrap_or_default()
    }

    fn sample(&self, table: &mut Table) {
        let leaders: Vec<u32> = self.lock().watched.keys().copied().collect();
        let used = table.read(&leaders);
        let network_bytes = proc::network_bytes();
        let own_kib = table::resident_kib(std::process::id());
        let elapsed = self.began.elapsed();
        let at_ms = self.at(elapsed);
        let mut state = self.lock();
        let mut together_kib = own_kib;
        for (pid, used) in used {
            let State {
                watched, sampled, ..
            } = &mut *state;
            let Some(watched) = watched.get_mut(&pid) else {
                continue; // it ended while the table was read
            };
            let point = watched.next(elapsed, at_ms, &used);
            together_kib += used.resident_kib;
            sampled
                .by_type
                .entry(watched.task_type.clone())
                .or_default()
                .push(point);
        }
        let seconds = (elapsed - state.network_at.min(elapsed))
            .as_secs_f64()
            .max(0.001);
        let moved = network_bytes.saturating_sub(state.network_bytes) as f64;
        (state.network_bytes, state.network_at) = (network_bytes, elapsed);
        state.sampled.network.push((at_ms, moved / seconds));
        state.sampled.peak_kib = state.sampled.peak_kib.max(together_kib);
    }
}

impl Watched {
    fn next(&mut self, elapsed: Duration, at_ms: u64, used: &table::Used) -> Point {
        let seconds = (elapsed.saturating_sub(self.since))
            .as_secs_f64()
            .max(0.001);
        // What left the group with a process that nobody waited for is not lost a second time.
        let ticks = used.cpu_ticks.max(self.cpu_ticks);
        let per_s = |now: u64, before: u64| now.saturating_sub(before) as f64 / seconds;
        let point = Point {
            at_ms,
            cpu_percent: per_s(ticks, self.cpu_ticks) / table::ticks_per_s() * 100.0,
            resident_kib: used.resident_kib as f64,
            disk_read_per_s: per_s(used.disk.read_bytes, self.disk.read_bytes),
            disk_written_per_s: per_s(used.disk.written_bytes, self.disk.written_bytes),
        };
        (self.since, self.cpu_ticks, self.disk) = (elapsed, ticks, used.disk);
        self.peak_kib = self.peak_kib.max(used.peak_kib).max(used.resident_kib);
        self.points += 1;
        point
    }
}

impl Watch {
    /// The task's process has ended. A task too short for a sample gets one that covers all of it. Gives its peak of
    /// resident memory, in KiB: what the kernel says, unless that may be the worker's own, then what was sampled.
    pub(crate) fn ended(self, cpu_ms: u64, kernel_peak_kib: u64) -> u64 {
        let own_kib = proc::peak_kib(std::process::id());
        let elapsed = self.shared.began.elapsed();
        let at_ms = self.shared.at(elapsed);
        let mut state = self.shared.lock();
        let Some(watched) = state.watched.remove(&self.pid) else {
            return kernel_peak_kib;
        };
        let peak_kib = if kernel_peak_kib > own_kib || watched.peak_kib == 0 {
            watched.peak_kib.max(kernel_peak_kib)
        } else {
            watched.peak_kib
        };
        if watched.points == 0 {
            let took_ms = (elapsed.saturating_sub(watched.since)).as_secs_f64() * 1_000.0;
            let point = Point {
                at_ms,
                cpu_percent: cpu_ms as f64 / took_ms.max(1.0) * 100.0,
                resident_kib: peak_kib as f64,
                ..Point::default()
            };
            state
                .sampled
                .by_type
                .entry(watched.task_type)
                .or_default()
                .push(point);
        }
        state.sampled.peak_kib = state.sampled.peak_kib.max(own_kib + peak_kib);
        peak_kib
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.shared.lock().watched.remove(&self.pid);
    }
}
