//! The deployment that a run is submitted to: of several, the one in whose region it is expected to be done first.

use std::collections::BTreeMap;

use foreshard_model::claim::Claim;
use foreshard_model::ids::{Generation, RunId};
use foreshard_model::outlook::{Outlook, Promised, StoredOutlook};
use foreshard_model::plan::{Plan, Reason};
use foreshard_model::policy::RunOptions;
use foreshard_model::problem::Problem;
use foreshard_model::target::Pool;
use foreshard_model::units::TimeMs;
use foreshard_model::workflow::Workflow;

use super::as_of;
use super::choose::{Candidate, Wanted, candidate, choose};
use crate::forecast::reason;
use crate::plan::{PlanInput, Scale, plan};

/// A deployment as it describes itself: all of its targets are in one region.
#[derive(Debug, Clone, Copy)]
pub struct Deployment<'a> {
    /// Its region.
    pub region: &'a str,
    /// Its targets.
    pub pool: &'a Pool,
    /// What it expects; none before its first forecast: all of its lanes are taken to be free.
    pub outlook: Option<&'a StoredOutlook>,
}

/// A run that is about to be submitted.
#[derive(Debug, Clone, Copy)]
pub struct Submission<'a> {
    /// What it runs.
    pub workflow: &'a Workflow,
    /// What it asks for.
    pub options: &'a RunOptions,
    /// Bundles of `command` tasks, as [`PlanInput::bundles`].
    pub bundles: &'a BTreeMap<String, Claim>,
    /// The region where it goes when all are alike.
    pub home: &'a str,
    /// The region where the files lie that its tasks read and none of them writes; none: nobody knows.
    pub data: Option<&'a str>,
}

/// The choice, every candidate, and why.
#[derive(Debug, Clone, PartialEq)]
pub struct DeploymentChoice {
    /// Which of the deployments.
    pub at: usize,
    /// Those that could run it, in their order, and when it would be done there.
    pub candidates: Vec<Candidate>,
    /// Why: what the outlooks say, who cannot run it, and who is chosen.
    pub reasons: Vec<Reason>,
}

/// The deployment in whose region a run is expected to be done first; home unless another one is a tenth faster.
///
/// It is planned for each of them: one that refuses, for lack of a target, because data may not be in its region, is no
/// candidate. The plan says how many lanes and how much work; when so much work is done is told by the lanes that are
/// free there, the failures, and the way that the data has.
///
/// # Errors
///
/// The problems with home, or with the first where home is none of them, when every one refuses; none of no deployments.
pub fn choose_deployment(
    submission: &Submission<'_>,
    deployments: &[Deployment<'_>],
    now: TimeMs,
) -> Result<DeploymentChoice, Vec<Problem>> {
    let bytes = found_bytes(submission);
    let (mut candidates, mut reasons) = (Vec::new(), Vec::new());
    let mut refusals: Vec<(&str, Vec<Problem>)> = Vec::new();
    for deployment in deployments {
        let (outlook, told) = outlook(deployment, now);
        match planned(submission, deployment) {
            Ok(plan) => {
                let wanted = Wanted {
                    lanes: plan.lanes,
                    lane_s: lane_s(&plan),
                    data: submission.data,
                    bytes,
                };
                let region = deployment.region;
                candidates.push(candidate(region, &outlook, deployment.pool, &wanted));
                reasons.extend(told);
            }
            Err(problems) => {
                let first = problems.first().map(ToString::to_string);
                let because = format!(
                    "`{}` cannot run it: {}",
                    deployment.region,
                    first.unwrap_or_default()
                );
                reasons.push(reason("region", because, &[]));
                refusals.push((deployment.region, problems));
            }
        }
    }
    let (chosen, because) = choose(&candidates, submission.home);
    reasons.push(because);
    let at = chosen.and_then(|c| deployments.iter().position(|d| d.region == c.region));
    let Some(at) = at else {
        let home = refusals.iter().position(|r| r.0 == submission.home);
        let theirs = refusals.into_iter().nth(home.unwrap_or_default());
        return Err(theirs.map(|(_, problems)| problems).unwrap_or_default());
    };
    Ok(DeploymentChoice {
        at,
        candidates,
        reasons,
    })
}

/// The outlook from now on, and what is to be said of it.
fn outlook(deployment: &Deployment<'_>, now: TimeMs) -> (Outlook, Vec<Reason>) {
    let Some(stored) = deployment.outlook else {
        let because = "there is no outlook: all of the quota is taken to be free".to_owned();
        let told = reason("forecast", of(deployment, &because), &[]);
        return (Outlook::default(), vec![told]);
    };
    let (outlook, told) = as_of(stored, now);
    let told = told.into_iter().map(|told| Reason {
        because: of(deployment, &told.because),
        ..told
    });
    (outlook, told.collect())
}

fn of(deployment: &Deployment<'_>, because: &str) -> String {
    format!("`{}`: {because}", deployment.region)
}

/// The plan as if all lanes were free: what the run could use.
fn planned(submission: &Submission<'_>, deployment: &Deployment<'_>) -> Result<Plan, Vec<Problem>> {
    let input = PlanInput {
        run: &RunId::from("r-chosen"),
        generation: Generation(0),
        workflow: submission.workflow,
        pool: deployment.pool,
        options: submission.options,
        bundles: submission.bundles,
        region: deployment.region,
        outlook: &Outlook::default(),
        promised: &Promised::default(),
    };
    plan(&input).map(|planned| planned.plan)
}

/// Seconds for which the plan's shards have a lane.
fn lane_s(plan: &Plan) -> f64 {
    let shards = plan.shards.iter().filter(|shard| shard.target.is_some());
    shards.map(|shard| shard.duration_ms as f64 / 1_000.0).sum()
}

/// Bytes that tasks read and no task writes.
fn found_bytes(submission: &Submission<'_>) -> u64 {
    let scale = Scale::new(submission.options);
    let tasks = submission.workflow.tasks.iter();
    tasks
        .map(|task| scale.generated(&task.files))
        .fold(0, u64::saturating_add)
}
