//! Reads a document together with the registered workflows that it refers to, those that they refer to, and so on.

use std::io::Read;

use foreshard_engine::parse::{self, Library, Parsed};
use foreshard_model::ids::Tenant;
use foreshard_model::limits::SUB_WORKFLOW_DEPTH;
use foreshard_model::problem::Problem;

use crate::keys;
use crate::ports::{BlobReads, PortError, PortResult};

/// Registered documents that one document may bring along: 64 of 4 MiB still fit the smallest function that plans.
const DOCUMENTS_MAX: usize = 64;

/// Bytes of all of them.
const LIBRARY_BYTES: usize = 64 * 1024 * 1024;

/// The code of a document that is larger than allowed; docs/errors.md.
const TOO_LARGE: &str = "FS1003";

/// The code of a reference to a workflow that is not there; docs/errors.md.
const UNKNOWN_WORKFLOW: &str = "FS1030";

/// What became of a document.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Looked {
    /// A workflow, and notes on it.
    Parsed(Box<Parsed>),
    /// More bytes than may be looked at here.
    TooLarge(Vec<Problem>),
    /// Everything that is wrong with it.
    Refused(Vec<Problem>),
}

impl From<Result<Parsed, Vec<Problem>>> for Looked {
    fn from(result: Result<Parsed, Vec<Problem>>) -> Self {
        match result {
            Ok(parsed) => Self::Parsed(Box::new(parsed)),
            Err(problems) if problems.iter().any(|p| p.code == TOO_LARGE) => {
                Self::TooLarge(problems)
            }
            Err(problems) => Self::Refused(problems),
        }
    }
}

/// Reads a document that is in memory, gzipped or not, of at most 4 MiB inflated.
///
/// # Errors
/// A port did not answer.
pub(crate) async fn look(
    blobs: &dyn BlobReads,
    tenant: &Tenant,
    bytes: &[u8],
) -> PortResult<Looked> {
    let alone = parse::document(bytes, &Library::new());
    if !refers(&alone) {
        return Ok(alone.into());
    }
    let library = library(blobs, tenant, parse::references(bytes)).await?;
    Ok(parse::document(bytes, &library).into())
}

/// Reads a document as a stream, up to 1 GiB inflated; a document that refers to registered ones is read again with them.
///
/// # Errors
/// A port did not answer, or the document could not be opened.
pub(crate) async fn look_stream<R: Read>(
    blobs: &dyn BlobReads,
    tenant: &Tenant,
    open: impl Fn() -> PortResult<R> + Send,
) -> PortResult<Looked> {
    let alone = parse::stream(open()?, &Library::new());
    if !refers(&alone) {
        return Ok(alone.into());
    }
    let named = parse::references_in(open()?);
    let library = library(blobs, tenant, named).await?;
    Ok(parse::stream(open()?, &library).into())
}

/// Whether the document names a workflow that it does not define: most do not, and are read once.
fn refers(alone: &Result<Parsed, Vec<Problem>>) -> bool {
    let problems = alone.as_ref().err();
    problems.is_some_and(|p| p.iter().any(|p| p.code == UNKNOWN_WORKFLOW))
}

/// The registered documents that these lead to. What is not registered is left out: the parser says where it is named.
async fn library(
    blobs: &dyn BlobReads,
    tenant: &Tenant,
    mut named: Vec<(String, String)>,
) -> PortResult<Library> {
    let mut library = Library::new();
    let mut total = 0;
    // A reference below the greatest depth is refused by the parser, so nothing below it is fetched.
    for _ in 0..SUB_WORKFLOW_DEPTH {
        let mut next = Vec::new();
        for (name, version) in std::mem::take(&mut named) {
            let reference = (name, version);
            if library.contains_key(&reference) {
                continue;
            }
            let key = keys::workflow(tenant, &reference.0, &reference.1);
            let document = match blobs.get(&key).await {
                Ok(document) => document,
                Err(PortError::NotFound(_)) => continue,
                Err(error) => return Err(error),
            };
            total += document.len();
            if library.len() == DOCUMENTS_MAX || total > LIBRARY_BYTES {
                return Ok(library);
            }
            next.extend(parse::references(&document));
            library.insert(reference, document);
        }
        if next.is_empty() {
            break;
        }
        named = next;
    }
    Ok(library)
}
