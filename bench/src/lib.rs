//! The benchmarks of `foreshard bench`: files in, figures out, each decision the engine's own.
//!
//! A crate of its own, because what it needs builds in a minute and the command line's AWS clients do not:
//! `cargo run --release -p foreshard-bench --example bench -- schedule FILE` measures without them.

mod anomalies;
mod arguments;
mod beside;
mod forecast;
mod generated;
mod graph;
mod memory;
mod meter;
mod nab;
mod needs;
mod partition;
mod plan;
mod prewarm;
mod recorded;
mod render;
mod replay;
mod schedule;
mod series;
mod tables;

use std::path::Path;

pub use arguments::{
    AnomaliesArguments, Bench, ForecastArguments, GraphArguments, MemoryArguments, NeedsArguments,
    PartitionArguments, PlanArguments, PrewarmArguments, ScheduleArguments, TablesArguments,
};
pub use schedule::NetworkFile;

/// Why a benchmark gave no figures.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    /// A file could not be read or written.
    #[error("cannot {doing} `{path}`: {source}")]
    File {
        /// `read` or `write`.
        doing: &'static str,
        /// Which.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// A file is not what the benchmark takes.
    #[error("`{path}`: {why}")]
    Content {
        /// Which.
        path: String,
        /// What is wrong with it.
        why: String,
    },
}

impl BenchError {
    fn content(path: &Path, why: impl ToString) -> Self {
        Self::Content {
            path: path.display().to_string(),
            why: why.to_string(),
        }
    }
}

/// Carries out one benchmark; the answer is JSON, or a table of the same figures.
///
/// # Errors
/// A file that cannot be read, is not a workflow, or cannot be written.
pub fn run(bench: &Bench, json: bool) -> Result<String, BenchError> {
    let figures = match bench {
        Bench::Schedule(arguments) => render::values(&schedule::schedule(arguments)?),
        Bench::Graph(arguments) => render::values(&graph::graph(arguments)),
        Bench::Plan(arguments) => render::values(&plan::plan(arguments)?),
        Bench::Forecast(arguments) => render::values(&forecast::forecast(arguments)?),
        Bench::Partition(arguments) => render::values(&partition::partition(arguments)?),
        Bench::Tables(arguments) => return tables::tables(arguments),
        Bench::Anomalies(arguments) => render::values(&anomalies::anomalies(arguments)?),
        Bench::Memory(arguments) => render::values(&memory::memory(arguments)?),
        Bench::Needs(arguments) => render::values(&needs::needs(arguments)?),
        Bench::Prewarm(arguments) => render::values(&prewarm::prewarm(arguments)?),
    };
    Ok(if json {
        render::json(&figures)
    } else {
        render::table(&figures)
    })
}
