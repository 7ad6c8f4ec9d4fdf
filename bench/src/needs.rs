//! `bench needs`: what tasks need, predicted by what the same types needed in other runs, with and without their inputs.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::path::Path;

use foreshard_engine::parse::{Library, stream};
use foreshard_engine::profile::{merge, observe, quantile};
use foreshard_engine::rightsize::{Ask, Basis, need};
use foreshard_model::ids::{Attempt, ShardId};
use foreshard_model::limits::MIB_PER_VCPU;
use foreshard_model::profile::{Observation, Profile, ProfileKey, Sample, SizeBucket};
use foreshard_model::units::{Mib, TimeMs};
use foreshard_model::workflow::{FileSource, Task};
use serde::Serialize;

use crate::BenchError;
use crate::arguments::NeedsArguments;

/// Tasks of a type that others must have seen, so that it counts.
const SEEN_MIN: usize = 5;

/// The figures of one file, its tasks predicted from the other files alone.
#[derive(Debug, Serialize)]
pub struct Figures {
    file: String,
    tasks: usize,
    predicted: usize,
    by_line: usize,
    factor_off_with_inputs: f64,
    factor_off_by_type: f64,
}

struct Recorded {
    file: String,
    tasks: Vec<(String, Sample)>,
}

/// Reads every file, and predicts each from the rest.
pub fn needs(arguments: &NeedsArguments) -> Result<Vec<Figures>, BenchError> {
    let files: Vec<Recorded> = arguments
        .files
        .iter()
        .map(|path| read(path))
        .collect::<Result<_, _>>()?;
    let (mut all, mut with, mut without) = (Vec::new(), Vec::new(), Vec::new());
    for at in 0..files.len() {
        let others = files.iter().enumerate().filter(|(other, _)| *other != at);
        let (figures, off) = predicted(&files[at], others.map(|(_, file)| file));
        with.extend(off.iter().map(|off| off.0));
        without.extend(off.iter().map(|off| off.1));
        all.push(figures);
    }
    all.push(Figures {
        file: "all".to_owned(),
        tasks: all.iter().map(|f| f.tasks).sum(),
        predicted: with.len(),
        by_line: all.iter().map(|f| f.by_line).sum(),
        factor_off_with_inputs: factor(&with),
        factor_off_by_type: factor(&without),
    });
    Ok(all)
}

/// The mean of |ln(predicted / actual)| as a factor: 1 is exact.
fn factor(off: &[f64]) -> f64 {
    let mean = off.iter().sum::<f64>() / off.len().max(1) as f64;
    (mean.exp() * 1e4).round() / 1e4
}

fn predicted<'a>(
    file: &Recorded,
    others: impl Iterator<Item = &'a Recorded>,
) -> (Figures, Vec<(f64, f64)>) {
    let wanted: BTreeSet<&str> = file.tasks.iter().map(|(name, _)| name.as_str()).collect();
    let mut seen: BTreeMap<&str, Vec<&Sample>> = BTreeMap::new();
    for (name, sample) in others.flat_map(|other| &other.tasks) {
        if wanted.contains(name.as_str()) {
            seen.entry(name).or_default().push(sample);
        }
    }
    seen.retain(|_, samples| samples.len() >= SEEN_MIN);
    let profiles: BTreeMap<&str, Vec<Profile>> = seen
        .into_iter()
        .map(|(name, samples)| (name, learnt(name, &samples)))
        .collect();
    let (mut off, mut by_line) = (Vec::new(), 0);
    for (name, sample) in &file.tasks {
        let Some(of_type) = profiles.get(name.as_str()) else {
            continue;
        };
        let ask = Ask {
            profiles: of_type,
            input_bytes: sample.input_bytes,
            features: &sample.features,
        };
        let all = of_type[1..]
            .iter()
            .fold(of_type[0].clone(), |sum, next| merge(&sum, next));
        let (Some(need), Some(by_type)) = (need(&ask), quantile(&all.duration_ms, 0.5)) else {
            continue;
        };
        by_line += usize::from(need.basis == Basis::Line);
        let actual = (sample.duration_ms as f64).max(1.0).ln();
        let away = |ms: f64| (ms.max(1.0).ln() - actual).abs();
        off.push((away(need.on_one_vcpu.mid), away(by_type)));
    }
    let figures = Figures {
        file: file.file.clone(),
        tasks: file.tasks.len(),
        predicted: off.len(),
        by_line,
        factor_off_with_inputs: factor(&off.iter().map(|off| off.0).collect::<Vec<_>>()),
        factor_off_by_type: factor(&off.iter().map(|off| off.1).collect::<Vec<_>>()),
    };
    (figures, off)
}

/// Profiles by size of input, each sample as an attempt of its own.
fn learnt(name: &str, samples: &[&Sample]) -> Vec<Profile> {
    let mut all: BTreeMap<SizeBucket, Profile> = BTreeMap::new();
    for (at, sample) in samples.iter().enumerate() {
        let bucket = SizeBucket::of(sample.input_bytes);
        let key = ProfileKey {
            task_type: name.to_owned(),
            target: "recorded".into(),
            bucket,
        };
        let seen = Observation {
            run: "recorded".into(),
            shard: ShardId(at as u32),
            attempt: Attempt(1),
            at: TimeMs(0),
            samples: vec![(*sample).clone()],
        };
        let (next, _) = observe(all.get(&bucket), &key, Mib(MIB_PER_VCPU), &seen);
        all.insert(bucket, next);
    }
    all.into_values().collect()
}

fn read(path: &Path) -> Result<Recorded, BenchError> {
    let file = File::open(path).map_err(|source| BenchError::File {
        doing: "read",
        path: path.display().to_string(),
        source,
    })?;
    let parsed = stream(file, &Library::new()).map_err(|problems| {
        BenchError::content(
            path,
            problems
                .first()
                .map(ToString::to_string)
                .unwrap_or_default(),
        )
    })?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    Ok(Recorded {
        file: name.split('.').next().unwrap_or_default().to_owned(),
        tasks: parsed
            .workflow
            .tasks
            .iter()
            .filter_map(|task| Some((task.task_type.clone(), sample(task)?)))
            .collect(),
    })
}

fn sample(task: &Task) -> Option<Sample> {
    let generated = task.files.iter().map(|file| match file.source {
        FileSource::Generated { bytes } => bytes,
        FileSource::Task { .. } => 0,
    });
    let moved = task.needs.iter().map(|need| need.bytes);
    let ms = task.estimate_ms?;
    Some(Sample {
        input_bytes: generated.chain(moved).fold(0, u64::saturating_add),
        duration_ms: ms,
        cpu_ms: ms,
        peak_kib: u64::from(task.resources.memory.0) * 1024,
        ..Sample::default()
    })
}
