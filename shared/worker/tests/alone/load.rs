//! A load that states what it uses, and what the samples say of it: within ten per cent.

use foreshard_model::message::OutcomeStatus;
use foreshard_stages::ports::Sample;

use crate::bench::{Bench, With, synthetic};

const CPU_MS: f64 = 2_500.0;
const MIB: u32 = 200;

fn values(samples: &[Sample], name: &str) -> Vec<f64> {
    let of = samples.iter().filter(|sample| sample.name == name);
    of.flat_map(|sample| &sample.values)
        .flat_map(|(value, count)| std::iter::repeat_n(*value, *count as usize))
        .collect()
}

fn assert_within(what: &str, measured: f64, known: f64) {
    assert!(
        (measured - known).abs() <= known * 0.1,
        "{what}: measured {measured:.1}, known {known:.1}"
    );
}

pub async fn samples_match_a_known_load() {
    let bench = Bench::with(|settings| settings.sample_every_ms = 100, |_| {});
    let outcome = bench
        .execute(&bench.shard(0, vec![synthetic("load", CPU_MS, MIB).timeout(300_000)]))
        .await;
    assert_eq!(outcome.status, OutcomeStatus::Done, "{:?}", outcome.failure);
    let usage = bench.task_output(&outcome, "load").usage;
    assert_within("CPU of the task", usage.cpu_ms as f64, CPU_MS);
    assert_within(
        "peak of the task",
        usage.peak_kib as f64 / 1024.0,
        f64::from(MIB),
    );
    let samples = bench.world.samples();
    let mut memory = values(&samples, "TaskMemory");
    assert!(memory.len() >= 8, "{memory:?}");
    // The first ones may have come while the pages were still being touched.
    memory.sort_by(f64::total_cmp);
    assert_within("sampled memory", memory[memory.len() / 2], f64::from(MIB));
    // A busy machine gives the load less than a whole core: what it got is known too.
    let cpu = values(&samples, "TaskCpu");
    let known = CPU_MS / usage.duration_ms as f64 * 100.0;
    assert_within(
        "sampled CPU",
        cpu.iter().sum::<f64>() / cpu.len() as f64,
        known,
    );
}
