//! The decision ledger of the planning: each choice with its reason and its numbers.

use std::collections::BTreeMap;

use foreshard_model::plan::Reason;
use foreshard_model::workflow::Workflow;

use crate::objective::front;
use crate::place::UNKNOWN_TASK_MS;
use crate::shard::{Chosen, Demand};

/// One choice and why.
pub(crate) fn reason(subject: &str, because: String, numbers: &[(&str, f64)]) -> Reason {
    Reason {
        subject: subject.to_owned(),
        because,
        numbers: numbers
            .iter()
            .map(|&(name, value)| (name.to_owned(), value))
            .collect::<BTreeMap<_, _>>(),
    }
}

/// What was assumed for want of knowledge.
pub(super) fn assumptions(demand: &Demand) -> Vec<Reason> {
    if demand.unknown == 0 {
        return Vec::new();
    }
    vec![reason(
        "assume",
        format!(
            "{} of {} tasks have no estimate: {:.0} ms assumed for each",
            demand.unknown,
            demand.loads.len(),
            UNKNOWN_TASK_MS
        ),
        &[
            ("tasks", f64::from(demand.unknown)),
            ("assumed_ms", UNKNOWN_TASK_MS),
        ],
    )]
}

fn why_kept(chosen: &Chosen) -> String {
    if chosen.measures.is_empty() {
        format!(
            "the cheapest of those about as fast as the fastest within ${:.6}",
            chosen.ceiling_usd
        )
    } else {
        "the one that serves the objective best".to_owned()
    }
}

/// Which sharding was kept, what the others would have given, and which wishes could not be honoured.
pub(super) fn sharding(workflow: &Workflow, demand: &Demand, chosen: &Chosen) -> Vec<Reason> {
    let mut reasons = Vec::new();
    if let Some(kept) = chosen.judged.get(chosen.kept) {
        reasons.push(reason(
            "shard",
            format!(
                "{}{}: {}; {} sharding(s) compared",
                kept.strategy,
                kept.tiers,
                why_kept(chosen),
                chosen.judged.len()
            ),
            &[
                ("shards", f64::from(kept.shards)),
                ("makespan_s", kept.makespan_ms / 1000.0),
                ("usd", kept.usd),
                ("ceiling_usd", chosen.ceiling_usd),
            ],
        ));
    }
    let front = front(&chosen.measures);
    for (at, other) in chosen.judged.iter().enumerate() {
        if at != chosen.kept && (front.is_empty() || front.contains(&at)) {
            let why = if !front.is_empty() {
                "better in something, and less of what was asked for"
            } else if other.usd > chosen.ceiling_usd {
                "dearer than plain states"
            } else {
                "not better"
            };
            reasons.push(reason(
                "shard",
                format!("not {}{}: {why}", other.strategy, other.tiers),
                &[
                    ("shards", f64::from(other.shards)),
                    ("makespan_s", other.makespan_ms / 1000.0),
                    ("usd", other.usd),
                ],
            ));
        }
    }
    for &group in &chosen.shards.torn {
        let tasks = &demand.together[group];
        let first = &workflow.tasks[tasks[0] as usize];
        let name = first.extras().affinity.together.unwrap_or_default();
        reasons.push(reason(
            "shard",
            format!(
                "the {} tasks with `together: {name}` do not share a shard: another annotation or a limit forbids it",
                tasks.len()
            ),
            &[("tasks", tasks.len() as f64)],
        ));
    }
    reasons
}
