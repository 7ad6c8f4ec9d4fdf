//! The run's scale applied: processor time and bytes of synthetic loads, sizes of files and edges.

use foreshard_model::policy::RunOptions;
use foreshard_model::units::Mib;
use foreshard_model::workflow::{
    FileInput, FileOutput, FileSource, Resources, Synthetic, Task, TaskKind,
};

/// The factors of one run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scale {
    /// On processor time and bytes.
    time_and_bytes: f64,
    /// On memory.
    memory: f64,
}

impl Scale {
    /// The factors that the options ask for.
    #[must_use]
    pub fn new(options: &RunOptions) -> Self {
        Self {
            time_and_bytes: options.scale,
            memory: options.memory_scale,
        }
    }

    /// A size: at least one byte of what had any.
    #[must_use]
    pub fn bytes(self, bytes: u64) -> u64 {
        if self.time_and_bytes == 1.0 || bytes == 0 {
            return bytes;
        }
        ((bytes as f64 * self.time_and_bytes).round() as u64).max(1)
    }

    /// Processor time of a task: only a synthetic one can be made shorter.
    #[must_use]
    pub fn estimate_ms(self, task: &Task) -> Option<f64> {
        let factor = match task.kind {
            TaskKind::Synthetic(_) => self.time_and_bytes,
            _ => 1.0,
        };
        task.estimate_ms.map(|ms| ms as f64 * factor)
    }

    /// What the task needs: only a synthetic one can be made smaller, to 1 MiB at least.
    #[must_use]
    pub fn resources(self, task: &Task) -> Resources {
        match task.kind {
            TaskKind::Synthetic(_) => Resources {
                memory: self.mib(task.resources.memory),
                ..task.resources
            },
            _ => task.resources,
        }
    }

    /// What to run.
    #[must_use]
    pub fn kind(self, kind: &TaskKind) -> TaskKind {
        match kind {
            TaskKind::Synthetic(load) => TaskKind::Synthetic(Synthetic {
                cpu_ms: load.cpu_ms * self.time_and_bytes,
                memory: self.mib(load.memory),
            }),
            other => other.clone(),
        }
    }

    /// Expected sizes of the files that a task leaves.
    #[must_use]
    pub fn writes(self, writes: &[FileOutput]) -> Vec<FileOutput> {
        writes
            .iter()
            .map(|file| FileOutput {
                name: file.name.clone(),
                bytes: file.bytes.map(|bytes| self.bytes(bytes)),
            })
            .collect()
    }

    /// Bytes of the files that are generated where the task reads them.
    #[must_use]
    pub fn generated(self, files: &[FileInput]) -> u64 {
        files
            .iter()
            .map(|file| match file.source {
                FileSource::Generated { bytes } => self.bytes(bytes),
                FileSource::Task { .. } => 0,
            })
            .fold(0, u64::saturating_add)
    }

    fn mib(self, memory: Mib) -> Mib {
        if self.memory == 1.0 || memory.0 == 0 {
            return memory;
        }
        Mib(((f64::from(memory.0) * self.memory).round() as u32).max(1))
    }
}
