//! Handlers: Rust functions that run a task in the worker's own process, found by name.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use foreshard_engine::sculpt::JOIN;
use foreshard_model::ids::{Attempt, RunId, ShardId, TaskId};
use serde_json::Value;
use thiserror::Error;

mod builtin;

/// What a handler is called with.
#[derive(Debug, Clone)]
pub struct HandlerCall {
    /// The run.
    pub run: RunId,
    /// The shard.
    pub shard: ShardId,
    /// The attempt.
    pub attempt: Attempt,
    /// The task.
    pub task: TaskId,
    /// The run's trace id.
    pub trace_id: String,
    /// Free members of the run.
    pub baggage: BTreeMap<String, String>,
    /// The task's JSON input: an object with a member for each mapping.
    pub input: Value,
    /// Names of the files that were put into the scratch, in order.
    pub files: Vec<String>,
    /// Folder with the task's files; what the task `writes` is kept from here.
    pub scratch: PathBuf,
    pub(crate) cancelled: Arc<AtomicBool>,
}

impl HandlerCall {
    /// Whether the task's time is over, or its attempt: the answer will not be used. A thread cannot be stopped from
    /// outside, so a long computation looks here from time to time.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed)
    }

    /// Where a file of the scratch is.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.scratch.join(name)
    }
}

/// Why a handler failed. The text goes to the task's log, not into messages.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct HandlerError(pub String);

impl From<String> for HandlerError {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl From<std::io::Error> for HandlerError {
    fn from(error: std::io::Error) -> Self {
        Self(error.to_string())
    }
}

type Function = dyn Fn(&HandlerCall) -> Result<Value, HandlerError> + Send + Sync;

/// The handlers of a worker, by name.
#[derive(Clone, Default)]
pub struct Handlers {
    functions: BTreeMap<String, Arc<Function>>,
}

impl Handlers {
    /// No handlers at all.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// The handlers that every worker has: `collect`, `merge`, `flatten`, `digest`, `compose`, `wait`, `fail`,
    /// and `join`, which puts the parts of a task together.
    #[must_use]
    pub fn builtin() -> Self {
        let mut handlers = Self::none();
        handlers.register("collect", builtin::collect);
        handlers.register("merge", builtin::merge);
        handlers.register("flatten", builtin::flatten);
        handlers.register("digest", builtin::digest);
        handlers.register("compose", builtin::compose);
        handlers.register("wait", builtin::wait);
        handlers.register("fail", builtin::fail);
        handlers.register(JOIN, builtin::join);
        handlers
    }

    /// Registers a handler; one of the same name is replaced. It runs on a thread of its own and may block; a panic
    /// fails its task, not the worker.
    pub fn register(
        &mut self,
        name: &str,
        function: impl Fn(&HandlerCall) -> Result<Value, HandlerError> + Send + Sync + 'static,
    ) {
        self.functions.insert(name.to_owned(), Arc::new(function));
    }

    /// The names, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.functions.keys().map(String::as_str)
    }

    pub(crate) fn get(&self, name: &str) -> Option<Arc<Function>> {
        self.functions.get(name).cloned()
    }
}

impl std::fmt::Debug for Handlers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.functions.keys()).finish()
    }
}
