//! `plan`: what the engine makes of a document, before anything runs.

use std::collections::BTreeMap;

use foreshard_engine::availability::as_of;
use foreshard_engine::draw;
use foreshard_engine::parse::{Library, Parsed};
use foreshard_engine::place::{read_outlook, read_pool};
use foreshard_engine::plan::{PlanInput, pareto, plan as decide, thin};
use foreshard_model::claim::Claim;
use foreshard_model::ids::{Generation, RunId};
use foreshard_model::outlook::{Outlook, Promised};
use foreshard_model::problem::Problem;
use foreshard_model::target::Pool;

use crate::args::{Arguments, Format, Plan as PlanArguments};
use crate::choice::{self, Wanted};
use crate::deployment;
use crate::exit::{CliError, Exit};
use crate::render::pareto::table;
use crate::render::{data, plan as show, say};
use crate::source::{Source, written};

/// Region that a plan without a deployment is priced in.
const REGION: &str = "us-east-1";

/// Plans a document against the deployment's pool, or against AWS's limits where there is no deployment.
///
/// # Errors
/// The document's problems, a file that cannot be written.
pub async fn plan(arguments: &Arguments, wanted: &PlanArguments) -> Result<Exit, CliError> {
    let source = Source::read(&wanted.file)?;
    let parsed = parse(arguments, &source).await?;
    let text = if wanted.pareto {
        front(arguments, &source, &parsed, wanted).await?
    } else {
        let plan = planned(arguments, &source, &parsed, wanted, decide)
            .await?
            .plan;
        for warning in &plan.warnings {
            say(&format!("warning: {warning}"));
        }
        match arguments.format {
            Format::Text => show::describe(&plan),
            Format::Json => serde_json::to_string_pretty(&plan).unwrap_or_default(),
            Format::Dot => draw::dot(&plan),
            Format::Svg => draw::svg(&plan),
        }
    };
    match &wanted.out {
        None => data(&text),
        Some(path) => std::fs::write(path, text).map_err(|source| CliError::File {
            doing: "write",
            path: path.display().to_string(),
            source,
        })?,
    }
    Ok(Exit::Success)
}

/// Parses with the deployment's registered workflows, when the document refers to any; shows the notes.
///
/// # Errors
/// The document's problems, or no deployment to ask.
pub async fn parse(arguments: &Arguments, source: &Source) -> Result<Parsed, CliError> {
    let library = if source.references.is_empty() {
        Library::new()
    } else {
        deployment::library(&deployment::first(arguments).await?, source).await?
    };
    let parsed = source.parse(&library)?;
    for note in &parsed.notes {
        say(&format!("note: {note}"));
    }
    Ok(parsed)
}

/// The Pareto front, as a table or as JSON.
async fn front(
    arguments: &Arguments,
    source: &Source,
    parsed: &Parsed,
    wanted: &PlanArguments,
) -> Result<String, CliError> {
    if !matches!(arguments.format, Format::Text | Format::Json) {
        let message = "--pareto prints text or JSON".to_owned();
        return Err(CliError::Argument(message));
    }
    let whole = planned(arguments, source, parsed, wanted, pareto).await?;
    let count = whole.len();
    let front = if wanted.all { whole } else { thin(whole) };
    Ok(if arguments.format == Format::Json {
        serde_json::to_string_pretty(&front).unwrap_or_default()
    } else {
        table(&front, count - front.len())
    })
}

/// Decides for the deployment's pool, or for AWS's limits.
async fn planned<T>(
    arguments: &Arguments,
    source: &Source,
    parsed: &Parsed,
    wanted: &PlanArguments,
    decide: fn(&PlanInput<'_>) -> Result<T, Vec<Problem>>,
) -> Result<T, CliError> {
    let (pool, expected) = match &wanted.pool {
        Some(file) => (written(file, read_pool)?, Outlook::default()),
        None => deployed(arguments, source, parsed, wanted).await?,
    };
    let outlook = match &wanted.outlook {
        Some(file) => written(file, |bytes| read_outlook(bytes, &pool))?,
        None => expected,
    };
    let bundles: BTreeMap<String, Claim> = parsed
        .bundles
        .iter()
        .map(|folder| (folder.clone(), Claim::default()))
        .collect();
    let input = PlanInput {
        run: &RunId::from("r-planned"),
        generation: Generation(0),
        workflow: &parsed.workflow,
        pool: &pool,
        options: &(&wanted.options).into(),
        bundles: &bundles,
        region: pool.targets.first().map_or(REGION, |t| t.region.as_str()),
        outlook: &outlook,
        promised: &Promised::default(),
    };
    decide(&input).map_err(|problems| CliError::Document {
        name: source.path.display().to_string(),
        text: String::new(),
        problems,
    })
}

/// The deployment's targets and what it expects of them now, or AWS's limits where no deployment is known.
async fn deployed(
    arguments: &Arguments,
    source: &Source,
    parsed: &Parsed,
    wanted: &PlanArguments,
) -> Result<(Pool, Outlook), CliError> {
    let of = Wanted {
        source,
        parsed,
        options: &wanted.options,
        key: None,
    };
    match choice::chosen(arguments, of).await {
        Ok(chosen) => {
            let (outlook, told) = match &chosen.outlook {
                Some(stored) => as_of(stored, choice::now()),
                None => (Outlook::default(), Vec::new()),
            };
            for reason in told {
                say(&format!("note: {}: {}", reason.subject, reason.because));
            }
            Ok((chosen.pool, outlook))
        }
        Err(CliError::NoDeployment) => {
            say("note: no deployment is known, so this is planned for AWS with its default limits");
            Ok((Pool::default_on_aws(REGION), Outlook::default()))
        }
        Err(other) => Err(other),
    }
}
