//! Finds what the tasks of an attempt read of other shards, wherever those were cut again.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use foreshard_model::claim::Claim;
use foreshard_model::ids::{ShardId, TaskId};
use foreshard_model::message::{ExecuteRequest, Failure};
use foreshard_model::output::{Located, LocatedFileSource, Manifest, ShardTask, TaskOutput};
use foreshard_stages::ports::{Pointer, PortError};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};

use super::open::{check, unread};
use super::run_key;
use crate::environment::RunState;
use crate::worker::Worker;

/// Manifests read at once: hides their latency, and a shard has at most 256 predecessors.
const AT_ONCE: usize = 16;

/// Outputs by the shard that the tasks name, which need not be the one that has them, and task.
pub(super) type Outside = BTreeMap<(ShardId, TaskId), TaskOutput>;

/// Whom to ask, and on behalf of which shards.
type Asked = BTreeMap<ShardId, BTreeSet<ShardId>>;

/// What open tasks read from outside of their shard, and which task does so first.
pub(super) struct Needs {
    outputs: BTreeMap<ShardId, BTreeSet<TaskId>>,
    reader: BTreeMap<ShardId, TaskId>,
    /// Whether they read the run's input.
    pub(super) input: bool,
}

impl Needs {
    /// Of these tasks of the shard `own`.
    pub(super) fn of(tasks: &[&ShardTask], own: ShardId) -> Self {
        let mut needs = Self {
            outputs: BTreeMap::new(),
            reader: BTreeMap::new(),
            input: false,
        };
        for task in tasks {
            for located in task.inputs.values() {
                match located {
                    Located::Task {
                        shard, task: from, ..
                    } => needs.add(*shard, from, &task.id, own),
                    Located::Run { .. } => needs.input = true,
                    Located::Constant(_) => {}
                }
            }
            for part in &task.parts {
                needs.add(part.shard, &part.task, &task.id, own);
            }
            for file in &task.files {
                if let LocatedFileSource::Task {
                    shard, task: from, ..
                } = &file.source
                {
                    needs.add(*shard, from, &task.id, own);
                }
            }
        }
        needs
    }

    /// A task of a shard whose output is not found yet.
    fn missing<'n>(&'n self, shard: ShardId, found: &Outside) -> Option<&'n TaskId> {
        let tasks = self.outputs.get(&shard)?;
        let mut tasks = tasks.iter();
        tasks.find(|task| !found.contains_key(&(shard, (*task).clone())))
    }

    fn add(&mut self, shard: ShardId, from: &TaskId, reader: &TaskId, own: ShardId) {
        if shard != own {
            self.outputs.entry(shard).or_default().insert(from.clone());
            self.reader.entry(shard).or_insert_with(|| reader.clone());
        }
    }

    /// Takes what is wanted of a manifest, for the shards on whose behalf it was read.
    fn take(&self, manifest: &Manifest, origins: Option<&BTreeSet<ShardId>>, found: &mut Outside) {
        for origin in origins.into_iter().flatten() {
            for task in self.outputs.get(origin).into_iter().flatten() {
                if let Some(output) = manifest.tasks.get(task) {
                    found.insert((*origin, task.clone()), output.clone());
                }
            }
        }
    }

    /// Whom to ask next: those behind the shards that were asked, where outputs are missing.
    fn behind(
        &self,
        pointers: &BTreeMap<ShardId, Pointer>,
        asked: &Asked,
        found: &Outside,
    ) -> Asked {
        let mut next = Asked::new();
        for (shard, pointer) in pointers {
            for origin in asked.get(shard).into_iter().flatten() {
                if self.missing(*origin, found).is_some() {
                    for behind in &pointer.behind {
                        next.entry(*behind).or_default().insert(*origin);
                    }
                }
            }
        }
        next
    }

    fn check(&self, found: Outside) -> Result<Outside, Failure> {
        for shard in self.outputs.keys() {
            if let Some(task) = self.missing(*shard, &found) {
                let text = format!("task `{task}` has no committed output in shard {shard}");
                let what = format!("the output of shard {shard}");
                let error = PortError::NotFound(text);
                return Err(unread(&what, self.reader.get(shard), error));
            }
        }
        Ok(found)
    }
}

/// What other shards have left behind for the open tasks. Where a shard was cut again, its tasks are with others: those are
/// asked in turn, and whoever they were cut into, until every output is found.
pub(super) async fn read_outside(
    worker: &Worker,
    run: &RunState,
    request: &ExecuteRequest,
    needs: &Needs,
) -> Result<Outside, Failure> {
    let mut found = Outside::new();
    // Ids grow with each cut, so this ends.
    let mut asked: Asked = needs
        .outputs
        .keys()
        .map(|shard| (*shard, BTreeSet::from([*shard])))
        .collect();
    while !asked.is_empty() {
        let shards: Vec<ShardId> = asked.keys().copied().collect();
        let pointers = &worker.ports.pointers;
        let pointers = pointers.pointers(&run_key(request), &shards).await;
        let pointers =
            pointers.map_err(|error| unread("the outputs of other shards", None, error))?;
        let claims = pointers
            .iter()
            .filter_map(|(shard, pointer)| Some((*shard, pointer.output.as_ref()?)));
        let reading = claims.map(|(shard, claim)| async move {
            let manifest = manifest_of(worker, run, request, shard, claim).await;
            let what = format!("the output of shard {shard}");
            let manifest =
                manifest.map_err(|error| unread(&what, needs.reader.get(&shard), error))?;
            Ok::<_, Failure>((shard, manifest))
        });
        let manifests: Vec<(ShardId, Arc<Manifest>)> = stream::iter(reading)
            .buffer_unordered(AT_ONCE)
            .try_collect()
            .await?;
        for (shard, manifest) in &manifests {
            needs.take(manifest, asked.get(shard), &mut found);
        }
        asked = needs.behind(&pointers, &asked, &found);
    }
    needs.check(found)
}

async fn manifest_of(
    worker: &Worker,
    run: &RunState,
    request: &ExecuteRequest,
    shard: ShardId,
    claim: &Claim,
) -> Result<Arc<Manifest>, PortError> {
    let manifest = run.manifests.get(&*worker.ports.reads, claim).await?;
    check(claim, &manifest, request, shard)?;
    Ok(manifest)
}
