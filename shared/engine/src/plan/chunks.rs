//! The tasks of shards as the worker reads them: objects of the store, made one after the other and never all at once.

use std::collections::BTreeMap;
use std::io;

use foreshard_model::claim::Claim;
use foreshard_model::ids::{ShardId, TaskId};
use foreshard_model::output::{
    Instead, Located, LocatedFile, LocatedFileSource, LocatedPart, ShardTask,
};
use foreshard_model::plan::{Chunk, ShardTasks};
use foreshard_model::workflow::{FileSource, Task, TaskKind, ValueSource, Workflow};

use crate::place::Load;
use crate::shard::Members;

use super::scale::Scale;

/// Serialized size of a chunk, and shards in it: one read of the store serves as many shards as a worker is likely to see.
const CHUNK_BYTES: usize = 256 * 1024;
/// See [`CHUNK_BYTES`].
const CHUNK_SHARDS: usize = 256;

/// Which tasks each shard has, and which shards each chunk: the chunks themselves would take as much memory as the document,
/// and are made when they are stored.
#[derive(Debug, Clone, PartialEq)]
pub struct Chunks {
    scale: Scale,
    bundles: BTreeMap<String, Claim>,
    members: Members,
    /// Shard of each task.
    of_task: Vec<u32>,
    /// Expected duration of each task, in milliseconds.
    estimate_ms: Vec<u32>,
    /// Memory of each shard's tier, in MiB.
    tier_mib: Vec<u32>,
    /// First shard of each chunk, and the end of the last.
    starts: Vec<u32>,
}

impl Chunks {
    /// The shards, not yet cut into chunks.
    pub(super) fn new(
        scale: Scale,
        bundles: &BTreeMap<String, Claim>,
        members: Members,
        of_task: Vec<u32>,
        loads: &[Load],
    ) -> Self {
        // Beyond seven weeks nothing runs.
        let estimate_ms = loads.iter().map(|load| load.ms.ceil() as u32);
        Self {
            scale,
            bundles: bundles.clone(),
            members,
            of_task,
            estimate_ms: estimate_ms.collect(),
            tier_mib: Vec::new(),
            starts: vec![0],
        }
    }

    /// Cuts shards on these tiers into chunks; gives the chunk of each.
    pub(super) fn cut(&mut self, workflow: &Workflow, tier_mib: Vec<u32>) -> Vec<u32> {
        let shards = tier_mib.len() as u32;
        self.tier_mib = tier_mib;
        let mut chunk_of = Vec::with_capacity(shards as usize);
        let (mut filled, mut count) = (0, 0);
        for shard in 0..shards {
            let bytes = serialized_bytes(&self.shard_tasks(&workflow.tasks, shard));
            if count > 0 && (filled + bytes > CHUNK_BYTES || count == CHUNK_SHARDS) {
                self.starts.push(shard);
                (filled, count) = (0, 0);
            }
            (filled, count) = (filled + bytes, count + 1);
            chunk_of.push(self.starts.len() as u32 - 1);
        }
        self.starts.push(shards);
        chunk_of
    }

    /// How many chunks there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.starts.len() - 1
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Makes one chunk after the other, of the workflow that was planned ([`super::Planned::workflow`]).
    pub fn of<'a>(&'a self, workflow: &'a Workflow) -> impl ExactSizeIterator<Item = Chunk> + 'a {
        let bounds = self.starts.windows(2);
        bounds.map(|bounds| Chunk {
            shards: (bounds[0]..bounds[1])
                .map(|shard| self.shard_tasks(&workflow.tasks, shard))
                .collect(),
        })
    }

    /// The tasks of a shard in execution order.
    pub(super) fn tasks(&self, shard: u32) -> &[u32] {
        self.members.of(shard)
    }

    fn shard_tasks(&self, tasks: &[Task], shard: u32) -> ShardTasks {
        let members = self.tasks(shard);
        let place: BTreeMap<u32, u32> = members
            .iter()
            .enumerate()
            .map(|(at, &task)| (task, at as u32))
            .collect();
        let all = members
            .iter()
            .map(|&task| self.shard_task(tasks, task, &place));
        ShardTasks {
            id: ShardId(shard),
            tasks: all.collect(),
        }
    }

