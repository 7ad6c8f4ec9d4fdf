//! What the plan says of the run's objective: limits kept with how much to spare, limits missed with what can be had.

use foreshard_model::objective::{Objective, Unmet};
use foreshard_model::plan::Reason;
use foreshard_model::problem::{Problem, Severity};

use crate::objective::{Cap, Missed};
use crate::shard::{Chosen, Demand, Market};

use super::reasons::reason;
use super::{PlanInput, bound};

/// The run's word, over its workflow's.
pub(super) fn wished(input: &PlanInput<'_>) -> Objective {
    input.options.objective.over(&input.workflow.objective)
}

/// What became of the objective.
#[derive(Debug, Default)]
pub(super) struct Verdict {
    /// What was kept and what was missed.
    pub(super) reasons: Vec<Reason>,
    /// Limits that are missed although the run starts.
    pub(super) warnings: Vec<Problem>,
}

/// Holds the kept plan against the objective.
///
/// # Errors
///
/// Every limit that is missed and that refuses.
pub(super) fn verdict(
    objective: &Objective,
    chosen: &Chosen,
    demand: &Demand,
    market: &Market<'_>,
) -> Result<Verdict, Vec<Problem>> {
    let mut verdict = Verdict::default();
    let Some(kept) = chosen.measures.get(chosen.kept) else {
        return Ok(verdict);
    };
    verdict.reasons.push(reason(
        "objective",
        wishes(objective),
        &[
            ("time_s", kept.time_s),
            ("usd", kept.usd),
            ("energy_kwh", kept.energy_kwh),
            ("moved_bytes", kept.moved_bytes as f64),
            ("transitions", chosen.judged[chosen.kept].transitions),
        ],
    ));
    let mut refused = Vec::new();
    for word in WORDS {
        let Some(limit) = word.cap.limit(objective) else {
            continue;
        };
        let missed = chosen.missed.iter().find(|missed| missed.cap == word.cap);
        let Some(missed) = missed else {
            let reached = word.cap.of(kept);
            let because = format!(
                "kept: nine of ten such runs stay within {} of {}",
                word.shown(reached),
                word.shown(limit)
            );
            let numbers = [("limit", limit), ("reached", reached)];
            verdict
                .reasons
                .push(reason(word.subject, because, &numbers));
            continue;
        };
        let (because, numbers) = word.missed(missed, chosen, demand, market);
        verdict
            .reasons
            .push(reason(word.subject, because.clone(), &numbers));
        let unmet = objective.unmet.unwrap_or(match word.cap {
            Cap::Budget => Unmet::Refuse,
            Cap::Deadline | Cap::Energy | Cap::Moved => Unmet::Warn,
        });
        let problem = word.problem(unmet, because);
        match unmet {
            Unmet::Warn => verdict.warnings.push(problem),
            Unmet::Refuse => refused.push(problem),
        }
    }
    if refused.is_empty() {
        Ok(verdict)
    } else {
        Err(refused)
    }
}

/// What decides among the plans that keep the limits.
fn wishes(objective: &Objective) -> String {
    let rule = match objective.weights {
        Some(weights) => {
            let named = [
                ("time", weights.time),
                ("cost", weights.cost),
                ("energy", weights.energy),
                ("locality", weights.locality),
            ];
            let named = named.iter().filter(|(_, weight)| *weight > 0.0);
            let powers: Vec<String> = named
                .map(|(name, weight)| format!("{name}^{weight}"))
                .collect();
            format!("the least {}", powers.join(" x "))
        }
        None if objective.budget_usd.is_some() => {
            "the cheapest of those about as quick as the quickest".to_owned()
        }
        None if objective.deadline_s.is_some() => "the cheapest".to_owned(),
        None => "the usual choice".to_owned(),
    };
    format!("{rule} of what keeps the limits, by the pessimistic ends of time and cost")
}

/// The words for one limit.
struct Words {
    cap: Cap,
    subject: &'static str,
    path: &'static str,
    code: &'static str,
    best: &'static str,
}

const WORDS: [Words; 4] = [
    Words {
        cap: Cap::Budget,
        subject: "budget",
        path: "objective.budget_usd",
        code: "FS2022",
        best: "the cheapest costs",
    },
    Words {
        cap: Cap::Deadline,
        subject: "deadline",
        path: "objective.deadline_s",
        code: "FS2021",
        best: "the quickest takes",
    },
    Words {
        cap: Cap::Energy,
        subject: "energy",
        path: "objective.energy_kwh_max",
        code: "FS2023",
        best: "the most frugal takes",
    },
    Words {
        cap: Cap::Moved,
        subject: "locality",
        path: "objective.moved_bytes_max",
        code: "FS2024",
        best: "the most local moves",
    },
];

impl Words {
    fn shown(&self, value: f64) -> String {
        match self.cap {
            Cap::Budget => format!("${value:.6}"),
            Cap::Deadline => format!("{value:.2} s"),
            Cap::Energy => format!("{value:.9} kWh"),
            Cap::Moved => format!("{value:.0} bytes"),
        }
    }

    /// What can be had instead, and whether any plan whatever could do better.
    fn missed(
        &self,
        missed: &Missed,
        chosen: &Chosen,
        demand: &Demand,
        market: &Market<'_>,
    ) -> (String, Vec<(&'static str, f64)>) {
        let best = self.cap.of(&chosen.measures[missed.best]);
        let plan = &chosen.judged[missed.best];
        let mut numbers = vec![
            ("limit", missed.limit),
            ("best", best),
            ("reached", self.cap.of(&chosen.measures[chosen.kept])),
        ];
        let limit = self.shown(missed.limit);
        let best = format!(
            "{} {} in nine of ten runs: {}",
            self.best,
            self.shown(best),
            plan.name()
        );
        if self.cap.of(&chosen.measures[missed.best]) <= missed.limit {
            let because =
                format!("{limit} is not kept within the other limits; without them {best}");
            return (because, numbers);
        }
        let bound = match self.cap {
            Cap::Budget => Some(bound::dollars(demand, market)),
            Cap::Deadline => Some(bound::seconds(demand, market)),
            Cap::Energy | Cap::Moved => None,
        };
        numbers.extend(bound.map(|bound| ("bound", bound)));
        let because = match bound.filter(|bound| *bound > missed.limit) {
            Some(bound) => format!(
                "{limit} cannot be kept by any plan whatever: none is sure of less than {}; {best}",
                self.shown(bound)
            ),
            None => format!(
                "{limit} is kept by none of {} plans; {best}",
                chosen.judged.len()
            ),
        };
        (because, numbers)
    }

    fn problem(&self, unmet: Unmet, message: String) -> Problem {
        let (severity, hint) = match unmet {
            Unmet::Refuse => (
                Severity::Error,
                "allow more, or start with the nearest plan: `unmet: warn`",
            ),
            Unmet::Warn => (
                Severity::Note,
                "the run starts with the nearest plan; to have it refused: `unmet: refuse`",
            ),
        };
        Problem {
            code: self.code.to_owned(),
            severity,
            path: self.path.to_owned(),
            place: None,
            message,
            hint: Some(hint.to_owned()),
        }
    }
}
