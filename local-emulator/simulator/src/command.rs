//! `foreshard simulate`: documents in, what their runs take and cost out, beside plain states when asked.

mod repeat;

use std::io::Read as _;
use std::path::PathBuf;

use clap::Args;
use flate2::read::MultiGzDecoder;
use foreshard_engine::draw::{Bar, timeline};
use foreshard_engine::parse::{self, Library, Parsed};
use foreshard_model::limits::{
    CONCURRENCY_KEPT_FREE, INLINE_DOCUMENT_BYTES, UPLOADED_DOCUMENT_BYTES,
};
use foreshard_model::policy::RunOptions;
use foreshard_model::units::Mib;
use foreshard_model::workflow::Workflow;
use serde::Serialize;
use thiserror::Error;

use crate::render;
use crate::result::Simulated;
use crate::run::{definition, ours, plain, tracked};
use crate::scenario::{Failed, Recurring, Scenario};
use crate::trouble::{NoTrouble, Trouble};

/// Arguments of `simulate`.
#[derive(Debug, Clone, Args)]
pub struct Simulate {
    /// YAML, JSON or WfFormat 1.5; gzipped ones are read as they are.
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// The same seed gives the same run.
    #[arg(long, default_value_t = 0, value_name = "S")]
    pub seed: u64,
    /// Factor on CPU time and bytes of synthetic tasks; never on memory.
    #[arg(long, default_value_t = 1.0, value_name = "X")]
    pub scale: f64,
    /// Run the same as plain states of Step Functions, in the same world; without `--table` also with provisioned concurrency that
    /// follows a target.
    #[arg(long)]
    pub compare: bool,
    /// One row for each file instead of a block, as Markdown.
    #[arg(long, requires = "compare")]
    pub table: bool,
    /// So many further seeds of each file: how many succeed, and how often what came was within what its plan expected.
    #[arg(long, value_name = "N")]
    pub seeds: Option<u64>,
    /// AWS region: its quotas and prices.
    #[arg(long, default_value = "us-east-1", value_name = "REGION")]
    pub region: String,
    /// Concurrent invocations that the account has; what AWS gives a new account when absent.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(101..))]
    pub concurrency: Option<u32>,
    /// Most lanes of the run.
    #[arg(long, value_name = "N")]
    pub lanes: Option<u32>,
    /// Most tasks of one shard.
    #[arg(long, value_name = "N")]
    pub shard_tasks: Option<u32>,
    /// Execute is deployed as a container image.
    #[arg(long)]
    pub image: bool,
    /// Submit by a schedule, in UTC: `rate(1 hour)`, `cron(0 * * * ? *)`; forecast and prewarm run beside it.
    #[arg(long, value_name = "EXPRESSION")]
    pub schedule: Option<String>,
    /// With `--schedule`: how many of its times.
    #[arg(long, default_value_t = 3, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub times: u32,
    /// Let prewarm act: avoiding a cold start is worth so many dollars.
    #[arg(long, value_name = "USD")]
    pub prewarm: Option<f64>,
    /// Environments provisioned before the run, by memory tier: `1769=50`; may be given several times.
    #[arg(long, value_name = "MIB=N", value_parser = provisioned)]
    pub provisioned: Vec<(Mib, u32)>,
    /// What goes wrong: with targets `slow=MIBxTIMES`, `failing=MIBxPER_MILLE`, `degraded=FROM_S+FOR_S`, `throttled=PER_MILLE`,
    /// `lost=PER_MILLE`; with what stages write, read and know `writes=PER_MILLE`, `skewed=PER_MILLE`, `stale=FROM_S+FOR_S`,
    /// `unseen=PER_MILLE`; may be given several times.
    #[arg(long, value_name = "KIND=…")]
    pub trouble: Vec<String>,
    /// Write the definition of the plain states that `--compare` runs: Amazon States Language, of one file only.
    #[arg(long, value_name = "OUT")]
    pub emit_plain: Option<PathBuf>,
    /// Factor on what tasks take, over their estimates.
    #[arg(long, default_value_t = 1.0, value_name = "X")]
    pub slower: f64,
    /// Factor on what memory tasks take, over their estimates.
    #[arg(long, default_value_t = 1.0, value_name = "X")]
    pub larger: f64,
}

fn provisioned(text: &str) -> Result<(Mib, u32), String> {
    let parts = text.split_once('=');
    let parts = parts.and_then(|(mib, count)| Some((mib.parse().ok()?, count.parse().ok()?)));
    let (mib, count) =
        parts.ok_or_else(|| format!("`{text}` is not a tier and a count: `1769=50`"))?;
    Ok((Mib(mib), count))
}

