//! `validate`: everything that is wrong with a document, or what it would become; nothing is stored, nothing is started.

use foreshard_engine::parse::Parsed;
use foreshard_model::api::{PlanFigures, SubmitRequest, ValidateAnswer, WorkflowEntry};

use crate::args::{Arguments, Format, Validate};
use crate::commands::plan::parse;
use crate::commands::run::read_input;
use crate::deployment::{attach_document, client};
use crate::exit::{CliError, Exit};
use crate::render::{data, json, say};
use crate::source::Source;

/// Judges a document here, or by the deployment. With `--format json` the judgement is data, whatever it is; the exit
/// code tells.
///
/// # Errors
/// The document's problems, an input that is not JSON, a refusal, or no deployment to ask.
pub async fn validate(arguments: &Arguments, wanted: &Validate) -> Result<Exit, CliError> {
    let source = Source::read(&wanted.file)?;
    let asked = wanted.remote || wanted.input.is_some();
    let judged = if asked {
        remote(arguments, wanted, &source).await?
    } else {
        match parse(arguments, &source).await {
            Ok(parsed) => of(parsed),
            Err(CliError::Document { problems, .. }) => ValidateAnswer {
                problems,
                ..ValidateAnswer::default()
            },
            Err(other) => return Err(other),
        }
    };
    if arguments.format == Format::Json {
        json(&judged);
        return Ok(if judged.valid {
            Exit::Success
        } else {
            Exit::BadInput
        });
    }
    if !judged.valid {
        return Err(CliError::Document {
            name: source.path.display().to_string(),
            text: String::from_utf8_lossy(&source.text).into_owned(),
            problems: judged.problems,
        });
    }
    if asked {
        for note in &judged.notes {
            say(&format!("note: {note}"));
        }
    }
    data(&describe(&judged));
    Ok(Exit::Success)
}

async fn remote(
    arguments: &Arguments,
    wanted: &Validate,
    source: &Source,
) -> Result<ValidateAnswer, CliError> {
    let client = client(arguments).await?;
    let mut request = SubmitRequest {
        input: wanted.input.as_deref().map(read_input).transpose()?,
        ..SubmitRequest::default()
    };
    attach_document(&client, source, &mut request).await?;
    Ok(client.validate(&request).await?)
}

fn of(parsed: Parsed) -> ValidateAnswer {
    ValidateAnswer {
        valid: true,
        tasks: u32::try_from(parsed.workflow.tasks.len()).ok(),
        workflow: Some(WorkflowEntry {
            name: parsed.workflow.name,
            version: parsed.workflow.version,
        }),
        notes: parsed.notes,
        bundles: parsed.bundles,
        ..ValidateAnswer::default()
    }
}

fn describe(judged: &ValidateAnswer) -> String {
    let mut text = match &judged.workflow {
        Some(workflow) => format!("{} {}", workflow.name, workflow.version),
        None => "the document".to_owned(),
    };
    if let Some(tasks) = judged.tasks {
        text.push_str(&format!(": {tasks} tasks, no problems"));
    }
    if let Some(plan) = &judged.plan {
        text.push_str(&format!("\n{}", figures(plan)));
    }
    text
}

fn figures(plan: &PlanFigures) -> String {
    let price = &plan.price;
    format!(
        "planned: {} shards on {} lanes, {:.1} s, ${:.6} on AWS by the price list",
        plan.shards, plan.lanes, price.makespan_s.mid, price.total_usd.mid
    )
}
