//! Decisions about provisioned concurrency as a table, each with its reasons.

use std::fmt::Write as _;

use foreshard_model::prewarm::{PrewarmAction, PrewarmMode, PrewarmRecord};

use super::runs::when;

/// Decisions, in the order that they are given.
#[must_use]
pub fn table(records: &[PrewarmRecord]) -> String {
    if records.is_empty() {
        return "nothing was decided yet, or there was nothing to decide about\n".to_owned();
    }
    let mut text = format!(
        "{:<22}{:<36}{:<8}{:>7}{:>8}  {:<14}{:>12}{:>12}\n",
        "DECIDED", "TARGET", "POLICY", "THERE", "SHOULD", "DONE", "SAVES", "SAVED"
    );
    for record in records {
        let decision = &record.decision;
        let _ = writeln!(
            text,
            "{:<22}{:<36}{:<8}{:>7}{:>8}  {:<14}{:>12}{:>12}",
            when(record.at),
            decision.target.as_str(),
            policy(record.mode),
            record.state.provisioned,
            decision.environments,
            done(record),
            dollars(decision.expected.saving_usd.0),
            record
                .came
                .map_or_else(|| "-".to_owned(), |came| dollars(came.saving_usd.0)),
        );
        for reason in &decision.reasons {
            let _ = writeln!(text, "  {reason}");
        }
    }
    text.push_str(
        "SAVES is expected, SAVED is what came, or would have come, against nothing provisioned\n",
    );
    text
}

fn policy(mode: PrewarmMode) -> &'static str {
    match mode {
        PrewarmMode::Off => "off",
        PrewarmMode::ForecastOnly => "advise",
        PrewarmMode::Act => "act",
    }
}

/// What was done, or would have been if the policy had let it.
fn done(record: &PrewarmRecord) -> String {
    let word = |action: PrewarmAction| match action {
        PrewarmAction::Keep => "keep".to_owned(),
        PrewarmAction::Put { environments } => format!("put {environments}"),
        PrewarmAction::Delete => "release".to_owned(),
    };
    let decision = &record.decision;
    if decision.action == decision.would {
        word(decision.action)
    } else {
        format!("not: {}", word(decision.would))
    }
}

fn dollars(amount: f64) -> String {
    format!("${amount:.4}")
}

#[cfg(test)]
mod tests {
    use foreshard_model::prewarm::{PrewarmDecision, PrewarmExpected, WarmState, WarmStatus};
    use foreshard_model::units::{TimeMs, Usd};

    use super::*;

    #[test]
    fn a_decision_is_shown_with_what_it_would_do_and_why() {
        let saving = |usd| PrewarmExpected {
            saving_usd: Usd(usd),
            ..PrewarmExpected::default()
        };
        let advised = PrewarmRecord {
            at: TimeMs(1_795_867_200_000),
            mode: PrewarmMode::ForecastOnly,
            decision: PrewarmDecision {
                target: "foreshard-execute-1769:live".into(),
                environments: 12,
                would: PrewarmAction::Put { environments: 12 },
                expected: saving(0.0123),
                reasons: vec!["12 are worth their idle time".to_owned()],
                ..PrewarmDecision::default()
            },
            came: Some(saving(0.011)),
            ..PrewarmRecord::default()
        };
        let mut acted = advised.clone();
        acted.mode = PrewarmMode::Act;
        acted.state = WarmState {
            provisioned: 12,
            status: WarmStatus::Ready,
            ..WarmState::default()
        };
        acted.decision.environments = 0;
        acted.decision.action = PrewarmAction::Delete;
        acted.decision.would = PrewarmAction::Delete;
        acted.decision.reasons = vec!["nothing is expected".to_owned()];
        acted.came = None;
        let text = table(&[acted, advised]);
        let rows: Vec<String> = text
            .lines()
            .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
            .collect();
        assert_eq!(
            rows[..5],
            [
                "DECIDED TARGET POLICY THERE SHOULD DONE SAVES SAVED",
                "2026-11-28 12:00:00Z foreshard-execute-1769:live act 12 0 release $0.0123 -",
                "nothing is expected",
                "2026-11-28 12:00:00Z foreshard-execute-1769:live advise 0 12 not: put 12 $0.0123 $0.0110",
                "12 are worth their idle time",
            ]
        );
        assert!(table(&[]).starts_with("nothing was decided yet"));
    }
}
