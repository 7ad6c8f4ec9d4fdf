//! Faults at writes and wrong clocks in virtual time: every run succeeds, each kind strikes, and a seed repeats to the byte.

use std::collections::BTreeMap;

use foreshard_simulator::{Scenario, Simulated, Trouble, ours};

/// Two levels of tasks between a first and a last one.
const LATTICE: &str = r#"
foreshard: 1
name: lattice
version: "1"
tasks:
  - {id: first, kind: synthetic, cpu_s: 30}
  - {id: a1, kind: synthetic, cpu_s: 30, needs: [first]}
  - {id: a2, kind: synthetic, cpu_s: 30, needs: [first]}
  - {id: a3, kind: synthetic, cpu_s: 30, needs: [first]}
  - {id: b1, kind: synthetic, cpu_s: 30, needs: [a1, a2]}
  - {id: b2, kind: synthetic, cpu_s: 30, needs: [a2, a3]}
  - {id: b3, kind: synthetic, cpu_s: 30, needs: [a3, a1]}
  - {id: last, kind: synthetic, cpu_s: 30, needs: [b1, b2, b3]}
"#;

fn faulty(seed: u64) -> Simulated {
    let mut scenario = Scenario::of(LATTICE.as_bytes().to_vec(), "us-east-1");
    scenario.seed = seed;
    scenario.options.shard_tasks_max = Some(1);
    let mut trouble = Trouble::default();
    for word in ["writes=40", "skewed=100"] {
        trouble.add(word).expect("a trouble");
    }
    scenario.trouble = trouble;
    ours(&scenario).unwrap_or_else(|error| panic!("seed {seed}: {error}"))
}

#[test]
fn every_run_succeeds_whatever_breaks_at_a_write() {
    let mut struck: BTreeMap<&str, u64> = BTreeMap::new();
    for seed in 0..40 {
        let of = faulty(seed);
        assert_eq!(of.status, "succeeded", "seed {seed}: {:?}", of.cause);
        assert_eq!((of.tasks, of.shards), (8, 8), "seed {seed}");
        for (kind, count) in of.struck.0 {
            *struck.entry(kind).or_default() += count;
        }
    }
    let kinds = [
        "answer_of_write_lost",
        "clock_skew",
        "crash_after_write",
        "crash_before_write",
        "write_conflict",
        "write_failed",
        "write_twice",
    ];
    assert_eq!(
        struck.keys().copied().collect::<Vec<_>>(),
        kinds,
        "{struck:?}"
    );
}

#[test]
fn a_seed_repeats_to_the_byte() {
    let told = || {
        let of = faulty(7);
        format!(
            "{} {:?}",
            serde_json::to_string(&of).expect("figures"),
            of.stretches
        )
    };
    assert_eq!(told(), told());
}
