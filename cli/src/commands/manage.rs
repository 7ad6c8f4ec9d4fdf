//! The commands of one or two requests: list, status, result, events, logs, cancel, pause, resume, register.

use std::collections::BTreeMap;

use foreshard_aws::client::ApiClient;
use foreshard_model::api::{RegisterRequest, ResultView, UploadKind};
use foreshard_model::ids::RunId;
use serde_json::Value;

use crate::args::{Arguments, Document, Format, List, Logs, OneRun, Resume};
use crate::commands::watch;
use crate::deployment::{client, run_id, upload_bundles};
use crate::exit::{CliError, Exit};
use crate::render::runs::{describe, table};
use crate::render::{data, events as show, json, say};
use crate::source::Source;

/// Shows one run.
///
/// # Errors
/// A refusal, or no answer.
pub async fn status(arguments: &Arguments, one: &OneRun) -> Result<Exit, CliError> {
    let view = client(arguments).await?.run(&run_id(&one.run)?).await?;
    if arguments.format == Format::Json {
        json(&view)
    } else {
        data(&describe(&view))
    }
    Ok(Exit::Success)
}

/// Lists runs, newest first.
///
/// # Errors
/// A refusal, or no answer.
pub async fn list(arguments: &Arguments, wanted: &List) -> Result<Exit, CliError> {
    let client = client(arguments).await?;
    let (mut runs, mut after) = (Vec::new(), None);
    while runs.len() < wanted.limit {
        let page = client
            .runs(wanted.limit - runs.len(), after.as_deref())
            .await?;
        runs.extend(page.runs);
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    if arguments.format == Format::Json {
        json(&runs)
    } else {
        data(&table(&runs))
    }
    Ok(Exit::Success)
}

/// Prints a run's output; what is too large for an answer is fetched from the bucket.
///
/// # Errors
/// A refusal, or no answer.
pub async fn result(arguments: &Arguments, one: &OneRun) -> Result<Exit, CliError> {
    let client = client(arguments).await?;
    let view = client.result(&run_id(&one.run)?).await?;
    let outputs = whole_outputs(&client, view).await?;
    json(&outputs);
    Ok(Exit::Success)
}

/// The outputs with the large ones fetched.
///
/// # Errors
/// No answer, or content that is not JSON.
pub async fn whole_outputs(
    client: &ApiClient,
    view: ResultView,
) -> Result<BTreeMap<String, Value>, CliError> {
    let unreadable =
        |e: serde_json::Error| CliError::Unreachable(format!("the result is not JSON: {e}"));
    let mut outputs = view.outputs;
    let mut stored = view.stored;
    if let Some(whole) = &view.elsewhere {
        let bytes = client.fetch(whole).await?;
        return serde_json::from_slice(&bytes).map_err(unreadable);
    }
    while let Some((name, place)) = stored.pop_first() {
        let bytes = client.fetch(&place).await?;
        outputs.insert(name, serde_json::from_slice(&bytes).map_err(unreadable)?);
    }
    for (name, why) in &view.missing {
        say(&format!("output `{name}` has no value: {why}"));
    }
    Ok(outputs)
}

/// Prints everything that happened so far.
///
/// # Errors
/// A refusal, or no answer.
pub async fn events(arguments: &Arguments, one: &OneRun) -> Result<Exit, CliError> {
    let (client, run) = (client(arguments).await?, run_id(&one.run)?);
    let mut all = std::collections::BTreeMap::new();
    let mut after = String::new();
    loop {
        let page = client.events(&run, &after).await?;
        let before = all.len();
        all.extend(page.events.into_iter().map(|e| (e.sort_key(), e)));
        if all.len() == before || page.next == after {
            break;
        }
        after = page.next;
    }
    if arguments.format == Format::Json {
        json(&all.into_values().collect::<Vec<_>>());
        return Ok(Exit::Success);
    }
    let first = all.values().next().map(|e| e.at.0).unwrap_or_default();
    for event in all.values() {
        data(&show::line(event, first));
    }
    Ok(Exit::Success)
}

/// Prints what tasks wrote to their standard error.
///
/// # Errors
/// A refusal, or no answer.
pub async fn logs(arguments: &Arguments, wanted: &Logs) -> Result<Exit, CliError> {
    let (client, run) = (client(arguments).await?, run_id(&wanted.run)?);
    let mut after: Option<String> = None;
    loop {
        let page = client.logs(&run, None, after.as_deref()).await?;
        let of_task = |task: &String| wanted.task.as_ref().is_none_or(|only| only == task);
        for log in page.logs.iter().filter(|log| of_task(&log.task)) {
            if arguments.format == Format::Json {
                json(log);
            } else {
                data(&format!(
                    "── {} (shard {}, attempt {})\n{}",
                    log.task,
                    log.shard,
                    log.attempt,
                    log.text.trim_end()
                ));
            }
        }
        after = page.next;
        if after.is_none() {
            return Ok(Exit::Success);
        }
    }
}

/// Ends a run.
///
/// # Errors
/// A refusal, or no answer.
pub async fn cancel(arguments: &Arguments, one: &OneRun) -> Result<Exit, CliError> {
    let (client, run) = (client(arguments).await?, run_id(&one.run)?);
    client.cancel(&run).await?;
    answer(arguments, &client, &run).await
}

/// Halts a run.
///
/// # Errors
/// A refusal, or no answer.
pub async fn pause(arguments: &Arguments, one: &OneRun) -> Result<Exit, CliError> {
    let (client, run) = (client(arguments).await?, run_id(&one.run)?);
    client.pause(&run).await?;
    answer(arguments, &client, &run).await
}

/// Goes on with a run, and watches it.
///
/// # Errors
/// A refusal, or no answer.
pub async fn resume(arguments: &Arguments, wanted: &Resume) -> Result<Exit, CliError> {
    let (client, run) = (client(arguments).await?, run_id(&wanted.run)?);
    client.resume(&run).await?;
    if wanted.detach {
        return answer(arguments, &client, &run).await;
    }
    watch::to_the_end(arguments, &client, &run).await
}

async fn answer(arguments: &Arguments, client: &ApiClient, run: &RunId) -> Result<Exit, CliError> {
    let view = client.run(run).await?;
    if arguments.format == Format::Json {
        json(&view)
    } else {
        data(view.state.as_str())
    }
    Ok(Exit::Success)
}

/// Registers a workflow under its name and version.
///
/// # Errors
/// The document's problems, a refusal, or no answer.
pub async fn register(arguments: &Arguments, document: &Document) -> Result<Exit, CliError> {
    let client = client(arguments).await?;
    let source = Source::read(&document.file)?;
    let mut request = RegisterRequest::default();
    if source.is_inline() {
        request.document = Some(String::from_utf8_lossy(&source.text).into_owned());
    } else {
        request.upload = Some(client.upload(UploadKind::Document, &source.raw).await?);
    }
    let parsed = super::plan::parse(arguments, &source).await?;
    if !parsed.schedules.is_empty() {
        request.bundles = upload_bundles(&client, &source, &parsed.bundles).await?;
    }
    let schedules = parsed.schedules.len();
    let entry = client.register(&request).await?;
    if arguments.format == Format::Json {
        json(&entry);
    } else {
        say(&match schedules {
            0 => "registered".to_owned(),
            n => format!("registered, with {n} schedule(s)"),
        });
        data(&format!("{}@{}", entry.name, entry.version));
    }
    Ok(Exit::Success)
}
