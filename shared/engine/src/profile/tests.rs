//! What a profile knows after what was seen: once each, in any order, in bounded space.

use std::collections::BTreeMap;

use foreshard_model::ids::{Attempt, ShardId};
use foreshard_model::profile::{Ended, Observation, Profile, ProfileKey, Sample, SizeBucket};
use foreshard_model::units::{Mib, TimeMs};
use proptest::prelude::*;

use super::{HALF_LIFE_MS, Line, Quantity, merge, observe, quantile, weight};

const START: u64 = 1_700_000_000_000;

/// A profile of one size of input on one size of memory.
pub(crate) fn key(memory: u32, bytes: u64) -> ProfileKey {
    ProfileKey {
        task_type: "render".to_owned(),
        target: format!("execute-{memory}:live").into(),
        bucket: SizeBucket::of(bytes),
    }
}

pub(crate) fn done(duration_ms: u64) -> Sample {
    Sample {
        duration_ms,
        cpu_ms: duration_ms,
        peak_kib: 100 * 1024,
        input_bytes: 5_000,
        ..Sample::default()
    }
}

/// Takes samples in, each as a shard of its own, a second apart.
pub(crate) fn learnt(memory: u32, samples: &[Sample]) -> Profile {
    let mut profile = Profile::default();
    for (at, sample) in samples.iter().enumerate() {
        let seen = seen(at as u32, START + at as u64 * 1_000, vec![sample.clone()]);
        let of = (at > 0).then_some(&profile);
        profile = observe(of, &key(memory, sample.input_bytes), Mib(memory), &seen).0;
    }
    profile
}

fn seen(shard: u32, at: u64, samples: Vec<Sample>) -> Observation {
    Observation {
        run: "r-1".into(),
        shard: ShardId(shard),
        attempt: Attempt(1),
        at: TimeMs(at),
        samples,
    }
}

fn median(profile: &Profile) -> f64 {
    quantile(&profile.duration_ms, 0.5).unwrap_or(f64::NAN)
}

#[test]
fn quantiles_are_within_four_percent() {
    let samples: Vec<Sample> = (1..=1000).map(|at| done(1000 + at)).collect();
    let profile = learnt(512, &samples);
    for q in [0.1, 0.5, 0.9, 0.99, 1.0] {
        let (found, exact) = (
            quantile(&profile.duration_ms, q).expect("not empty"),
            1000.0 + 1000.0 * q,
        );
        assert!(
            (found / exact - 1.0).abs() < 0.041,
            "{q}: {found} for {exact}"
        );
    }
    assert_eq!(profile.samples, 1000);
}

#[test]
fn an_attempt_that_is_settled_twice_is_taken_in_once() {
    let first = seen(1, START, vec![done(100), done(200)]);
    let (once, changed) = observe(None, &key(512, 0), Mib(512), &first);
    assert!(changed);
    let (twice, changed) = observe(Some(&once), &key(512, 0), Mib(512), &first);
    assert!(!changed);
    assert_eq!(once, twice);
    let (next, changed) = observe(
        Some(&once),
        &key(512, 0),
        Mib(512),
        &Observation {
            attempt: Attempt(2),
            ..first
        },
    );
    assert!(changed, "another attempt is another observation");
    assert_eq!((next.samples, next.version), (4, 2));
}

#[test]
fn what_is_old_fades() {
    let old = seen(1, START, vec![done(100); 8]);
    let new = seen(2, START + 4 * HALF_LIFE_MS, vec![done(10_000)]);
    let profile = observe(None, &key(512, 0), Mib(512), &old).0;
    let profile = observe(Some(&profile), &key(512, 0), Mib(512), &new).0;
    assert!(
        median(&profile) > 9_000.0,
        "one of today outweighs eight of eight weeks ago"
    );
}

