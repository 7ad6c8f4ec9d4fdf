//! Accepts a run: everything that can be known about it is checked before anything is written.

use std::collections::BTreeMap;

use foreshard_engine::plan::{PlanInput, plan};
use foreshard_engine::schedule::rfc3339;
use foreshard_model::api::{SubmitAnswer, SubmitRequest};
use foreshard_model::claim::Claim;
use foreshard_model::ids::{Generation, RunId, Sha256Hex};
use foreshard_model::ledger::EventKind;
use foreshard_model::problem::Problem;
use foreshard_model::run::{Context, RunItem, RunState};
use foreshard_model::schedule::Scheduled;
use foreshard_model::workflow::Workflow;
use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};

use super::Ports;
use super::body::json;
use super::control::tell;
use super::document::{Received, Source, received};
use super::http::{ApiRequest, ApiResponse, Identity};
use super::options::{BUNDLES_MAX, check_baggage, check_options, check_role};
use super::query::brief;
use super::refusal::{Answered, Code, Refusal};
use super::trace::trace_id;
use crate::input::lacking;
use crate::keys;
use crate::library::{Looked, look};
use crate::ports::PortError;
use crate::read::claim;

/// Tasks up to which a submission is planned on the spot, so that what no target can run is refused at once: some
/// tens of milliseconds. A larger workflow learns it from planning itself.
const PLANNED_AT_ONCE: usize = 10_000;

/// Longest idempotency key.
pub(super) const KEY_CHARS: usize = 256;

/// Bundles that are looked for at the same time.
const LOOKS_AT_ONCE: usize = 16;

/// A submission whose run is named and whose document is there.
pub(super) struct Admission<'a> {
    pub(super) identity: &'a Identity,
    pub(super) run: RunId,
    pub(super) trace_id: String,
    pub(super) wanted: &'a SubmitRequest,
    pub(super) document: Received,
    /// Whether the document came inside the request.
    pub(super) inline: bool,
    /// The scheduled time that it stands for.
    pub(super) scheduled: Option<Scheduled>,
}

pub(super) async fn submit(ports: &Ports, identity: &Identity, request: &ApiRequest) -> Answered {
    let wanted: SubmitRequest = json(request)?;
    check_options(&wanted.options)?;
    check_role(wanted.role.as_deref(), &identity.tenant())?;
    check_baggage(&wanted.baggage)?;
    let run = RunId::derive(&identity.tenant(), &key(request)?);
    let source = Source::of_submission(&wanted)?;
    let admission = Admission {
        identity,
        trace_id: trace_id(request, &run),
        run,
        wanted: &wanted,
        document: received(ports, &identity.tenant(), source).await?,
        inline: matches!(source, Source::Text(_) | Source::Gzip(_)),
        scheduled: None,
    };
    let answer = admit(ports, admission).await?;
    let location = format!("/runs/{}", answer.run);
    let mut answer = ApiResponse::json(202, &answer);
    answer.headers.insert("location", location);
    Ok(answer)
}

/// Creates the run, unless it is there, and starts it.
pub(super) async fn admit(
    ports: &Ports,
    admission: Admission<'_>,
) -> Result<SubmitAnswer, Refusal> {
    let wanted = admission.wanted;
    let bundles = bundles(ports, admission.identity, &wanted.bundles).await?;
    let (workflow, notes) = match &admission.document {
        Received::Here(bytes) => validated(ports, &admission, bytes, &bundles).await?,
        Received::Stored(_) => (None, Vec::new()),
    };
    let objects = Objects::of(&admission.run, &admission.document, wanted);
    let item = item(ports, &admission, &objects, bundles, workflow);
    if let Some(existing) = ports.runs.run(&item.run).await? {
        return repeated(ports, &existing, &item, notes).await;
    }
    objects.store(ports).await?;
    if let Err(error) = ports.run_writes.create_run(&item).await {
        // Another request with this key came first, or this one was applied although its answer is an error.
        return match ports.runs.run(&item.run).await? {
            Some(existing) => repeated(ports, &existing, &item, notes).await,
            None => Err(error.into()),
        };
    }
    Ok(accepted(ports, &item, true, notes).await)
}

