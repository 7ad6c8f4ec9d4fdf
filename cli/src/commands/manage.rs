//! The commands of one or two requests about one run: status, result, logs, cancel, pause, resume.

use std::collections::BTreeMap;

use foreshard_aws::client::ApiClient;
use foreshard_model::api::ResultView;
use foreshard_model::ids::RunId;
use serde_json::Value;

use crate::args::{Arguments, Format, Logs, OneRun, Resume};
use crate::commands::watch;
use crate::deployment::{client, run_id};
use crate::exit::{CliError, Exit};
use crate::render::runs::describe;
use crate::render::{data, json, say};

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