#[test]
fn a_clock_that_jumps_makes_nothing_weightless() {
    let mut profile = observe(
        None,
        &key(512, 0),
        Mib(512),
        &seen(0, START, vec![done(100); 3]),
    )
    .0;
    for (shard, at) in [(1, u64::MAX), (2, 0), (3, u64::MAX), (4, START)] {
        let jumped = seen(shard, at, vec![done(100)]);
        profile = observe(Some(&profile), &key(512, 0), Mib(512), &jumped).0;
    }
    for shard in 10..60 {
        let right = seen(shard, START + 1_000, vec![done(5_000)]);
        profile = observe(Some(&profile), &key(512, 0), Mib(512), &right).0;
    }
    assert!(median(&profile) > 4_500.0, "{}", median(&profile));
    assert!(profile.weight.is_finite() && profile.weight > 0.0);
}

#[test]
fn a_profile_stays_below_four_kilobytes() {
    let features = |at: u64| {
        let names = ["rows", "columns", "pixels", "more", "than", "are", "kept"];
        let values = names
            .iter()
            .map(|name| ((*name).to_owned(), (at * 7919) as f64 / 3.0));
        values.collect::<BTreeMap<_, _>>()
    };
    let mut profile: Option<Profile> = None;
    for at in 0..3000_u64 {
        let sample = Sample {
            ended: [
                Ended::Done,
                Ended::Done,
                Ended::OutOfMemory,
                Ended::Timeout,
                Ended::Failed,
            ][at as usize % 5],
            input_bytes: at * at * 977,
            features: features(at),
            duration_ms: at.pow(3) % 9_999_991,
            cpu_ms: at.pow(4) % 999_983,
            peak_kib: at.pow(2) * 31,
            network_bytes: at.pow(3),
            disk_bytes: at.pow(3),
            cold: at % 3 == 0,
        };
        let key = ProfileKey {
            task_type: "t".repeat(128),
            target: "x".repeat(140).into(),
            bucket: SizeBucket(27),
        };
        let seen = seen(at as u32, START + at * 977_000, vec![sample]);
        profile = Some(observe(profile.as_ref(), &key, Mib(10_240), &seen).0);
        let text = serde_json::to_string(&profile).expect("is JSON");
        assert!(text.len() < 4096, "{} bytes after {at}", text.len());
    }
    let profile = profile.expect("3,000 samples");
    let text = serde_json::to_string(&profile).expect("is JSON");
    assert_eq!(
        serde_json::from_str::<Profile>(&text).expect("comes back"),
        profile
    );
}

#[test]
fn a_line_finds_how_need_grows_with_bytes_and_rows() {
    let samples: Vec<Sample> = (1..200_u64)
        .map(|at| {
            let (bytes, rows) = ((at * 7_919) % 100_003 * 1_000, (at * 104_729) % 997);
            let ms = 0.02 * (bytes as f64).powf(0.8) * (rows as f64 + 1.0).powf(0.5);
            Sample {
                input_bytes: bytes,
                features: [("rows".to_owned(), rows as f64)].into(),
                duration_ms: ms as u64,
                peak_kib: 50_000 + bytes / 1024,
                ..Sample::default()
            }
        })
        .collect();
    let sums = learnt(512, &samples).sums;
    let line = Line::through(&sums, Quantity::Duration).expect("enough seen");
    let found = line.at(10_000_000, &[("rows".to_owned(), 400.0)].into());
    let exact = 0.02 * 1e7_f64.powf(0.8) * 401_f64.powf(0.5);
    assert!((found / exact - 1.0).abs() < 0.1, "{found} for {exact}");
    assert!(line.spread < 0.1, "{}", line.spread);
}

#[test]
fn one_absurd_sample_does_not_turn_a_line() {
    let sample = |at: u64| Sample {
        input_bytes: 1_000 * (at % 40 + 1),
        duration_ms: 10 * (at % 40 + 1),
        peak_kib: 1_000,
        ..Sample::default()
    };
    let mut samples: Vec<Sample> = (0..200).map(sample).collect();
    for at in [50, 90, 130, 170] {
        samples[at].duration_ms = 3_000_000;
    }
    let line = Line::through(&learnt(512, &samples).sums, Quantity::Duration).expect("line");
    let found = line.at(20_000, &BTreeMap::new());
    assert!((found / 200.0 - 1.0).abs() < 0.25, "{found} for 200");
}

