//! Sizes from what was seen: curves, needs by input, too small ones, and when a neighbour is worth a try.

use std::collections::BTreeMap;

use foreshard_model::profile::{Ended, Profile, Sample};
use foreshard_model::units::Mib;
use proptest::prelude::*;

use crate::profile::tests::{done, learnt};

use super::{Aim, Ask, Basis, Curve, Need, Observed, Wish, choose, decide, explore, need};

const LADDER: [Mib; 7] = [
    Mib(128),
    Mib(256),
    Mib(512),
    Mib(1024),
    Mib(1769),
    Mib(3538),
    Mib(7076),
];

fn observed(memory: u32, ms: f64) -> Observed {
    Observed {
        memory: Mib(memory),
        ms,
        error: 0.0,
    }
}

/// A task with a fixed part and a part that `usable` vCPUs shorten, in milliseconds; the environment takes 10 MiB's CPU.
fn duration(memory: u32, fixed: f64, work: f64, usable: f64) -> f64 {
    fixed + work / ((f64::from(memory) - 10.0) / 1759.0).min(usable)
}

fn curve(fixed: f64, work: f64, usable: f64, sizes: &[u32]) -> Curve {
    let seen: Vec<Observed> = sizes
        .iter()
        .map(|&memory| observed(memory, duration(memory, fixed, work, usable)))
        .collect();
    Curve::through(&seen, None).expect("observed")
}

#[test]
fn two_sizes_tell_the_others_within_a_few_percent() {
    for (fixed, work) in [(0.0, 200.0), (100.0, 200.0), (300.0, 50.0)] {
        let curve = curve(fixed, work, 1.0, &[512, 2048]);
        let mut off = 0.0;
        for memory in [128, 256, 1024, 1536, 3008] {
            let exact = duration(memory, fixed, work, 1.0);
            off += (curve.expected_ms(Mib(memory)) / exact - 1.0).abs() / 5.0;
        }
        assert!(off < 0.08, "{fixed} + {work}: {off}");
    }
}

#[test]
fn an_interval_holds_what_was_not_seen() {
    let curve = curve(100.0, 200.0, 1.0, &[512, 2048]);
    for memory in [128, 256, 1024, 1536, 3008] {
        let exact = duration(memory, 100.0, 200.0, 1.0);
        let found = curve.duration(Mib(memory));
        assert!(
            found.low < exact && exact < found.high,
            "{memory}: {exact} in {found:?}"
        );
    }
    let once = Curve::through(&[observed(512, 500.0)], None).expect("observed");
    let (near, far) = (once.duration(Mib(512)), once.duration(Mib(7076)));
    assert!(
        far.high / far.low > near.high / near.low,
        "who saw less knows less"
    );
}

#[test]
fn one_thread_gains_nothing_above_a_vcpu_and_three_do() {
    let one = curve(0.0, 1_000.0, 1.0, &[512, 2048]);
    let gained = one.expected_ms(Mib(7076)) / one.expected_ms(Mib(1769));
    assert!(gained > 0.85, "{gained}");
    let three = curve(0.0, 1_000.0, 3.0, &[1024, 3538]);
    assert_eq!(choose(&three, &LADDER, Aim::Speed), Some(Mib(7076)));
    assert!(three.usable_vcpus() > 1.5, "{}", three.usable_vcpus());
    let seen = [observed(512, 500.0), observed(1024, 250.0)];
    let told = Curve::through(&seen, Some(3.0)).expect("observed");
    let untold = Curve::through(&seen, None).expect("observed");
    assert!(told.expected_ms(Mib(7076)) < 0.7 * untold.expected_ms(Mib(7076)));
}

