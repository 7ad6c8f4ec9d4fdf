//! What the place in which a worker runs gives it: memory, CPU, disk, and the variables that tasks may see.

use std::path::PathBuf;

use foreshard_model::limits::{LAMBDA_MEMORY_MIB, MIB_PER_VCPU};
use foreshard_model::units::Mib;

/// How often tasks are sampled, unless settings say otherwise.
pub const SAMPLE_EVERY_MS: u64 = 500;

/// Files and bundles kept by digest between the shards of a run, at most. Half of the smallest ephemeral storage of a
/// Lambda function (512 MiB); the other half is the tasks'.
pub const CACHE_BYTES: u64 = 256 * 1024 * 1024;

/// How long siblings of a failed task may go on, so that their work need not be repeated.
pub const SIBLING_GRACE_MS: u64 = 60_000;

/// Where programs are looked up when the worker's own environment does not say.
const PATH: &str = "/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin";

/// The settings of a worker. [`Settings::from_lookup`] reads them from the variables that Lambda sets.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Folder in which the worker makes its own folder.
    pub root: PathBuf,
    /// Memory of the target: running tasks never ask for more together.
    pub memory: Mib,
    /// Tasks that may compute at the same time.
    pub vcpus: u32,
    /// Dimension `Target` of metrics.
    pub target: String,
    /// Program that is started for each task's process; it must call [`crate::run_as_task`] first.
    pub task_program: PathBuf,
    /// `PATH` of tasks.
    pub path: String,
    /// `LANG` of tasks.
    pub lang: String,
    /// `AWS_REGION` of tasks.
    pub region: Option<String>,
    /// `AWS_ENDPOINT_URL` of tasks.
    pub endpoint: Option<String>,
    /// Host and port of the Lambda runtime API: no task may reach it through the worker.
    pub runtime_api: Option<String>,
    /// Time between two samples.
    pub sample_every_ms: u64,
    /// Most bytes kept by digest between shards of a run.
    pub cache_bytes: u64,
    /// How long siblings of a failed task may go on.
    pub sibling_grace_ms: u64,
    /// Whether every child of this process is a task's: then what a task left running is found and ended, wherever it
    /// hid. Set it where the process does nothing else.
    pub owns_process: bool,
}

impl Settings {
    /// Reads the variables that Lambda sets for every function; what is missing gets a default.
    ///
    /// `lookup` is the environment: `|name| std::env::var(name).ok()`.
    #[must_use]
    pub fn from_lookup(lookup: impl Fn(&str) -> Option<String>) -> Self {
        let given = lookup("AWS_LAMBDA_FUNCTION_MEMORY_SIZE").and_then(|text| text.parse().ok());
        let memory = Mib(given.unwrap_or(LAMBDA_MEMORY_MIB));
        Self {
            root: std::env::temp_dir(),
            memory,
            vcpus: vcpus(memory, visible_cores()),
            target: lookup("AWS_LAMBDA_FUNCTION_NAME").unwrap_or_else(|| "local".to_owned()),
            task_program: std::env::current_exe().unwrap_or_default(),
            path: lookup("PATH").unwrap_or_else(|| PATH.to_owned()),
            lang: lookup("LANG").unwrap_or_else(|| "C.UTF-8".to_owned()),
            region: lookup("AWS_REGION"),
            endpoint: lookup("AWS_ENDPOINT_URL"),
            runtime_api: lookup("AWS_LAMBDA_RUNTIME_API"),
            sample_every_ms: SAMPLE_EVERY_MS,
            cache_bytes: CACHE_BYTES,
            sibling_grace_ms: SIBLING_GRACE_MS,
            owns_process: false,
        }
    }
}

fn visible_cores() -> u32 {
    std::thread::available_parallelism().map_or(1, |n| u32::try_from(n.get()).unwrap_or(1))
}

/// vCPUs of a Lambda function: its share is memory / 1,769 MiB, whatever number of cores it sees.
fn vcpus(memory: Mib, cores: u32) -> u32 {
    let share = (memory.0 + MIB_PER_VCPU / 2) / MIB_PER_VCPU;
    share.clamp(1, cores.max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cpu_follows_memory_and_ends_at_the_cores() {
        let table = [
            (128, 2, 1),
            (1769, 2, 1),
            (3008, 2, 2),
            (3538, 2, 2),
            (10_240, 2, 2),
            (10_240, 6, 6),
            (7076, 6, 4),
        ];
        for (mib, cores, expected) in table {
            assert_eq!(vcpus(Mib(mib), cores), expected, "{mib} MiB, {cores} cores");
        }
    }

    #[test]
    fn the_variables_of_lambda_are_read() {
        let settings = Settings::from_lookup(|name| match name {
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE" => Some("512".to_owned()),
            "AWS_LAMBDA_FUNCTION_NAME" => Some("foreshard-execute-512".to_owned()),
            _ => None,
        });
        assert_eq!(settings.memory, Mib(512));
        assert_eq!(settings.vcpus, 1);
        assert_eq!(settings.target, "foreshard-execute-512");
        assert_eq!(settings.region, None);
    }
}