fn any_sample() -> impl Strategy<Value = Sample> {
    let ended = prop::sample::select(vec![
        Ended::Done,
        Ended::OutOfMemory,
        Ended::Timeout,
        Ended::Failed,
    ]);
    let number = prop_oneof![Just(0), 1_u64..10_000_000, Just(u64::MAX)];
    let feature = prop_oneof![Just(f64::NAN), Just(-1.0), Just(f64::INFINITY), 0.0..1e12];
    (ended, prop::array::uniform4(number), feature, any::<bool>()).prop_map(
        |(ended, [input_bytes, duration_ms, cpu_ms, peak_kib], feature, cold)| Sample {
            ended,
            input_bytes,
            duration_ms,
            cpu_ms,
            peak_kib,
            network_bytes: cpu_ms,
            disk_bytes: peak_kib,
            features: [("f".to_owned(), feature)].into(),
            cold,
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn whatever_comes_the_profile_is_sane(
        samples in prop::collection::vec((any_sample(), prop_oneof![Just(0), Just(u64::MAX), START..START + 1_000_000_000]), 1..60),
    ) {
        let mut profile: Option<Profile> = None;
        for (shard, (sample, at)) in samples.iter().enumerate() {
            let seen = seen(shard as u32, *at, vec![sample.clone()]);
            profile = Some(observe(profile.as_ref(), &key(512, 0), Mib(512), &seen).0);
        }
        let profile = profile.expect("at least one");
        let text = serde_json::to_string(&profile).expect("is JSON");
        prop_assert!(!text.contains("null"), "only numbers: {}", text);
        let done = samples.iter().filter(|(sample, _)| sample.ended == Ended::Done).count();
        prop_assert_eq!(weight(&profile.duration_ms) > 0.0, done > 0);
        if let Some(line) = Line::through(&profile.sums, Quantity::Duration) {
            prop_assert!(line.at(1_000, &BTreeMap::new()).is_finite());
        }
    }

    #[test]
    fn the_order_of_samples_does_not_matter_to_quantiles(
        durations in prop::collection::vec(1_u64..5_000, 1..80),
        gap in 0_u64..HALF_LIFE_MS,
    ) {
        let all: Vec<Observation> = durations
            .iter()
            .enumerate()
            .map(|(at, &ms)| seen(at as u32, START + at as u64 % 3 * gap, vec![done(ms)]))
            .collect();
        let taken = |order: &mut dyn Iterator<Item = &Observation>| {
            let mut profile: Option<Profile> = None;
            for seen in order {
                profile = Some(observe(profile.as_ref(), &key(512, 0), Mib(512), seen).0);
            }
            profile.expect("at least one")
        };
        let (there, back) = (taken(&mut all.iter()), taken(&mut all.iter().rev()));
        for q in [0.25, 0.9, 1.0] {
            let of = |profile: &Profile, q: f64| quantile(&profile.duration_ms, q).expect("not empty");
            // Where a bin ends exactly at `q`, the rounding of sums decides whether it or the next is meant.
            let (low, high) = (of(&back, q - 1e-4), of(&back, q + 1e-4));
            prop_assert!((low..=high).contains(&of(&there, q)), "{} is not in {low}..={high}", of(&there, q));
        }
        let (left, right) = all.split_at(all.len() / 2);
        if !left.is_empty() {
            let both = merge(&taken(&mut left.iter()), &taken(&mut right.iter()));
            prop_assert!((both.weight / weight(&both.duration_ms) - 1.0).abs() < 1e-3);
            prop_assert_eq!(both.samples, all.len() as u64);
        }
    }
}
