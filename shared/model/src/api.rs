//! What the REST API takes and gives.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::forecast::StoredForecast;
use crate::ids::{RunId, Sha256Hex};
use crate::ledger::Event;
use crate::message::Failure;
use crate::outlook::StoredOutlook;
use crate::plan::{LaneMode, Plan};
use crate::policy::RunOptions;
use crate::prewarm::PrewarmRecord;
use crate::price::Price;
use crate::problem::Problem;
use crate::run::{RunItem, RunState, RunSummary};
use crate::schedule::Scheduled;
use crate::units::TimeMs;

/// A workflow of one task.
const HELLO: &str = "foreshard: 1\nname: hello\nversion: \"1\"\ntasks:\n  - {id: a, kind: synthetic, cpu_s: 0.01}\n";

/// What is submitted, validated or registered, in the description of the API.
fn hello() -> Value {
    json!({ "document": HELLO })
}

/// An upload of [`HELLO`].
fn an_upload() -> Value {
    let sha256 = Sha256Hex::of(HELLO.as_bytes());
    json!({ "kind": "document", "sha256": sha256, "bytes": HELLO.len() })
}

/// `POST /runs`. Exactly one of `document`, `document_gzip`, `upload` is given.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(example = hello())]
pub struct SubmitRequest {
    /// The document as text, YAML or JSON.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub document: Option<String>,
    /// The document, gzipped, in base64.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub document_gzip: Option<String>,
    /// Id of an upload that holds the document, gzipped or not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub upload: Option<String>,
    /// The run's input.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input: Option<Value>,
    /// Options.
    pub options: RunOptions,
    /// Role that the tasks assume; the deployment's default when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// Members that reach every task.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub baggage: BTreeMap<String, String>,
    /// Bundles: folder as written in the document to the digest of its upload.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub bundles: BTreeMap<String, Sha256Hex>,
}

/// What a submission answers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SubmitAnswer {
    /// The run.
    pub run: RunId,
    /// False when the idempotency key was known: the run is the one that it named before.
    pub created: bool,
    /// False when its execution could not be started now: the sweep starts it within two minutes.
    pub started: bool,
    /// What was assumed where the document says nothing; never an error.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<Problem>,
}

/// What `POST /validate` answers. Its request is a [`SubmitRequest`].
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ValidateAnswer {
    /// Whether it would be accepted.
    pub valid: bool,
    /// Everything that is wrong; empty when it is valid.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<Problem>,
    /// What is assumed where the document says nothing; never an error.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<Problem>,
    /// Name and version, when it is valid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workflow: Option<WorkflowEntry>,
    /// How many tasks it has, sub-workflows expanded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tasks: Option<u32>,
    /// Folders that have to be uploaded as bundles for a submission.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub bundles: Vec<String>,
    /// What it would become; absent for large workflows, which are planned later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<PlanFigures>,
}

/// The figures of a plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PlanFigures {
    /// Shards, virtual ones included.
    pub shards: u32,
    /// Lanes of a round.
    pub lanes: u32,
    /// How they run.
    pub mode: LaneMode,
    /// Longest path through the tasks, in milliseconds of estimated time.
    pub critical_path_ms: u64,
    /// Sum over all tasks, in milliseconds of estimated time.
    pub work_ms: u64,
    /// What it will cost and how long it will take.
    pub price: Price,
}

/// `POST /uploads`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(example = an_upload())]
pub struct UploadRequest {
    /// What for.
    pub kind: UploadKind,
    /// Digest of the content.
    pub sha256: Sha256Hex,
    /// Its length.
    pub bytes: u64,
}

/// What an upload is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum UploadKind {
    /// A document too large for a request.
    Document,
    /// A bundle of programs.
    Bundle,
}

/// Where to put it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct UploadAnswer {
    /// Names the upload in [`SubmitRequest::upload`]; for bundles the digest.
    pub id: String,
    /// True when the content is there already: nothing to send.
    pub present: bool,
    /// Presigned PUT.
    pub url: String,
    /// Headers that must go with it.
    pub headers: BTreeMap<String, String>,
}

/// A run as its owner sees it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RunView {
    /// Its id.
    pub run: RunId,
    /// Where it stands.
    pub state: RunState,
    /// Name and version of the workflow.
    pub workflow: String,
    /// Who submitted it.
    pub principal: String,
    /// In the logs of every stage.
    pub trace_id: String,
    /// The scheduled time that it stands for, when a schedule started it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scheduled: Option<Scheduled>,
    /// When it was accepted.
    pub accepted_at: TimeMs,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<TimeMs>,
    /// Round it is in.
    pub round: u32,
    /// Tasks and shards, once planned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub planned: Option<PlannedView>,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<Failure>,
    /// Its figures, once ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub summary: Option<RunSummary>,
    /// Everything that is wrong with the document, when it was found only in planning. Not in listings.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<Problem>,
}

