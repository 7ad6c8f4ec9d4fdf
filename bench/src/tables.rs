//! `bench tables`: every figure of docs/planner.md beside the peers', as the tables there.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::arguments::{PartitionArguments, ScheduleArguments, Table, TablesArguments};
use crate::{BenchError, beside, partition, render, schedule};

/// Parts of the partitions, as the peer's.
const PARTS: [u32; 2] = [8, 16];

/// Measures all files and gives the tables as Markdown.
pub fn tables(arguments: &TablesArguments) -> Result<String, BenchError> {
    let baselines = |name: &str| read(&arguments.baselines.join(name));
    let wanted = |table: Table| arguments.only.is_none_or(|only| only == table);
    let mut tables = Vec::new();
    if wanted(Table::Timetables) {
        tables.push(timetables(arguments, &baselines("schedulers.json")?)?);
    }
    if wanted(Table::Partitions) {
        let peers = baselines("partitions.json")?;
        tables.push(partitions(&arguments.files, &peers)?);
    }
    if wanted(Table::Plans) {
        tables.push(beside::table(&arguments.files)?);
    }
    Ok(tables.join("\n"))
}

fn read(path: &Path) -> Result<Value, BenchError> {
    let bytes = std::fs::read(path).map_err(|source| BenchError::File {
        doing: "read",
        path: path.display().to_string(),
        source,
    })?;
    serde_json::from_slice(&bytes).map_err(|error| BenchError::content(path, error))
}

/// Geometric mean.
pub fn mean(values: &[f64]) -> f64 {
    let sum: f64 = values.iter().map(|value| value.ln()).sum();
    (sum / values.len().max(1) as f64).exp()
}

fn number(row: &Value, name: &str) -> f64 {
    row[name].as_f64().unwrap_or(f64::NAN)
}

/// A file's name without what all have in common.
pub fn short(file: &str) -> String {
    let stem = file.split(".json").next().unwrap_or(file);
    let parts = stem.split('-');
    let left: Vec<&str> = parts
        .filter(|part| !["chameleon", "dirt02", "001"].contains(part))
        .collect();
    left.join("-")
}

/// M1: makespans in seconds, and ours over the best of the peers and over HEFT.
fn timetables(arguments: &TablesArguments, peers: &Value) -> Result<String, BenchError> {
    let rows = schedule::schedule(&ScheduleArguments {
        files: arguments.files.clone(),
        network: Some(arguments.baselines.join("schedulers.json")),
        out: None,
        budget_s: arguments.budget_s,
    })?;
    let mut text = String::from(
        "| workflow | tasks | HEFT, s | best peer, s | ours, s | ours / best | ours / HEFT | with shards / HEFT | default budget / HEFT | bound / ours | shards |\n|---|---|---|---|---|---|---|---|---|---|---|\n",
    );
    let mut ratios: [Vec<f64>; 3] = Default::default();
    for row in render::values(&rows).as_array().into_iter().flatten() {
        let file = row["file"].as_str().unwrap_or_default();
        let known = peers["instances"][file]["schedulers"].as_object();
        let makespans = known.into_iter().flatten();
        let mut best: Option<(f64, &str)> = None;
        for (name, peer) in makespans {
            let makespan = number(peer, "makespan");
            if best.is_none_or(|(least, _)| makespan < least) {
                best = Some((makespan, name));
            }
        }
        let (best, by) = best.unwrap_or((f64::NAN, "none"));
        let heft = number(&peers["instances"][file]["schedulers"]["HEFT"], "makespan");
        let ours = number(row, "makespan_s");
        let sharded = number(row, "makespan_sharded_s");
        let default = number(row, "makespan_default_budget_s");
        for (ratios, makespan) in ratios.iter_mut().zip([ours, sharded, default]) {
            ratios.push(makespan / heft);
        }
        text.push_str(&format!(
            "| {} | {} | {heft:.2} | {best:.2} {by} | {ours:.2} | {:.4} | {:.3} | {:.3} | {:.3} | {:.3} | {} |\n",
            short(file),
            row["tasks"],
            ours / best,
            ours / heft,
            sharded / heft,
            default / heft,
            number(row, "lower_bound_s") / ours,
            row["shards"],
        ));
    }
    let [ours, sharded, default] = ratios.map(|ratios| mean(&ratios));
    text.push_str(&format!(
        "| **geometric mean** | | | | | | **{ours:.3}** | **{sharded:.3}** | **{default:.3}** | | |\n"
    ));
    Ok(text)
}

/// M3: bytes between parts over METIS's; bold where METIS's parts can be run one after the other.
fn partitions(files: &[PathBuf], peers: &Value) -> Result<String, BenchError> {
    let mut columns: Vec<Vec<(String, String)>> = Vec::new();
    for parts in PARTS {
        let rows = partition::partition(&PartitionArguments {
            files: files.to_vec(),
            shards: parts,
            out: None,
        })?;
        let rows = render::values(&rows);
        let cell = |row: &Value| {
            let file = row["file"].as_str().unwrap_or_default();
            let peer = &peers["instances"][file][parts.to_string()];
            let ratio = number(row, "cut_bytes") / number(peer, "cut_bytes");
            let mark = if peer["acyclic"] == true { "**" } else { "" };
            let heavy = (number(row, "imbalance"), number(peer, "imbalance"));
            (
                short(file),
                format!("{mark}{ratio:.2}{mark} | {:.2} / {:.2}", heavy.0, heavy.1),
            )
        };
        columns.push(rows.as_array().into_iter().flatten().map(cell).collect());
    }
    let mut text = String::from(
        "| workflow | 8 parts, ratio | imbalance, ours / METIS | 16 parts, ratio | imbalance, ours / METIS |\n|---|---|---|---|---|\n",
    );
    for ((name, eight), (_, sixteen)) in columns[0].iter().zip(&columns[1]) {
        text.push_str(&format!("| {name} | {eight} | {sixteen} |\n"));
    }
    Ok(text)
}
