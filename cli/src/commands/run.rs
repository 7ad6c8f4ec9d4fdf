//! `run`: submits a document and watches the run to its end.

use foreshard_model::api::SubmitRequest;
use foreshard_model::policy::RunOptions;
use serde_json::Value;

use crate::args::{Arguments, Format, Run, RunArguments};
use crate::choice::{self, Wanted};
use crate::commands::{plan, watch};
use crate::deployment;
use crate::exit::{CliError, Exit};
use crate::render::{data, json, say};
use crate::source::Source;

impl From<&RunArguments> for RunOptions {
    fn from(arguments: &RunArguments) -> Self {
        Self {
            scale: arguments.scale,
            memory_scale: arguments.memory_scale,
            trace: arguments.trace,
            lanes_max: arguments.lanes,
            history_budget: arguments.history_budget,
            shard_tasks_max: arguments.shard_tasks,
            objective: (&arguments.objective).into(),
        }
    }
}

/// Submits a document and watches the run, unless it is to be detached.
///
/// # Errors
/// The document's problems, a refusal, or a deployment that does not answer.
pub async fn run(arguments: &Arguments, wanted: &Run) -> Result<Exit, CliError> {
    let source = Source::read(&wanted.file)?;
    let input = wanted.input.as_deref().map(read_input).transpose()?;
    let parsed = plan::parse(arguments, &source).await?;
    let of = Wanted {
        source: &source,
        parsed: &parsed,
        options: &wanted.options,
        key: wanted.idempotency_key.as_deref(),
    };
    let client = choice::client(arguments, of).await?;
    let bundles = deployment::upload_bundles(&client, &source, &parsed.bundles).await?;
    drop(parsed);
    let mut request = SubmitRequest {
        input,
        options: (&wanted.options).into(),
        role: wanted.role.clone(),
        bundles,
        ..SubmitRequest::default()
    };
    deployment::attach_document(&client, &source, &mut request).await?;
    let answer = client
        .submit(&request, wanted.idempotency_key.as_deref())
        .await?;
    say(&format!(
        "run {}{}",
        answer.run,
        if answer.created {
            ""
        } else {
            " (submitted before with this key)"
        }
    ));
    if wanted.detach {
        if arguments.format == Format::Json {
            json(&answer);
        } else {
            data(answer.run.as_str());
        }
        return Ok(Exit::Success);
    }
    watch::to_the_end(arguments, &client, &answer.run).await
}

/// JSON, or `@file` with JSON in it.
pub(super) fn read_input(text: &str) -> Result<Value, CliError> {
    let owned;
    let json = match text.strip_prefix('@') {
        None => text,
        Some(path) => {
            let failed = |source| CliError::File {
                doing: "read",
                path: path.to_owned(),
                source,
            };
            owned = std::fs::read_to_string(path).map_err(failed)?;
            &owned
        }
    };
    serde_json::from_str(json).map_err(|e| CliError::Argument(format!("--input is not JSON: {e}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_input_is_json_or_a_file() {
        assert_eq!(read_input("{\"a\": 1}").expect("parses")["a"], 1);
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("in.json");
        std::fs::write(&path, "[1]").expect("written");
        assert_eq!(
            read_input(&format!("@{}", path.display())).expect("parses")[0],
            1
        );
        let error = read_input("{a").expect_err("is no JSON");
        assert_eq!(error.exit(), Exit::BadInput);
    }
}
