//! The body of a request as JSON.

use serde::de::DeserializeOwned;

use super::http::ApiRequest;
use super::refusal::{Code, Refusal};

/// Largest body that is looked at: what Lambda takes, less nothing; the gateway refuses what is larger still.
const BODY_BYTES: usize = 6 * 1024 * 1024;

/// Reads the body; a refusal says where it cannot be understood.
pub(super) fn json<T: DeserializeOwned>(request: &ApiRequest) -> Result<T, Refusal> {
    if request.body.len() > BODY_BYTES {
        return Err(Refusal::new(
            Code::TooLarge,
            format!(
                "the body has {} bytes, more than {BODY_BYTES}: upload the document",
                request.body.len()
            ),
        ));
    }
    serde_json::from_slice(&request.body).map_err(|e| Refusal::new(Code::BadBody, e.to_string()))
}
