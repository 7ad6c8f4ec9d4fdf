//! The process of a `synthetic` task: a load without a purpose of its own, exact in CPU time, memory and bytes.

pub(crate) mod bytes;

use std::fs::{File, OpenOptions};
use std::hint::black_box;
use std::io::{self, Read, Write};
use std::process::ExitCode;

use foreshard_model::ids::TaskId;
use foreshard_model::units::Mib;
use rustix::time::{ClockId, clock_gettime};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use self::bytes::{Fingerprint, Noise};
use crate::process::{confine, proc};

/// Smallest page of the systems that this runs on: one byte of each makes all of it resident.
const PAGE_BYTES: usize = 4096;

/// Steps of arithmetic between two looks at the clock: about 20 µs.
const STEPS: u32 = 20_000;

/// Bytes read or written at once.
const CHUNK_BYTES: usize = 256 * 1024;

/// What to do.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Load {
    /// The task: it seeds what is written.
    pub(crate) task: TaskId,
    /// CPU time of the whole process, reading and writing included, in milliseconds.
    pub(crate) cpu_ms: f64,
    /// Resident memory of the whole process.
    pub(crate) memory: Mib,
    /// Files to read.
    pub(crate) files: Vec<String>,
    /// Inputs that nobody wrote: generated where they are read.
    pub(crate) generated: Vec<Named>,
    /// Files to write.
    pub(crate) writes: Vec<Named>,
}

/// A file and its size.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Named {
    /// Its name.
    pub(crate) name: String,
    /// Its size.
    pub(crate) bytes: u64,
}

/// What was done.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Report {
    /// The task's output: the same whenever the inputs are.
    pub(crate) output: Value,
    /// Peak resident memory.
    pub(crate) peak_kib: u64,
}

/// The process: the load on standard input, the report on standard output.
pub(crate) fn main() -> ExitCode {
    confine::confine();
    match carry_out() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _nobody_listens = writeln!(io::stderr(), "{error}");
            ExitCode::FAILURE
        }
    }
}

fn carry_out() -> io::Result<()> {
    let load: Load = serde_json::from_reader(io::stdin().lock())?;
    let held = hold(load.memory);
    let (read_bytes, inputs) = read_inputs(&load)?;
    burn(load.cpu_ms);
    let written_bytes = write_outputs(&load, inputs)?;
    let report = Report {
        output: json!({
            "read_bytes": read_bytes,
            "written_bytes": written_bytes,
            "digest": format!("{inputs:016x}"),
        }),
        peak_kib: proc::peak_kib(std::process::id()),
    };
    black_box(&held);
    serde_json::to_writer(io::stdout().lock(), &report)?;
    Ok(())
}

/// Takes memory until the process has as much as it should, and touches every page of it.
fn hold(memory: Mib) -> Vec<u8> {
    let wanted = memory.0 as usize * 1024 * 1024;
    let own = proc::stat(std::process::id()).map_or(0, |stat| stat.resident_pages);
    let own = usize::try_from(own).unwrap_or_default() * rustix::param::page_size();
    let mut held = vec![0; wanted.saturating_sub(own)];
    for page in held.chunks_mut(PAGE_BYTES) {
        page[0] = 1;
    }
    black_box(held)
}

/// Reads every input to its end; gives their bytes and a fingerprint of all of them.
fn read_inputs(load: &Load) -> io::Result<(u64, u64)> {
    let mut fingerprint = Fingerprint::default();
    let mut chunk = vec![0; CHUNK_BYTES];
    let mut total = 0;
    for name in &load.files {
        let mut file = File::open(name)?;
        loop {
            let read = file.read(&mut chunk)?;
            if read == 0 {
                break;
            }
            fingerprint.add(&chunk[..read]);
            total += read as u64;
        }
    }
    for input in &load.generated {
        let mut noise = Noise::of(&input.name, input.bytes);
        for length in lengths(input.bytes) {
            noise.fill(&mut chunk[..length]);
            fingerprint.add(&chunk[..length]);
        }
        total += input.bytes;
    }
    Ok((total, fingerprint.finish()))
}

/// Writes every output with exactly its size. The content depends on the inputs, so that what a later task reads tells
/// whether everything before it was read as it was written.
fn write_outputs(load: &Load, inputs: u64) -> io::Result<u64> {
    let mut chunk = vec![0; CHUNK_BYTES];
    let mut total = 0;
    for output in &load.writes {
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(&output.name)?;
        let mut noise = Noise::of(&format!("{}/{}", load.task, output.name), inputs);
        for length in lengths(output.bytes) {
            noise.fill(&mut chunk[..length]);
            file.write_all(&chunk[..length])?;
        }
        total += output.bytes;
    }
    Ok(total)
}

/// The lengths of the chunks that make up so many bytes.
fn lengths(bytes: u64) -> impl Iterator<Item = usize> {
    let whole = bytes / CHUNK_BYTES as u64;
    let rest = (bytes % CHUNK_BYTES as u64) as usize;
    (0..whole)
        .map(|_| CHUNK_BYTES)
        .chain((rest > 0).then_some(rest))
}

/// Computes until the process has used so much CPU time. Its own clock counts, so waiting for a core is not computing.
fn burn(cpu_ms: f64) {
    let mut value = 1_u64;
    while used_ms() < cpu_ms {
        for step in 0..STEPS {
            value = value
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(u64::from(step) | 1);
        }
        value = black_box(value);
    }
}

fn used_ms() -> f64 {
    let used = clock_gettime(ClockId::ProcessCPUTime);
    used.tv_sec as f64 * 1_000.0 + used.tv_nsec as f64 / 1_000_000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_add_up() {
        for bytes in [0, 1, CHUNK_BYTES as u64, 3 * CHUNK_BYTES as u64 + 17] {
            assert_eq!(lengths(bytes).sum::<usize>() as u64, bytes);
        }
    }

    #[test]
    fn burning_uses_what_it_says() {
        let before = used_ms();
        burn(before + 30.0);
        assert!(used_ms() - before >= 30.0);
    }
}
