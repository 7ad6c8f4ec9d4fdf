//! Carries out a decision: asks for environments or releases them, and hands back what a policy before this one has left.

use foreshard_model::ids::TargetId;
use foreshard_model::message::PrewarmAnswer;
use foreshard_model::prewarm::{
    PrewarmAction, PrewarmDecision, PrewarmMode, PrewarmRecord, WarmState,
};

use super::{CALL_EVERY_MS, Ports, acts};
use crate::ports::PortResult;

/// Carries out one decision and counts it. What fails is written into the decision's reasons too.
pub(super) async fn carry_out(
    ports: &Ports,
    record: &mut PrewarmRecord,
    answer: &mut PrewarmAnswer,
) -> PortResult<()> {
    let target = record.decision.target.clone();
    answer.decided += 1;
    answer.saving_usd += record.decision.expected.saving_usd.0;
    let done = match record.decision.action {
        PrewarmAction::Keep => return Ok(()),
        PrewarmAction::Put { environments } => ports.warm.provision(&target, environments).await,
        PrewarmAction::Delete => ports.warm.release(&target).await,
    };
    ports.clock.pause(CALL_EVERY_MS).await;
    if let Err(error) = &done {
        tracing::warn!(alias = target.as_str(), %error, "not carried out");
        record
            .decision
            .reasons
            .push(format!("not carried out: {error}"));
        record.decision.action = PrewarmAction::Keep;
        return done;
    }
    answer.changed += 1;
    let environments = record.decision.environments;
    let because = record.decision.reasons.last().map_or("", String::as_str);
    tracing::info!(
        alias = target.as_str(),
        environments,
        because,
        "provisioned concurrency changed"
    );
    Ok(())
}

/// Releases what was provisioned while the policy let this stage act; whether it was. What somebody else has provisioned stays.
pub(super) async fn hand_back(
    ports: &Ports,
    target: &TargetId,
    state: &WarmState,
    answer: &mut PrewarmAnswer,
) -> PortResult<bool> {
    if state.provisioned == 0 {
        return Ok(false);
    }
    let last = ports.forecasts.prewarm_records(target, 1).await?.pop();
    let own =
        last.is_some_and(|last| last.mode == PrewarmMode::Act && last.decision.environments > 0);
    if !own {
        return Ok(false);
    }
    let mut record = PrewarmRecord {
        at: ports.clock.now(),
        mode: PrewarmMode::Act,
        state: *state,
        decision: PrewarmDecision {
            target: target.clone(),
            action: PrewarmAction::Delete,
            would: PrewarmAction::Delete,
            reasons: vec![format!(
                "the policy no longer acts: the {} that were provisioned by it are released",
                state.provisioned
            )],
            ..PrewarmDecision::default()
        },
        came: None,
    };
    carry_out(ports, &mut record, answer).await?;
    ports.records.put_prewarm_record(&record).await?;
    Ok(acts(record.decision.action))
}
