//! The decision ledger of the planning: each choice with its reason and its numbers.

use std::collections::BTreeMap;

use foreshard_model::limits::{DEFINITION_BYTES, HISTORY_EVENTS};
use foreshard_model::plan::{LimitProof, Reason};
use foreshard_model::price::Price;
use foreshard_model::problem::{Problem, Severity};
use foreshard_model::workflow::Workflow;

use crate::objective::front;
use crate::place::UNKNOWN_TASK_MS;
use crate::price::{Counted, INTERVAL, Plain};
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
            "the best in time and orchestration within ${:.6}",
            chosen.ceiling_usd
        )
    } else {
        "the one that serves the objective best".to_owned()
    }
}

/// Shardings that are shown beside the kept one where the run has no objective.
const SHOWN: usize = 16;

/// The quickest of those within the ceiling, then the cheapest of the others: positions.
fn next_best(chosen: &Chosen) -> Vec<usize> {
    let mut at: Vec<usize> = (0..chosen.judged.len()).collect();
    let dearer = |at: usize| chosen.judged[at].usd > chosen.ceiling_usd;
    at.sort_by(|&a, &b| {
        let (one, other) = (&chosen.judged[a], &chosen.judged[b]);
        let within = dearer(a).cmp(&dearer(b));
        within.then(if dearer(a) {
            one.usd.total_cmp(&other.usd)
        } else {
            one.judged_ms.total_cmp(&other.judged_ms)
        })
    });
    at.truncate(SHOWN);
    at
}

/// Which sharding was kept, what the others would have given, and which wishes could not be honoured.
pub(super) fn sharding(workflow: &Workflow, demand: &Demand, chosen: &Chosen) -> Vec<Reason> {
    let mut reasons = Vec::new();
    if let Some(kept) = chosen.judged.get(chosen.kept) {
        reasons.push(reason(
            "shard",
            format!(
                "{}: {}; {} sharding(s) compared",
                kept.name(),
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
    let shown = if front.is_empty() {
        next_best(chosen)
    } else {
        front.clone()
    };
    for (at, other) in chosen.judged.iter().enumerate() {
        if at != chosen.kept && shown.contains(&at) {
            let why = if !front.is_empty() {
                "better in something, and less of what was asked for"
            } else if other.usd > chosen.ceiling_usd {
                "dearer than plain states"
            } else {
                "not better"
            };
            reasons.push(reason(
                "shard",
                format!("not {}: {why}", other.name()),
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

/// Where the prices are from, what the intervals mean, and what plain states would take.
pub(super) fn price(counted: &Counted, price: &Price, plain: &Plain) -> Vec<Reason> {
    let mut numbers: Vec<(&str, f64)> = vec![
        ("gb_s", counted.gb_s),
        ("disk_gb_s", counted.disk_gb_s),
        ("shards", counted.shards as f64),
        ("transitions", price.transitions),
    ];
    for (service, usd) in &price.by_service {
        numbers.push((service, usd.0));
    }
    let interval = [
        ("unknown_tasks", counted.unknown as f64),
        ("usd_low", price.total_usd.low),
        ("usd_high", price.total_usd.high),
        ("makespan_low_s", price.makespan_s.low),
        ("makespan_high_s", price.makespan_s.high),
    ];
    vec![
        reason("price", price.source.clone(), &numbers),
        reason("interval", INTERVAL.to_owned(), &interval),
        beside(counted, price, plain),
    ]
}

/// The same DAG as plain states, and whether it could be one state machine at all.
fn beside(counted: &Counted, price: &Price, plain: &Plain) -> Reason {
    let (bytes, events) = (plain.definition_bytes, plain.events);
    let lacking = match (
        bytes > DEFINITION_BYTES as u64,
        events > u64::from(HISTORY_EVENTS),
    ) {
        (false, false) => "",
        (true, false) => "; the definition is too large for one state machine",
        (false, true) => "; the events do not fit one history",
        (true, true) => "; neither the definition nor the events fit one state machine",
    };
    reason(
        "plain",
        format!(
            "one Standard state for each of {} tasks: {:.2} s were each to start once its inputs are there, {:.2} s as Parallel states for {} level(s), a definition of {bytes} bytes, {events} events{lacking}",
            counted.tasks,
            plain.makespan_ms / 1000.0,
            plain.by_levels_ms / 1000.0,
            plain.levels,
        ),
        &[
            ("usd", price.plain_usd.0),
            ("transitions", counted.tasks as f64),
            ("gb_s", counted.plain_gb_s),
            ("makespan_s", plain.makespan_ms / 1000.0),
            ("by_levels_s", plain.by_levels_ms / 1000.0),
            ("levels", plain.levels as f64),
            ("definition_bytes", bytes as f64),
            ("events", events as f64),
        ],
    )
}

/// A problem for every limit that does not hold: such a plan is not started.
pub(super) fn broken(limits: &[LimitProof]) -> Vec<Problem> {
    let broken = limits.iter().filter(|proof| !proof.holds);
    broken
        .map(|proof| Problem {
            code: "FS2012".to_owned(),
            severity: Severity::Error,
            path: "tasks".to_owned(),
            place: None,
            message: format!(
                "{}: {} {} of at most {} ({})",
                proof.limit, proof.worst, proof.unit, proof.allowed, proof.place
            ),
            hint: Some("split the workflow, or run it with fewer lanes".to_owned()),
        })
        .collect()
}
