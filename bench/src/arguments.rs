//! The arguments of the benchmarks, as clap reads them.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

/// Which benchmark.
#[derive(Debug, Clone, Subcommand)]
pub enum Bench {
    /// Timetables of WfFormat workflows on a network of unequal targets.
    Schedule(ScheduleArguments),
    /// Order, critical path and plan of a generated graph.
    Graph(GraphArguments),
    /// The whole of planning: documents read as a stream, sharded and priced.
    Plan(PlanArguments),
    /// Acyclic balanced cuts of WfFormat workflows.
    Partition(PartitionArguments),
    /// Forecasts of a recorded series at given origins, against what came.
    Forecast(ForecastArguments),
    /// All of the planner's figures for some files beside the peers', as Markdown: what docs/planner.md shows.
    Tables(TablesArguments),
    /// What is unlike anything of the last days in a series.
    Anomalies(AnomaliesArguments),
    /// Duration by memory from two sizes.
    Memory(MemoryArguments),
    /// What tasks of recorded workflows need, predicted from the other workflows.
    Needs(NeedsArguments),
    /// Provisioned concurrency over recorded load.
    Prewarm(PrewarmArguments),
}

/// Arguments of `bench schedule`.
#[derive(Debug, Clone, Args)]
pub struct ScheduleArguments {
    /// WfFormat 1.5, gzipped or not.
    #[arg(required = true)]
    pub files: Vec<PathBuf>,
    /// The network as JSON: `{"speeds": […], "bandwidth_bytes_per_s": …}`, or an object with that as `network`; absent: 8
    /// targets of speed 1, 4 of speed 2, 4 of speed 4, at 75 MB/s.
    #[arg(long, value_name = "FILE")]
    pub network: Option<PathBuf>,
    /// Folder for `<stem>.schedule.json`.
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// CPU seconds for each workflow.
    #[arg(long, default_value_t = 10.0, value_name = "SECONDS")]
    pub budget_s: f64,
}

/// Arguments of `bench graph`.
#[derive(Debug, Clone, Args)]
pub struct GraphArguments {
    /// Number of tasks.
    #[arg(long, default_value_t = 1_000_000, value_name = "N")]
    pub tasks: u32,
    /// Edges for each task.
    #[arg(long, default_value_t = 2.5, value_name = "X")]
    pub edges_per_task: f64,
    /// Seed of the graph.
    #[arg(long, default_value_t = 1, value_name = "S")]
    pub seed: u64,
}

/// Arguments of `bench plan`.
#[derive(Debug, Clone, Args)]
pub struct PlanArguments {
    /// Documents, gzipped or not; none: a generated graph as a document.
    pub files: Vec<PathBuf>,
    /// Number of tasks of the generated graph.
    #[arg(long, default_value_t = 1_000_000, value_name = "N")]
    pub tasks: u32,
    /// Edges for each of its tasks.
    #[arg(long, default_value_t = 2.5, value_name = "X")]
    pub edges_per_task: f64,
    /// Its seed.
    #[arg(long, default_value_t = 1, value_name = "S")]
    pub seed: u64,
}

/// Arguments of `bench partition`.
#[derive(Debug, Clone, Args)]
pub struct PartitionArguments {
    /// WfFormat 1.5, gzipped or not.
    #[arg(required = true)]
    pub files: Vec<PathBuf>,
    /// Number of parts.
    #[arg(long, value_name = "K")]
    pub shards: u32,
    /// Folder for `<stem>.partition.json`.
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
}

/// Arguments of `bench forecast`.
#[derive(Debug, Clone, Args)]
pub struct ForecastArguments {
    /// CSV, gzipped or not: the first column is time, the second the value; empty is missing.
    #[arg(value_name = "SERIES.csv")]
    pub file: PathBuf,
    /// Name of another column than the second.
    #[arg(long, value_name = "NAME")]
    pub column: Option<String>,
    /// Length of a row of the file, in seconds.
    #[arg(long, default_value_t = 60, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(1..))]
    pub step_s: u32,
    /// Rows that are summed to one before anything else.
    #[arg(long, default_value_t = 1, value_name = "N")]
    pub sum: usize,
    /// Rows to look ahead, after summing.
    #[arg(long, value_name = "ROWS")]
    pub horizon: usize,
    /// Rows at which forecasts begin, from 0: each sees the rows before it only. After summing; rows of the file when any is beyond
    /// the sums.
    #[arg(long, required = true, value_delimiter = ',', value_name = "ROWS")]
    pub origins: Vec<usize>,
    /// Rows before an origin that are seen; all when absent.
    #[arg(long, value_name = "ROWS")]
    pub history: Option<usize>,
    /// From 0 to 1.
    #[arg(
        long,
        default_value = "0.05,0.5,0.9,0.95,0.99",
        value_delimiter = ',',
        value_name = "Q"
    )]
    pub quantiles: Vec<f64>,
    /// File for the answers: `{origins: [{index, quantiles, model}], cpu_s_per_fit}`.
    #[arg(long, value_name = "F.json")]
    pub out: Option<PathBuf>,
}

