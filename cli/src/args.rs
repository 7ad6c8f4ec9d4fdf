//! The arguments, as clap reads them.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use foreshard_local_emulator::Emulator;

use crate::forecast_args::Forecast;
use crate::objective_args::ObjectiveArguments;
use crate::schedule_args::ScheduleCommand;

/// Plan, run and watch batch workflows on AWS serverless, or on this laptop.
#[derive(Debug, Parser)]
#[command(name = "foreshard", version, propagate_version = true)]
pub struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// Base address of the deployment's API; the running emulator's when absent. Of several, `run` and `plan` choose one.
    #[arg(
        long,
        global = true,
        env = "FORESHARD_API_URL",
        value_name = "URL",
        value_delimiter = ','
    )]
    pub api: Vec<String>,
    /// Folder of the emulator's state, for a second emulator beside the first.
    #[arg(long, global = true, env = "FORESHARD_STATE", value_name = "DIR")]
    pub state: Option<PathBuf>,
    /// How data is printed.
    #[arg(long, global = true, value_enum, default_value_t = Format::Text)]
    pub format: Format,
}

/// How data is printed on standard output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    #[value(alias = "table")]
    Text,
    /// For programs.
    Json,
    /// `plan` only: the shards as a Graphviz graph.
    Dot,
    /// `plan`, `forecast`, `simulate`: a picture, of the shards and lanes, the chart, or what ran when.
    Svg,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Start the emulator on this machine, with the control plane deployed.
    Up(Up),
    /// Stop the emulator.
    Down,
    /// Say what the machine has and what it lacks.
    Doctor(Which),
    /// Submit a workflow and watch it to its end.
    Run(Run),
    /// Show shards, reasons, limits and price of a workflow, without running it.
    Plan(Plan),
    /// Run workflows in virtual time, with the limits, times and prices of AWS.
    Simulate(foreshard_simulator::Simulate),
    /// Say everything that is wrong with a document, or what it would become.
    Validate(Validate),
    /// Make a workflow of a Step Functions definition, or say by state why not.
    Import(Import),
    /// Forecast a recorded series: quantiles for each step, the model that gives them, and why.
    Forecast(Forecast),
    /// Show what was decided about provisioned concurrency, and why.
    Prewarm(Prewarm),
    /// Print the JSON Schema of workflow documents.
    Schema,
    /// Print the OpenAPI description of the REST API.
    Openapi,
    /// Register a workflow under its name and version, for others to refer to.
    Register(Document),
    /// List registered workflows, the versions of one, or print one.
    Workflows(Workflows),
    /// Show one run.
    Status(OneRun),
    /// List runs, newest first.
    List(List),
    /// Print a run's output.
    Result(OneRun),
    /// Print what happened in a run.
    Events(Events),
    /// End a run; what is finished is kept.
    Cancel(OneRun),
    /// Halt a run; `resume` goes on.
    Pause(OneRun),
    /// Go on with a run that failed, was cancelled or paused; nothing finished is repeated.
    Resume(Resume),
    /// Print what tasks wrote to their standard error.
    Logs(Logs),
    /// Run registered workflows at set times.
    #[command(subcommand)]
    Schedule(ScheduleCommand),
    /// Measure the planner on recorded workflows and generated graphs.
    #[command(subcommand)]
    Bench(foreshard_bench::Bench),
}

/// Which emulator.
#[derive(Debug, Clone, Copy, Args)]
pub struct Which {
    /// `ministack` or `localstack`.
    #[arg(long, env = Emulator::VARIABLE, default_value_t)]
    pub emulator: Emulator,
}

/// Arguments of `up`.
#[derive(Debug, Args)]
pub struct Up {
    /// `ministack` or `localstack`; another one that runs is replaced.
    #[arg(long, env = Emulator::VARIABLE, default_value_t)]
    pub emulator: Emulator,
    /// Port on 127.0.0.1; any free one when absent.
    #[arg(long)]
    pub port: Option<u16>,
    /// Folder of built functions; `target/lambda` of the checkout when absent.
    #[arg(long, value_name = "DIR")]
    pub artifacts: Option<PathBuf>,
    /// Most lanes of a run; two for each core when absent.
    #[arg(long, value_name = "N")]
    pub lanes: Option<u32>,
}

/// Arguments of `prewarm`.
#[derive(Debug, Clone, Copy, Args)]
pub struct Prewarm {
    /// Show the decisions before the last one of each target, too: at most twelve.
    #[arg(long)]
    pub history: bool,
}

/// A workflow document.
#[derive(Debug, Args)]
pub struct Document {
    /// YAML, JSON or WfFormat 1.5; gzipped ones are read as they are.
    pub file: PathBuf,
}

/// Arguments of `validate`.
#[derive(Debug, Args)]
pub struct Validate {
    /// YAML, JSON or WfFormat 1.5; gzipped ones are read as they are.
    pub file: PathBuf,
    /// The run's input: JSON, or `@file`. Its missing values are problems too.
    #[arg(long, value_name = "JSON")]
    pub input: Option<String>,
    /// Ask the deployment: with its registered workflows, its targets and its prices.
    #[arg(long)]
    pub remote: bool,
}

/// Arguments of `workflows`.
#[derive(Debug, Args)]
pub struct Workflows {
    /// Only versions of this one.
    pub name: Option<String>,
    /// Print the document of this version.
    #[arg(id = "which", value_name = "VERSION")]
    pub version: Option<String>,
}

