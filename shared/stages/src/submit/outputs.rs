//! What a run leaves behind, for its owner: its plan and its result.

use std::collections::BTreeMap;

use foreshard_engine::report::RunResult;
use foreshard_model::api::{Elsewhere, PlanElsewhere, ResultView};
use foreshard_model::claim::Claim;
use foreshard_model::ids::RunId;
use foreshard_model::output::OutputValue;
use foreshard_model::run::RunItem;

use super::Ports;
use super::http::{ApiResponse, Identity};
use super::reading::owned;
use super::refusal::{Answered, Code, Refusal};
use crate::ports::{PortError, PortResult};
use crate::read::claimed;

/// An object up to this size is answered itself: Lambda's 6 MB, less what the envelope of the answer adds to JSON text.
pub(super) const ANSWERED_BYTES: u64 = 4_500_000;

/// How long a link in an answer is valid, in seconds: long enough to fetch gigabytes, and short of an hour.
const LINK_VALID_S: u64 = 1_800;

pub(super) async fn plan(ports: &Ports, identity: &Identity, run: &RunId) -> Answered {
    let item = owned(ports, identity, run).await?;
    let Some(pointer) = &item.plan else {
        return Err(not_yet(&item, "is not planned"));
    };
    if pointer.plan.bytes > ANSWERED_BYTES {
        let elsewhere = link(ports, &pointer.plan).await?;
        return Ok(ApiResponse::json(200, &PlanElsewhere { elsewhere }));
    }
    let bytes = claimed(ports.blobs.as_ref(), &pointer.plan).await?;
    Ok(ApiResponse::bytes(200, bytes))
}

pub(super) async fn result(ports: &Ports, identity: &Identity, run: &RunId) -> Answered {
    let item = owned(ports, identity, run).await?;
    let Some(claim) = &item.result else {
        return Err(not_yet(&item, "has no result"));
    };
    let mut view = ResultView {
        run: run.clone(),
        outputs: BTreeMap::new(),
        stored: BTreeMap::new(),
        missing: BTreeMap::new(),
        elsewhere: None,
    };
    if claim.bytes > ANSWERED_BYTES {
        view.elsewhere = Some(link(ports, claim).await?);
        return Ok(ApiResponse::json(200, &view));
    }
    let bytes = claimed(ports.blobs.as_ref(), claim).await?;
    let result: RunResult =
        serde_json::from_slice(&bytes).map_err(|e| PortError::Corrupt(e.to_string()))?;
    view.missing = result.missing;
    for (name, value) in result.outputs {
        match value {
            OutputValue::Inline(value) => {
                view.outputs.insert(name, value);
            }
            OutputValue::Stored(claim) => {
                view.stored.insert(name, link(ports, &claim).await?);
            }
        }
    }
    Ok(ApiResponse::json(200, &view))
}

fn not_yet(item: &RunItem, what: &str) -> Refusal {
    let state = item.state.as_str();
    Refusal::new(Code::NotYet, format!("run `{}`, {state}, {what}", item.run))
}

async fn link(ports: &Ports, claim: &Claim) -> PortResult<Elsewhere> {
    Ok(Elsewhere {
        url: ports.presigns.presign_get(&claim.key, LINK_VALID_S).await?,
        sha256: claim.sha256.clone(),
        bytes: claim.bytes,
    })
}
