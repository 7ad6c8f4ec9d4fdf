//! A recorded workflow as the benchmarks see it: work, edges and names, parsed as every document is.

use std::fs::File;
use std::path::Path;

use foreshard_engine::graph::{Csr, Edge, topological_order};
use foreshard_engine::parse::{Library, stream};
use foreshard_model::workflow::{Task, TaskKind};

use crate::BenchError;

/// Work of a task at least, in seconds: traces round short tasks to nothing.
const WORK_MIN_S: f64 = 0.001;

/// A workflow as graph and work.
#[derive(Debug)]
pub struct Recorded {
    /// Name of the file.
    pub file: String,
    /// Name without what follows the first dot.
    pub stem: String,
    /// Ids of the tasks.
    pub ids: Vec<String>,
    /// Who follows whom.
    pub graph: Csr,
    /// A topological order.
    pub order: Vec<u32>,
    /// Work of each task, in seconds.
    pub work_s: Vec<f64>,
}

impl Recorded {
    /// Reads a file.
    pub fn read(path: &Path) -> Result<Self, BenchError> {
        let file = File::open(path).map_err(|source| BenchError::File {
            doing: "read",
            path: path.display().to_string(),
            source,
        })?;
        let parsed = stream(file, &Library::new()).map_err(|problems| {
            let first = problems.first().map(ToString::to_string);
            BenchError::content(path, first.unwrap_or_default())
        })?;
        let tasks = &parsed.workflow.tasks;
        let edges = tasks.iter().enumerate().flat_map(|(to, task)| {
            task.needs.iter().map(move |need| Edge {
                from: need.task.0,
                to: to as u32,
                bytes: need.bytes,
            })
        });
        let graph = Csr::new(tasks.len(), edges);
        let order = topological_order(&graph)
            .ok_or_else(|| BenchError::content(path, "the tasks form a cycle"))?;
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        Ok(Self {
            stem: name.split('.').next().unwrap_or_default().to_owned(),
            file: name.into_owned(),
            ids: tasks.iter().map(|task| task.id.0.clone()).collect(),
            graph,
            order,
            work_s: tasks.iter().map(work_s).collect(),
        })
    }
}

fn work_s(task: &Task) -> f64 {
    let ms = match &task.kind {
        TaskKind::Synthetic(load) => load.cpu_ms,
        _ => task.estimate_ms.unwrap_or(0) as f64,
    };
    (ms / 1000.0).max(WORK_MIN_S)
}

/// Writes one result as JSON.
pub fn write(folder: &Path, name: &str, content: &serde_json::Value) -> Result<(), BenchError> {
    let path = folder.join(name);
    let failed = |source| BenchError::File {
        doing: "write",
        path: path.display().to_string(),
        source,
    };
    std::fs::create_dir_all(folder).map_err(failed)?;
    std::fs::write(&path, content.to_string()).map_err(failed)
}