/// Arguments of `events`.
#[derive(Debug, Args)]
pub struct Events {
    /// Its id, such as `r-abcdefghij2345abcdef`.
    pub run: String,
    /// Go on until the run has ended.
    #[arg(long, short)]
    pub follow: bool,
}

/// Arguments of `import`.
#[derive(Debug, Args)]
pub struct Import {
    /// A definition in the States Language: JSON or YAML.
    pub file: PathBuf,
    /// Where to write the workflow; standard output when absent.
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Name of the workflow; that of the file when absent.
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// Value of a `${Placeholder}`; may be given several times.
    #[arg(long = "set", value_name = "NAME=VALUE")]
    pub values: Vec<String>,
    /// A sample of the run's input, for Maps over lists in it: JSON, or `@file`.
    #[arg(long, value_name = "JSON")]
    pub input: Option<String>,
    /// Most elements of lists that only tasks give, for Maps over them.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub map_items: Option<u16>,
    /// A function that calls services for tasks that are not functions.
    #[arg(long, value_name = "FUNCTION")]
    pub services: Option<String>,
    /// Refuse what would be imported with a difference.
    #[arg(long)]
    pub strict: bool,
}

/// What a run may be asked for.
#[derive(Debug, Clone, Args)]
pub struct RunArguments {
    /// Factor on CPU time and bytes of synthetic tasks; never on memory.
    #[arg(long, default_value_t = 1.0, value_name = "X")]
    pub scale: f64,
    /// Factor on the memory of synthetic tasks.
    #[arg(long, default_value_t = 1.0, value_name = "X")]
    pub memory_scale: f64,
    /// With several deployments: region of the files that tasks read and none of them writes; the first's when absent.
    #[arg(long, value_name = "REGION")]
    pub data_region: Option<String>,
    /// Most lanes of the run.
    #[arg(long, value_name = "N")]
    pub lanes: Option<u32>,
    /// History events after which a round hands over to the next.
    #[arg(long, value_name = "N", hide = true)]
    pub history_budget: Option<u32>,
    /// Most tasks of one shard.
    #[arg(long, value_name = "N")]
    pub shard_tasks: Option<u32>,
    /// Write an independent trace of task starts and commits to the bucket.
    #[arg(long)]
    pub trace: bool,
    /// What it weighs, and what it may take at most.
    #[command(flatten)]
    pub objective: ObjectiveArguments,
}

/// Arguments of `run`.
#[derive(Debug, Args)]
pub struct Run {
    /// YAML, JSON or WfFormat 1.5; gzipped ones are read as they are.
    pub file: PathBuf,
    /// Options of the run.
    #[command(flatten)]
    pub options: RunArguments,
    /// The run's input: JSON, or `@file`.
    #[arg(long, value_name = "JSON")]
    pub input: Option<String>,
    /// Role that the tasks assume; the deployment's default when absent.
    #[arg(long, value_name = "ARN")]
    pub role: Option<String>,
    /// The same key twice gives the same run.
    #[arg(long, value_name = "KEY")]
    pub idempotency_key: Option<String>,
    /// Submit and return at once.
    #[arg(long)]
    pub detach: bool,
}

/// Arguments of `plan`.
#[derive(Debug, Args)]
pub struct Plan {
    /// YAML, JSON or WfFormat 1.5; gzipped ones are read as they are.
    pub file: PathBuf,
    /// Options of the run that is planned.
    #[command(flatten)]
    pub options: RunArguments,
    /// Print the plans that no other is better than in everything, each with the arguments that give it.
    #[arg(long)]
    pub pareto: bool,
    /// With `--pareto`: plans, too, that are within 5 % of another in everything.
    #[arg(long, requires = "pareto")]
    pub all: bool,
    /// Plan for the targets of this file, YAML or JSON, instead of the deployment's.
    #[arg(long, value_name = "FILE")]
    pub pool: Option<PathBuf>,
    /// What is expected of regions and targets while the run lasts: YAML or JSON.
    #[arg(long, value_name = "FILE")]
    pub outlook: Option<PathBuf>,
    /// Write to a file instead of standard output.
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

/// A run.
#[derive(Debug, Args)]
pub struct OneRun {
    /// Its id, such as `r-abcdefghij2345abcdef`.
    pub run: String,
}

/// Arguments of `resume`.
#[derive(Debug, Args)]
pub struct Resume {
    /// Its id.
    pub run: String,
    /// Return at once.
    #[arg(long)]
    pub detach: bool,
}

/// Arguments of `list`.
#[derive(Debug, Args)]
pub struct List {
    /// How many.
    #[arg(long, default_value_t = 20)]
    pub limit: usize,
    /// Only runs in these states, such as `running,failed`.
    #[arg(long, value_name = "STATES")]
    pub status: Option<String>,
    /// Only runs of this workflow.
    #[arg(long, value_name = "NAME")]
    pub workflow: Option<String>,
    /// Only runs accepted since: `2026-11-21`, `2026-11-21T08:00:00Z`, or as long ago as `36h`.
    #[arg(long, value_name = "TIME")]
    pub since: Option<String>,
    /// Only runs accepted before.
    #[arg(long, value_name = "TIME")]
    pub until: Option<String>,
}

/// Arguments of `logs`.
#[derive(Debug, Args)]
pub struct Logs {
    /// Its id.
    pub run: String,
    /// Only this task.
    #[arg(long)]
    pub task: Option<String>,
}
