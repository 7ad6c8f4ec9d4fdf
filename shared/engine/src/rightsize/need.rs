//! Predicts what a task will need, from what its type needed before and from how large its input is.

use std::collections::BTreeMap;

use foreshard_model::limits::MIB_PER_VCPU;
use foreshard_model::profile::{Ended, Profile, SizeBucket, Sketch, Sums};
use foreshard_model::units::Mib;

use crate::profile::{Line, Quantity, merge, merge_sums, quantile};

use super::curve::{Curve, Duration, Observed};

/// Samples, by weight, from which a bucket speaks for itself.
const BUCKET_SPEAKS_FROM: f64 = 20.0;

/// Samples, by weight, from which a line through all sizes is believed.
const LINE_FROM: f64 = 8.0;

/// Share of the variance of the logarithm that a line must explain, corrected for how many inputs it has.
const LINE_EXPLAINS: f64 = 0.2;

/// One task in so many may need more memory than is predicted.
const PEAK_MISSED: f64 = 0.01;

/// 0.99 quantile of the normal distribution.
const Z99: f64 = 2.326;

/// Runs of a type that were killed for memory, as a share, from which a size counts as too small.
const KILLED_SHARE: f64 = 0.01;

/// What is asked about.
#[derive(Debug, Clone, Copy)]
pub struct Ask<'a> {
    /// Everything that is known of the task's type, of all targets and sizes of input. Other types must not be among it.
    pub profiles: &'a [Profile],
    /// Bytes of the task's inputs.
    pub input_bytes: u64,
    /// Declared features of its input.
    pub features: &'a BTreeMap<String, f64>,
}

/// What a prediction rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Basis {
    /// Tasks of this type with inputs of about this size.
    Bucket,
    /// A line through all sizes of input.
    Line,
    /// All tasks of the type: its inputs tell nothing yet.
    Type,
}

/// What a task will need.
#[derive(Debug, Clone, PartialEq)]
pub struct Need {
    /// Duration by memory.
    pub curve: Curve,
    /// Duration on one vCPU.
    pub on_one_vcpu: Duration,
    /// Peak memory, with a margin: one task in a hundred needs more. 0 when none was ever measured.
    pub peak: Mib,
    /// vCPUs that it can use.
    pub vcpus: f64,
    /// A size that was too small, or too slow, for inputs of this size: only larger ones will do. 0: none was.
    pub above: Mib,
    /// Sizes that were tried with it.
    pub tried: Vec<Mib>,
    /// What the duration rests on.
    pub basis: Basis,
    /// Why.
    pub reasons: Vec<String>,
}

/// What a task will need; `None` when nothing of its type has finished yet.
#[must_use]
pub fn need(ask: &Ask<'_>) -> Option<Need> {
    let bucket = SizeBucket::of(ask.input_bytes);
    let mut reasons = Vec::new();
    let mut basis = Basis::Type;
    let mut observed = Vec::new();
    for (memory, of_size) in by_memory(ask.profiles) {
        if let Some((found, from)) = duration_at(ask, bucket, memory, &of_size) {
            reasons.push(format!(
                "{memory}: {:.0} ms expected of {} tasks, by {}",
                found.ms,
                of_size.iter().map(|p| p.samples).sum::<u64>(),
                words(from)
            ));
            basis = if observed.is_empty() { from } else { basis };
            observed.push(found);
        }
    }
    let curve = Curve::through(&observed, parallelism(ask.profiles))?;
    let vcpu = Mib(MIB_PER_VCPU);
    let above = too_small(ask.profiles, bucket, &mut reasons);
    Some(Need {
        on_one_vcpu: curve.duration(vcpu),
        vcpus: curve.usable_vcpus(),
        peak: peak(ask, bucket, &mut reasons),
        tried: observed.iter().map(|o| o.memory).collect(),
        curve,
        above,
        basis,
        reasons,
    })
}

fn words(basis: Basis) -> &'static str {
    match basis {
        Basis::Bucket => "those with inputs of its size",
        Basis::Line => "a line through inputs of all sizes",
        Basis::Type => "their type alone",
    }
}

/// Profiles by the memory of their target.
fn by_memory(profiles: &[Profile]) -> BTreeMap<Mib, Vec<&Profile>> {
    let mut all: BTreeMap<Mib, Vec<&Profile>> = BTreeMap::new();
    for profile in profiles {
        all.entry(profile.memory).or_default().push(profile);
    }
    all
}

/// Samples of today's weight that know as much.
fn samples(profiles: &[&Profile]) -> f64 {
    let all = merged(profiles);
    if all.weight_2 > 0.0 {
        all.weight * all.weight / all.weight_2
    } else {
        0.0
    }
}

fn merged(profiles: &[&Profile]) -> Profile {
    let Some((first, rest)) = profiles.split_first() else {
        return Profile::default();
    };
    rest.iter()
        .fold((*first).clone(), |sum, next| merge(&sum, next))
}