#[test]
fn aims_differ_where_time_has_its_price() {
    let waits = curve(300.0, 30.0, 1.0, &[512, 2048]);
    let sizes = [Aim::Cost, Aim::Balanced, Aim::Speed].map(|aim| choose(&waits, &LADDER, aim));
    assert_eq!(
        sizes[0],
        Some(Mib(128)),
        "a task that waits is cheapest on little"
    );
    assert!(sizes[0] < sizes[1] && sizes[1] <= sizes[2], "{sizes:?}");
    let computes = curve(0.0, 1_000.0, 1.0, &[512, 2048]);
    let cheapest = choose(&computes, &LADDER, Aim::Cost).expect("a size");
    assert!(
        cheapest >= Mib(1024),
        "the same money buys more speed: {cheapest}"
    );
    assert_eq!(choose(&computes, &[], Aim::Cost), None);
}

#[test]
fn a_neighbour_is_tried_only_where_it_pays() {
    let once = Curve::through(&[observed(512, 500.0)], None).expect("observed");
    let many = explore(&once, &LADDER, Mib(512), &[Mib(512)], Aim::Cost, 1_000.0);
    assert!(
        many.is_some_and(|trial| trial.gain > trial.loss),
        "{many:?}"
    );
    let last = explore(&once, &LADDER, Mib(512), &[Mib(512)], Aim::Cost, 1.0);
    assert_eq!(last, None, "nothing comes after it");
    let around = [Mib(256), Mib(512), Mib(1024)];
    let known = explore(&once, &LADDER, Mib(512), &around, Aim::Cost, 1_000.0);
    assert_eq!(known, None, "both neighbours are known");
}

fn sample(at: u64, ms_per_kib: f64) -> Sample {
    let kib = 1 + (at * 7_919) % 1_000;
    let noise = 1.0 + 0.2 * ((at * 104_729 % 101) as f64 / 101.0 - 0.5);
    Sample {
        input_bytes: kib * 1024,
        duration_ms: (kib as f64 * ms_per_kib * noise) as u64 + 1,
        cpu_ms: (kib as f64 * ms_per_kib * noise) as u64 + 1,
        peak_kib: 40_000 + 100 * kib,
        ..Sample::default()
    }
}

fn by_bucket(memory: u32, samples: &[Sample]) -> Vec<Profile> {
    let mut of: BTreeMap<_, Vec<Sample>> = BTreeMap::new();
    for sample in samples {
        let bucket = foreshard_model::profile::SizeBucket::of(sample.input_bytes);
        of.entry(bucket).or_default().push(sample.clone());
    }
    of.values().map(|samples| learnt(memory, samples)).collect()
}

fn asked(profiles: &[Profile], input_bytes: u64) -> Option<Need> {
    need(&Ask {
        profiles,
        input_bytes,
        features: &BTreeMap::new(),
    })
}

#[test]
fn a_need_follows_its_input_and_not_its_type_alone() {
    let seen: Vec<Sample> = (0..120).map(|at| sample(at, 3.0)).collect();
    let profiles = by_bucket(1769, &seen);
    let mut durations: Vec<f64> = seen.iter().map(|s| s.duration_ms as f64).collect();
    durations.sort_by(f64::total_cmp);
    let (mut with, mut without, mut small) = (0.0, 0.0, 0);
    for at in 1_000..1_100 {
        let new = sample(at, 3.0);
        let need = asked(&profiles, new.input_bytes).expect("known");
        assert_eq!(need.basis, Basis::Line);
        let exact = new.duration_ms as f64;
        with += (need.curve.expected_ms(Mib(1769)) / exact).ln().abs() / 100.0;
        without += (durations[60] / exact).ln().abs() / 100.0;
        small += u32::from(u64::from(need.peak.0) * 1024 < new.peak_kib);
    }
    assert!(
        with < 0.12 && without > 4.0 * with,
        "{with} with, {without} without"
    );
    assert!(small <= 3, "{small} of 100 peaks were not held");
}

