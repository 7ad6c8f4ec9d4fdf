//! Large documents and values are not bad input: they run.

use foreshard_model::api::{SubmitRequest, UploadKind};
use foreshard_model::limits::INLINE_DOCUMENT_BYTES;
use serde_json::{Value, json};

use super::command_line::foreshard;
use super::documents::{burn, document};
use super::runs::{self, PATIENCE};
use super::stack::deployment;
use super::witness::{Witness, tasks};

/// Above what a state of the machine may carry.
const LARGE_BYTES: usize = 300 * 1024;

/// A document with a description so long that it has at least `bytes`.
fn padded(bytes: usize) -> Value {
    let mut document = document(vec![burn("a", 0.01, &[]), burn("b", 0.01, &["a"])]);
    document["description"] = json!("x".repeat(bytes));
    document
}

#[tokio::test]
async fn a_large_document_runs() {
    let on = deployment().await;
    let item = runs::run(&on, &padded(LARGE_BYTES), runs::traced()).await;
    let tasks = tasks(&runs::plan(&on, &item.run).await);
    Witness::of(&on, &item.run)
        .await
        .assert_committed_once(&tasks);
}

#[tokio::test]
async fn a_document_too_large_for_a_request_runs_by_upload() {
    let on = deployment().await;
    let bytes = padded(INLINE_DOCUMENT_BYTES + 1).to_string().into_bytes();
    let id = on
        .api
        .upload(UploadKind::Document, &bytes)
        .await
        .expect("it is uploaded");
    let request = SubmitRequest {
        upload: Some(id),
        options: runs::traced(),
        ..SubmitRequest::default()
    };
    let answer = on.api.submit(&request, None).await.expect("accepted");
    let item = runs::succeeded(&on, &answer.run, PATIENCE).await;
    assert_eq!(item.document.bytes, bytes.len() as u64);
    let tasks = tasks(&runs::plan(&on, &item.run).await);
    Witness::of(&on, &item.run)
        .await
        .assert_committed_once(&tasks);
}

/// One task gives a value of 300 KiB, another one in another shard reads it and says how long it is.
#[tokio::test]
async fn a_large_value_moves_between_tasks() {
    let on = deployment().await;
    let give = format!("printf '\"'; head -c {LARGE_BYTES} /dev/zero | tr '\\0' x; printf '\"'");
    let mut take = super::documents::bash(
        "take",
        "wc -c | { read -r n; echo \"{\\\"bytes\\\": $n}\"; }",
        &["give"],
    );
    take["inputs"] = json!({ "text": { "task": "give" } });
    let mut document = document(vec![super::documents::bash("give", &give, &[]), take]);
    document["outputs"] =
        json!({ "bytes": { "task": "take", "path": "$.bytes" }, "text": { "task": "give" } });
    let options = foreshard_model::policy::RunOptions {
        shard_tasks_max: Some(1),
        ..runs::traced()
    };
    let item = runs::run(&on, &document, options).await;
    let result = on.api.result(&item.run).await.expect("the result is there");
    let seen = result.outputs["bytes"].as_u64().expect("a number");
    assert!(
        seen as usize >= LARGE_BYTES + r#"{"text":""}"#.len(),
        "{seen} bytes were read"
    );
    let stored = &result.stored["text"];
    assert!(
        stored.bytes as usize > LARGE_BYTES,
        "the output is elsewhere: {stored:?}"
    );
    let fetched = on.api.fetch(stored).await.expect("it is fetched");
    assert_eq!(
        serde_json::from_slice::<String>(&fetched)
            .expect("text")
            .len(),
        LARGE_BYTES
    );
    let shards = runs::shards(&on, &item).await;
    println!("{seen} bytes moved between {} shards", shards.len());
}

/// Quotes are escaped twice on their way through the gateway: the command line packs what would not get through.
#[tokio::test]
async fn a_document_full_of_quotes_runs_from_the_command_line() {
    let on = deployment().await;
    let mut document = padded(0);
    document["description"] = json!("\"".repeat(INLINE_DOCUMENT_BYTES / 2 - 4096));
    let text = document.to_string();
    assert!(text.len() <= INLINE_DOCUMENT_BYTES && text.len() > INLINE_DOCUMENT_BYTES / 10 * 9);
    let file = tempfile::Builder::new()
        .suffix(".json")
        .tempfile()
        .expect("a file");
    std::fs::write(file.path(), text).expect("it is written");
    let said = foreshard(
        on.stack,
        &[
            "run",
            &file.path().display().to_string(),
            "--format",
            "json",
        ],
    );
    assert_eq!(said.code, 0, "{}\n{}", said.out, said.err);
}
