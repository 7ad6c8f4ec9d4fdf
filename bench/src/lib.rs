//! The benchmarks of `foreshard bench`: files in, figures out, each decision the engine's own.
//!
//! A crate of its own, because what it needs builds in a minute and the command line's AWS clients do not:
//! `cargo run --release -p foreshard-bench --example bench -- schedule FILE` measures without them.

mod arguments;
mod beside;
mod forecast;
mod generated;
mod graph;
mod meter;
mod partition;
mod plan;
mod recorded;
mod render;
mod schedule;
mod tables;

use std::path::Path;

pub use arguments::{
    Bench, ForecastArguments, GraphArguments, PartitionArguments, PlanArguments, ScheduleArguments,
    TablesArguments,
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
    };
    Ok(if json {
        render::json(&figures)
    } else {
        render::table(&figures)
    })
}
