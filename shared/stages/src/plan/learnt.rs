//! Reads what earlier runs and the forecasts have taught: profiles of the workflow's task types, and the outlook.
//!
//! A run is planned without what cannot be read: estimates of its document are worse than profiles, and better than no run.

use std::collections::BTreeMap;

use foreshard_engine::availability::as_of;
use foreshard_engine::rightsize::{Fitting, fit, learnt_types};
use foreshard_model::outlook::Outlook;
use foreshard_model::plan::Reason;
use foreshard_model::profile::Profile;
use foreshard_model::run::RunItem;
use foreshard_model::target::Pool;
use foreshard_model::workflow::Workflow;
use futures_util::stream::{self, StreamExt as _};

use super::Ports;
use crate::ports::PortResult;

/// Task types whose profiles are read; those of a workflow with more are planned as declared.
const TYPES_MAX: usize = 200;

/// Profiles of one type that are read: 28 sizes of input on nine targets.
const PROFILES_MAX: usize = 252;

/// Types that are read at the same time.
const AT_ONCE: usize = 16;

/// Fits the tasks to what their types used before, and says why each is sized so.
pub(super) async fn fitted(
    ports: &Ports,
    run: &RunItem,
    workflow: &mut Workflow,
    pool: &Pool,
) -> Vec<Reason> {
    let mut types = learnt_types(workflow);
    types.truncate(TYPES_MAX);
    let reads = stream::iter(&types).map(|name| async move {
        let tenant = &run.context.tenant;
        let found = ports.profiles.profiles_of(tenant, name, PROFILES_MAX).await;
        (name, found)
    });
    let found: Vec<(&String, PortResult<Vec<Profile>>)> = reads.buffered(AT_ONCE).collect().await;
    let mut profiles: BTreeMap<String, Vec<Profile>> = BTreeMap::new();
    for (name, found) in found {
        match found {
            Ok(found) if found.is_empty() => {}
            Ok(found) => {
                profiles.insert(name.clone(), found);
            }
            Err(error) => {
                tracing::warn!(run = %run.run, %error, "a type is planned as declared");
            }
        }
    }
    let objective = run.options.objective.over(&workflow.objective);
    fit(
        workflow,
        &Fitting {
            pool,
            objective: &objective,
            profiles: &profiles,
        },
    )
}

/// What is expected of regions and targets from now on, and why.
pub(super) async fn outlook(ports: &Ports, run: &RunItem) -> (Outlook, Vec<Reason>) {
    match ports.forecasts.outlook().await {
        Ok(Some(stored)) => as_of(&stored, ports.clock.now()),
        Ok(None) => (Outlook::default(), Vec::new()),
        Err(error) => {
            tracing::warn!(run = %run.run, %error, "planned without an outlook");
            (Outlook::default(), Vec::new())
        }
    }
}
