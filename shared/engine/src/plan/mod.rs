//! Plans a run: shards, placement, limits and price, each choice with its reason.

use std::collections::BTreeMap;

use foreshard_model::claim::Claim;
use foreshard_model::ids::{Generation, RunId};
use foreshard_model::plan::Planned;
use foreshard_model::policy::RunOptions;
use foreshard_model::problem::Problem;
use foreshard_model::target::Pool;
use foreshard_model::workflow::Workflow;

/// Everything that planning looks at; the same input gives the same plan.
#[derive(Debug, Clone, Copy)]
pub struct PlanInput<'a> {
    /// The run that the plan is for.
    pub run: &'a RunId,
    /// From 0.
    pub generation: Generation,
    /// The workflow: `needs` form no cycle.
    pub workflow: &'a Workflow,
    /// Where shards may run.
    pub pool: &'a Pool,
    /// What the run asks for.
    pub options: &'a RunOptions,
    /// Bundles of `command` tasks: folder as written in the document to its content.
    pub bundles: &'a BTreeMap<String, Claim>,
    /// AWS region, for the prices.
    pub region: &'a str,
}

/// Plans a run.
///
/// `topology.chunks` is left empty: the caller stores [`Planned::chunks`] and fills in the claims.
///
/// # Errors
///
/// Every task that no target can run, with the nearest target named; every missing bundle (codes FS2xxx).
pub fn plan(input: &PlanInput<'_>) -> Result<Planned, Vec<Problem>> {
    let _ = input;
    Err(Vec::new())
}