/// Finds out whether it would be accepted, and writes nothing.
pub(super) async fn would_admit(ports: &Ports, admission: &Admission<'_>) -> Result<(), Refusal> {
    let bundles = bundles(ports, admission.identity, &admission.wanted.bundles).await?;
    if let Received::Here(bytes) = &admission.document {
        validated(ports, admission, bytes, &bundles).await?;
    }
    Ok(())
}

/// The caller's key, or the gateway's id of this request: a run is named by it.
fn key(request: &ApiRequest) -> Result<String, Refusal> {
    match request.headers.get("idempotency-key") {
        None => Ok(format!("request {}", request.request_id)),
        Some(key)
            if key.is_empty()
                || key.chars().count() > KEY_CHARS
                || key.chars().any(char::is_control) =>
        {
            Err(Refusal::new(
                Code::BadParameter,
                format!(
                    "`Idempotency-Key` is `{}`: from 1 to {KEY_CHARS} characters",
                    brief(key)
                ),
            ))
        }
        Some(key) => Ok(format!("key {key}")),
    }
}

/// Finds every bundle that the submission names.
async fn bundles(
    ports: &Ports,
    identity: &Identity,
    wanted: &BTreeMap<String, Sha256Hex>,
) -> Result<BTreeMap<String, Claim>, Refusal> {
    if wanted.len() > BUNDLES_MAX {
        return Err(Refusal::new(
            Code::BadOption,
            format!("{} bundles: at most {BUNDLES_MAX}", wanted.len()),
        ));
    }
    let looks = wanted.iter().map(|(folder, digest)| async move {
        let missing = || {
            Refusal::new(
                Code::NoBundle,
                format!("bundle `{}` of `{}`", brief(digest.as_str()), brief(folder)),
            )
        };
        if !Sha256Hex::is_well_formed(digest.as_str()) {
            return Err(missing());
        }
        let key = keys::bundle(&identity.tenant(), digest);
        let bytes = ports.blobs.head(&key).await?.ok_or_else(missing)?;
        let sha256 = digest.clone();
        Ok((folder.clone(), Claim { key, sha256, bytes }))
    });
    stream::iter(looks)
        .buffered(LOOKS_AT_ONCE)
        .try_collect()
        .await
}

/// Reads the document, and plans it when it is small: all of its problems at once, or its name and the notes on it.
async fn validated(
    ports: &Ports,
    admission: &Admission<'_>,
    bytes: &[u8],
    bundles: &BTreeMap<String, Claim>,
) -> Result<(Option<String>, Vec<Problem>), Refusal> {
    let (identity, wanted) = (admission.identity, admission.wanted);
    let looked = look(ports.blobs.as_ref(), &identity.tenant(), bytes).await?;
    let parsed = match looked {
        Looked::Parsed(parsed) => parsed,
        Looked::TooLarge(problems) if admission.inline => {
            return Err(Refusal::new(
                Code::TooLarge,
                "the document is too large for a request, inflated: upload it",
            )
            .with(problems));
        }
        // A small upload can inflate to a large document: planning reads it.
        Looked::TooLarge(_) => return Ok((None, Vec::new())),
        Looked::Refused(problems) => return Err(Refusal::document(problems)),
    };
    let lacking = lacking(&parsed.workflow, wanted.input.as_ref());
    if !lacking.is_empty() {
        return Err(Refusal::input(lacking));
    }
    if parsed.workflow.tasks.len() <= PLANNED_AT_ONCE {
        dry_run(ports, &admission.run, &parsed.workflow, wanted, bundles)?;
    }
    Ok((Some(parsed.workflow.name), parsed.notes))
}

fn dry_run(
    ports: &Ports,
    run: &RunId,
    workflow: &Workflow,
    wanted: &SubmitRequest,
    bundles: &BTreeMap<String, Claim>,
) -> Result<(), Refusal> {
    let pool = ports.wiring.pool();
    let region = pool.targets.first().map_or("", |t| t.region.as_str());
    let input = PlanInput {
        run,
        generation: Generation(0),
        workflow,
        pool: &pool,
        options: &wanted.options,
        bundles,
        region,
    };
    plan(&input).map(|_| ()).map_err(Refusal::document)
}

