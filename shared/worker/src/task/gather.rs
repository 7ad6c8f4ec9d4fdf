//! Gathers what a task reads: its JSON input from where the values are, its files into the scratch.

use std::fs;
use std::sync::Arc;

use foreshard_engine::mapping::{self, SelectError};
use foreshard_model::claim::Claim;
use foreshard_model::ids::{ShardId, TaskId};
use foreshard_model::output::{
    Located, LocatedFile, LocatedFileSource, OutputValue, ShardTask, TaskOutput,
};
use foreshard_model::sculpt::Slice;
use foreshard_model::workflow::{CONDITION, PARTS_INPUT, TaskKind, WHOLE_INPUT};
use futures_util::future::try_join_all;
use serde_json::{Map, Value};

use super::fault::Fault;
use super::place::{Place, PlacedFile};
use super::slice;
use crate::attempt::Attempt;
use crate::store::values;
use crate::synthetic::bytes;

/// The task's JSON input.
pub(crate) struct Input {
    /// An object with a member for each mapping, or what is mapped to the whole.
    pub(crate) value: Value,
    /// Bytes of the values that were read for it.
    pub(crate) bytes: u64,
    /// Set when it is a part's, and there was nothing left for it.
    pub(crate) is_empty: bool,
}

/// Gathers the task's JSON input.
///
/// # Errors
/// A value is not there, not what its digest says, or a path finds nothing in it.
pub(crate) async fn input(attempt: &Attempt<'_>, task: &ShardTask) -> Result<Input, Fault> {
    let given = task.inputs.iter().filter(|(name, _)| *name != CONDITION);
    let members = given.map(|(name, located)| async move {
        let shown = if name == WHOLE_INPUT { "$" } else { name };
        let (value, bytes) = locate(attempt, shown, located).await?;
        Ok::<_, Fault>((name.clone(), value, bytes))
    });
    let members = try_join_all(members).await?;
    let bytes: u64 = members.iter().map(|(_, _, bytes)| bytes).sum();
    let mut object: Map<String, Value> = members
        .into_iter()
        .map(|(name, value, _)| (name, value))
        .collect();
    let (parts, part_bytes) = parts(attempt, task).await?;
    if !parts.is_empty() {
        object.insert(PARTS_INPUT.to_owned(), Value::Array(parts));
    }
    let mut value = match object.remove(WHOLE_INPUT) {
        Some(whole) => whole,
        None => Value::Object(object),
    };
    let is_empty = match &task.slice {
        Some(slice) => slice::of_input(&mut value, slice)?,
        None => false,
    };
    Ok(Input {
        value,
        bytes: bytes + part_bytes,
        is_empty,
    })
}

/// The outputs of the parts that the task puts together, in their order, and how many bytes those are.
async fn parts(attempt: &Attempt<'_>, task: &ShardTask) -> Result<(Vec<Value>, u64), Fault> {
    let each = task.parts.iter().map(|part| async move {
        let located = Located::Task {
            shard: part.shard,
            task: part.task.clone(),
            path: None,
        };
        Ok::<_, Fault>(locate(attempt, PARTS_INPUT, &located).await?)
    });
    let all = try_join_all(each).await?;
    let bytes: u64 = all.iter().map(|(_, bytes)| bytes).sum();
    Ok((all.into_iter().map(|(value, _)| value).collect(), bytes))
}

/// Whether the task is to run: it has no condition, or its condition is true.
///
/// # Errors
/// The condition cannot be had, or is neither true nor false.
pub(crate) async fn is_wanted(attempt: &Attempt<'_>, task: &ShardTask) -> Result<bool, Fault> {
    let Some(located) = task.inputs.get(CONDITION) else {
        return Ok(true);
    };
    let because = match locate(attempt, CONDITION, located).await {
        Ok((Value::Bool(wanted), _)) => return Ok(wanted),
        Ok((Value::Null, _)) | Err(Selected::Nothing(_)) => return Ok(false),
        Ok(_) => "it is neither true nor false".to_owned(),
        Err(Selected::Other(fault)) => return Err(fault),
    };
    let name = "when".to_owned();
    Err(Fault::Input { name, because })
}

async fn locate(
    attempt: &Attempt<'_>,
    name: &str,
    located: &Located,
) -> Result<(Value, u64), Selected> {
    match located {
        Located::Constant(value) => Ok((value.clone(), 0)),
        Located::Run { path, default } => {
            let input = attempt.input.as_deref().unwrap_or(&Value::Null);
            let value = match (select(name, input, path.as_deref()), default) {
                (Err(Selected::Nothing(_)), Some(default)) => default.clone(),
                (selected, _) => selected?,
            };
            Ok((
                value,
                attempt
                    .request
                    .input
                    .as_ref()
                    .map_or(0, |claim| claim.bytes),
            ))
        }
        Located::Task { shard, task, path } => {
            let (output, in_memory) = output_of(attempt, name, *shard, task)?;
            let (value, bytes) = match (in_memory, output.value) {
                (Some(value), OutputValue::Stored(claim)) => (value, claim.bytes),
                (None, OutputValue::Stored(claim)) => {
                    (Arc::new(stored(attempt, name, &claim).await?), claim.bytes)
                }
                (_, OutputValue::Inline(value)) => {
                    let bytes = value.to_string().len() as u64;
                    (Arc::new(value), bytes)
                }
            };
            Ok((select(name, &value, path.as_deref())?, bytes))
        }
    }
}

