//! The last table: each file's plan beside one Standard state for each task, by the price model.

use std::fs::File;
use std::path::{Path, PathBuf};

use foreshard_engine::parse::{Library, stream};
use foreshard_engine::plan::{fewest_transitions, plan as decide};
use foreshard_model::plan::{Plan, Reason};
use foreshard_model::problem::Problem;

use crate::BenchError;
use crate::plan::on_aws;
use crate::tables::{mean, short};

/// How much longer than plain states a plan may take for the fewest transitions, as factors.
const TIMES: [f64; 2] = [1.1, 1.5];

/// One file's row.
struct Row {
    name: String,
    plan: Plan,
    fewest: Vec<Option<f64>>,
}

impl Row {
    fn read(path: &Path) -> Result<Self, BenchError> {
        let refused = |problems: Vec<Problem>| {
            let first = problems.first().map(ToString::to_string);
            BenchError::content(path, first.unwrap_or_default())
        };
        let file = File::open(path).map_err(|source| BenchError::File {
            doing: "read",
            path: path.display().to_string(),
            source,
        })?;
        let parsed = stream(file, &Library::new()).map_err(refused)?;
        let plan = on_aws(&parsed, decide).map_err(refused)?.plan;
        let plain_s = plan.price.plain_makespan_s.mid;
        let fewest = on_aws(&parsed, |input| fewest_transitions(input, plain_s, &TIMES));
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        Ok(Self {
            name: short(&name),
            plan,
            fewest: fewest.map_err(refused)?,
        })
    }

    fn a_task(&self, transitions: f64) -> f64 {
        transitions / f64::from(self.plan.tasks)
    }

    /// A number of the first reason for a subject.
    fn number(&self, subject: &str, name: &str) -> f64 {
        let found = |reason: &&Reason| reason.subject == subject;
        let reason = self.plan.reasons.iter().find(found);
        let number = reason.and_then(|reason| reason.numbers.get(name));
        number.copied().unwrap_or(f64::NAN)
    }

    /// What one of something costs.
    fn unit(&self, name: &str) -> f64 {
        let units = &self.plan.price.unit_prices;
        let unit = units.iter().find(|unit| unit.unit.starts_with(name));
        unit.map_or(f64::NAN, |unit| unit.usd)
    }

    /// Dollars beside memory and scratch disk: of the plan, over those of plain states.
    fn orchestration(&self) -> f64 {
        let price = &self.plan.price;
        let work = self.number("price", "gb_s") * self.unit("GB-second, ")
            + self.number("price", "disk_gb_s") * self.unit("GB-second of scratch disk");
        let plain = &price.plain_by_service;
        let states: f64 = ["step_functions", "s3"]
            .iter()
            .filter_map(|s| plain.get(*s))
            .map(|usd| usd.0)
            .sum();
        let invocations = f64::from(self.plan.tasks) * self.unit("invocation");
        (price.total_usd.mid - work) / (states + invocations)
    }
}

/// M4 by the price model: time, cost and orchestration over plain states', transitions a task, and the fewest that a plan of
/// nearly the same time has.
pub fn table(files: &[PathBuf]) -> Result<String, BenchError> {
    let rows: Result<Vec<Row>, BenchError> = files.iter().map(|file| Row::read(file)).collect();
    let rows = rows?;
    let mut text = String::from(
        "| workflow | tasks | shards | time / plain | cost / plain | orchestration / plain | transitions a task | fewest at 1.1 x plain | fewest at 1.5 x plain | strategy |\n|---|---|---|---|---|---|---|---|---|---|\n",
    );
    let mut fewest: Vec<Vec<f64>> = vec![Vec::new(); TIMES.len()];
    let mut times: Vec<f64> = Vec::new();
    for row in &rows {
        let price = &row.plan.price;
        let time = price.makespan_s.mid / price.plain_makespan_s.mid;
        times.push(time);
        let orchestration = row.orchestration();
        let mut cells = String::new();
        for (all, fewest) in fewest.iter_mut().zip(&row.fewest) {
            // A file where no plan is as quick counts as the worst.
            let a_task = fewest.map_or(f64::INFINITY, |transitions| row.a_task(transitions));
            all.push(a_task);
            let shown = fewest.map_or("none".to_owned(), |_| format!("{a_task:.2}"));
            cells.push_str(&format!(" | {shown}"));
        }
        let first = row.plan.reasons.iter().find(|r| r.subject == "shard");
        let strategy = first.map_or("", |r| r.because.split(": ").next().unwrap_or_default());
        text.push_str(&format!(
            "| {} | {} | {} | {time:.2} | {:.3} | {orchestration:.2} | {:.2}{cells} | {strategy} |\n",
            row.name,
            row.plan.tasks,
            row.number("shard", "shards"),
            price.total_usd.mid / price.plain_usd.0,
            row.a_task(price.transitions),
        ));
    }
    let medians: Vec<String> = fewest
        .into_iter()
        .map(|all| format!("{:.2}", median(all)))
        .collect();
    text.push_str(&format!(
        "| **mean of times, medians** | | | **{:.2}** | | | | **{}** | |\n",
        mean(&times),
        medians.join("** | **")
    ));
    Ok(text)
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
