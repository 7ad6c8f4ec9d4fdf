//! Prewarm: what is expected of every target, what it has, and how many environments should wait for it, if any.

mod apply;
mod demand;
mod review;

use std::collections::BTreeMap;
use std::sync::Arc;

use foreshard_engine::prewarm::{CALLS_PER_S, prewarm as decide, recurring, without};
use foreshard_model::ids::TargetId;
use foreshard_model::message::{PrewarmAnswer, PrewarmRequest};
use foreshard_model::prewarm::{
    PrewarmAction, PrewarmAlias, PrewarmInput, PrewarmMode, PrewarmPolicy, PrewarmRecord, WarmState,
};
use foreshard_model::target::Target;
use foreshard_model::units::TimeMs;

use crate::error::StageError;
use crate::keys;
use crate::ports::{
    AccountLimits, BlobLists, BlobReads, Clock, ForecastReads, ForecastWrites, FrontierReads,
    MetricReads, PortError, RunReads, ScheduleReads, WarmPool, Wiring,
};
use crate::quota::Quota;

use demand::Expected;

/// Between two decisions, in milliseconds: as it is billed. Deciding each minute puts off what the next minute could still ask for,
/// and misses more of load that recurs (docs/prewarm.md). The rule that starts the stage has the same; a test compares them.
const INTERVAL_MS: u64 = 300_000;

/// Between two calls of the control plane, in milliseconds: a third of what all users of an account share.
const CALL_EVERY_MS: u64 = 3 * 1_000 / CALLS_PER_S as u64;

/// Calls that change something, of one decision: with those that read, they are made well within its two minutes.
const CALLS_MAX: u32 = 30;

/// Share of the environments in use that meet a cold start in a step of five minutes when nothing is provisioned: Lambda keeps
/// an environment for about as long, so that steady load meets few, and what comes in bursts is told by waves.
const TURNOVER: f64 = 0.2;

