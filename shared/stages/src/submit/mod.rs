//! submit: the REST API. Accepts or refuses workflows, and serves what their owners ask and wish.
//!
//! Every route reads, asks the engine, writes, and answers; an error is an answer too, so nothing here fails. Whatever a
//! caller repeats is harmless, and no caller ever sees that another tenant's run exists.

mod accept;
mod body;
mod check;
mod control;
mod cursor;
mod document;
mod forecasts;
mod http;
mod identity;
mod listing;
mod logs;
mod openapi;
mod options;
mod outputs;
mod put_back;
mod query;
mod reading;
mod refusal;
mod register;
mod routes;
mod schedules;
mod table;
mod trace;
mod uploads;
mod validate;
mod wake;

use std::sync::Arc;

use foreshard_model::policy::StartRate;

pub use http::{ApiRequest, ApiResponse, Identity, JSON, PROBLEM_JSON};
pub use openapi::openapi;
pub use refusal::Code;
pub use schedules::{Fired, fire, sweep};

use self::identity::identified;
use self::refusal::Answered;
use self::table::{Call, matched};
use crate::ports::{
    Allowances, BlobLists, BlobPresigns, BlobReads, BlobWrites, Clock, Executions, ForecastReads,
    FrontierReads, FrontierWrites, LaneTokens, LedgerReads, LedgerWrites, RunReads, RunWrites,
    ScheduleReads, ScheduleWrites, Timers, Wiring,
};

/// What submit may do.
#[derive(Clone)]
pub struct Ports {
    /// Reads runs.
    pub runs: Arc<dyn RunReads>,
    /// Creates runs, and writes their owners' wishes.
    pub run_writes: Arc<dyn RunWrites>,
    /// What tenants may start.
    pub allowances: Arc<dyn Allowances>,
    /// How fast one tenant may start runs.
    pub start_rate: StartRate,
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
    /// Reads schedules.
    pub schedules: Arc<dyn ScheduleReads>,
    /// Writes schedules, and what was decided about their times.
    pub schedule_writes: Arc<dyn ScheduleWrites>,
    /// Wakes this stage at the times of a schedule.
    pub timers: Arc<dyn Timers>,
    /// Reads what is expected of targets and region.
    pub forecasts: Arc<dyn ForecastReads>,
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
    tracing::Span::current().record("tenant", identity.account.as_str());
    let (route, segments) = matched(&request.method, &request.path)?;
    let call = Call {
        ports,
        identity,
        request,
        segments,
    };
    (route.handler)(call).await
}
