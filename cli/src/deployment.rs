//! The deployment that a command talks to: named, or the emulator that runs on this machine.

use std::collections::BTreeMap;
use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use foreshard_aws::client::{ApiClient, ApiError};
use foreshard_aws::sdk::Credentials;
use foreshard_engine::parse::Library;
use foreshard_local_emulator::{EmulatorError, Home, Record, record};
use foreshard_model::api::{SubmitRequest, UploadKind, WorkflowView};
use foreshard_model::ids::{RunId, Sha256Hex};

use crate::args::Arguments;
use crate::bundle;
use crate::exit::CliError;
use crate::source::Source;

impl From<ApiError> for CliError {
    fn from(error: ApiError) -> Self {
        match error {
            ApiError::Refused(problem) => Self::Refused(problem),
            other => Self::Unreachable(other.to_string()),
        }
    }
}

/// The checkout around the working folder, with the state folder that was asked for.
///
/// # Errors
/// [`EmulatorError::NoHome`] outside a checkout.
pub fn home(arguments: &Arguments) -> Result<Home, EmulatorError> {
    let here = std::env::current_dir().unwrap_or_default();
    let home = Home::find(&here, std::env::var_os("FORESHARD_HOME").map(Into::into))?;
    Ok(match &arguments.state {
        Some(state) => home.with_state(state.clone()),
        None => home,
    })
}

/// The deployment's API: the named one with the usual AWS environment, else the running emulator's.
///
/// # Errors
/// [`CliError::NoDeployment`] when there is neither, [`CliError::Argument`] where several are named.
pub async fn client(arguments: &Arguments) -> Result<ApiClient, CliError> {
    match arguments.api.as_slice() {
        [] => {}
        [api] => return Ok(ApiClient::from_environment(api).await?),
        several => {
            return Err(CliError::Argument(format!(
                "{} deployments are named, and this is asked of one: give one `--api` (or FORESHARD_API_URL)",
                several.len()
            )));
        }
    }
    let record = home(arguments).ok().and_then(|home| Record::read(&home));
    let api = record.and_then(|r| r.api).ok_or(CliError::NoDeployment)?;
    let (key, secret) = record::CREDENTIALS;
    Ok(ApiClient::new(
        &api,
        record::REGION,
        Credentials::new(key, secret, None, None, "emulator"),
    )?)
}

/// The only deployment, or the first of several that are named: registered workflows are asked of it.
///
/// # Errors
/// As [`client`].
pub async fn first(arguments: &Arguments) -> Result<ApiClient, CliError> {
    match arguments.api.as_slice() {
        [first, _, ..] => Ok(ApiClient::from_environment(first).await?),
        _ => client(arguments).await,
    }
}

/// A run's id as typed.
///
/// # Errors
/// [`CliError::Argument`] when it is none.
pub fn run_id(text: &str) -> Result<RunId, CliError> {
    if RunId::is_well_formed(text) {
        return Ok(RunId::from(text));
    }
    Err(CliError::Argument(format!(
        "`{text}` is not the id of a run: they look like `r-` and 20 letters and digits"
    )))
}

/// The registered workflows that the document refers to, and those that they refer to.
///
/// # Errors
/// What the deployment answers when it has not got one.
pub async fn library(client: &ApiClient, source: &Source) -> Result<Library, CliError> {
    let mut library = Library::new();
    let mut wanted = source.references.clone();
    while let Some((name, version)) = wanted.pop() {
        if library.contains_key(&(name.clone(), version.clone())) {
            continue;
        }
        let view = client.workflow(&name, &version).await?;
        let document = document_of(view);
        wanted.extend(foreshard_engine::parse::references(&document));
        library.insert((name, version), document);
    }
    Ok(library)
}

/// The document of a registered workflow, as it was registered.
#[must_use]
pub fn document_of(view: WorkflowView) -> Vec<u8> {
    let packed = view.document_gzip.unwrap_or_default();
    match view.document {
        Some(text) => text.into_bytes(),
        None => data_encoding::BASE64
            .decode(packed.as_bytes())
            .unwrap_or_default(),
    }
}

/// Uploads the bundles that the document names; gives their digests.
///
/// # Errors
/// A folder that cannot be read, or a refused upload.
pub async fn upload_bundles(
    client: &ApiClient,
    source: &Source,
    folders: &[String],
) -> Result<BTreeMap<String, Sha256Hex>, CliError> {
    let mut digests = BTreeMap::new();
    for folder in folders {
        let bytes = bundle::pack(&source.folder_of(folder))?;
        let digest = Sha256Hex::of(&bytes);
        client.upload(UploadKind::Bundle, &bytes).await?;
        digests.insert(folder.clone(), digest);
    }
    Ok(digests)
}

/// Longest document that travels as text. In the gateway's event it is JSON within JSON within JSON: each quote becomes
/// four bytes, and a document of 4 MiB full of them would pass Lambda's 6 MiB.
const PLAIN_DOCUMENT_BYTES: usize = 256 * 1024;

fn gzip(bytes: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes)?;
    encoder.finish()
}

/// Puts the document into the request: as text, gzipped, or as an upload when it is large.
///
/// # Errors
/// A refused upload.
pub async fn attach_document(
    client: &ApiClient,
    source: &Source,
    request: &mut SubmitRequest,
) -> Result<(), CliError> {
    if !source.is_inline() {
        request.upload = Some(client.upload(UploadKind::Document, &source.raw).await?);
    } else if source.raw.len() < source.text.len() {
        request.document_gzip = Some(data_encoding::BASE64.encode(&source.raw));
    } else if source.text.len() > PLAIN_DOCUMENT_BYTES {
        let packed = gzip(&source.text).map_err(|error| CliError::Argument(error.to_string()))?;
        request.document_gzip = Some(data_encoding::BASE64.encode(&packed));
    } else {
        request.document = Some(String::from_utf8_lossy(&source.text).into_owned());
    }
    Ok(())
}
