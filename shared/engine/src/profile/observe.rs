//! Takes a settled attempt into a profile: once, whatever its order, with what is old fading away.

use foreshard_model::profile::{
    Ended, MARKS_MAX, Moments, Observation, Profile, ProfileKey, Sample, mark,
};
use foreshard_model::units::{Mib, TimeMs};

use super::{sketch, sums};

/// After this time a sample weighs half: two weeks, so that a weekly job still knows its last runs and a new version of a
/// program is believed within days.
pub const HALF_LIFE_MS: u64 = 14 * 24 * 3_600_000;

/// Half-lives by which one sample may be ahead of the latest, or behind it: a clock that jumps by years must not
/// make everything else weightless.
const HALF_LIVES_MAX: f64 = 4.0;

/// Half-lives after the landmark at which the weights are brought down: 2^40 is far from the end of a float.
const LANDMARK_MOVES_AT: f64 = 40.0;

/// The profile with an attempt taken in, and whether that changed anything.
///
/// An attempt that is in already changes nothing; so does one without samples. `profile` is `None` for the first of its key.
#[must_use]
pub fn observe(
    profile: Option<&Profile>,
    key: &ProfileKey,
    memory: Mib,
    seen: &Observation,
) -> (Profile, bool) {
    let mut next = profile.cloned().unwrap_or_else(|| Profile {
        key: key.clone(),
        landmark: seen.at,
        latest: seen.at,
        ..Profile::default()
    });
    let mark = mark(&seen.run, seen.shard, seen.attempt);
    if seen.samples.is_empty() || next.marks.contains(&mark) {
        return (next, false);
    }
    next.memory = memory;
    next.version = next.version.saturating_add(1);
    next.marks.push(mark);
    let surplus = next.marks.len().saturating_sub(MARKS_MAX);
    next.marks.drain(..surplus);
    let weight = weight_at(&mut next, seen.at);
    for sample in &seen.samples {
        take(&mut next, sample, weight, seen.at);
    }
    (next, true)
}

/// What a sample of this moment weighs; moves latest, and the landmark where the weights have become large.
fn weight_at(profile: &mut Profile, at: TimeMs) -> f64 {
    let half_life = HALF_LIFE_MS as f64;
    let ahead = (at.0 as f64 - profile.latest.0 as f64) / half_life;
    let ahead = ahead.clamp(-HALF_LIVES_MAX, HALF_LIVES_MAX);
    let latest = profile.latest.since(profile.landmark) as f64 / half_life;
    if ahead > 0.0 {
        profile.latest = profile.latest.plus((ahead * half_life) as u64);
    }
    let age = latest + ahead;
    if age > LANDMARK_MOVES_AT {
        scale(profile, (-age).exp2());
        profile.landmark = profile.latest;
        return 1.0;
    }
    age.exp2()
}

fn scale(profile: &mut Profile, factor: f64) {
    profile.weight *= factor;
    profile.weight_2 *= factor * factor;
    profile.cold *= factor;
    for moments in [&mut profile.network_bytes, &mut profile.disk_bytes] {
        moments.sum *= factor;
    }
    for weight in profile.outcomes.values_mut() {
        *weight *= factor;
    }
    for sketch in sketches(profile) {
        sketch::scale(sketch, factor);
    }
    sums::scale(&mut profile.sums, factor);
}

fn sketches(profile: &mut Profile) -> [&mut foreshard_model::profile::Sketch; 4] {
    [
        &mut profile.duration_ms,
        &mut profile.cpu_ms,
        &mut profile.peak_kib,
        &mut profile.parallelism,
    ]
}

fn take(profile: &mut Profile, sample: &Sample, weight: f64, at: TimeMs) {
    profile.samples = profile.samples.saturating_add(1);
    *profile.outcomes.entry(sample.ended).or_default() += weight;
    match sample.ended {
        Ended::Failed => return,
        Ended::OutOfMemory => {
            let kib = (u64::from(profile.memory.0) * 1024).max(sample.peak_kib);
            sketch::add(&mut profile.peak_kib, kib as f64, weight);
            profile.out_of_memory_at = profile.out_of_memory_at.max(Some(at));
            return;
        }
        Ended::Timeout => {
            profile.timeout_at = profile.timeout_at.max(Some(at));
            return;
        }
        Ended::Done => {}
    }
    profile.weight += weight;
    profile.weight_2 += weight * weight;
    profile.cold += if sample.cold { weight } else { 0.0 };
    sketch::add(&mut profile.duration_ms, sample.duration_ms as f64, weight);
    sketch::add(&mut profile.cpu_ms, sample.cpu_ms as f64, weight);
    if sample.peak_kib > 0 {
        sketch::add(&mut profile.peak_kib, sample.peak_kib as f64, weight);
    }
    if sample.duration_ms > 0 {
        let hundredths = 100.0 * sample.cpu_ms as f64 / sample.duration_ms as f64;
        sketch::add(&mut profile.parallelism, hundredths, weight);
    }
    note(&mut profile.network_bytes, sample.network_bytes, weight);
    note(&mut profile.disk_bytes, sample.disk_bytes, weight);
    sums::add(&mut profile.sums, sample, weight);
}

fn note(moments: &mut Moments, value: u64, weight: f64) {
    moments.sum += value as f64 * weight;
    moments.max = moments.max.max(value as f64);
}

/// Both profiles as one: of the same key after two writers, or of several buckets or targets for a wider view.
///
/// The result has the key, memory and version of the first. Attempts that are in both are counted twice.
#[must_use]
pub fn merge(one: &Profile, other: &Profile) -> Profile {
    let mut next = one.clone();
    let mut other = other.clone();
    let latest = next.latest.max(other.latest);
    for profile in [&mut next, &mut other] {
        let age = latest.since(profile.landmark) as f64 / HALF_LIFE_MS as f64;
        scale(profile, (-age).exp2());
        profile.landmark = latest;
        profile.latest = latest;
    }
    next.samples = next.samples.saturating_add(other.samples);
    next.weight += other.weight;
    next.weight_2 += other.weight_2;
    next.cold += other.cold;
    for (to, from) in [
        (&mut next.network_bytes, other.network_bytes),
        (&mut next.disk_bytes, other.disk_bytes),
    ] {
        to.sum += from.sum;
        to.max = to.max.max(from.max);
    }
    for (&ended, weight) in &other.outcomes {
        *next.outcomes.entry(ended).or_default() += weight;
    }
    let mut from = sketches(&mut other);
    for (to, from) in sketches(&mut next).into_iter().zip(&mut from) {
        sketch::merge(to, from, 1.0);
    }
    sums::merge(&mut next.sums, &other.sums, 1.0);
    next.out_of_memory_at = next.out_of_memory_at.max(other.out_of_memory_at);
    next.timeout_at = next.timeout_at.max(other.timeout_at);
    next.marks.extend(&other.marks);
    let surplus = next.marks.len().saturating_sub(MARKS_MAX);
    next.marks.drain(..surplus);
    next
}
