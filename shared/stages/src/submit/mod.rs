//! submit: the REST API. Accepts or refuses workflows, and serves what their owners ask and wish.
//!
//! Every route reads, asks the engine, writes, and answers; an error is an answer too, so nothing here fails. Whatever a
//! caller repeats is harmless, and no caller ever sees that another tenant's run exists.

mod accept;
mod body;
mod control;
mod document;
mod http;
mod logs;
mod options;
mod outputs;
mod put_back;
mod query;
mod reading;
mod refusal;
mod register;
mod route;
mod trace;
mod uploads;
mod wake;

use std::sync::Arc;

pub use http::{ApiRequest, ApiResponse, Identity, JSON, PROBLEM_JSON};
pub use refusal::Code;

use self::refusal::{Answered, Refusal};
use self::route::Route;
use crate::ports::{
    BlobLists, BlobPresigns, BlobReads, BlobWrites, Clock, Executions, FrontierReads,
    FrontierWrites, LaneTokens, LedgerReads, LedgerWrites, RunReads, RunWrites, Wiring,
};

/// What submit may do.
#[derive(Clone)]
pub struct Ports {
    /// Reads runs.
    pub runs: Arc<dyn RunReads>,
    /// Creates runs, and writes their owners' wishes.
    pub run_writes: Arc<dyn RunWrites>,
    /// Reads shards and parked lanes.
    pub frontier: Arc<dyn FrontierReads>,
    /// Puts shards back when a run is resumed, and forgets tokens.
    pub frontier_writes: Arc<dyn FrontierWrites>,
    /// Reads what happened.
    pub ledger: Arc<dyn LedgerReads>,
    /// Records what was accepted and wished.
    pub ledger_writes: Arc<dyn LedgerWrites>,
    /// Reads documents, plans, results, logs.
    pub blobs: Arc<dyn BlobReads>,
    /// Lists logs and registered workflows.
    pub blob_lists: Arc<dyn BlobLists>,
    /// Stores documents and inputs.
    pub blob_writes: Arc<dyn BlobWrites>,
    /// Links for uploads and downloads.
    pub presigns: Arc<dyn BlobPresigns>,
    /// Starts rounds.
    pub executions: Arc<dyn Executions>,
    /// Wakes parked lanes.
    pub tokens: Arc<dyn LaneTokens>,
    /// The targets of the deployment.
    pub wiring: Arc<dyn Wiring>,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

/// Answers one request.
pub async fn answer(ports: &Ports, request: &ApiRequest) -> ApiResponse {
    match routed(ports, request).await {
        Ok(answer) => answer,
        Err(refusal) => {
            let (code, status, title) = refusal.code.entry();
            if status >= 500 {
                tracing::error!(code, detail = refusal.detail(), "{title}");
            } else {
                tracing::info!(code, "{title}");
            }
            refusal.answer()
        }
    }
}

async fn routed(ports: &Ports, request: &ApiRequest) -> Answered {
    let identity = identified(request)?;
    match route::route(request)? {
        Route::Submit => accept::submit(ports, identity, request).await,
        Route::List => reading::list(ports, identity, request).await,
        Route::Run(run) => reading::run(ports, identity, &run).await,
        Route::Cancel(run) => control::cancel(ports, identity, &run).await,
        Route::Pause(run) => control::pause(ports, identity, &run).await,
        Route::Resume(run) => control::resume(ports, identity, &run).await,
        Route::Events(run) => reading::events(ports, identity, &run, request).await,
        Route::Plan(run) => outputs::plan(ports, identity, &run).await,
        Route::Result(run) => outputs::result(ports, identity, &run).await,
        Route::Logs(run) => logs::logs(ports, identity, &run, request).await,
        Route::Upload => uploads::upload(ports, identity, request).await,
        Route::Pool => Ok(ApiResponse::json(200, &ports.wiring.pool())),
        Route::Register => register::register(ports, identity, request).await,
        Route::Workflows => register::list(ports, identity, request).await,
        Route::Workflow(name, version) => register::get(ports, identity, &name, &version).await,
    }
}

/// The caller, as the gateway has verified it. Account and principal end up in keys, tags and session names, so their
/// form is checked although the gateway made them.
fn identified(request: &ApiRequest) -> Result<&Identity, Refusal> {
    let identity = request.identity.as_ref().filter(|who| {
        !who.account.is_empty()
            && who.account.len() <= ACCOUNT_CHARS
            && who
                .account
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && !who.principal.is_empty()
            && who.principal.len() <= PRINCIPAL_CHARS
    });
    identity.ok_or_else(|| {
        Refusal::new(
            Code::NoIdentity,
            "the request carries no verified account and principal",
        )
    })
}

/// AWS accounts have 12 digits; a deployment may map them to names.
const ACCOUNT_CHARS: usize = 64;

/// Longest ARN. Source: IAM, "Identifiers": ARNs have at most 2,048 characters.
const PRINCIPAL_CHARS: usize = 2_048;
