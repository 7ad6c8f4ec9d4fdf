//! Stores outputs while the next tasks run already; a task counts as safe when all of its outputs are stored.

use std::collections::BTreeMap;
use std::sync::Arc;

use foreshard_model::ids::TaskId;
use foreshard_stages::ports::{BlobWrites, PortError, PortResult};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::store::files::Held;

/// Objects stored at once: enough to hide the latency of small ones, few enough for the memory of large ones.
const AT_ONCE: usize = 8;

/// What is to be stored.
pub(crate) enum Body {
    /// From memory.
    Bytes(Vec<u8>),
    /// A kept file, streamed.
    File(Held),
}

/// One object to store.
pub(crate) struct Upload {
    pub(crate) key: String,
    pub(crate) body: Body,
}

/// An object was stored, or could not be.
pub(crate) struct Stored {
    /// Whose output it is; `None` for a log.
    pub(crate) task: Option<TaskId>,
    /// Whether it is there.
    pub(crate) result: PortResult<()>,
    /// Whether the task has no other object on its way.
    pub(crate) last: bool,
}

/// The objects on their way. Dropped, they are given up.
pub(crate) struct Uploads {
    writes: Arc<dyn BlobWrites>,
    permits: Arc<Semaphore>,
    jobs: JoinSet<(Option<TaskId>, PortResult<()>)>,
    pending: BTreeMap<TaskId, usize>,
}

impl Uploads {
    /// None yet.
    pub(crate) fn new(writes: Arc<dyn BlobWrites>) -> Self {
        Self {
            writes,
            permits: Arc::new(Semaphore::new(AT_ONCE)),
            jobs: JoinSet::new(),
            pending: BTreeMap::new(),
        }
    }

    /// Whether nothing is on its way.
    pub(crate) fn is_idle(&self) -> bool {
        self.jobs.is_empty()
    }

    /// Sends an object on its way.
    pub(crate) fn add(&mut self, task: Option<TaskId>, upload: Upload) {
        if let Some(task) = &task {
            *self.pending.entry(task.clone()).or_default() += 1;
        }
        let (writes, permits) = (Arc::clone(&self.writes), Arc::clone(&self.permits));
        self.jobs.spawn(async move {
            let _permit = permits.acquire_owned().await;
            let result = match upload.body {
                Body::Bytes(bytes) => writes.put(&upload.key, bytes).await,
                Body::File(held) => writes.put_file(&upload.key, &held.path()).await,
            };
            (task, result)
        });
    }

    /// Waits for the next object; `None` when nothing is on its way.
    pub(crate) async fn next(&mut self) -> Option<Stored> {
        let (task, result) = match self.jobs.join_next().await? {
            Ok(ended) => ended,
            Err(error) => {
                let result = Err(PortError::Unavailable(format!(
                    "storing an output failed: {error}"
                )));
                return Some(Stored {
                    task: None,
                    result,
                    last: false,
                });
            }
        };
        let mut last = false;
        if let Some(count) = task.as_ref().and_then(|task| self.pending.get_mut(task)) {
            *count -= 1;
            last = *count == 0;
        }
        Some(Stored { task, result, last })
    }
}