/// What prewarm needs of the world.
#[derive(Clone)]
pub struct Ports {
    /// The runs that are under way.
    pub runs: Arc<dyn RunReads>,
    /// How far they have come.
    pub frontier: Arc<dyn FrontierReads>,
    /// The schedules that fire soon.
    pub schedules: Arc<dyn ScheduleReads>,
    /// Plans, and the policy.
    pub blobs: Arc<dyn BlobReads>,
    /// Whether there is a policy: who may only read an object is not told that there is none.
    pub lists: Arc<dyn BlobLists>,
    /// Forecasts, and what was decided before.
    pub forecasts: Arc<dyn ForecastReads>,
    /// Keeps decisions.
    pub records: Arc<dyn ForecastWrites>,
    /// What came of them.
    pub metrics: Arc<dyn MetricReads>,
    /// How much of it the account may have.
    pub limits: Arc<dyn AccountLimits>,
    /// Provisioned concurrency.
    pub warm: Arc<dyn WarmPool>,
    /// The targets.
    pub wiring: Arc<dyn Wiring>,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

/// Decides for every target of the deployment, records each decision that there was anything to decide about, and carries out
/// what the policy lets it.
///
/// A repeat decides anew from what is there then, and finds it as it should be. A target that cannot be changed does not keep the
/// others from being. Started by the rule of each minute, it does so only when a run has just been admitted: however many were,
/// there is one decision for all of them.
///
/// # Errors
/// [`StageError::Rejected`] when the policy cannot be read; whatever kept a target from being read or changed, after all others
/// have had their turn.
pub async fn prewarm(ports: &Ports, request: &PrewarmRequest) -> Result<PrewarmAnswer, StageError> {
    let now = ports.clock.now();
    if request.id == PrewarmRequest::ADMITTED && !demand::just_admitted(ports, now).await? {
        return Ok(PrewarmAnswer {
            skipped: true,
            ..PrewarmAnswer::default()
        });
    }
    let policy = policy(ports).await?;
    let mut answer = PrewarmAnswer {
        mode: policy.mode,
        ..PrewarmAnswer::default()
    };
    let (states, mut failure) = states(ports, &mut answer).await;
    if policy.mode == PrewarmMode::Off {
        for (target, state) in &states {
            if let Err(error) = apply::hand_back(ports, target, state, &mut answer).await {
                failure = Some(error);
            }
        }
        return failure.map_or(Ok(answer), |error| Err(error.into()));
    }
    let expected = demand::expected(ports, now).await?;
    let quota = Quota::read(ports.limits.as_ref(), &ports.wiring.pool()).await;
    let input = input(ports, &policy, now, &states, expected, quota.concurrency);
    let decisions = decide(&input);
    for (alias, mut decision) in input.aliases.iter().zip(decisions) {
        if policy.mode != PrewarmMode::Act {
            match apply::hand_back(ports, &alias.target, &alias.state, &mut answer).await {
                Ok(true) => continue,
                Ok(false) => {}
                Err(error) => failure = Some(error),
            }
        }
        let nothing =
            alias.forecast.is_empty() && alias.forecast_note.is_none() && alias.waves.is_empty();
        if nothing && alias.state == WarmState::default() {
            continue;
        }
        if let Some(assumed) = &quota.assumed {
            decision.reasons.insert(0, assumed.clone());
        }
        let mut record = PrewarmRecord {
            at: now,
            mode: policy.mode,
            state: alias.state,
            decision,
            came: None,
        };
        if let Err(error) = apply::carry_out(ports, &mut record, &mut answer).await {
            failure = Some(error);
        }
        ports.records.put_prewarm_record(&record).await?;
        review::settle(ports, alias, now).await?;
    }
    failure.map_or(Ok(answer), |error| Err(error.into()))
}

/// The policy of the deployment; the default where none was written.
async fn policy(ports: &Ports) -> Result<PrewarmPolicy, StageError> {
    let key = keys::PREWARM_POLICY;
    let found = ports.lists.list(key, 1, None).await?;
    if found.items.is_empty() {
        return Ok(PrewarmPolicy::default());
    }
    let bytes = ports.blobs.get(key).await?;
    serde_json::from_slice(&bytes)
        .map_err(|error| StageError::Rejected(format!("`{key}`: {error}")))
}

/// How every target of the deployment's region stands, and the last failure to find out: such a target is left alone.
async fn states(
    ports: &Ports,
    answer: &mut PrewarmAnswer,
) -> (BTreeMap<TargetId, WarmState>, Option<PortError>) {
    let mut found = BTreeMap::new();
    let mut failure = None;
    for target in ports.wiring.pool().targets {
        match ports.warm.warm(&target.id).await {
            Ok(state) => {
                answer.provisioned += state.provisioned;
                found.insert(target.id, state);
            }
            Err(error) => {
                tracing::warn!(alias = target.id.as_str(), %error, "left alone");
                failure = Some(error);
            }
        }
        ports.clock.pause(CALL_EVERY_MS).await;
    }
    (found, failure)
}

fn input(
    ports: &Ports,
    policy: &PrewarmPolicy,
    now: TimeMs,
    states: &BTreeMap<TargetId, WarmState>,
    mut expected: BTreeMap<TargetId, Expected>,
    concurrency: u32,
) -> PrewarmInput {
    let pool = ports.wiring.pool();
    let alias = |target: &Target| {
        let state = *states.get(&target.id)?;
        let Expected { waves, forecast } = expected.remove(&target.id).unwrap_or_default();
        let forecast_busy = forecast.as_ref().and_then(|stored| stored.busy);
        let (steps, forecast_note) =
            forecast.map_or_else(Default::default, |stored| recurring(&stored, now));
        Some(PrewarmAlias {
            target: target.id.clone(),
            region: target.region.clone(),
            architecture: target.architecture,
            memory: target.memory,
            reserved: None,
            forecast: without(steps, &waves),
            forecast_note,
            waves,
            state,
            cold_start_ms: policy.cold_start_ms,
            worth: policy.worth,
            turnover: TURNOVER,
            busy: 1.0,
            forecast_busy,
        })
    };
    let aliases: Vec<PrewarmAlias> = pool.targets.iter().filter_map(alias).collect();
    let quotas = aliases
        .iter()
        .map(|alias| (alias.region.clone(), concurrency));
    PrewarmInput {
        now,
        next: now.plus(INTERVAL_MS),
        mode: policy.mode,
        quotas: quotas.collect(),
        aliases,
        calls_max: CALLS_MAX,
    }
}

/// Whether a decision asks for something to be done.
fn acts(action: PrewarmAction) -> bool {
    action != PrewarmAction::Keep
}
