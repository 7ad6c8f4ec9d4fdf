//! Reads the document of a run: from memory when it is small, as a stream from the scratch when it is large.

use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use foreshard_engine::parse::Parsed;
use foreshard_model::limits::{INLINE_DOCUMENT_BYTES, UPLOADED_DOCUMENT_BYTES};
use foreshard_model::plan::Reason;
use foreshard_model::problem::Problem;
use foreshard_model::run::RunItem;

use super::Ports;
use crate::library::{Looked, look, look_stream};
use crate::ports::{PortError, PortResult};
use crate::read::claimed;

/// What became of a document.
pub(super) enum Reading {
    Parsed(Box<Parsed>),
    Refused(Vec<Problem>),
    /// It is no longer there, or not what it was.
    Lost(String),
}

pub(super) async fn read(ports: &Ports, run: &RunItem) -> PortResult<Reading> {
    let looked = if run.document.bytes <= INLINE_DOCUMENT_BYTES as u64 {
        small(ports, run).await
    } else {
        large(ports, run).await
    };
    match looked {
        Ok(Looked::Parsed(parsed)) => Ok(Reading::Parsed(parsed)),
        Ok(Looked::Refused(problems) | Looked::TooLarge(problems)) => {
            Ok(Reading::Refused(problems))
        }
        Err(PortError::NotFound(why) | PortError::Corrupt(why)) => {
            Ok(Reading::Lost(format!("the document cannot be read: {why}")))
        }
        Err(error) => Err(error),
    }
}

async fn small(ports: &Ports, run: &RunItem) -> PortResult<Looked> {
    let bytes = claimed(ports.blobs.as_ref(), &run.document).await?;
    match look(ports.blobs.as_ref(), &run.context.tenant, &bytes).await? {
        // A small upload may inflate to what only the stream takes.
        Looked::TooLarge(_) => {
            let open = || Ok(bytes.as_slice());
            look_stream(ports.blobs.as_ref(), &run.context.tenant, open).await
        }
        other => Ok(other),
    }
}

async fn large(ports: &Ports, run: &RunItem) -> PortResult<Looked> {
    if run.document.bytes > UPLOADED_DOCUMENT_BYTES {
        return Err(PortError::Corrupt(format!(
            "`{}` has {} bytes, more than {UPLOADED_DOCUMENT_BYTES}",
            run.document.key, run.document.bytes
        )));
    }
    let file = Scratch(ports.scratch.join(scratch_name(run)));
    let (digest, bytes) = ports.blobs.get_file(&run.document.key, &file.0).await?;
    if digest != run.document.sha256 || bytes != run.document.bytes {
        return Err(PortError::Corrupt(format!(
            "`{}` is not what its digest says",
            run.document.key
        )));
    }
    look_stream(ports.blobs.as_ref(), &run.context.tenant, || open(&file.0)).await
}

/// A name of its own for each reading: a repeat may be under way in the same folder.
fn scratch_name(run: &RunItem) -> String {
    static READINGS: AtomicU64 = AtomicU64::new(0);
    let reading = READINGS.fetch_add(1, Ordering::Relaxed);
    format!("{}.{}.{reading}.document", run.run, std::process::id())
}

fn open(path: &Path) -> PortResult<BufReader<File>> {
    File::open(path)
        .map(BufReader::new)
        .map_err(|e| PortError::Unavailable(format!("`{}`: {e}", path.display())))
}

/// A file of the scratch: it is removed when it is no longer needed, because the environment lives on.
struct Scratch(PathBuf);

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_file(&self.0) {
            tracing::debug!(%error, "nothing to remove from the scratch");
        }
    }
}

/// A note of the parser, as one of the plan's reasons: what was assumed where the document says nothing.
pub(super) fn reason(note: &Problem) -> Reason {
    Reason {
        subject: "assume".to_owned(),
        because: note.to_string(),
        numbers: std::collections::BTreeMap::new(),
    }
}
