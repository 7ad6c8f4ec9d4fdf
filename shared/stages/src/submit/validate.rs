//! Says everything that is wrong with a submission, or what it would become; nothing is stored, nothing is started.

use std::collections::BTreeMap;

use foreshard_engine::parse::Parsed;
use foreshard_model::api::{PlanFigures, SubmitRequest, ValidateAnswer, WorkflowEntry};
use foreshard_model::claim::Claim;
use foreshard_model::ids::RunId;
use foreshard_model::limits::INLINE_DOCUMENT_BYTES;
use foreshard_model::plan::Plan;
use foreshard_model::problem::Problem;

use super::Ports;
use super::body::json;
use super::check::{Judged, bundles, check_wishes, dry_run, judged};
use super::document::{Received, Source, received};
use super::http::{ApiRequest, ApiResponse, Identity};
use super::refusal::{Answered, Code, Refusal};

/// Name of the run that a validated document is planned for; no run has it.
const NOBODY: &str = "r-validated";

/// Judges a submission as [`super::accept::submit`] would. That a document is bad is the answer, not a refusal: only what
/// cannot be judged is refused.
pub(super) async fn validate(ports: &Ports, identity: &Identity, request: &ApiRequest) -> Answered {
    let wanted: SubmitRequest = json(request)?;
    check_wishes(identity, &wanted)?;
    let source = Source::of_submission(&wanted)?;
    let Received::Here(bytes) = received(ports, &identity.tenant(), source).await? else {
        return Err(too_large(Vec::new()));
    };
    let found = bundles(ports, identity, &wanted.bundles).await?;
    let answer = match judged(ports, identity, &bytes, &wanted).await? {
        Judged::TooLarge(problems) => return Err(too_large(problems)),
        Judged::Bad(problems) | Judged::Lacking(problems) => bad(problems),
        Judged::Good(parsed) => good(ports, *parsed, &wanted, found),
    };
    Ok(ApiResponse::json(200, &answer))
}

fn too_large(problems: Vec<Problem>) -> Refusal {
    Refusal::new(
        Code::TooLarge,
        format!(
            "a document of more than {INLINE_DOCUMENT_BYTES} bytes, inflated, is checked when it is planned"
        ),
    )
    .with(problems)
}

fn bad(problems: Vec<Problem>) -> ValidateAnswer {
    ValidateAnswer {
        problems,
        ..ValidateAnswer::default()
    }
}

/// Bundles that are not uploaded yet count as there: validating comes before packing.
fn good(
    ports: &Ports,
    parsed: Parsed,
    wanted: &SubmitRequest,
    mut found: BTreeMap<String, Claim>,
) -> ValidateAnswer {
    for folder in &parsed.bundles {
        found.entry(folder.clone()).or_default();
    }
    let workflow = &parsed.workflow;
    let plan = match dry_run(ports, &RunId::from(NOBODY), workflow, wanted, &found) {
        Ok(plan) => plan,
        Err(problems) => return bad(problems),
    };
    let mut notes = parsed.notes;
    notes.extend(plan.iter().flat_map(|plan| plan.warnings.clone()));
    ValidateAnswer {
        valid: true,
        problems: Vec::new(),
        workflow: Some(WorkflowEntry {
            name: workflow.name.clone(),
            version: workflow.version.clone(),
        }),
        tasks: u32::try_from(workflow.tasks.len()).ok(),
        plan: plan.as_ref().map(figures),
        notes,
        bundles: parsed.bundles,
    }
}

fn figures(plan: &Plan) -> PlanFigures {
    PlanFigures {
        shards: u32::try_from(plan.shards.len()).unwrap_or(u32::MAX),
        lanes: plan.lanes,
        mode: plan.mode,
        critical_path_ms: plan.critical_path_ms,
        work_ms: plan.work_ms,
        price: plan.price.clone(),
    }
}
