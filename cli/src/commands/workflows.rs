//! Registered workflows: register one, list them, print one.

use std::io::Write as _;

use foreshard_aws::client::ApiClient;
use foreshard_model::api::{RegisterRequest, UploadKind, WorkflowEntry};

use crate::args::{Arguments, Document, Format, Workflows};
use crate::deployment::{client, document_of, upload_bundles};
use crate::exit::{CliError, Exit};
use crate::render::{data, json, say};
use crate::source::Source;

/// Lists all, the versions of one, or prints the document of one version.
///
/// # Errors
/// A refusal, or no answer.
pub async fn workflows(arguments: &Arguments, wanted: &Workflows) -> Result<Exit, CliError> {
    let client = client(arguments).await?;
    let name = wanted.name.as_deref();
    if let (Some(name), Some(version)) = (name, wanted.version.as_deref()) {
        let view = client.workflow(name, version).await?;
        if arguments.format == Format::Json {
            json(&view);
        } else {
            // As it was registered, to the byte: it may be gzipped.
            let _ = std::io::stdout().lock().write_all(&document_of(view));
        }
        return Ok(Exit::Success);
    }
    let found = listed(&client, name).await?;
    if arguments.format == Format::Json {
        json(&found);
    } else {
        for entry in &found {
            data(&format!("{}@{}", entry.name, entry.version));
        }
        if found.is_empty() {
            say("no workflow is registered");
        }
    }
    Ok(Exit::Success)
}

async fn listed(client: &ApiClient, name: Option<&str>) -> Result<Vec<WorkflowEntry>, CliError> {
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let page = client.workflows(name, after.as_deref()).await?;
        found.extend(page.workflows);
        after = page.next;
        if after.is_none() {
            return Ok(found);
        }
    }
}

/// Registers a workflow under its name and version, with the schedules that it declares.
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
