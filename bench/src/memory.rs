//! `bench memory`: duration at every size from two of them, and which size is cheapest or nearly the quickest.

use std::collections::BTreeMap;
use std::path::Path;

use foreshard_engine::rightsize::{Aim, BALANCED_WITHIN, Curve, Observed, choose};
use foreshard_model::units::Mib;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::BenchError;
use crate::arguments::MemoryArguments;
use crate::recorded::write;
use crate::series::read;

/// Sizes that are predicted beside those of a curve.
const USUAL_MIB: [u32; 7] = [128, 256, 512, 1024, 1536, 2048, 3008];

/// A measured curve.
#[derive(Debug, Deserialize)]
struct Measured {
    id: String,
    points: Vec<Point>,
}

/// One size of it.
#[derive(Debug, Deserialize)]
struct Point {
    mem_mb: u32,
    #[serde(default)]
    p50_ms: Option<f64>,
}

/// What is predicted of one function, and how that compares with what was measured.
#[derive(Debug, Serialize)]
pub struct Figures {
    id: String,
    probes: Vec<u32>,
    error_mean: Option<f64>,
    cheapest_mib: u32,
    cheapest_by_cheapest: Option<f64>,
    balanced_mib: u32,
    balanced_by_fastest: Option<f64>,
    balanced_by_best_cost: Option<f64>,
}

/// Predicts every curve of the file.
pub fn memory(arguments: &MemoryArguments) -> Result<Vec<Figures>, BenchError> {
    let text = read(&arguments.curves)?;
    let curves: Vec<Measured> = serde_json::from_str(&text)
        .map_err(|source| BenchError::content(&arguments.curves, source))?;
    let (mut all, mut predicted) = (Vec::new(), Vec::new());
    for measured in &curves {
        let known: BTreeMap<u32, f64> = measured
            .points
            .iter()
            .filter_map(|point| Some((point.mem_mb, point.p50_ms.filter(|ms| *ms > 0.0)?)))
            .collect();
        let probes = probes(&known, &arguments.probes);
        let observed: Vec<Observed> = probes.iter().map(|probe| observed(probe, &known)).collect();
        let curve = Curve::through(&observed, None).ok_or_else(|| {
            BenchError::content(
                &arguments.curves,
                format!("`{}` has no size with a p50", measured.id),
            )
        })?;
        let mut sizes: Vec<Mib> = measured.points.iter().map(|p| Mib(p.mem_mb)).collect();
        if sizes.len() <= probes.len() {
            sizes = USUAL_MIB.map(Mib).to_vec();
        }
        let size = |aim| choose(&curve, &sizes, aim).unwrap_or_default().0;
        let figures = compared(measured, &known, probes, &curve, &size);
        let all_sizes = sizes.iter().map(|size| size.0).chain(USUAL_MIB);
        let ms: BTreeMap<String, f64> = all_sizes
            .map(|size| (size.to_string(), curve.expected_ms(Mib(size))))
            .collect();
        predicted.push(json!({
            "id": measured.id,
            "predicted_ms": ms,
            "cheapest_mib": figures.cheapest_mib,
            "balanced_mib": figures.balanced_mib,
        }));
        all.push(figures);
    }
    if let Some(out) = &arguments.out {
        let folder = out.parent().unwrap_or(Path::new(""));
        let name = out.file_name().unwrap_or_default().to_string_lossy();
        write(folder, &name, &predicted.into())?;
    }
    Ok(all)
}

fn observed(probe: &u32, known: &BTreeMap<u32, f64>) -> Observed {
    Observed {
        memory: Mib(*probe),
        ms: known[probe],
        error: 0.0,
    }
}

/// The sizes of a curve that are asked for, or those nearest to them by their ratio.
fn probes(known: &BTreeMap<u32, f64>, wanted: &[u32]) -> Vec<u32> {
    let mut found: Vec<u32> = Vec::new();
    for &size in wanted {
        let far = |other: &u32| (f64::from(*other).ln() - f64::from(size.max(1)).ln()).abs();
        let left = known.keys().filter(|other| !found.contains(other));
        found.extend(left.min_by(|a, b| far(a).total_cmp(&far(b))));
    }
    found
}

fn compared(
    measured: &Measured,
    known: &BTreeMap<u32, f64>,
    probes: Vec<u32>,
    curve: &Curve,
    size: &dyn Fn(Aim) -> u32,
) -> Figures {
    let (cheapest_mib, balanced_mib) = (size(Aim::Cost), size(Aim::Balanced));
    let others: Vec<f64> = known
        .iter()
        .filter(|(size, _)| !probes.contains(size))
        .map(|(&size, ms)| (curve.expected_ms(Mib(size)) / ms - 1.0).abs())
        .collect();
    let cost = |size: u32| known.get(&size).map(|ms| ms * f64::from(size));
    let fastest = known.values().copied().fold(f64::INFINITY, f64::min);
    let least = |quick: f64| {
        let quick = known.iter().filter(|(_, ms)| **ms <= quick);
        let costs = quick.filter_map(|(&size, _)| cost(size));
        costs.fold(f64::INFINITY, f64::min)
    };
    let rounded = |value: f64| (value * 1e4).round() / 1e4;
    let by = |size: u32, of: f64| cost(size).map(|cost| rounded(cost / of));
    Figures {
        id: measured.id.clone(),
        error_mean: (!others.is_empty())
            .then(|| rounded(others.iter().sum::<f64>() / others.len() as f64)),
        cheapest_mib,
        cheapest_by_cheapest: by(cheapest_mib, least(f64::INFINITY)),
        balanced_mib,
        balanced_by_fastest: known.get(&balanced_mib).map(|ms| rounded(ms / fastest)),
        balanced_by_best_cost: by(balanced_mib, least(fastest * BALANCED_WITHIN)),
        probes,
    }
}
