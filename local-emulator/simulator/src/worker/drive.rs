//! Drives the tasks of an attempt through virtual time: those that run share the vCPUs, transfers share the bandwidth.

use std::collections::{BTreeMap, BTreeSet};

use foreshard_engine::execute::{
    CHECKPOINT_MS, Capacity, Demand, Pace, TaskState, margin_ms, startable,
};
use foreshard_engine::place::{TASK_MS, TRANSFER_BYTES_PER_MS, WORKER_MIB};
use foreshard_model::claim::Claim;
use foreshard_model::frontier::Checkpoint;
use foreshard_model::ids::Sha256Hex;
use foreshard_model::message::{Cause, Failure};
use foreshard_model::output::{
    LocatedFileSource, Manifest, OutputValue, ShardTask, TaskOutput, TaskUsage,
};
use foreshard_model::units::{Mib, TimeMs};
use foreshard_model::workflow::{Effect, TaskKind};
use foreshard_stages::ports::{AttemptWrites as _, BlobWrites as _};
use serde_json::json;

use super::{Attempt, failure, task_ms};
use crate::parameters::{GET_MS, PUT_MS};

/// How the tasks of an attempt came to their end.
pub(super) enum End {
    Done,
    Yielded,
    Failed(Failure),
    Fenced,
}

/// A task that runs.
struct Active {
    position: usize,
    started: TimeMs,
    /// Until its files are there and its process runs, in milliseconds.
    waits_ms: f64,
    /// Processor time left, in milliseconds on one vCPU.
    left_ms: f64,
    cpu_ms: f64,
    vcpus: f64,
    memory_mib: u32,
    read_bytes: u64,
}

pub(super) struct Drive<'a> {
    attempt: &'a Attempt<'a>,
    tasks: &'a [ShardTask],
    demands: Vec<Demand>,
    states: Vec<TaskState>,
    active: Vec<Active>,
    pace: Pace,
    yields_at: TimeMs,
    /// When the last transfer that was begun will have ended.
    link_free: f64,
    /// Files that were fetched already.
    fetched: BTreeSet<(u32, String)>,
    checkpointed: TimeMs,
    once_open: bool,
    last: Option<Claim>,
    pub(super) manifest: Manifest,
    pub(super) finished: u32,
    pub(super) cpu_ms: f64,
    pub(super) peak_mib: u32,
}

impl<'a> Drive<'a> {
    pub(super) fn new(
        attempt: &'a Attempt<'a>,
        tasks: &'a [ShardTask],
        manifest: Manifest,
        begun: TimeMs,
    ) -> Self {
        let state = |task: &ShardTask| match manifest.tasks.contains_key(&task.id) {
            true => TaskState::Finished,
            false => TaskState::Waiting,
        };
        let left_ms = attempt
            .request
            .deadline
            .since(begun)
            .min(attempt.target.limit_ms);
        Self {
            attempt,
            tasks,
            demands: tasks.iter().map(Demand::of).collect(),
            states: tasks.iter().map(state).collect(),
            active: Vec::new(),
            pace: Pace::default(),
            yields_at: begun.plus(left_ms - margin_ms(left_ms)),
            link_free: 0.0,
            fetched: BTreeSet::new(),
            checkpointed: attempt.worker.cloud.timeline.now(),
            once_open: false,
            last: attempt.request.progress.clone(),
            manifest,
            finished: 0,
            cpu_ms: 0.0,
            peak_mib: 0,
        }
    }

    fn now(&self) -> TimeMs {
        self.attempt.worker.cloud.timeline.now()
    }

    /// Runs the tasks that are open until they have finished, or something stops the attempt. The error is how it died.
    pub(super) async fn run(&mut self) -> Result<End, String> {
        loop {
            let ready = self.begin_ready().await?;
            if self.active.is_empty() {
                let end = match ready {
                    Begun::Fenced => End::Fenced,
                    Begun::NoTime => End::Yielded,
                    Begun::All => End::Done,
                };
                self.uploads_end().await;
                return Ok(end);
            }
            let step_ms = self.next_ms();
            let left_ms = self.yields_at.since(self.now());
            if step_ms > left_ms {
                self.attempt.worker.cloud.timeline.sleep(left_ms).await;
                return Ok(self.out_of_time());
            }
            self.attempt.worker.cloud.timeline.sleep(step_ms).await;
            self.advance(step_ms as f64);
            if !self.take_ended().await {
                return Ok(End::Fenced);
            }
        }
    }

    async fn begin_ready(&mut self) -> Result<Begun, String> {
        let target = self.attempt.target;
        let capacity = Capacity {
            vcpus: target.threads(),
            memory: Mib(target.memory.0.saturating_sub(WORKER_MIB)),
        };
        let ready = startable(&self.demands, &self.states, capacity);
        let waiting = !ready.is_empty();
        for position in ready {
            let task = &self.tasks[position];
            let first = self.finished == 0 && self.active.is_empty();
            if !first && self.pace.expected_ms(task) > self.yields_at.since(self.now()) {
                continue;
            }
            if task.effect == Effect::Once {
                self.once_open = true;
                if !self.checkpoint(None, true).await {
                    return Ok(Begun::Fenced);
                }
            }
            self.begin(position)?;
        }
        Ok(if waiting && self.active.is_empty() {
            Begun::NoTime
        } else {
            Begun::All
        })
    }

