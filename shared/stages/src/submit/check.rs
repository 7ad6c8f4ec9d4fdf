//! Everything that can be known about a submission before anything is written: submitting and validating ask the same.

use std::collections::BTreeMap;

use foreshard_engine::parse::Parsed;
use foreshard_engine::plan::{PlanInput, plan};
use foreshard_model::api::SubmitRequest;
use foreshard_model::claim::Claim;
use foreshard_model::ids::{Generation, RunId, Sha256Hex};
use foreshard_model::outlook::{Outlook, Promised};
use foreshard_model::plan::Plan;
use foreshard_model::problem::Problem;
use foreshard_model::workflow::Workflow;
use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};

use super::Ports;
use super::http::Identity;
use super::options::{BUNDLES_MAX, check_baggage, check_options, check_role};
use super::query::brief;
use super::refusal::{Code, Refusal};
use crate::input::lacking;
use crate::keys;
use crate::library::{Looked, look};

/// Tasks up to which a submission is planned on the spot, so that what no target can run is refused at once: some
/// tens of milliseconds. A larger workflow learns it from planning itself.
pub(super) const PLANNED_AT_ONCE: usize = 10_000;

/// Bundles that are looked for at the same time.
const LOOKS_AT_ONCE: usize = 16;

/// Checks what a submission asks for beside its document.
pub(super) fn check_wishes(identity: &Identity, wanted: &SubmitRequest) -> Result<(), Refusal> {
    check_options(&wanted.options)?;
    check_role(wanted.role.as_deref(), &identity.tenant())?;
    check_baggage(&wanted.baggage)
}

/// Finds every bundle that the submission names.
pub(super) async fn bundles(
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

/// What a small document turned out to be.
pub(super) enum Judged {
    /// A workflow.
    Good(Box<Parsed>),
    /// More bytes than may be looked at here.
    TooLarge(Vec<Problem>),
    /// Everything that is wrong with it.
    Bad(Vec<Problem>),
    /// The input lacks values that it takes.
    Lacking(Vec<Problem>),
}

/// Reads a document with the registered workflows that it refers to, and holds the input against it.
pub(super) async fn judged(
    ports: &Ports,
    identity: &Identity,
    bytes: &[u8],
    wanted: &SubmitRequest,
) -> Result<Judged, Refusal> {
    let looked = look(ports.blobs.as_ref(), &identity.tenant(), bytes).await?;
    Ok(match looked {
        Looked::TooLarge(problems) => Judged::TooLarge(problems),
        Looked::Refused(problems) => Judged::Bad(problems),
        Looked::Parsed(parsed) => {
            let lacking = lacking(&parsed.workflow, wanted.input.as_ref());
            if lacking.is_empty() {
                Judged::Good(parsed)
            } else {
                Judged::Lacking(lacking)
            }
        }
    })
}

/// Plans a workflow as planning would, when that is quick; `None` when it is not.
///
/// # Errors
/// What no target can run.
pub(super) fn dry_run(
    ports: &Ports,
    run: &RunId,
    workflow: &Workflow,
    wanted: &SubmitRequest,
    bundles: &BTreeMap<String, Claim>,
) -> Result<Option<Plan>, Vec<Problem>> {
    if workflow.tasks.len() > PLANNED_AT_ONCE {
        return Ok(None);
    }
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
        outlook: &Outlook::default(),
        promised: &Promised::default(),
    };
    plan(&input).map(|planned| Some(planned.plan))
}
