//! Registered workflows: documents under their own name and version, never changed, referred to by other documents.

use foreshard_model::api::{RegisterRequest, WorkflowEntry, WorkflowPage, WorkflowView};
use foreshard_model::ids::Sha256Hex;
use foreshard_model::limits::INLINE_DOCUMENT_BYTES;

use super::Ports;
use super::body::json;
use super::cursor::{after, next};
use super::document::{Received, Source, received};
use super::http::{ApiRequest, ApiResponse, Identity};
use super::query::{brief, limit};
use super::refusal::{Answered, Code, Refusal};
use super::schedules::{check_declared, declare};
use crate::keys;
use crate::library::{Looked, look};
use crate::ports::PortError;

/// Workflows in a page when nobody asks for another number, and at most.
pub(super) const WORKFLOWS: (usize, usize) = (100, 1_000);

/// Registers a document that has no problems, those of what it refers to included.
pub(super) async fn register(ports: &Ports, identity: &Identity, request: &ApiRequest) -> Answered {
    let wanted: RegisterRequest = json(request)?;
    let source = Source::of_registration(&wanted)?;
    let too_large = || {
        Refusal::new(
            Code::TooLarge,
            format!("a registered document has at most {INLINE_DOCUMENT_BYTES} bytes, inflated"),
        )
    };
    let Received::Here(bytes) = received(ports, &identity.tenant(), source).await? else {
        return Err(too_large());
    };
    let looked = look(ports.blobs.as_ref(), &identity.tenant(), &bytes).await?;
    let (workflow, declared) = match looked {
        Looked::Parsed(parsed) => (parsed.workflow, parsed.schedules),
        Looked::TooLarge(problems) => return Err(too_large().with(problems)),
        Looked::Refused(problems) => return Err(Refusal::document(problems)),
    };
    let entry = WorkflowEntry {
        name: workflow.name,
        version: workflow.version,
    };
    let bundles = &wanted.bundles;
    let items = check_declared(ports, identity, &entry, &declared, bundles, &bytes).await?;
    let key = keys::workflow(&identity.tenant(), &entry.name, &entry.version);
    let created = ports.blob_writes.put_new(&key, bytes.clone()).await?;
    if !created && ports.blobs.get(&key).await? != bytes {
        return Err(Refusal::new(
            Code::VersionTaken,
            format!(
                "`{}` version `{}` is another document: give yours another version",
                entry.name, entry.version
            ),
        ));
    }
    // The same document again too: it mends what a failure has left, and goes back to an earlier version.
    declare(ports, identity, &entry.name, items).await?;
    let status = if created { 201 } else { 200 };
    Ok(ApiResponse::json(status, &entry))
}

pub(super) async fn list(ports: &Ports, identity: &Identity, request: &ApiRequest) -> Answered {
    let page = listed(ports, identity, request, "").await?;
    Ok(ApiResponse::json(200, &page))
}

/// The versions of one workflow. A workflow without a version is none.
pub(super) async fn versions(
    ports: &Ports,
    identity: &Identity,
    request: &ApiRequest,
    name: &str,
) -> Answered {
    let page = listed(ports, identity, request, &format!("{name}/")).await?;
    if page.workflows.is_empty() && after(request)?.is_none() {
        return Err(Refusal::new(Code::NoWorkflow, format!("`{}`", brief(name))));
    }
    Ok(ApiResponse::json(200, &page))
}

/// A page of those workflows whose name and version, with a slash between, begin so.
async fn listed(
    ports: &Ports,
    identity: &Identity,
    request: &ApiRequest,
    begin: &str,
) -> Result<WorkflowPage, Refusal> {
    let root = keys::workflows(&identity.tenant());
    let from = after(request)?.map(|rest| format!("{root}{rest}"));
    let page = ports
        .blob_lists
        .list(
            &format!("{root}{begin}"),
            limit(request, WORKFLOWS)?,
            from.as_deref(),
        )
        .await?;
    let workflows = page
        .items
        .iter()
        .filter_map(|key| key.strip_prefix(&root)?.split_once('/'))
        .map(|(name, version)| WorkflowEntry {
            name: name.to_owned(),
            version: version.to_owned(),
        })
        .collect();
    let next = page.next.and_then(|key| key.strip_prefix(&root).map(next));
    Ok(WorkflowPage { workflows, next })
}

pub(super) async fn get(ports: &Ports, identity: &Identity, name: &str, version: &str) -> Answered {
    let key = keys::workflow(&identity.tenant(), name, version);
    let bytes = match ports.blobs.get(&key).await {
        Err(PortError::NotFound(_)) => {
            return Err(Refusal::new(
                Code::NoWorkflow,
                format!("`{}` version `{}`", brief(name), brief(version)),
            ));
        }
        other => other?,
    };
    let sha256 = Sha256Hex::of(&bytes);
    let (document, document_gzip) = match String::from_utf8(bytes) {
        Ok(text) => (Some(text), None),
        Err(raw) => (None, Some(data_encoding::BASE64.encode(raw.as_bytes()))),
    };
    let view = WorkflowView {
        name: name.to_owned(),
        version: version.to_owned(),
        sha256,
        document,
        document_gzip,
    };
    Ok(ApiResponse::json(200, &view))
}