    fn begin(&mut self, position: usize) -> Result<(), String> {
        let tasks = self.tasks;
        let task = &tasks[position];
        let reality = &self.attempt.worker.reality;
        let (files_ms, read_bytes) = self.fetch(task);
        let estimate = (task.estimate_ms > 0).then_some(task.estimate_ms);
        let cpu_ms = task_ms(&task.kind, estimate) * reality.factor(&task.id);
        let waiting = matches!(task.kind, TaskKind::Lambda { .. } | TaskKind::Http(_));
        let memory_mib = if waiting {
            0
        } else {
            reality.memory_mib(task.resources.memory.0)
        };
        self.states[position] = TaskState::Running;
        self.active.push(Active {
            position,
            started: self.now(),
            waits_ms: files_ms + TASK_MS + if waiting { cpu_ms } else { 0.0 },
            left_ms: if waiting { 0.0 } else { cpu_ms },
            cpu_ms: if waiting { 0.0 } else { cpu_ms },
            vcpus: f64::from(task.resources.vcpus).max(0.01),
            memory_mib,
            read_bytes,
        });
        let held: u32 = self.active.iter().map(|task| task.memory_mib).sum();
        self.peak_mib = self.peak_mib.max(held);
        if held + WORKER_MIB > self.attempt.target.memory.0 {
            return Err("signal: killed".to_owned());
        }
        Ok(())
    }

    /// Fetches the files of a task that are not here yet: how long that takes, in milliseconds, and how many bytes it reads.
    fn fetch(&mut self, task: &ShardTask) -> (f64, u64) {
        let own = self.attempt.request.shard;
        let (mut moved, mut read, mut gets) = (0, 0, 0);
        let written = self.attempt.worker.written.borrow();
        for file in &task.files {
            match &file.source {
                LocatedFileSource::Generated { bytes } => read += bytes,
                LocatedFileSource::Task { shard, task, file } => {
                    let known = written.get(&(task.clone(), file.clone()));
                    let bytes = known.copied().unwrap_or_default();
                    read += bytes;
                    if *shard != own && self.fetched.insert((shard.0, format!("{task}/{file}"))) {
                        moved += bytes;
                        gets += 1;
                    }
                }
            }
        }
        drop(written);
        if gets == 0 {
            return (0.0, read);
        }
        self.attempt.worker.cloud.lock().usage.gets += gets;
        let now = self.now().0 as f64;
        self.link_free = self.link_free.max(now) + moved as f64 / TRANSFER_BYTES_PER_MS;
        (GET_MS as f64 + self.link_free - now, read)
    }

    /// How fast processor time passes for each vCPU that is asked for.
    fn share(&self) -> f64 {
        let asked: f64 = self
            .active
            .iter()
            .filter(|task| task.waits_ms <= 0.0 && task.left_ms > 0.0)
            .map(|task| task.vcpus)
            .sum();
        (self.attempt.target.vcpus() / asked.max(0.01)).min(1.0)
    }

    fn rate(&self, task: &Active, share: f64) -> f64 {
        share * task.vcpus.max(1.0) * self.attempt.speed
    }

    /// Milliseconds until something changes.
    fn next_ms(&self) -> u64 {
        let share = self.share();
        let until = |task: &Active| match task.waits_ms > 0.0 {
            true => task.waits_ms,
            false => task.left_ms / self.rate(task, share),
        };
        let first = self.active.iter().map(until).fold(f64::INFINITY, f64::min);
        (first.ceil() as u64).max(1)
    }

    fn advance(&mut self, ms: f64) {
        let share = self.share();
        let rates: Vec<f64> = self
            .active
            .iter()
            .map(|task| self.rate(task, share))
            .collect();
        for (task, rate) in self.active.iter_mut().zip(rates) {
            if task.waits_ms > 0.0 {
                task.waits_ms -= ms;
            } else {
                task.left_ms -= ms * rate;
            }
        }
    }

    /// Takes the outputs of tasks that have ended; false: a later attempt has taken over.
    async fn take_ended(&mut self) -> bool {
        let ended = |task: &Active| task.waits_ms <= 0.0 && task.left_ms <= 0.0;
        let mut place = 0;
        let mut any = false;
        while place < self.active.len() {
            if ended(&self.active[place]) {
                let task = self.active.remove(place);
                self.finish(&task);
                any = true;
            } else {
                place += 1;
            }
        }
        let more = self
            .states
            .iter()
            .any(|state| *state != TaskState::Finished);
        let due = self.now().since(self.checkpointed) >= CHECKPOINT_MS || self.once_open;
        if !(any && due && more) {
            return true;
        }
        let (claim, bytes) = self.attempt.claim(&self.manifest);
        // The worker stores it while tasks go on; what it costs is charged, what it takes is not waited for.
        let cloud = &self.attempt.worker.cloud;
        cloud.lock().usage.puts += 1;
        let stored = cloud.world.put(&claim.key, bytes).await;
        if stored.is_err() {
            return true;
        }
        self.checkpoint(Some(claim), false).await
    }

