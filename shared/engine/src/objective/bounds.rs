//! Which objectives can be understood: every value within its bounds.

use foreshard_model::objective::Objective;
use foreshard_model::problem::{Problem, Severity};

/// Longest deadline, in seconds: a Standard execution lives a year at most. Source: Step Functions quotas.
const DEADLINE_S: (f64, f64) = (0.001, 31_536_000.0);
/// Dollars: none to a billion.
const BUDGET_USD: (f64, f64) = (0.0, 1e9);
/// Kilowatt-hours: none to a billion.
const ENERGY_KWH: (f64, f64) = (0.0, 1e9);
/// A weight: none to a thousand; beyond that the other quantities count for nothing anyway.
const WEIGHT: (f64, f64) = (0.0, 1_000.0);

/// Everything that is wrong with an objective, `path` being its place.
#[must_use]
pub fn problems(objective: &Objective, path: &str) -> Vec<Problem> {
    let weights = objective.weights.unwrap_or_default();
    let values = [
        ("deadline_s", objective.deadline_s, DEADLINE_S),
        ("budget_usd", objective.budget_usd, BUDGET_USD),
        ("energy_kwh_max", objective.energy_kwh_max, ENERGY_KWH),
        ("weights.time", Some(weights.time), WEIGHT),
        ("weights.cost", Some(weights.cost), WEIGHT),
        ("weights.energy", Some(weights.energy), WEIGHT),
        ("weights.locality", Some(weights.locality), WEIGHT),
    ];
    let mut problems: Vec<Problem> = values
        .into_iter()
        .filter_map(|(name, value, (least, most))| {
            let value = value.filter(|value| !(least..=most).contains(value))?;
            Some(problem(
                format!("{path}.{name}"),
                format!("`{value}` is outside {least} to {most}"),
                "a number within these bounds; leave the member out to wish nothing",
            ))
        })
        .collect();
    let weightless = objective.weights.is_some_and(|w| {
        let all = [w.time, w.cost, w.energy, w.locality];
        all.iter().all(|weight| *weight == 0.0)
    });
    if weightless {
        problems.push(problem(
            format!("{path}.weights"),
            "no weight is above 0".to_owned(),
            "give at least one of `time`, `cost`, `energy` and `locality`",
        ));
    }
    problems
}

fn problem(path: String, message: String, hint: &str) -> Problem {
    Problem {
        code: "FS2020".to_owned(),
        severity: Severity::Error,
        path,
        place: None,
        message,
        hint: Some(hint.to_owned()),
    }
}
