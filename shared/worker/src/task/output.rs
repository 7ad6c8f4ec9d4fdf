//! Keeps what a task leaves behind: its value, here or stored, and the files that it was to write.

use std::collections::BTreeMap;
use std::path::PathBuf;

use foreshard_model::claim::{Claim, INLINE_VALUE_BYTES};
use foreshard_model::ids::Sha256Hex;
use foreshard_model::limits::TASK_OUTPUT_BYTES;
use foreshard_model::output::{OutputValue, ShardTask, TaskOutput, TaskUsage};
use serde_json::Value;

use super::Ran;
use super::fault::Fault;
use super::place::Place;
use crate::attempt::Attempt;
use crate::attempt::uploads::{Body, Upload};
use crate::keys;
use crate::store::files::{Held, digest_at};

/// Keeps the value and the files of a task that has ended. They are on disk then, and on their way to the store.
///
/// # Errors
/// The value is too large, a file is missing or is not a file.
pub(crate) async fn keep(
    attempt: &Attempt<'_>,
    task: &ShardTask,
    place: &Place,
    value: Value,
) -> Result<Ran, Fault> {
    let bytes = serde_json::to_vec(&value)
        .map_err(|error| Fault::Output(format!("its output is no JSON: {error}")))?;
    let value_bytes = bytes.len() as u64;
    let mut uploads = Vec::new();
    let stored = keep_value(attempt, &value, bytes, &mut uploads)?;
    let mut files = BTreeMap::new();
    let mut output_bytes = value_bytes;
    for written in &task.writes {
        let claim = keep_file(
            attempt,
            place.path(&written.name)?,
            &written.name,
            &mut uploads,
        )
        .await?;
        output_bytes += claim.bytes;
        files.insert(written.name.clone(), claim);
    }
    Ok(Ran {
        output: TaskOutput {
            attempt: attempt.request.attempt,
            value: stored,
            files,
            usage: TaskUsage::default(),
        },
        value,
        value_bytes,
        output_bytes,
        uploads,
    })
}

/// What a task leaves behind that was not to run: null, and no files.
pub(crate) fn nothing(attempt: &Attempt<'_>) -> Ran {
    Ran {
        output: TaskOutput {
            attempt: attempt.request.attempt,
            value: OutputValue::Inline(Value::Null),
            files: BTreeMap::new(),
            usage: TaskUsage::default(),
        },
        value: Value::Null,
        value_bytes: 4,
        output_bytes: 4,
        uploads: Vec::new(),
    }
}

/// What a part leaves behind that was given nothing: null, and its files without content.
///
/// # Errors
/// The files cannot be written.
pub(crate) async fn empty(
    attempt: &Attempt<'_>,
    task: &ShardTask,
    place: &Place,
) -> Result<Ran, Fault> {
    for written in &task.writes {
        std::fs::File::create(place.path(&written.name)?)?;
    }
    keep(attempt, task, place, Value::Null).await
}

fn keep_value(
    attempt: &Attempt<'_>,
    value: &Value,
    bytes: Vec<u8>,
    uploads: &mut Vec<Upload>,
) -> Result<OutputValue, Fault> {
    if bytes.len() > TASK_OUTPUT_BYTES {
        let length = bytes.len();
        let hint = "larger results belong into a file";
        return Err(Fault::Output(format!(
            "its output has {length} bytes, more than {TASK_OUTPUT_BYTES}: {hint}"
        )));
    }
    if bytes.len() <= INLINE_VALUE_BYTES {
        return Ok(OutputValue::Inline(value.clone()));
    }
    let sha256 = Sha256Hex::of(&bytes);
    let held = attempt.run.files.keep(&sha256, &bytes)?;
    let claim = claim(attempt, sha256, bytes.len() as u64);
    uploads.push(Upload {
        key: claim.key.clone(),
        body: Body::File(held),
    });
    Ok(OutputValue::Stored(claim))
}

async fn keep_file(
    attempt: &Attempt<'_>,
    path: PathBuf,
    name: &str,
    uploads: &mut Vec<Upload>,
) -> Result<Claim, Fault> {
    let files = attempt.run.files.clone();
    let keeping = tokio::task::spawn_blocking(move || {
        let (sha256, bytes) = digest_at(&path)?;
        let held = files.adopt(&path, &sha256, bytes)?;
        Ok::<_, std::io::Error>((sha256, bytes, held))
    });
    let kept = keeping
        .await
        .map_err(|error| Fault::Unavailable(error.to_string()))?;
    let (sha256, bytes, held): (Sha256Hex, u64, Held) =
        kept.map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => {
                Fault::Output(format!("it did not write the file `{name}`"))
            }
            _ => Fault::Output(format!("the file `{name}` cannot be kept: {error}")),
        })?;
    let claim = claim(attempt, sha256, bytes);
    uploads.push(Upload {
        key: claim.key.clone(),
        body: Body::File(held),
    });
    Ok(claim)
}

fn claim(attempt: &Attempt<'_>, sha256: Sha256Hex, bytes: u64) -> Claim {
    Claim {
        key: keys::output(attempt.request, &sha256),
        sha256,
        bytes,
    }
}
