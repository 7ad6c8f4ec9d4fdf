//! The tasks of the shard that have finished: their outputs, and which of them are safe in the object store.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use foreshard_model::ids::{RunId, ShardId, TaskId};
use foreshard_model::output::{Manifest, TaskOutput};
use serde_json::Value;

/// Parsed values that are kept for the tasks after them, as stored bytes; beyond it they are read back from disk.
const VALUES_BYTES: u64 = 8 * 1024 * 1024;

/// The finished tasks of one attempt, those of earlier attempts among them.
#[derive(Default)]
pub(crate) struct Progress(Mutex<State>);

#[derive(Default)]
struct State {
    finished: BTreeMap<TaskId, Finished>,
    values_bytes: u64,
    /// `once` tasks that were started and whose output is not safe yet.
    once_open: u32,
}

struct Finished {
    output: TaskOutput,
    value: Option<Arc<Value>>,
    safe: bool,
}

impl Progress {
    /// Begins with what earlier attempts have finished.
    pub(crate) fn restored(tasks: impl IntoIterator<Item = (TaskId, TaskOutput)>) -> Self {
        let restored = |(task, output)| {
            let finished = Finished {
                output,
                value: None,
                safe: true,
            };
            (task, finished)
        };
        let state = State {
            finished: tasks.into_iter().map(restored).collect(),
            ..State::default()
        };
        Self(Mutex::new(state))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The output of a finished task, and its value when that is in memory.
    pub(crate) fn get(&self, task: &TaskId) -> Option<(TaskOutput, Option<Arc<Value>>)> {
        let state = self.lock();
        let finished = state.finished.get(task)?;
        Some((finished.output.clone(), finished.value.clone()))
    }

    /// Takes a task as finished; its output is not safe yet.
    pub(crate) fn finish(&self, task: TaskId, output: TaskOutput, value: Value, value_bytes: u64) {
        let mut state = self.lock();
        let fits = state.values_bytes + value_bytes <= VALUES_BYTES;
        if fits {
            state.values_bytes += value_bytes;
        }
        let finished = Finished {
            output,
            value: fits.then(|| Arc::new(value)),
            safe: false,
        };
        state.finished.insert(task, finished);
    }

    /// The task's outputs are stored.
    pub(crate) fn make_safe(&self, task: &TaskId) {
        if let Some(finished) = self.lock().finished.get_mut(task) {
            finished.safe = true;
        }
    }

    /// Counts a `once` task in (before it starts) or out (its output is safe, or it is known to have failed).
    pub(crate) fn open_once(&self, started: bool) {
        let mut state = self.lock();
        state.once_open = if started {
            state.once_open + 1
        } else {
            state.once_open.saturating_sub(1)
        };
    }

    /// Whether a `once` task was started whose end is not recorded.
    pub(crate) fn once_is_open(&self) -> bool {
        self.lock().once_open > 0
    }

    /// The safe tasks, as a manifest.
    pub(crate) fn manifest(&self, run: &RunId, shard: ShardId) -> Manifest {
        let state = self.lock();
        let safe = state.finished.iter().filter(|(_, finished)| finished.safe);
        Manifest {
            run: run.clone(),
            shard,
            tasks: safe
                .map(|(task, finished)| (task.clone(), finished.output.clone()))
                .collect(),
        }
    }
}
