//! Large runs in virtual time: so many tasks on so many lanes, what it took and how much memory this process had.
//!
//! A run has 9,000 lanes at most, as many as Lambda starts environments for in time: ten thousand are two runs at once.

use std::fmt::Write as _;
use std::io::Write as _;
use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;
use flate2::Compression;
use flate2::write::GzEncoder;
use foreshard_simulator::{Scenario, ours};

/// Simulates a generated workflow: layers of tasks, each behind up to three of the layer before.
#[derive(Debug, Parser)]
struct Arguments {
    /// Tasks of all runs together.
    #[arg(long, default_value_t = 1_000_000)]
    tasks: usize,
    /// Runs, each with its share of tasks and lanes, in one account.
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..))]
    runs: u32,
    /// Tasks of a layer.
    #[arg(long, default_value_t = 50_000)]
    layer: usize,
    /// Lanes of all runs together; the account's concurrency is raised to hold them.
    #[arg(long, default_value_t = 10_000)]
    lanes: u32,
    /// CPU seconds of a task, between half and one and a half times as many.
    #[arg(long, default_value_t = 10.0)]
    cpu_s: f64,
    /// Most tasks of one shard.
    #[arg(long)]
    shard_tasks: Option<u32>,
    /// Seed.
    #[arg(long, default_value_t = 0)]
    seed: u64,
}

/// The document as gzipped JSON. Its tasks' sizes and needs follow from their numbers.
fn document(wanted: &Arguments) -> Vec<u8> {
    let mut text =
        String::from("{\"foreshard\":1,\"name\":\"large\",\"version\":\"1\",\"tasks\":[");
    for at in 0..wanted.tasks / wanted.runs as usize {
        let comma = if at > 0 { "," } else { "" };
        // Fibonacci hashing spreads the numbers evenly.
        let spread = (at as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40;
        let cpu_s = wanted.cpu_s * (0.5 + spread as f64 / (1_u64 << 24) as f64);
        let _ = write!(
            text,
            "{comma}{{\"id\":\"t{at}\",\"kind\":\"synthetic\",\"cpu_s\":{cpu_s:.3},\"memory_mib\":64"
        );
        let (layer, place) = (at / wanted.layer, at % wanted.layer);
        if layer > 0 {
            let first = (layer - 1) * wanted.layer;
            let needs: Vec<String> = [0, 1, spread as usize % 97]
                .iter()
                .map(|step| format!("\"t{}\"", first + (place + step) % wanted.layer))
                .collect();
            let mut needs = needs;
            needs.sort();
            needs.dedup();
            let _ = write!(text, ",\"needs\":[{}]", needs.join(","));
        }
        text.push('}');
    }
    text.push_str("]}");
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    // A vector takes all that is written.
    let _written = gzip.write_all(text.as_bytes());
    gzip.finish().unwrap_or_default()
}

/// Most memory that this process has had, in MiB.
fn peak_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    let kib = line.and_then(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok());
    kib.unwrap_or_default() / 1_024
}

#[expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program that measures itself"
)]
fn main() -> ExitCode {
    let wanted = Arguments::parse();
    let mut scenario = Scenario::of(document(&wanted), "us-east-1");
    let lanes = (wanted.lanes / wanted.runs).max(1);
    scenario.seed = wanted.seed;
    scenario.copies = wanted.runs;
    scenario.options.lanes_max = Some(lanes);
    scenario.options.shard_tasks_max = wanted.shard_tasks;
    scenario.account.concurrency = wanted.lanes + 1_000;
    scenario.pool.concurrency = wanted.lanes + 1_000;
    scenario.pool.lanes_max = lanes;
    let begun = Instant::now();
    match ours(&scenario) {
        Ok(of) => {
            let seconds = begun.elapsed().as_secs_f64();
            println!(
                "{}: {} tasks in {} shards on {} lanes, {} attempts\n\
                 virtual {:.0} s, ${:.2}, {} transitions, {} cold starts, {} throttles ({:?})\n\
                 real {seconds:.0} s, {} MiB at most",
                of.status,
                of.tasks,
                of.shards,
                of.lanes,
                of.attempts,
                of.makespan_s,
                of.cost_usd,
                of.transitions,
                of.cold_starts,
                of.throttles,
                of.throttled,
                peak_mib()
            );
            if let Some(cause) = of.cause {
                println!("{cause}");
            }
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
