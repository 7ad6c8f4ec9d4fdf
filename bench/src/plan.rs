//! `bench plan`: a document through the whole of planning, as the plan function does it: read as a stream, sharded, priced.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Seek as _};
use std::path::Path;

use foreshard_engine::graph::Csr;
use foreshard_engine::parse::{Library, Parsed, stream};
use foreshard_engine::plan::{PlanInput, Planned, plan as decide};
use foreshard_model::ids::{Generation, RunId};
use foreshard_model::outlook::{Outlook, Promised};
use foreshard_model::plan::Plan;
use foreshard_model::policy::RunOptions;
use foreshard_model::problem::Problem;
use foreshard_model::target::Pool;
use serde::Serialize;

use crate::BenchError;
use crate::arguments::PlanArguments;
use crate::generated::{Document, layered};
use crate::meter::{measured, peak_mib};

/// Region of the pool and of the prices.
const REGION: &str = "us-east-1";

/// The figures of one document.
#[derive(Debug, Serialize)]
pub struct Figures {
    file: String,
    tasks: usize,
    edges: usize,
    shards: usize,
    lanes: u32,
    /// By the list schedule, in seconds.
    makespan_s: f64,
    critical_path_s: f64,
    usd: f64,
    plain_usd: f64,
    parse_cpu_s: f64,
    plan_cpu_s: f64,
    /// What the chunks of tasks come to, each made, written as JSON and forgotten as when they are stored.
    chunk_bytes: usize,
    chunks_cpu_s: f64,
    peak_mib: f64,
    /// The strategy that was kept, and why; then the others.
    shardings: Vec<Sharding>,
}

/// What one strategy came to.
#[derive(Debug, Serialize)]
pub struct Sharding {
    strategy: String,
    shards: f64,
    makespan_s: f64,
    usd: f64,
}

/// Plans every file, or a generated document where none is given.
pub fn plan(arguments: &PlanArguments) -> Result<Vec<Figures>, BenchError> {
    if arguments.files.is_empty() {
        let document = generated(arguments).map_err(|source| BenchError::File {
            doing: "write",
            path: std::env::temp_dir().display().to_string(),
            source,
        })?;
        return Ok(vec![figures(Path::new("generated"), document)?]);
    }
    let each = |path: &std::path::PathBuf| {
        let file = File::open(path).map_err(|source| BenchError::File {
            doing: "read",
            path: path.display().to_string(),
            source,
        })?;
        figures(path, file)
    };
    arguments.files.iter().map(each).collect()
}

/// A generated graph as a document in a file without a name: what generates it is gone when planning begins.
fn generated(arguments: &PlanArguments) -> std::io::Result<File> {
    let (edges, work_s) = layered(arguments.tasks, arguments.edges_per_task, arguments.seed);
    let graph = Csr::new(work_s.len(), edges.iter().copied());
    let path = std::env::temp_dir().join(format!("foreshard-bench-{}.json", std::process::id()));
    let mut file = File::options()
        .read(true)
        .write(true)
        .create_new(true)
        .open(&path)?;
    std::fs::remove_file(&path)?;
    std::io::copy(&mut Document::new(&graph, &work_s), &mut file)?;
    file.rewind()?;
    Ok(file)
}

fn figures(path: &Path, document: impl Read) -> Result<Figures, BenchError> {
    let refused = |problems: Vec<Problem>| {
        let first = problems.first().map(ToString::to_string);
        BenchError::content(path, first.unwrap_or_default())
    };
    let (parsed, parse_cpu_s) = measured(|| stream(document, &Library::new()));
    let parsed = parsed.map_err(refused)?;
    let (planned, plan_cpu_s) = measured(|| decided(&parsed));
    let planned = planned.map_err(refused)?;
    let (chunk_bytes, chunks_cpu_s) = measured(|| chunk_bytes(&planned, &parsed));
    let Planned { plan, topology, .. } = planned;
    let tasks = &parsed.workflow.tasks;
    let name = path.file_name().unwrap_or_default();
    Ok(Figures {
        file: name.to_string_lossy().into_owned(),
        tasks: tasks.len(),
        edges: tasks.iter().map(|task| task.needs.len()).sum(),
        shards: topology.shards.len(),
        lanes: plan.lanes,
        makespan_s: plan.price.makespan_s.mid,
        critical_path_s: plan.critical_path_ms as f64 / 1000.0,
        usd: plan.price.total_usd.mid,
        plain_usd: plan.price.plain_usd.0,
        parse_cpu_s,
        plan_cpu_s,
        chunk_bytes,
        chunks_cpu_s,
        peak_mib: peak_mib(),
        shardings: shardings(&plan),
    })
}

fn decided(parsed: &Parsed) -> Result<Planned, Vec<Problem>> {
    on_aws(parsed, decide)
}

/// Decides something of a document for AWS with its default limits.
pub fn on_aws<T>(parsed: &Parsed, decide: impl FnOnce(&PlanInput<'_>) -> T) -> T {
    let bundles = parsed.bundles.iter();
    let bundles: BTreeMap<_, _> = bundles.map(|b| (b.clone(), Default::default())).collect();
    decide(&PlanInput {
        run: &RunId::from("r-planned"),
        generation: Generation(0),
        workflow: &parsed.workflow,
        pool: &Pool::default_on_aws(REGION),
        options: &RunOptions::default(),
        bundles: &bundles,
        region: REGION,
        outlook: &Outlook::default(),
        promised: &Promised::default(),
    })
}

fn chunk_bytes(planned: &Planned, parsed: &Parsed) -> usize {
    let chunks = planned.chunks.of(planned.workflow(&parsed.workflow));
    chunks
        .map(|chunk| serde_json::to_vec(&chunk).map_or(0, |bytes| bytes.len()))
        .sum()
}

/// From the plan's reasons: the first is the one that was kept.
fn shardings(plan: &Plan) -> Vec<Sharding> {
    let judged = plan
        .reasons
        .iter()
        .filter(|reason| reason.subject == "shard");
    judged
        .filter_map(|reason| {
            let number = |name: &str| reason.numbers.get(name).copied();
            let strategy = reason.because.split(": ").next().unwrap_or_default();
            Some(Sharding {
                strategy: strategy.trim_start_matches("not ").to_owned(),
                shards: number("shards")?,
                makespan_s: number("makespan_s")?,
                usd: number("usd")?,
            })
        })
        .collect()
}
