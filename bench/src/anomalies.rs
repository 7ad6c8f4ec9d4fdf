//! `bench anomalies`: a series row by row, no row seen before its turn, and the score where labels are given.

use std::collections::BTreeMap;
use std::path::Path;

use foreshard_engine::anomaly::{THRESHOLD, detect};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::BenchError;
use crate::arguments::AnomaliesArguments;
use crate::meter::measured;
use crate::nab::{Score, normalised, score};
use crate::recorded::write;
use crate::series::{Row, read, rows, seconds, step_s};

/// Seconds between rows where the times do not tell.
const STEP_S: f64 = 300.0;

/// The figures of one file, or of all together.
#[derive(Debug, Serialize)]
pub struct Figures {
    file: String,
    rows: usize,
    flags: usize,
    threshold: f64,
    windows: Option<usize>,
    hit: Option<usize>,
    false_flags: Option<usize>,
    nab: Option<f64>,
    cpu_us_per_row: f64,
}

/// Labels of one file, as the benchmark writes them.
#[derive(Debug, Deserialize)]
struct Labels {
    windows: Vec<(String, String)>,
}

/// Looks at every file.
pub fn anomalies(arguments: &AnomaliesArguments) -> Result<Vec<Figures>, BenchError> {
    let labels: Option<BTreeMap<String, Labels>> = match &arguments.labels {
        Some(path) => {
            let text = read(path)?;
            let read = serde_json::from_str(&text);
            Some(read.map_err(|source| BenchError::content(path, source))?)
        }
        None => None,
    };
    let (mut all, mut scores) = (Vec::new(), Vec::new());
    for path in &arguments.series {
        let (figures, found) = one(path, arguments, labels.as_ref())?;
        all.push(figures);
        scores.extend(found);
    }
    if scores.len() > 1 {
        all.push(Figures {
            file: "all".to_owned(),
            rows: all.iter().map(|f| f.rows).sum(),
            flags: all.iter().map(|f| f.flags).sum(),
            threshold: THRESHOLD,
            windows: Some(scores.iter().map(|s| s.windows).sum()),
            hit: Some(scores.iter().map(|s| s.hit).sum()),
            false_flags: Some(scores.iter().map(|s| s.false_flags).sum()),
            nab: normalised(&scores),
            cpu_us_per_row: all.iter().map(|f| f.cpu_us_per_row).fold(0.0, f64::max),
        });
    }
    Ok(all)
}

fn one(
    path: &Path,
    arguments: &AnomaliesArguments,
    labels: Option<&BTreeMap<String, Labels>>,
) -> Result<(Figures, Option<Score>), BenchError> {
    let rows = rows(&read(path)?);
    let step_s = arguments.step_s.or_else(|| step_s(&rows)).unwrap_or(STEP_S);
    let values: Vec<Option<f64>> = rows.iter().map(|row| row.value).collect();
    let rows_per_day = (86_400.0 / step_s.max(1e-3)).round() as usize;
    let (verdicts, cpu_s) = measured(|| detect(&values, rows_per_day));
    let flags: Vec<bool> = verdicts.iter().map(|verdict| verdict.flagged).collect();
    if let Some(out) = &arguments.out {
        let scores: Vec<f64> = verdicts.iter().map(|verdict| verdict.score).collect();
        let content = json!({ "scores": scores, "flags": flags });
        let folder = out.parent().unwrap_or(Path::new(""));
        let name = out.file_name().unwrap_or_default().to_string_lossy();
        write(folder, &name, &content)?;
    }
    let file = path.file_name().unwrap_or_default().to_string_lossy();
    let name = file.strip_suffix(".gz").unwrap_or(&file);
    let found = labels
        .and_then(|labels| labels.get(name))
        .map(|labels| score(&flags, &windows(&rows, labels)));
    let figures = Figures {
        file: name.to_owned(),
        rows: rows.len(),
        flags: flags.iter().filter(|&&flag| flag).count(),
        threshold: THRESHOLD,
        windows: found.map(|found| found.windows),
        hit: found.map(|found| found.hit),
        false_flags: found.map(|found| found.false_flags),
        nab: found.and_then(|found| normalised(&[found])),
        cpu_us_per_row: (cpu_s * 1e8 / rows.len().max(1) as f64).round() / 100.0,
    };
    Ok((figures, found))
}

/// Windows by their rows: those from the one time to the other.
fn windows(rows: &[Row], labels: &Labels) -> Vec<(usize, usize)> {
    let times: Vec<f64> = rows
        .iter()
        .map(|row| seconds(&row.time).unwrap_or(f64::NAN))
        .collect();
    let row_range = |(from, until): &(String, String)| {
        let (from, until) = (seconds(from)?, seconds(until)?);
        let first = times.iter().position(|&time| time >= from)?;
        let last = times.iter().rposition(|&time| time <= until)?;
        (first <= last).then_some((first, last))
    };
    labels.windows.iter().filter_map(row_range).collect()
}
