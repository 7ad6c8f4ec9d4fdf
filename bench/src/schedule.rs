//! `bench schedule`: the makespan of recorded workflows on a network of unequal targets.

use std::path::Path;

use foreshard_engine::timetable::{
    Clustered, DEFAULT_STEPS, Instance, MOST_LOOKS, Network, Steps, Timetable, best_list, clusters,
    lower_bound_s, search,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::BenchError;
use crate::arguments::ScheduleArguments;
use crate::meter::{CpuBudget, cpu_s, measured};
use crate::recorded::{Recorded, write};

/// Share of the budget that the search may use: making shards of what it found is within the budget, too.
const SEARCHING: f64 = 0.97;

/// The figures of one file.
#[derive(Debug, Serialize)]
pub struct Figures {
    file: String,
    tasks: usize,
    makespan_s: f64,
    makespan_sharded_s: f64,
    makespan_default_budget_s: f64,
    lower_bound_s: f64,
    shards: usize,
    decision_cpu_s: f64,
    default_budget_cpu_s: f64,
}

/// A network as it is written down.
#[derive(Debug, Clone, Deserialize)]
pub struct NetworkFile {
    /// Work that each target does in a second.
    pub speeds: Vec<f64>,
    /// Between two different targets.
    pub bandwidth_bytes_per_s: f64,
}

impl Default for NetworkFile {
    fn default() -> Self {
        Self {
            speeds: [vec![1.0; 8], vec![2.0; 4], vec![4.0; 4]].concat(),
            bandwidth_bytes_per_s: 75e6,
        }
    }
}

/// Plans every file.
pub fn schedule(arguments: &ScheduleArguments) -> Result<Vec<Figures>, BenchError> {
    let network = network(arguments.network.as_deref())?;
    let one = |path: &std::path::PathBuf| {
        let recorded = Recorded::read(path)?;
        figures(&recorded, &network, arguments)
    };
    arguments.files.iter().map(one).collect()
}

fn network(path: Option<&Path>) -> Result<Network, BenchError> {
    let file = match path {
        None => NetworkFile::default(),
        Some(path) => {
            let text = std::fs::read(path).map_err(|source| BenchError::File {
                doing: "read",
                path: path.display().to_string(),
                source,
            })?;
            let whole: Value =
                serde_json::from_slice(&text).map_err(|error| BenchError::content(path, error))?;
            let inner = whole.get("network").cloned().unwrap_or(whole);
            serde_json::from_value(inner).map_err(|error| BenchError::content(path, error))?
        }
    };
    let positive = |value: f64| value.is_finite() && value > 0.0;
    let sound = !file.speeds.is_empty()
        && file.speeds.iter().copied().all(positive)
        && positive(file.bandwidth_bytes_per_s);
    if !sound {
        let path = path.unwrap_or(Path::new("network"));
        return Err(BenchError::content(
            path,
            "a network has speeds and a bandwidth, all above 0",
        ));
    }
    Ok(Network {
        speeds: file.speeds,
        bytes_per_s: file.bandwidth_bytes_per_s,
    })
}

fn figures(
    recorded: &Recorded,
    network: &Network,
    arguments: &ScheduleArguments,
) -> Result<Figures, BenchError> {
    let instance = Instance {
        graph: &recorded.graph,
        order: &recorded.order,
        work_s: &recorded.work_s,
        network,
    };
    let (default, default_cpu_s) = measured(|| planned(&instance, &mut Steps(DEFAULT_STEPS)).0);
    let until_s = cpu_s() + arguments.budget_s * SEARCHING;
    let ((table, bound), decision_cpu_s) =
        measured(|| planned(&instance, &mut CpuBudget::until(until_s)));
    let (sharded, sharding_cpu_s) = measured(|| clusters(&instance, &table, 0.0, MOST_LOOKS));
    if let Some(folder) = &arguments.out {
        let name = format!("{}.schedule.json", recorded.stem);
        write(folder, &name, &checkable(recorded, &table, &sharded))?;
    }
    Ok(Figures {
        file: recorded.file.clone(),
        tasks: recorded.work_s.len(),
        makespan_s: table.makespan_s,
        makespan_sharded_s: sharded.makespan_s,
        makespan_default_budget_s: default.makespan_s,
        lower_bound_s: bound,
        shards: sharded.target.len(),
        decision_cpu_s: decision_cpu_s + sharding_cpu_s,
        default_budget_cpu_s: default_cpu_s,
    })
}

/// The plan within a budget, and the bound below which none can come.
fn planned(
    instance: &Instance<'_>,
    budget: &mut dyn foreshard_engine::timetable::Budget,
) -> (Timetable, f64) {
    let bound = lower_bound_s(instance);
    let first = best_list(instance, budget);
    (search(instance, &first, bound, budget), bound)
}

/// The timetable as anyone can check it; `sharded` is the same with shards that run in one go.
fn checkable(recorded: &Recorded, table: &Timetable, sharded: &Clustered) -> Value {
    let mut tasks = Map::new();
    let mut shards = Map::new();
    for (at, id) in recorded.ids.iter().enumerate() {
        let shard = sharded.of[at] as usize;
        tasks.insert(
            id.clone(),
            json!({
                "target": table.target[at],
                "start_s": table.start_s[at],
                "finish_s": table.finish_s[at],
            }),
        );
        shards.insert(
            id.clone(),
            json!({
                "shard": shard,
                "target": sharded.target[shard],
                "start_s": sharded.start_s[shard],
                "finish_s": sharded.finish_s[shard],
            }),
        );
    }
    json!({"tasks": tasks, "sharded": shards})
}