    fn finish(&mut self, active: &Active) {
        let task = &self.tasks[active.position];
        let took_ms = self.now().since(active.started);
        self.states[active.position] = TaskState::Finished;
        self.pace.record(&task.task_type, took_ms);
        self.finished += 1;
        self.cpu_ms += active.cpu_ms;
        if task.effect == Effect::Once {
            self.once_open = false;
        }
        let written_bytes = self.upload(task);
        let files = task.writes.iter().map(|file| {
            let key = format!(
                "runs/{}/files/{}/{}",
                self.attempt.request.run, task.id, file.name
            );
            let claim = Claim {
                sha256: Sha256Hex::of(key.as_bytes()),
                key,
                bytes: file.bytes.unwrap_or_default(),
            };
            (file.name.clone(), claim)
        });
        let output = TaskOutput {
            attempt: self.attempt.request.attempt,
            value: OutputValue::Inline(
                json!({ "read_bytes": active.read_bytes, "written_bytes": written_bytes }),
            ),
            files: files.collect::<BTreeMap<_, _>>(),
            usage: TaskUsage {
                started_ms: active.started.0,
                duration_ms: took_ms,
                cpu_ms: active.cpu_ms.round() as u64,
                peak_kib: u64::from(active.memory_mib) * 1_024,
                read_bytes: active.read_bytes,
                written_bytes,
                memory: self.attempt.target.memory,
                cold: self.attempt.cold,
            },
        };
        self.manifest.tasks.insert(task.id.clone(), output);
    }

    /// Begins to store the files of a task; gives their bytes.
    fn upload(&mut self, task: &ShardTask) -> u64 {
        if task.writes.is_empty() {
            return 0;
        }
        let worker = self.attempt.worker;
        let mut written = worker.written.borrow_mut();
        let mut sum = 0;
        for file in &task.writes {
            let bytes = file.bytes.unwrap_or_default();
            sum += bytes;
            written.insert((task.id.clone(), file.name.clone()), bytes);
        }
        worker.cloud.lock().usage.puts += task.writes.len() as u64;
        let now = self.now().0 as f64;
        self.link_free = self.link_free.max(now) + sum as f64 / TRANSFER_BYTES_PER_MS;
        sum
    }

    async fn uploads_end(&self) {
        if self.link_free > 0.0 {
            let at = TimeMs(self.link_free.ceil() as u64 + PUT_MS);
            self.attempt.worker.cloud.timeline.sleep_until(at).await;
        }
    }

    fn out_of_time(&self) -> End {
        let running: Vec<&ShardTask> = self
            .active
            .iter()
            .map(|task| &self.tasks[task.position])
            .collect();
        let once = running.iter().find(|task| task.effect == Effect::Once);
        match (once.or(running.first()), self.finished) {
            (Some(task), _) if task.effect == Effect::Once => End::Failed(failure(
                Cause::OutcomeUnknown,
                Some(task.id.clone()),
                "the attempt ended while it ran".to_owned(),
            )),
            (Some(task), 0) => End::Failed(failure(
                Cause::Timeout,
                Some(task.id.clone()),
                "did not end within the time that the attempt had".to_owned(),
            )),
            _ => End::Yielded,
        }
    }

    /// Removes the last checkpoint, as an expiry would.
    pub(super) fn forget_checkpoint(&mut self) {
        if let Some(last) = self.last.take() {
            self.attempt.worker.cloud.world.remove_blob(&last.key);
        }
    }

    /// Writes a checkpoint; false: a later attempt has taken over.
    pub(super) async fn checkpoint(&mut self, progress: Option<Claim>, once: bool) -> bool {
        let request = self.attempt.request;
        let cloud = &self.attempt.worker.cloud;
        let write = Checkpoint {
            run: request.run.clone(),
            shard: request.shard,
            attempt: request.attempt,
            progress: progress.clone(),
            started_once: once || self.once_open,
        };
        let taken = cloud.checkpoint(&self.attempt.key(), &write).await;
        self.checkpointed = self.now();
        // One that was not taken for want of throughput is followed by the next one, or by the answer.
        if !matches!(taken, Ok(false)) {
            if progress.is_some() && taken.is_ok() {
                let before = std::mem::replace(&mut self.last, progress);
                let stale = before.filter(|before| Some(before) != self.last.as_ref());
                if let Some(stale) = stale {
                    cloud.world.remove_blob(&stale.key);
                }
            }
            return true;
        }
        false
    }
}

/// What became of the tasks that could begin.
enum Begun {
    /// They have.
    All,
    /// None would end in time.
    NoTime,
    /// A later attempt has taken over.
    Fenced,
}