    fn shard_task(&self, tasks: &[Task], index: u32, place: &BTreeMap<u32, u32>) -> ShardTask {
        let task = &tasks[index as usize];
        let extras = task.extras.as_deref();
        let needs = task.needs.iter();
        let mut after: Vec<u32> = needs
            .filter_map(|need| place.get(&need.task.0).copied())
            .collect();
        after.sort_unstable();
        after.dedup();
        let bundle = match &task.kind {
            TaskKind::Command(command) => command.bundle.as_ref(),
            _ => None,
        };
        let inputs = task.inputs.iter();
        let files = task.files.iter().map(|file| LocatedFile {
            name: file.name.clone(),
            source: self.located_file(tasks, &file.source),
        });
        let parts = extras.map_or(&[][..], |e| &e.parts).iter().map(|part| {
            let (shard, task) = self.shard_and_task(tasks, part.0);
            LocatedPart { shard, task }
        });
        ShardTask {
            id: task.id.clone(),
            task_type: task.task_type.clone(),
            kind: self.scale.kind(&task.kind),
            bundle: bundle.and_then(|folder| self.bundles.get(folder).cloned()),
            after,
            inputs: inputs
                .map(|(name, source)| (name.clone(), self.located(tasks, source)))
                .collect(),
            files: files.collect(),
            slice: extras.and_then(|e| e.slice.clone()),
            parts: parts.collect(),
            writes: self.scale.writes(&task.writes),
            resources: self.scale.resources(task),
            estimate_ms: u64::from(self.estimate_ms[index as usize]),
            bound: extras.is_some_and(|extras| {
                extras.affinity.together.is_some() || extras.affinity.apart.is_some()
            }),
            instead: self.instead(task, index),
            timeout_ms: task.timeout_ms,
            effect: task.effect,
            cut: extras.map(|e| e.cut.clone()).unwrap_or_default(),
        }
    }

    /// Equivalents of known duration that fit the tier where the task was placed, in the order of the declaration.
    fn instead(&self, task: &Task, index: u32) -> Vec<Instead> {
        let tier = self.tier_mib[self.of_task[index as usize] as usize];
        let declared = task.extras.as_deref().map_or(&[][..], |e| &e.equivalents);
        declared
            .iter()
            .filter_map(|equivalent| {
                let alone = Task {
                    kind: equivalent.kind.clone(),
                    resources: equivalent.resources,
                    estimate_ms: equivalent.estimate_ms,
                    ..task.clone()
                };
                let resources = self.scale.resources(&alone);
                let estimate_ms = self.scale.estimate_ms(&alone)?;
                let fits = resources.memory.0 <= tier && resources.gpu == task.resources.gpu;
                (fits && equivalent.kind != task.kind).then(|| Instead {
                    kind: self.scale.kind(&equivalent.kind),
                    resources,
                    estimate_ms: estimate_ms.ceil() as u64,
                    timeout_ms: equivalent.timeout_ms,
                })
            })
            .collect()
    }

    fn shard_and_task(&self, tasks: &[Task], index: u32) -> (ShardId, TaskId) {
        let index = index as usize;
        (ShardId(self.of_task[index]), tasks[index].id.clone())
    }

    /// Where a value will be.
    pub(super) fn located(&self, tasks: &[Task], source: &ValueSource) -> Located {
        match source {
            ValueSource::Task { task, path } => {
                let (shard, task) = self.shard_and_task(tasks, task.0);
                Located::Task {
                    shard,
                    task,
                    path: path.clone(),
                }
            }
            ValueSource::Run { path, default } => Located::Run {
                path: path.clone(),
                default: default.as_deref().cloned(),
            },
            ValueSource::Constant(value) => Located::Constant((**value).clone()),
        }
    }

    fn located_file(&self, tasks: &[Task], source: &FileSource) -> LocatedFileSource {
        match source {
            FileSource::Task { task, file } => {
                let (shard, task) = self.shard_and_task(tasks, task.0);
                LocatedFileSource::Task {
                    shard,
                    task,
                    file: file.clone(),
                }
            }
            FileSource::Generated { bytes } => LocatedFileSource::Generated {
                bytes: self.scale.bytes(*bytes),
            },
        }
    }
}

/// Length of the JSON of one shard's tasks, without making it.
fn serialized_bytes(tasks: &ShardTasks) -> usize {
    let mut counter = Counter(0);
    match serde_json::to_writer(&mut counter, tasks) {
        Ok(()) => counter.0 + 1,
        Err(_) => CHUNK_BYTES,
    }
}

/// Counts what is written to it.
struct Counter(usize);

impl io::Write for Counter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