/// The duration of the task on one size, and what that rests on.
fn duration_at(
    ask: &Ask<'_>,
    bucket: SizeBucket,
    memory: Mib,
    of_size: &[&Profile],
) -> Option<(Observed, Basis)> {
    let all = merged(of_size);
    let of_bucket: Vec<&Profile> = of_size
        .iter()
        .copied()
        .filter(|p| p.key.bucket == bucket)
        .collect();
    let known = samples(of_size);
    let median = quantile(&all.duration_ms, 0.5)?;
    let observed = |ms: f64, spread: f64, known: f64| Observed {
        memory,
        ms: ms.max(1.0),
        error: spread / known.max(1.0).sqrt(),
    };
    let raw = spread(&all.duration_ms);
    if let Some(line) = line(&all.sums, Quantity::Duration, known) {
        let ms = line.at(ask.input_bytes, ask.features);
        return Some((observed(ms, line.spread, known), Basis::Line));
    }
    if known_in(&of_bucket) >= BUCKET_SPEAKS_FROM
        && let Some(ms) = quantile(&merged(&of_bucket).duration_ms, 0.5)
    {
        return Some((observed(ms, raw, known_in(&of_bucket)), Basis::Bucket));
    }
    Some((observed(median, raw, known), Basis::Type))
}

fn known_in(profiles: &[&Profile]) -> f64 {
    if profiles.is_empty() {
        0.0
    } else {
        samples(profiles)
    }
}

/// The line through all sizes, where it explains enough to be believed.
fn line(sums: &Sums, quantity: Quantity, known: f64) -> Option<Line> {
    let line = Line::through(sums, quantity).filter(|_| known >= LINE_FROM)?;
    (line.explains_of_others(known) >= LINE_EXPLAINS).then_some(line)
}

/// Standard deviation of the logarithm, by the middle four fifths.
fn spread(sketch: &Sketch) -> f64 {
    let at = |q| quantile(sketch, q).unwrap_or(1.0).max(1.0).ln();
    ((at(0.9) - at(0.1)) / (2.0 * 1.2816)).max(0.02)
}

/// CPU time by wall time on targets that have more than one vCPU to give.
fn parallelism(profiles: &[Profile]) -> Option<f64> {
    let wide: Vec<&Profile> = profiles
        .iter()
        .filter(|p| f64::from(p.memory.0) > 1.5 * f64::from(MIB_PER_VCPU) && p.weight > 0.0)
        .collect();
    let hundredths = quantile(&merged(&wide).parallelism, 0.9)?;
    Some((hundredths / 100.0).max(1.0))
}

/// Peak memory with its margin.
///
/// By the bucket where it has been seen often: the smallest bound that would have held for all but one in a hundred of the tasks so far and
/// the next (split conformal prediction, Vovk and others, 2005). Otherwise by the line through all sizes, or by the type.
fn peak(ask: &Ask<'_>, bucket: SizeBucket, reasons: &mut Vec<String>) -> Mib {
    let all: Vec<&Profile> = ask.profiles.iter().collect();
    let of_bucket: Vec<&Profile> = all
        .iter()
        .copied()
        .filter(|p| p.key.bucket == bucket)
        .collect();
    let bound = |profiles: &[&Profile]| {
        let known = known_in(profiles).max(1.0);
        let level = ((known + 1.0) * (1.0 - PEAK_MISSED)).ceil() / known;
        let kib = quantile(&merged(profiles).peak_kib, level.min(1.0))?;
        Some((kib * (1.0 + margin(known)), known))
    };
    let (kib, what) = if known_in(&of_bucket) >= BUCKET_SPEAKS_FROM
        && let Some((kib, known)) = bound(&of_bucket)
    {
        (kib, format!("{known:.0} tasks with inputs of its size"))
    } else if let Some(kib) = by_line(ask, &all) {
        (kib, "a line through inputs of all sizes".to_owned())
    } else if let Some((kib, known)) = bound(&all) {
        (kib, format!("{known:.0} tasks of its type"))
    } else {
        reasons.push("its peak memory was never measured".to_owned());
        return Mib(0);
    };
    let peak = Mib((kib / 1024.0).ceil().clamp(0.0, f64::from(u32::MAX)) as u32);
    reasons.push(format!("peak memory {peak}, margin included, by {what}"));
    peak
}

/// Beside what was seen: the fewer tasks were seen, the more.
fn margin(known: f64) -> f64 {
    (0.5 / known.max(1.0).sqrt()).max(0.05)
}

fn by_line(ask: &Ask<'_>, all: &[&Profile]) -> Option<f64> {
    let mut sums = Sums::default();
    let merged = merged(all);
    merge_sums(&mut sums, &merged.sums, 1.0);
    let known = samples(all);
    let line = line(&sums, Quantity::Peak, known)?;
    let kib = line.at(ask.input_bytes, ask.features);
    Some(kib * (Z99 * line.spread).exp() * (1.0 + margin(known)))
}

/// The largest size that was too small for inputs of this size or smaller ones.
///
/// It counts from the first time on, as long as that is the last thing that was seen there; and as long as it happens to one
/// task in a hundred.
fn too_small(profiles: &[Profile], bucket: SizeBucket, reasons: &mut Vec<String>) -> Mib {
    let mut above = Mib(0);
    for profile in profiles.iter().filter(|p| p.key.bucket <= bucket) {
        let all: f64 = profile.outcomes.values().sum();
        let share = |ended| profile.outcomes.get(&ended).copied().unwrap_or_default() / all;
        let lately = |at: Option<_>| at.is_some_and(|at| at >= profile.latest);
        for (ended, at, what) in [
            (Ended::OutOfMemory, profile.out_of_memory_at, "memory"),
            (Ended::Timeout, profile.timeout_at, "time"),
        ] {
            let often = at.is_some() && share(ended) >= KILLED_SHARE;
            if (lately(at) || often) && profile.memory > above {
                above = profile.memory;
                reasons.push(format!(
                    "{above} was too small: {:.1} % of such tasks ran out of {what} there",
                    100.0 * share(ended)
                ));
            }
        }
    }
    above
}
