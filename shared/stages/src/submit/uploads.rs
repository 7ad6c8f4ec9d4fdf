//! Uploads: where a document or a bundle goes that is too large for a request.

use std::collections::BTreeMap;

use foreshard_model::api::{UploadAnswer, UploadKind, UploadRequest};
use foreshard_model::ids::Sha256Hex;
use foreshard_model::limits::{BUNDLE_BYTES, UPLOADED_DOCUMENT_BYTES};

use super::Ports;
use super::body::json;
use super::http::{ApiRequest, ApiResponse, Identity};
use super::refusal::{Answered, Code, Refusal};
use crate::keys;

/// How long the permission to upload is valid, in seconds: a gigabyte at 3 Mbit/s, and short of an hour.
const UPLOAD_VALID_S: u64 = 3_000;

/// Answers where to put a content; contents are named by their digest, so what is there need not be sent again.
pub(super) async fn upload(ports: &Ports, identity: &Identity, request: &ApiRequest) -> Answered {
    let wanted: UploadRequest = json(request)?;
    if !Sha256Hex::is_well_formed(wanted.sha256.as_str()) {
        return Err(Refusal::new(
            Code::BadBody,
            "`sha256` is not 64 lower-case hexadecimal digits",
        ));
    }
    let (key, most) = match wanted.kind {
        UploadKind::Document => (
            keys::upload(&identity.tenant(), &wanted.sha256),
            UPLOADED_DOCUMENT_BYTES,
        ),
        UploadKind::Bundle => (
            keys::bundle(&identity.tenant(), &wanted.sha256),
            BUNDLE_BYTES,
        ),
    };
    if wanted.bytes == 0 || wanted.bytes > most {
        return Err(Refusal::new(
            Code::TooLarge,
            format!("`bytes` is {}: from 1 to {most}", wanted.bytes),
        ));
    }
    let present = ports.blobs.head(&key).await? == Some(wanted.bytes);
    let mut answer = UploadAnswer {
        id: wanted.sha256.to_string(),
        present,
        url: String::new(),
        headers: BTreeMap::new(),
    };
    if !present {
        let put = ports
            .presigns
            .presign_put(&key, &wanted.sha256, wanted.bytes, UPLOAD_VALID_S)
            .await?;
        (answer.url, answer.headers) = (put.url, put.headers);
    }
    Ok(ApiResponse::json(200, &answer))
}