/// Arguments of `bench tables`.
#[derive(Debug, Clone, Args)]
pub struct TablesArguments {
    /// WfFormat 1.5, gzipped or not.
    #[arg(required = true)]
    pub files: Vec<PathBuf>,
    /// Folder with the peers' figures for these files: `schedulers.json` and `partitions.json`.
    #[arg(long, value_name = "DIR")]
    pub baselines: PathBuf,
    /// CPU seconds for each timetable.
    #[arg(long, default_value_t = 10.0, value_name = "SECONDS")]
    pub budget_s: f64,
    /// One of the tables, instead of all.
    #[arg(long, value_enum)]
    pub only: Option<Table>,
}

/// A table of docs/planner.md.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Table {
    /// Makespans beside other schedulers'.
    Timetables,
    /// Bytes between parts beside another partitioner's.
    Partitions,
    /// Plans beside plain states.
    Plans,
}

/// Arguments of `bench anomalies`.
#[derive(Debug, Clone, Args)]
pub struct AnomaliesArguments {
    /// Tables of time and value, gzipped or not.
    #[arg(required = true)]
    pub series: Vec<PathBuf>,
    /// File for `{"scores": […], "flags": […]}`, a member for each row, of the last series.
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Labelled windows by file, as the Numenta Anomaly Benchmark has them: its score is printed.
    #[arg(long, value_name = "FILE")]
    pub labels: Option<PathBuf>,
    /// Seconds from row to row; absent: as the times tell.
    #[arg(long, value_name = "SECONDS")]
    pub step_s: Option<f64>,
}

/// Arguments of `bench memory`.
#[derive(Debug, Clone, Args)]
pub struct MemoryArguments {
    /// `[{"id": …, "points": [{"mem_mb": …, "p50_ms": …}, …]}, …]`.
    pub curves: PathBuf,
    /// Sizes whose duration is looked at.
    #[arg(
        long,
        value_delimiter = ',',
        default_value = "512,2048",
        value_name = "MIB,…"
    )]
    pub probes: Vec<u32>,
    /// File for what is predicted.
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

/// Arguments of `bench needs`.
#[derive(Debug, Clone, Args)]
pub struct NeedsArguments {
    /// WfFormat 1.5, gzipped or not; at least two, of which types occur in several.
    #[arg(required = true)]
    pub files: Vec<PathBuf>,
}

/// Arguments of `bench prewarm`.
#[derive(Debug, Clone, Args)]
pub struct PrewarmArguments {
    /// Tables of minute and cold starts, whole days, gzipped or not. Schedules are replayed beside them.
    pub series: Vec<PathBuf>,
    /// Days at the end that count.
    #[arg(long, default_value_t = 3, value_name = "N")]
    pub days: usize,
    /// What a cold start is worth, in dollars, beside its billed time.
    #[arg(
        long,
        value_delimiter = ',',
        default_value = "0,0.002,0.005,0.02",
        value_name = "USD,…"
    )]
    pub worth_usd: Vec<f64>,
    /// Region whose prices count.
    #[arg(long, default_value = "us-east-1", value_name = "REGION")]
    pub region: String,
    /// Billed duration of a cold start.
    #[arg(long, default_value_t = 200.0, value_name = "MS")]
    pub cold_start_ms: f64,
    /// Seconds for which an environment is busy after it was wanted.
    #[arg(long, default_value_t = 30.0, value_name = "SECONDS")]
    pub busy_s: f64,
    /// Minutes between decisions.
    #[arg(long, default_value_t = 5, value_name = "N")]
    pub interval_min: usize,
}
