//! Names of the objects that the stages keep: every key of the bucket is made here.
//!
//! Keys begin with what they belong to, so that lifecycle rules and permissions can name them by prefix.

use foreshard_model::ids::{Generation, RunId, Sha256Hex, Tenant};

/// Digits of a digest that tell two contents of one purpose apart: 64 bits.
const SHORT_DIGEST: usize = 16;

fn short(digest: &Sha256Hex) -> &str {
    digest.as_str().get(..SHORT_DIGEST).unwrap_or_default()
}

/// The document of a run. Its digest is in the name: of two submissions with one idempotency key and different
/// contents, the one that loses must not overwrite what the other has written.
pub(crate) fn document(run: &RunId, digest: &Sha256Hex) -> String {
    format!("runs/{run}/document-{}", short(digest))
}

/// The input of a run; named as the document is.
pub(crate) fn input(run: &RunId, digest: &Sha256Hex) -> String {
    format!("runs/{run}/input-{}", short(digest))
}

/// A part of a plan: `plan.json`, `topology.json`, `graph.json`, `chunk-<n>.json`.
pub(crate) fn plan(run: &RunId, generation: Generation, part: &str) -> String {
    format!("runs/{run}/plans/{generation}/{part}")
}

/// A part of a later generation: named by its content, since two who cut at once must not write over each other.
pub(crate) fn recut(run: &RunId, generation: Generation, part: &str, digest: &Sha256Hex) -> String {
    format!(
        "runs/{run}/plans/{generation}/{part}-{}.json",
        short(digest)
    )
}

/// What is wrong with a document that was refused in planning.
pub(crate) fn problems(run: &RunId) -> String {
    format!("runs/{run}/problems.json")
}

/// The collected output.
pub(crate) fn result(run: &RunId) -> String {
    format!("runs/{run}/result.json")
}

/// A value of the output that is too large to stand in it.
pub(crate) fn result_value(run: &RunId, digest: &Sha256Hex) -> String {
    format!("runs/{run}/results/{digest}")
}

/// The figures.
pub(crate) fn report(run: &RunId) -> String {
    format!("runs/{run}/report.json")
}

/// An uploaded document, by the digest of what was uploaded.
pub(crate) fn upload(tenant: &Tenant, id: &Sha256Hex) -> String {
    format!("uploads/{tenant}/{id}")
}

/// Holidays and events that whoever deploys has put there: iCalendar or CSV.
pub(crate) const CALENDAR: &str = "policies/calendar";

/// A bundle of programs, by its digest.
pub(crate) fn bundle(tenant: &Tenant, digest: &Sha256Hex) -> String {
    format!("bundles/{tenant}/{digest}")
}

/// What the deployment wants of pre-warming, where somebody has written it.
pub(crate) const PREWARM_POLICY: &str = "policies/prewarm.json";

/// What the registered workflows of a tenant begin with.
pub(crate) fn workflows(tenant: &Tenant) -> String {
    format!("workflows/{tenant}/")
}

/// A registered workflow.
pub(crate) fn workflow(tenant: &Tenant, name: &str, version: &str) -> String {
    format!("workflows/{tenant}/{name}/{version}")
}