/// Why a path gave no value.
enum Selected {
    Nothing(Fault),
    Other(Fault),
}

impl From<Fault> for Selected {
    fn from(fault: Fault) -> Self {
        Self::Other(fault)
    }
}

impl From<Selected> for Fault {
    fn from(selected: Selected) -> Self {
        match selected {
            Selected::Nothing(fault) | Selected::Other(fault) => fault,
        }
    }
}

fn select(name: &str, value: &Value, path: Option<&str>) -> Result<Value, Selected> {
    let Some(path) = path else {
        return Ok(value.clone());
    };
    mapping::select(value, path).map_err(|error| {
        let fault = Fault::Input {
            name: name.to_owned(),
            because: error.to_string(),
        };
        match error {
            SelectError::Nothing { .. } => Selected::Nothing(fault),
            SelectError::Unreadable { .. } => Selected::Other(fault),
        }
    })
}

/// The output of a task of this shard or of another one, and its value when that is in memory.
fn output_of(
    attempt: &Attempt<'_>,
    name: &str,
    shard: ShardId,
    task: &TaskId,
) -> Result<(TaskOutput, Option<Arc<Value>>), Fault> {
    let found = if shard == attempt.request.shard {
        attempt.progress.get(task)
    } else {
        attempt
            .outside
            .get(&(shard, task.clone()))
            .map(|output| (output.clone(), None))
    };
    found.ok_or_else(|| Fault::Input {
        name: name.to_owned(),
        because: format!("task `{task}` of shard {shard} has no output"),
    })
}

async fn stored(attempt: &Attempt<'_>, name: &str, claim: &Claim) -> Result<Value, Fault> {
    let reads = &*attempt.worker.ports.reads;
    let held = attempt.run.files.fetch(reads, claim).await;
    let held = held.map_err(|error| Fault::of_input(name, error))?;
    let claim = claim.clone();
    let parsing = tokio::task::spawn_blocking(move || {
        let bytes = fs::read(held.path())?;
        Ok::<_, std::io::Error>(values::read(&claim, &bytes))
    });
    let parsed = parsing
        .await
        .map_err(|error| Fault::Unavailable(error.to_string()))??;
    parsed.map_err(|error| Fault::of_input(name, error))
}

/// Puts the task's files into its scratch.
///
/// # Errors
/// A file is not there, or not what its digest says.
pub(crate) async fn files(
    attempt: &Attempt<'_>,
    task: &ShardTask,
    place: &Place,
) -> Result<Vec<PlacedFile>, Fault> {
    try_join_all(
        task.files
            .iter()
            .map(|file| put(attempt, task, place, file)),
    )
    .await
}

async fn put(
    attempt: &Attempt<'_>,
    task: &ShardTask,
    place: &Place,
    file: &LocatedFile,
) -> Result<PlacedFile, Fault> {
    let path = place.path(&file.name)?;
    match &file.source {
        LocatedFileSource::Generated { bytes } => {
            let generated = matches!(task.kind, TaskKind::Synthetic(_));
            if !generated {
                let (name, bytes) = (file.name.clone(), *bytes);
                let writing =
                    tokio::task::spawn_blocking(move || bytes::write_file(&path, &name, bytes));
                writing
                    .await
                    .map_err(|error| Fault::Unavailable(error.to_string()))??;
            }
            Ok(PlacedFile {
                name: file.name.clone(),
                bytes: *bytes,
                generated,
                linked: None,
                is_empty_share: false,
            })
        }
        LocatedFileSource::Task {
            shard,
            task: from,
            file: written,
        } => {
            let (output, _) = output_of(attempt, &file.name, *shard, from)?;
            let claim = output.files.get(written).ok_or_else(|| Fault::Input {
                name: file.name.clone(),
                because: format!("task `{from}` has left no file `{written}`"),
            })?;
            let held = attempt
                .run
                .files
                .fetch(&*attempt.worker.ports.reads, claim)
                .await;
            let held = held.map_err(|error| Fault::of_input(&file.name, error))?;
            if let Some(slice) = slice_of(task, &file.name) {
                return slice::of_file(held, path, &file.name, slice).await;
            }
            let linked = held.place(&path)?;
            Ok(PlacedFile {
                name: file.name.clone(),
                bytes: claim.bytes,
                generated: false,
                linked: linked.then_some(held),
                is_empty_share: false,
            })
        }
    }
}

/// How the file is to be cut, if it is.
fn slice_of<'a>(task: &'a ShardTask, file: &str) -> Option<&'a Slice> {
    let slice = task.slice.as_ref()?;
    (slice.by.file() == Some(file)).then_some(slice)
}