/// What a run keeps in the object store from the beginning.
struct Objects {
    document: Claim,
    input: Option<Claim>,
    contents: Vec<(String, Vec<u8>)>,
}

impl Objects {
    fn of(run: &RunId, document: &Received, wanted: &SubmitRequest) -> Self {
        let mut contents = Vec::new();
        let document = match document {
            Received::Stored(claim) => claim.clone(),
            Received::Here(bytes) => {
                let key = keys::document(run, &Sha256Hex::of(bytes));
                contents.push((key.clone(), bytes.clone()));
                claim(key, bytes)
            }
        };
        let input = wanted.input.as_ref().map(|value| {
            let bytes = value.to_string().into_bytes();
            let key = keys::input(run, &Sha256Hex::of(&bytes));
            let claim = claim(key.clone(), &bytes);
            contents.push((key, bytes));
            claim
        });
        Self {
            document,
            input,
            contents,
        }
    }

    async fn store(&self, ports: &Ports) -> Result<(), PortError> {
        for (key, bytes) in &self.contents {
            ports.blob_writes.put(key, bytes.clone()).await?;
        }
        Ok(())
    }
}

fn item(
    ports: &Ports,
    admission: &Admission<'_>,
    objects: &Objects,
    bundles: BTreeMap<String, Claim>,
    workflow: Option<String>,
) -> RunItem {
    let (now, wanted) = (ports.clock.now(), admission.wanted);
    RunItem {
        run: admission.run.clone(),
        version: 1,
        state: RunState::Accepted,
        workflow: workflow.unwrap_or_default(),
        context: Context {
            tenant: admission.identity.tenant(),
            principal: admission.identity.principal.clone(),
            role: wanted.role.clone(),
            trace_id: admission.trace_id.clone(),
            baggage: wanted.baggage.clone(),
        },
        scheduled: admission.scheduled.clone(),
        options: wanted.options.clone(),
        document: objects.document.clone(),
        input: objects.input.clone(),
        bundles,
        accepted_at: now,
        updated_at: now,
        ..RunItem::default()
    }
}

/// The key is known: the same submission gets its run, another one is refused.
async fn repeated(
    ports: &Ports,
    existing: &RunItem,
    wanted: &RunItem,
    notes: Vec<Problem>,
) -> Result<SubmitAnswer, Refusal> {
    let content = |item: &RunItem| {
        (
            item.document.sha256.clone(),
            item.input.as_ref().map(|c| c.sha256.clone()),
            item.options.clone(),
            item.bundles.clone(),
            item.context.role.clone(),
            item.context.baggage.clone(),
        )
    };
    // A scheduled time has one run, whatever its schedule has become since it was submitted.
    let same_time = wanted.scheduled.is_some() && existing.scheduled == wanted.scheduled;
    if !same_time && content(existing) != content(wanted) {
        return Err(Refusal::new(
            Code::KeyReused,
            format!(
                "it stands for run `{}`, which was submitted with another content",
                existing.run
            ),
        ));
    }
    let ours = existing.version == 1 && existing == wanted;
    Ok(accepted(ports, existing, ours, notes).await)
}

/// Starts the run. It is accepted whatever happens here: what is not started now is started by the sweep.
async fn accepted(
    ports: &Ports,
    item: &RunItem,
    created: bool,
    notes: Vec<Problem>,
) -> SubmitAnswer {
    tracing::Span::current().record("trace_id", item.context.trace_id.as_str());
    let mut started = true;
    if item.state == RunState::Accepted && item.version == 1 {
        let because = match &item.scheduled {
            None => format!("submitted by {}", item.context.principal),
            Some(of) => format!("schedule {}: {}", of.schedule, rfc3339(of.time)),
        };
        tell(ports, item, EventKind::Accepted, &because).await;
        if let Err(error) = ports.executions.start(&item.run, item.round).await {
            tracing::warn!(run = %item.run, %error, "the run will be started by the sweep");
            started = false;
        }
    }
    SubmitAnswer {
        run: item.run.clone(),
        created,
        started,
        notes,
    }
}