/// Size of a planned run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PlannedView {
    /// Tasks.
    pub tasks: u32,
    /// Shards, virtual ones included.
    pub shards: u32,
    /// Lanes of a round.
    pub lanes: u32,
}

impl From<&RunItem> for RunView {
    fn from(item: &RunItem) -> Self {
        Self {
            run: item.run.clone(),
            state: item.state,
            workflow: item.workflow.clone(),
            principal: item.context.principal.clone(),
            trace_id: item.context.trace_id.clone(),
            scheduled: item.scheduled.clone(),
            accepted_at: item.accepted_at,
            ended_at: item.ended_at,
            round: item.round.0,
            planned: item.plan.as_ref().map(|p| PlannedView {
                tasks: p.tasks,
                shards: p.shards,
                lanes: p.lanes,
            }),
            cause: item.cause.clone(),
            summary: item.summary,
            problems: Vec::new(),
        }
    }
}

/// `GET /runs`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RunPage {
    /// Newest first.
    pub runs: Vec<RunView>,
    /// Give it as `after` to go on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// `GET /runs/{run}/events`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct EventPage {
    /// Oldest first.
    pub events: Vec<Event>,
    /// Give it as `after` to go on. It lags a few seconds, so that late entries are not missed: an entry can come
    /// twice, and is then the same.
    pub next: String,
    /// The run's state when the page was read.
    pub state: RunState,
}

/// `GET /runs/{run}/logs`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LogPage {
    /// Ordered by shard, attempt, task.
    pub logs: Vec<TaskLog>,
    /// Give it as `after` to go on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// What one task wrote to its standard error.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TaskLog {
    /// The task.
    pub task: String,
    /// Its shard.
    pub shard: u32,
    /// Its attempt.
    pub attempt: u32,
    /// The text; its tail when it was long.
    pub text: String,
}

/// Something too large for an answer: fetch it from `url`, without further credentials, while that is valid.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Elsewhere {
    /// Presigned GET.
    pub url: String,
    /// Digest of the content.
    pub sha256: Sha256Hex,
    /// Its length.
    pub bytes: u64,
}

/// `GET /runs/{run}/result`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ResultView {
    /// The run.
    pub run: RunId,
    /// The outputs by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub outputs: BTreeMap<String, Value>,
    /// Outputs that are too large to be in here.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub stored: BTreeMap<String, Elsewhere>,
    /// Outputs that have no value, and why.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub missing: BTreeMap<String, String>,
    /// The whole result (a `foreshard_engine::report::RunResult`), when it is too large for an answer: then the rest is empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub elsewhere: Option<Elsewhere>,
}

/// `GET /runs/{run}/plan`, when the plan is too large for an answer; otherwise the plan itself is answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PlanElsewhere {
    /// Where it is.
    pub elsewhere: Elsewhere,
}

/// `GET /runs/{run}/plan`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum PlanView {
    /// Where it is, when it is too large for an answer.
    Elsewhere(PlanElsewhere),
    /// The plan itself.
    Plan(Box<Plan>),
}

/// `PUT /workflows`: registers a document under its own name and version. Exactly one of the three is given.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(example = hello())]
pub struct RegisterRequest {
    /// The document as text, YAML or JSON.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub document: Option<String>,
    /// The document, gzipped, in base64.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub document_gzip: Option<String>,
    /// Id of an upload that holds the document, gzipped or not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub upload: Option<String>,
    /// Bundles of the schedules that the document declares: folder as written in it to the digest of its upload.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub bundles: BTreeMap<String, Sha256Hex>,
}

/// A registered workflow, as `PUT /workflows` and the listing answer it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WorkflowEntry {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
}

/// `GET /workflows`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WorkflowPage {
    /// By name, then version.
    pub workflows: Vec<WorkflowEntry>,
    /// Give it as `after` to go on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// `GET /workflows/{name}/{version}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WorkflowView {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Digest of the document.
    pub sha256: Sha256Hex,
    /// The document as it was registered, when that is text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub document: Option<String>,
    /// The document as it was registered, in base64, when it is gzipped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub document_gzip: Option<String>,
}

/// `GET /forecasts`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ForecastsView {
    /// What is expected of the region and of each target; absent before the first forecast.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outlook: Option<StoredOutlook>,
    /// The last forecast of each target's demand, and of what others claim of the region.
    pub forecasts: Vec<StoredForecast>,
}

/// `GET /prewarm`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PrewarmView {
    /// The last decisions about provisioned concurrency of each target, the newest first.
    pub decisions: Vec<PrewarmRecord>,
}

/// An error answer: RFC 9457, `application/problem+json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ProblemDocument {
    /// Section of docs/errors.md, as a relative reference.
    #[serde(rename = "type")]
    pub kind: String,
    /// One line.
    pub title: String,
    /// HTTP status.
    pub status: u16,
    /// Stable code.
    pub code: String,
    /// What was seen.
    pub detail: String,
    /// Everything that is wrong with the document.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<Problem>,
}
