//! `prewarm`: what was decided about provisioned concurrency, and why.

use std::collections::BTreeSet;

use foreshard_model::api::PrewarmView;

use crate::args::{Arguments, Format, Prewarm};
use crate::deployment::client;
use crate::exit::{CliError, Exit};
use crate::render::prewarm::table;
use crate::render::{data, json};

/// Shows the last decision about each target, or all that are answered.
///
/// # Errors
/// A refusal, or no answer.
pub async fn prewarm(arguments: &Arguments, wanted: Prewarm) -> Result<Exit, CliError> {
    let mut view = client(arguments).await?.prewarm().await?;
    if !wanted.history {
        last(&mut view);
    }
    if arguments.format == Format::Json {
        json(&view);
    } else {
        data(&table(&view.decisions));
    }
    Ok(Exit::Success)
}

/// Leaves the newest of each target.
fn last(view: &mut PrewarmView) {
    let mut seen = BTreeSet::new();
    view.decisions
        .retain(|record| seen.insert(record.decision.target.clone()));
}

#[cfg(test)]
mod tests {
    use foreshard_model::prewarm::PrewarmRecord;
    use foreshard_model::units::TimeMs;

    use super::*;

    #[test]
    fn the_newest_decision_of_each_target_is_the_last() {
        let record = |target: &str, at: u64| {
            let mut record = PrewarmRecord {
                at: TimeMs(at),
                ..PrewarmRecord::default()
            };
            record.decision.target = target.into();
            record
        };
        let decisions = vec![record("a", 3), record("b", 3), record("a", 2)];
        let mut view = PrewarmView { decisions };
        last(&mut view);
        assert_eq!(view.decisions, [record("a", 3), record("b", 3)]);
    }
}
