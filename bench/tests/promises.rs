//! What is promised of anomalies, memory and pre-warming, held on recorded data by the benchmarks that measure it.

#![expect(
    clippy::print_stdout,
    reason = "a test says when there is nothing to look at"
)]

use std::path::{Path, PathBuf};

use foreshard_bench::{AnomaliesArguments, Bench, MemoryArguments, PrewarmArguments};
use serde_json::Value;

/// The recorded data beside the checkout; `None`, and a line that says so, where it is not required.
fn recorded(name: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../shared/data")
        .join(name);
    let required = std::env::var("FORESHARD_SHARED").is_ok_and(|how| how == "required");
    if path.exists() {
        return Some(path);
    }
    assert!(!required, "`{}` is required", path.display());
    println!("SKIPPED: there is no `{}`", path.display());
    None
}

fn figures(bench: &Bench) -> Vec<Value> {
    let text = foreshard_bench::run(bench, true).expect("the benchmark runs");
    serde_json::from_str(&text).expect("it prints JSON")
}

fn number(row: &Value, name: &str) -> f64 {
    row[name]
        .as_f64()
        .unwrap_or_else(|| panic!("{name} of {row}"))
}

#[test]
fn anomalies_reach_the_promised_score_with_one_threshold() {
    let Some(folder) = recorded("series/nab") else {
        return;
    };
    let entries = std::fs::read_dir(&folder).expect("a folder");
    let mut series: Vec<PathBuf> = entries.map(|entry| entry.expect("a file").path()).collect();
    series.retain(|path| path.to_string_lossy().ends_with(".csv.gz"));
    series.sort();
    let all = |series: Vec<PathBuf>| {
        let rows = figures(&Bench::Anomalies(AnomaliesArguments {
            series,
            out: None,
            labels: Some(folder.join("labels.json")),
            step_s: None,
        }));
        number(rows.last().expect("a row for all"), "nab")
    };
    let score = all(series.clone());
    assert!(score >= 64.0, "{score}");
    for left_out in 0..series.len() {
        let mut rest = series.clone();
        let file = rest.remove(left_out);
        let score = all(rest);
        assert!(score >= 62.0, "{score} without {}", file.display());
    }
}

#[test]
fn memory_is_predicted_from_two_sizes_as_promised() {
    let Some(curves) = recorded("memory/lambda-duration-by-memory.json") else {
        return;
    };
    let rows = figures(&Bench::Memory(MemoryArguments {
        curves,
        probes: vec![512, 2048],
        out: None,
    }));
    let errors: f64 = rows.iter().map(|row| number(row, "error_mean")).sum();
    assert!(errors / rows.len() as f64 <= 0.08, "{rows:#?}");
    for row in &rows {
        assert!(number(row, "cheapest_by_cheapest") <= 1.05, "{row}");
        assert!(number(row, "balanced_by_fastest") <= 1.25, "{row}");
        assert!(number(row, "balanced_by_best_cost") <= 1.10, "{row}");
    }
}

fn replayed(series: Vec<PathBuf>, worth_usd: f64) -> Vec<Value> {
    figures(&Bench::Prewarm(PrewarmArguments {
        series,
        days: 2,
        worth_usd: vec![worth_usd],
        region: "us-east-1".to_owned(),
        cold_start_ms: 200.0,
        busy_s: 30.0,
        interval_min: 5,
    }))
}

#[test]
fn where_nothing_is_gained_nothing_is_provisioned() {
    let Some(series) = recorded("series/invocations/huawei2025_R4_days00-23.csv.gz") else {
        return;
    };
    for row in replayed(vec![series], 0.0) {
        assert!(number(&row, "total_by_none") <= 1.05, "{row:#?}");
    }
}
