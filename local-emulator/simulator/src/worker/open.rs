//! Opens an attempt: its tasks, its checkpoint, and the outputs of other shards that it reads, wherever those were cut again.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use foreshard_model::claim::Claim;
use foreshard_model::ids::ShardId;
use foreshard_model::output::{Located, LocatedFileSource, Manifest, ShardTask};
use foreshard_model::plan::Chunk;
use foreshard_stages::ports::{BlobReads as _, OutputPointers as _, PortError, PortResult};
use futures_util::future::join_all;

use super::{Attempt, CHUNKS_KEPT, Shards, Worker};

/// Manifests read at once, as the worker does.
const AT_ONCE: usize = 16;

/// What an attempt begins with.
pub(super) struct Opened {
    pub(super) tasks: Rc<Vec<ShardTask>>,
    /// What earlier attempts have finished.
    pub(super) manifest: Manifest,
}

fn parsed<T: serde::de::DeserializeOwned>(key: &str, bytes: &[u8]) -> PortResult<T> {
    serde_json::from_slice(bytes).map_err(|error| PortError::Corrupt(format!("`{key}`: {error}")))
}

impl Worker {
    /// The chunk, read from the store and parsed, or only charged where it was parsed before.
    async fn chunk(&self, claim: &Claim) -> PortResult<Rc<Shards>> {
        let known = |(key, _): &&(String, Rc<Shards>)| *key == claim.key;
        let kept = self.chunks.borrow().iter().find(known).cloned();
        if let Some((_, shards)) = kept {
            self.cloud.gets(claim.bytes).await;
            return Ok(shards);
        }
        let chunk: Chunk = parsed(&claim.key, &self.cloud.get(&claim.key).await?)?;
        let of = |shard: foreshard_model::plan::ShardTasks| (shard.id, Rc::new(shard.tasks));
        let shards: Rc<Shards> = Rc::new(chunk.shards.into_iter().map(of).collect());
        let mut chunks = self.chunks.borrow_mut();
        chunks.push((claim.key.clone(), Rc::clone(&shards)));
        if chunks.len() > CHUNKS_KEPT {
            chunks.remove(0);
        }
        Ok(shards)
    }
}

impl Attempt<'_> {
    pub(super) async fn open(&self) -> PortResult<Opened> {
        let request = self.request;
        let chunk = self.worker.chunk(&request.chunk).await?;
        let tasks = chunk.get(&request.shard).cloned().ok_or_else(|| {
            let (key, shard) = (&request.chunk.key, request.shard);
            PortError::NotFound(format!("`{key}` does not hold shard {shard}"))
        })?;
        let manifest = match &request.progress {
            Some(claim) => parsed(&claim.key, &self.worker.cloud.get(&claim.key).await?)?,
            None => Manifest {
                run: request.run.clone(),
                shard: request.shard,
                tasks: BTreeMap::new(),
            },
        };
        let open = tasks
            .iter()
            .filter(|task| !manifest.tasks.contains_key(&task.id));
        self.read_outside(needed(open, request.shard)).await?;
        Ok(Opened { tasks, manifest })
    }

    /// Reads the manifests of these shards, and of those that have taken their tasks over.
    async fn read_outside(&self, mut asked: BTreeSet<ShardId>) -> PortResult<()> {
        let mut seen = asked.clone();
        while !asked.is_empty() {
            let ids: Vec<ShardId> = asked.iter().copied().collect();
            let pointers = self.worker.cloud.pointers(&self.key(), &ids).await?;
            if let Some(missing) = ids.iter().find(|id| !pointers.contains_key(*id)) {
                return Err(PortError::NotFound(format!(
                    "the output of shard {missing}"
                )));
            }
            let outputs: Vec<u64> = pointers
                .values()
                .filter_map(|pointer| pointer.output.as_ref().map(|claim| claim.bytes))
                .collect();
            for some in outputs.chunks(AT_ONCE) {
                join_all(some.iter().map(|bytes| self.worker.cloud.gets(*bytes))).await;
            }
            asked = pointers
                .into_values()
                .flat_map(|pointer| pointer.behind)
                .filter(|id| seen.insert(*id))
                .collect();
        }
        Ok(())
    }
}

/// Shards whose outputs these tasks read, but for their own.
fn needed<'a>(tasks: impl Iterator<Item = &'a ShardTask>, own: ShardId) -> BTreeSet<ShardId> {
    let mut shards = BTreeSet::new();
    for task in tasks {
        let inputs = task.inputs.values().filter_map(|located| match located {
            Located::Task { shard, .. } => Some(*shard),
            _ => None,
        });
        let files = task.files.iter().filter_map(|file| match &file.source {
            LocatedFileSource::Task { shard, .. } => Some(*shard),
            LocatedFileSource::Generated { .. } => None,
        });
        let parts = task.parts.iter().map(|part| part.shard);
        shards.extend(inputs.chain(files).chain(parts).filter(|id| *id != own));
    }
    shards
}