#[test]
fn where_inputs_tell_nothing_the_type_does() {
    let flat: Vec<Sample> = (0..60)
        .map(|at| Sample {
            duration_ms: 500 + at % 7 * 100,
            ..sample(at, 0.0)
        })
        .collect();
    let need = asked(&by_bucket(512, &flat), 50_000).expect("known");
    assert_ne!(need.basis, Basis::Line, "{:?}", need.reasons);
    let ms = need.curve.expected_ms(Mib(512));
    assert!((600.0..1_000.0).contains(&ms), "{ms}");
    assert_eq!(asked(&[], 50_000), None, "nothing is known of it");
}

fn ended(ended: Ended) -> Sample {
    Sample {
        ended,
        ..done(1_000)
    }
}

fn sized(profiles: &[Profile], input_bytes: u64) -> super::Sized {
    let wish = Wish {
        sizes: &LADDER,
        aim: Aim::Cost,
        limit_ms: 900_000,
        runs: 1.0,
    };
    decide(&asked(profiles, input_bytes).expect("known"), &wish).expect("sizes")
}

#[test]
fn after_a_kill_the_next_run_starts_a_tier_up_and_smaller_inputs_do_not() {
    let mut waits = vec![
        Sample {
            cpu_ms: 10,
            ..done(1_000)
        };
        30
    ];
    let before = learnt(512, &waits);
    let first = sized(std::slice::from_ref(&before), 5_000);
    waits.push(ended(Ended::OutOfMemory));
    let killed = learnt(512, &waits);
    let after = sized(std::slice::from_ref(&killed), 5_000);
    assert!(first.memory <= Mib(512), "{first:?}");
    assert_eq!(after.memory, Mib(1024), "{:?}", after.reasons);
    let larger = sized(std::slice::from_ref(&killed), 50_000_000);
    assert_eq!(
        larger.memory,
        Mib(1024),
        "what kills a small input kills a large one"
    );
    let need = asked(&[killed], 10).expect("known");
    assert_eq!(need.above, Mib(0), "a smaller input may still fit");
    waits.pop();
    waits.push(ended(Ended::Timeout));
    assert_eq!(sized(&[learnt(512, &waits)], 5_000).memory, Mib(1024));
}

#[test]
fn a_kill_of_long_ago_among_thousands_is_forgiven() {
    let mut many = vec![done(1_000); 200];
    many[3] = ended(Ended::OutOfMemory);
    let need = asked(&[learnt(512, &many)], 5_000).expect("known");
    assert_eq!(need.above, Mib(0), "{:?}", need.reasons);
}

#[test]
fn what_fits_nowhere_gets_the_largest_and_is_told() {
    let mut all = vec![done(1_000); 3];
    all.push(ended(Ended::OutOfMemory));
    let found = sized(&[learnt(7076, &all)], 5_000);
    assert_eq!((found.memory, found.enough), (Mib(7076), false));
    assert!(
        found.reasons.iter().any(|r| r.contains("no size")),
        "{:?}",
        found.reasons
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn whatever_was_observed_the_curve_is_sane(
        seen in prop::collection::vec((prop_oneof![Just(0), 1_u32..20_000], prop_oneof![Just(f64::NAN), Just(0.0), Just(-4.0), 1e-3..1e12]), 0..6),
        parallelism in prop::option::of(prop_oneof![Just(f64::NAN), -1.0..20.0]),
    ) {
        let observed: Vec<Observed> = seen.iter().map(|&(memory, ms)| observed(memory, ms)).collect();
        let good = seen.iter().any(|&(memory, ms)| memory > 0 && ms > 0.0);
        let curve = Curve::through(&observed, parallelism);
        prop_assert_eq!(curve.is_some(), good);
        if let Some(curve) = curve {
            let ms: Vec<f64> = LADDER.iter().map(|&size| curve.expected_ms(size)).collect();
            prop_assert!(ms.iter().all(|ms| ms.is_finite() && *ms > 0.0));
            prop_assert!(ms.windows(2).all(|pair| pair[1] <= pair[0] * 1.000_001), "more memory is never slower");
            for aim in [Aim::Cost, Aim::Speed, Aim::Balanced] {
                prop_assert!(choose(&curve, &LADDER, aim).is_some());
            }
        }
    }
}