/// How the answer is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// A table for people.
    Text,
    /// The same and more for programs.
    Json,
    /// What ran when, as a picture; one file only.
    Svg,
}

/// Why there is no answer.
#[derive(Debug, Error)]
pub enum SimulateError {
    /// A file cannot be read.
    #[error("cannot read `{path}`: {source}")]
    File {
        /// Which.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// A file cannot be written.
    #[error("cannot write `{path}`: {source}")]
    Unwritten {
        /// Which.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// A file is no workflow that can be run.
    #[error("`{path}`: {why}")]
    Content {
        /// Which.
        path: String,
        /// Its first problem, and how many there are.
        why: String,
    },
    /// The simulation has no result.
    #[error("`{path}`: {source}; repeat it with: {again}")]
    Failed {
        /// Which.
        path: String,
        /// Why.
        source: Failed,
        /// The command that does the same.
        again: String,
    },
    /// A word says nothing.
    #[error(transparent)]
    NoTrouble(#[from] NoTrouble),
    /// A picture shows one run, and a definition is that of one workflow.
    #[error("a picture and a definition are of one file: {0} were given")]
    OneFile(usize),
}

/// What is said.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Told {
    /// The answer.
    pub text: String,
    /// What whoever asked should know beside it, a line each.
    pub notes: Vec<String>,
}

/// The figures of one file.
#[derive(Debug, Serialize)]
pub struct Figures {
    /// Name of the file.
    pub file: String,
    /// Through the control plane.
    pub ours: Simulated,
    /// As plain states, when asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plain: Option<Simulated>,
    /// As plain states with provisioned concurrency that follows a target, when asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tracked: Option<Simulated>,
}

/// Simulates every file.
///
/// # Errors
/// A file that cannot be read or is refused, and a run that can neither go on nor end.
pub fn simulate(wanted: &Simulate, form: Form) -> Result<Told, SimulateError> {
    let single = form == Form::Svg || wanted.emit_plain.is_some();
    if single && wanted.files.len() != 1 {
        return Err(SimulateError::OneFile(wanted.files.len()));
    }
    let mut notes = Vec::new();
    let mut figures = Vec::new();
    for path in &wanted.files {
        figures.push(one(wanted, path, &mut notes)?);
    }
    let text = match form {
        Form::Text if wanted.table => render::rows(&figures) + &coverage(wanted, &mut notes)?,
        Form::Text => render::table(&figures) + &coverage(wanted, &mut notes)?,
        Form::Json => serde_json::to_string_pretty(&figures).unwrap_or_default(),
        Form::Svg => figures.first().map(picture).unwrap_or_default(),
    };
    Ok(Told { text, notes })
}

/// How often duration and cost of further seeds are within what the plans expected; empty when it was not asked for. A note says how to
/// repeat each that does not succeed.
fn coverage(wanted: &Simulate, notes: &mut Vec<String>) -> Result<String, SimulateError> {
    let Some(seeds) = wanted.seeds else {
        return Ok(String::new());
    };
    let (mut time, mut money, mut runs) = (0_u64, 0_u64, 0_u64);
    for path in &wanted.files {
        for more in 1..=seeds {
            let again = Simulate {
                seed: wanted.seed + more,
                compare: false,
                emit_plain: None,
                ..wanted.clone()
            };
            let ours = one(&again, path, notes)?.ours;
            if ours.status != "succeeded" {
                continue;
            }
            runs += 1;
            time += u64::from(ours.is_within_time());
            money += u64::from(ours.is_within_cost());
        }
    }
    let share = |count: u64| 100.0 * count as f64 / runs.max(1) as f64;
    let all = seeds * wanted.files.len() as u64;
    Ok(format!(
        "\nof {all} runs, {seeds} seeds of each file, {runs} succeeded: within the expected duration {:.0} %, within the expected cost {:.0} %\n",
        share(time),
        share(money)
    ))
}

fn one(
    wanted: &Simulate,
    path: &PathBuf,
    notes: &mut Vec<String>,
) -> Result<Figures, SimulateError> {
    let shown = path.display().to_string();
    let document = std::fs::read(path).map_err(|source| SimulateError::File {
        path: shown.clone(),
        source,
    })?;
    let parsed = parsed(&document).map_err(|why| SimulateError::Content {
        path: shown.clone(),
        why,
    })?;
    let mut trouble = Trouble::default();
    for word in &wanted.trouble {
        trouble.add(word)?;
    }
    let mut scenario = Scenario {
        trouble,
        bundles: parsed.bundles.to_vec(),
        options: RunOptions {
            scale: wanted.scale,
            lanes_max: wanted.lanes,
            shard_tasks_max: wanted.shard_tasks,
            ..RunOptions::default()
        },
        image: wanted.image,
        recurring: wanted.schedule.as_ref().map(|expression| Recurring {
            expression: expression.clone(),
            times: wanted.times,
        }),
        prewarm: wanted.prewarm,
        provisioned: wanted.provisioned.clone(),
        seed: wanted.seed,
        slower: wanted.slower,
        larger: wanted.larger,
        ..Scenario::of(document, &wanted.region)
    };
    if let Some(concurrency) = wanted.concurrency {
        scenario.account.concurrency = concurrency;
        scenario.pool.concurrency = concurrency;
        scenario.pool.lanes_max = concurrency - CONCURRENCY_KEPT_FREE;
    }
    if let Some(out) = &wanted.emit_plain {
        emit(&scenario, &parsed.workflow, out, notes)?;
    }
    let failed = |source| SimulateError::Failed {
        path: shown.clone(),
        source,
        again: repeat::command(wanted, path, wanted.seed),
    };
    let beside = wanted.compare.then(|| plain(&scenario, &parsed.workflow));
    let plain = beside.transpose().map_err(failed)?;
    let beside = (wanted.compare && !wanted.table).then(|| tracked(&scenario, &parsed.workflow));
    let tracked = beside.transpose().map_err(failed)?;
    drop(parsed);
    let ours = ours(&scenario).map_err(failed)?;
    if ours.status != "succeeded" {
        let again = repeat::command(wanted, path, wanted.seed);
        notes.push(format!(
            "`{shown}` {}; repeat it with: {again}",
            ours.status
        ));
    }
    let file = path.file_name().unwrap_or_default();
    Ok(Figures {
        file: file.to_string_lossy().into_owned(),
        ours,
        plain,
        tracked,
    })
}

/// Writes the definition of plain states, and notes what keeps it from being one.
fn emit(
    scenario: &Scenario,
    workflow: &Workflow,
    out: &PathBuf,
    notes: &mut Vec<String>,
) -> Result<(), SimulateError> {
    let definition = definition(scenario, workflow);
    let problems = definition.problems();
    let nested = "`--compare` runs its levels as nested executions";
    notes.extend(
        problems
            .iter()
            .map(|problem| format!("warning: {problem}; {nested}")),
    );
    std::fs::write(out, definition.text).map_err(|source| SimulateError::Unwritten {
        path: out.display().to_string(),
        source,
    })
}

/// The document as the control plane will read it; otherwise its first problem.
fn parsed(document: &[u8]) -> Result<Parsed, String> {
    let mut text = Vec::new();
    let text = if document.starts_with(&[0x1f, 0x8b]) {
        MultiGzDecoder::new(document)
            .take(UPLOADED_DOCUMENT_BYTES + 1)
            .read_to_end(&mut text)
            .map_err(|error| error.to_string())?;
        &text
    } else {
        document
    };
    let library = Library::new();
    let parsed = if text.len() <= INLINE_DOCUMENT_BYTES {
        parse::document(text, &library)
    } else {
        parse::stream(text, &library)
    };
    parsed.map_err(|problems| {
        let first = problems
            .first()
            .map_or_else(String::new, ToString::to_string);
        format!("{} problem(s), the first: {first}", problems.len())
    })
}

/// The lanes over time, and the plain tasks below them.
fn picture(figures: &Figures) -> String {
    let headline = |name: &str, of: &Simulated| {
        format!(
            "{name}: {} in {:.1} s, ${:.4}, {} transitions",
            of.status, of.makespan_s, of.cost_usd, of.transitions
        )
    };
    let bars = |of: &Simulated, in_lanes: bool| -> Vec<Bar> {
        let stretches = of.stretches.iter();
        stretches
            .map(|stretch| Bar {
                row: in_lanes.then_some(stretch.lane),
                number: stretch.shard,
                from_ms: stretch.from_ms,
                to_ms: stretch.to_ms,
                failed: stretch.failed,
            })
            .collect()
    };
    let mut sections = vec![(
        headline(&format!("{}, lanes", figures.file), &figures.ours),
        bars(&figures.ours, true),
    )];
    if let Some(plain) = &figures.plain {
        sections.push((headline("plain states", plain), bars(plain, false)));
    }
    if let Some(tracked) = &figures.tracked {
        sections.push((headline("target tracking", tracked), bars(tracked, false)));
    }
    timeline(&sections)
}
