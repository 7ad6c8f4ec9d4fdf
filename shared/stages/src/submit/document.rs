//! The document of a request: inline, gzipped, or uploaded before.

use foreshard_model::api::{RegisterRequest, SubmitRequest};
use foreshard_model::claim::Claim;
use foreshard_model::ids::{Sha256Hex, Tenant};
use foreshard_model::limits::{INLINE_DOCUMENT_BYTES, UPLOADED_DOCUMENT_BYTES};

use super::Ports;
use super::query::brief;
use super::refusal::{Code, Refusal};
use crate::keys;
use crate::ports::PortError;

/// Where a request says that its document is.
#[derive(Debug, Clone, Copy)]
pub(super) enum Source<'a> {
    Text(&'a str),
    Gzip(&'a str),
    Upload(&'a str),
}

impl<'a> Source<'a> {
    /// The one that is given.
    pub(super) fn of(
        text: Option<&'a String>,
        gzip: Option<&'a String>,
        upload: Option<&'a String>,
    ) -> Result<Self, Refusal> {
        match (text, gzip, upload) {
            (Some(text), None, None) => Ok(Self::Text(text)),
            (None, Some(gzip), None) => Ok(Self::Gzip(gzip)),
            (None, None, Some(upload)) => Ok(Self::Upload(upload)),
            _ => Err(Refusal::new(
                Code::NoDocument,
                "give one of `document`, `document_gzip` and `upload`",
            )),
        }
    }

    pub(super) fn of_submission(request: &'a SubmitRequest) -> Result<Self, Refusal> {
        Self::of(
            request.document.as_ref(),
            request.document_gzip.as_ref(),
            request.upload.as_ref(),
        )
    }

    pub(super) fn of_registration(request: &'a RegisterRequest) -> Result<Self, Refusal> {
        Self::of(
            request.document.as_ref(),
            request.document_gzip.as_ref(),
            request.upload.as_ref(),
        )
    }
}

/// A document that has arrived.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Received {
    /// Small enough to be looked at now; as it was sent, gzipped or not.
    Here(Vec<u8>),
    /// Too large for that: planning reads it.
    Stored(Claim),
}

/// Fetches the document of a request.
pub(super) async fn received(
    ports: &Ports,
    tenant: &Tenant,
    source: Source<'_>,
) -> Result<Received, Refusal> {
    match source {
        Source::Text(text) if text.len() > INLINE_DOCUMENT_BYTES => Err(Refusal::new(
            Code::TooLarge,
            format!(
                "`document` has {} bytes, more than {INLINE_DOCUMENT_BYTES}: upload it",
                text.len()
            ),
        )),
        Source::Text(text) => Ok(Received::Here(text.as_bytes().to_vec())),
        Source::Gzip(text) => data_encoding::BASE64
            .decode(text.as_bytes())
            .map(Received::Here)
            .map_err(|e| {
                Refusal::new(
                    Code::BadEncoding,
                    format!("`document_gzip` is not base64: {e}"),
                )
            }),
        Source::Upload(id) => uploaded(ports, tenant, id).await,
    }
}

async fn uploaded(ports: &Ports, tenant: &Tenant, id: &str) -> Result<Received, Refusal> {
    let missing = || Refusal::new(Code::NoUpload, format!("`{}`", brief(id)));
    if !Sha256Hex::is_well_formed(id) {
        return Err(missing());
    }
    let digest = Sha256Hex::from(id);
    let key = keys::upload(tenant, &digest);
    let bytes = ports.blobs.head(&key).await?.ok_or_else(missing)?;
    if bytes > UPLOADED_DOCUMENT_BYTES {
        return Err(Refusal::new(
            Code::TooLarge,
            format!("the upload has {bytes} bytes, more than {UPLOADED_DOCUMENT_BYTES}"),
        ));
    }
    if bytes > INLINE_DOCUMENT_BYTES as u64 {
        return Ok(Received::Stored(Claim {
            key,
            sha256: digest,
            bytes,
        }));
    }
    let content = match ports.blobs.get(&key).await {
        Err(PortError::NotFound(_)) => return Err(missing()),
        other => other?,
    };
    if Sha256Hex::of(&content) != digest {
        return Err(Refusal::new(
            Code::NoUpload,
            format!("`{id}` has another content than its digest says: upload it again"),
        ));
    }
    Ok(Received::Here(content))
}
