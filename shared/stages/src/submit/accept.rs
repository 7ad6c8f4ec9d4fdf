//! Accepts a run: everything that can be known about it is checked before anything is written.

use std::collections::BTreeMap;

use foreshard_engine::schedule::rfc3339;
use foreshard_model::api::{SubmitAnswer, SubmitRequest};
use foreshard_model::claim::Claim;
use foreshard_model::ids::{RunId, Sha256Hex, Tenant};
use foreshard_model::ledger::EventKind;
use foreshard_model::problem::Problem;
use foreshard_model::run::{Context, RunItem, RunState};
use foreshard_model::schedule::Scheduled;

use super::Ports;
use super::body::json;
use super::check::{Judged, bundles, check_wishes, dry_run, judged};
use super::control::tell;
use super::document::{Received, Source, received};
use super::http::{ApiRequest, ApiResponse, Identity};
use super::query::brief;
use super::refusal::{Answered, Code, Refusal};
use super::trace::trace_id;
use crate::keys;
use crate::log::about;
use crate::ports::{PortError, Taken};
use crate::read::claim;

/// Longest idempotency key.
pub(super) const KEY_CHARS: usize = 256;

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
    check_wishes(identity, &wanted)?;
    let run = named(identity, request)?;
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
    allowed(ports, admission.identity).await?;
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

/// The run of this request: named by the caller's key, or by the gateway's id of the request.
fn named(identity: &Identity, request: &ApiRequest) -> Result<RunId, Refusal> {
    let tenant = identity.tenant();
    match request.headers.get("idempotency-key") {
        None => Ok(RunId::derive(
            &tenant,
            &format!("request {}", request.request_id),
        )),
        Some(key) => of_key(&tenant, "Idempotency-Key", key),
    }
}

/// The run that the caller's key stands for, which came as this parameter.
pub(super) fn of_key(tenant: &Tenant, parameter: &str, key: &str) -> Result<RunId, Refusal> {
    let is_long = key.chars().count() > KEY_CHARS;
    if key.is_empty() || is_long || key.chars().any(char::is_control) {
        return Err(Refusal::new(
            Code::BadParameter,
            format!(
                "`{parameter}` is `{}`: from 1 to {KEY_CHARS} characters",
                brief(key)
            ),
        ));
    }
    Ok(RunId::derive(tenant, &format!("key {key}")))
}

/// Reads the document, and plans it when it is small: all of its problems at once, or its name and the notes on it.
async fn validated(
    ports: &Ports,
    admission: &Admission<'_>,
    bytes: &[u8],
    bundles: &BTreeMap<String, Claim>,
) -> Result<(Option<String>, Vec<Problem>), Refusal> {
    let (identity, wanted) = (admission.identity, admission.wanted);
    let parsed = match judged(ports, identity, bytes, wanted).await? {
        Judged::Good(parsed) => parsed,
        Judged::TooLarge(problems) if admission.inline => {
            return Err(Refusal::new(
                Code::TooLarge,
                "the document is too large for a request, inflated: upload it",
            )
            .with(problems));
        }
        // A small upload can inflate to a large document: planning reads it.
        Judged::TooLarge(_) => return Ok((None, Vec::new())),
        Judged::Bad(problems) => return Err(Refusal::document(problems)),
        Judged::Lacking(problems) => return Err(Refusal::input(problems)),
    };
    let plan = dry_run(ports, &admission.run, &parsed.workflow, wanted, bundles);
    let plan = plan.map_err(Refusal::document)?;
    let mut notes = parsed.notes;
    notes.extend(plan.into_iter().flat_map(|plan| plan.warnings));
    Ok((Some(parsed.workflow.name), notes))
}

/// Takes one start off the caller's allowance.
pub(super) async fn allowed(ports: &Ports, identity: &Identity) -> Result<(), Refusal> {
    let now = ports.clock.now();
    let tenant = identity.tenant();
    match ports
        .allowances
        .take_start(&tenant, ports.start_rate, now)
        .await?
    {
        Taken::Taken => Ok(()),
        Taken::Wait { ms } => Err(Refusal::too_many(ports.start_rate, ms)),
    }
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
    about(item);
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
