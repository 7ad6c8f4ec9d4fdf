//! The arguments that say what a run weighs and what it may take at most.

use clap::{Args, ValueEnum};
use foreshard_model::objective::{Objective, Unmet, Weights};

/// What a run weighs, and what it may take at most; over what its document says.
#[derive(Debug, Clone, Default, Args)]
pub struct ObjectiveArguments {
    /// Longest duration of the run, in seconds: kept when nine of ten such runs keep it.
    #[arg(long, value_name = "SECONDS", allow_negative_numbers = true)]
    pub deadline_s: Option<f64>,
    /// Most dollars of the run.
    #[arg(long, value_name = "DOLLARS", allow_negative_numbers = true)]
    pub budget_usd: Option<f64>,
    /// Most energy of the run, in kilowatt-hours.
    #[arg(long, value_name = "KWH", allow_negative_numbers = true)]
    pub energy_kwh_max: Option<f64>,
    /// Most bytes that move between shards.
    #[arg(long, value_name = "BYTES")]
    pub moved_bytes_max: Option<u64>,
    /// What counts how much: `time=1,cost=2`, of `time`, `cost`, `energy` and `locality`.
    #[arg(long, value_name = "NAME=N,…", value_parser = weights)]
    pub weights: Option<Weights>,
    /// What an unmet limit means; when absent, a budget refuses and every other limit warns.
    #[arg(long, value_enum)]
    pub unmet: Option<UnmetArgument>,
}

/// What an unmet limit means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum UnmetArgument {
    /// The run starts with the nearest plan.
    Warn,
    /// Nothing starts.
    Refuse,
}

impl From<&ObjectiveArguments> for Objective {
    fn from(arguments: &ObjectiveArguments) -> Self {
        Self {
            weights: arguments.weights,
            deadline_s: arguments.deadline_s,
            budget_usd: arguments.budget_usd,
            energy_kwh_max: arguments.energy_kwh_max,
            moved_bytes_max: arguments.moved_bytes_max,
            unmet: arguments.unmet.map(|unmet| match unmet {
                UnmetArgument::Warn => Unmet::Warn,
                UnmetArgument::Refuse => Unmet::Refuse,
            }),
        }
    }
}

/// Reads `time=1,cost=2`; every wrong part is named.
fn weights(text: &str) -> Result<Weights, String> {
    let mut weights = Weights::default();
    let mut wrong = Vec::new();
    for part in text.split(',') {
        let Some((name, number)) = part.split_once('=') else {
            wrong.push(format!("`{part}` is not of the form `name=number`"));
            continue;
        };
        let place = match name.trim() {
            "time" => &mut weights.time,
            "cost" => &mut weights.cost,
            "energy" => &mut weights.energy,
            "locality" => &mut weights.locality,
            _ => {
                wrong.push(format!(
                    "`{name}` is none of time, cost, energy and locality"
                ));
                continue;
            }
        };
        match number.trim().parse() {
            Ok(number) => *place = number,
            Err(_) => wrong.push(format!("`{number}` is not a number")),
        }
    }
    if wrong.is_empty() {
        Ok(weights)
    } else {
        Err(wrong.join("; "))
    }
}

/// The arguments that ask for an objective: what [`ObjectiveArguments`] reads.
#[must_use]
pub fn as_arguments(objective: &Objective) -> String {
    let mut arguments: Vec<String> = Vec::new();
    if let Some(weights) = objective.weights {
        let named = [
            ("time", weights.time),
            ("cost", weights.cost),
            ("energy", weights.energy),
            ("locality", weights.locality),
        ];
        let named = named.iter().filter(|(_, weight)| *weight > 0.0);
        let named: Vec<String> = named.map(|(name, n)| format!("{name}={n}")).collect();
        arguments.push(format!("--weights {}", named.join(",")));
    }
    let numbers = [
        ("deadline-s", objective.deadline_s),
        ("budget-usd", objective.budget_usd),
        ("energy-kwh-max", objective.energy_kwh_max),
    ];
    for (name, value) in numbers {
        arguments.extend(value.map(|value| format!("--{name} {value}")));
    }
    let bytes = objective.moved_bytes_max;
    arguments.extend(bytes.map(|bytes| format!("--moved-bytes-max {bytes}")));
    if arguments.is_empty() {
        "(none)".to_owned()
    } else {
        arguments.join(" ")
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Only {
        #[command(flatten)]
        objective: ObjectiveArguments,
    }

    #[test]
    fn what_is_printed_is_read_again() {
        let objective = Objective {
            weights: Some(Weights {
                time: 0.5,
                locality: 3.0,
                ..Weights::default()
            }),
            deadline_s: Some(48.214_999_999_1),
            budget_usd: Some(0.000_047_3),
            energy_kwh_max: Some(1.2e-7),
            moved_bytes_max: Some(0),
            unmet: None,
        };
        let text = as_arguments(&objective);
        let read = Only::parse_from(std::iter::once("foreshard").chain(text.split(' ')));
        assert_eq!(Objective::from(&read.objective), objective, "{text}");
    }

    #[test]
    fn every_wrong_weight_is_named() {
        let error = weights("time=1,money=2,cost=x,energy").expect_err("is wrong");
        assert_eq!(
            error,
            "`money` is none of time, cost, energy and locality; `x` is not a number; \
             `energy` is not of the form `name=number`"
        );
    }
}
