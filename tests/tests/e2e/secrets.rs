//! No payload and no credential is in a line of any function's log: everything that a caller sends, and everything that a
//! task reads, prints and gives, carries a word that is looked for afterwards.

use flate2::Compression;
use flate2::write::GzEncoder;
use foreshard_aws::client::ApiError;
use foreshard_model::api::{SubmitRequest, UploadKind};
use foreshard_model::ids::RunId;
use foreshard_model::run::RunState;
use serde_json::{Value, json};
use std::io::Write as _;

use super::documents::{bash, document};
use super::runs::{self, PATIENCE};
use super::stack::{Deployment, deployment};

/// In no line of a log. It has no character that a filter of logs reads otherwise.
const CANARY: &str = "canary7f3a91c2e5";

/// Every function that a small run passes, and the sweep.
const FUNCTIONS: [&str; 7] = [
    "submit",
    "plan",
    "dispatch",
    "execute-128",
    "aggregate",
    "reshard",
    "prewarm",
];

/// A task that reads the word and gives it on, and one that says it and fails.
fn workflow() -> Value {
    let gives = format!("echo {CANARY} >&2; printf '{{\"secret\": \"{CANARY}\"}}'");
    let fails = format!("cat; echo '{CANARY}' >&2; exit 3");
    let mut failing = bash("fails", &fails, &["gives"]);
    failing["inputs"] = json!({
        "secret": { "task": "gives", "path": "$.secret" }, "parameter": { "run": "$.password" },
    });
    failing["env"] = json!({ "PASSWORD": CANARY });
    let mut document = document(vec![bash("gives", &gives, &[]), failing]);
    document["description"] = json!(CANARY);
    document
}

/// A submission that has the word in everything that it may have.
async fn submission(on: &Deployment, workflow: &Value) -> SubmitRequest {
    let bytes = workflow.to_string().into_bytes();
    let uploaded = on.api.upload(UploadKind::Document, &bytes).await;
    let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
    gzip.write_all(CANARY.as_bytes()).expect("into memory");
    let bundle = gzip.finish().expect("into memory");
    let bundle = on.api.upload(UploadKind::Bundle, &bundle).await;
    SubmitRequest {
        upload: Some(uploaded.expect("it is uploaded")),
        input: Some(json!({ "password": CANARY })),
        baggage: [("token".to_owned(), CANARY.to_owned())].into(),
        bundles: [(
            CANARY.to_owned(),
            bundle.expect("it is uploaded").as_str().into(),
        )]
        .into(),
        options: runs::traced(),
        ..SubmitRequest::default()
    }
}

/// Requests that are refused: unsigned ones with credentials in their headers, and signed ones with bad content.
async fn refusals(on: &Deployment) {
    let unsigned = reqwest::Client::new()
        .post(format!("{}/runs?after={CANARY}", on.api.base_url()))
        .header("authorization", CANARY)
        .header("x-amz-security-token", CANARY)
        .header("cookie", CANARY)
        .body(json!({ "document": CANARY }).to_string());
    let status = unsigned.send().await.expect("it answers").status();
    assert_eq!(status.as_u16(), 403);
    for document in [CANARY.to_owned(), format!("{{{CANARY}: [{CANARY}")] {
        let request = SubmitRequest {
            document: Some(document),
            input: Some(json!({ CANARY: CANARY })),
            ..SubmitRequest::default()
        };
        let answer = on.api.submit(&request, Some(CANARY)).await;
        assert!(matches!(answer, Err(ApiError::Refused(_))), "{answer:?}");
        let judged = on.api.validate(&request).await.expect("it is judged");
        assert!(!judged.valid);
    }
    let run = on.api.run(&RunId::from(CANARY)).await;
    assert!(matches!(run, Err(ApiError::Refused(_))), "{run:?}");
}

/// The functions whose log has the text, with its first lines.
async fn logged(on: &Deployment, text: &str) -> Vec<(&'static str, Vec<String>)> {
    let mut logged = Vec::new();
    for function in FUNCTIONS {
        let name = on.stack.function(function);
        let mut lines = on.cloud.log_lines(&name, text).await;
        lines.truncate(3);
        if !lines.is_empty() {
            logged.push((function, lines));
        }
    }
    logged
}

#[tokio::test]
async fn no_secret_is_in_a_log_of_any_function() {
    let on = deployment().await;
    refusals(&on).await;
    let request = submission(&on, &workflow()).await;
    let key = format!("{CANARY} {}", on.cloud.executions(&on.machine).await);
    let answer = on.api.submit(&request, Some(&key)).await;
    let run = answer.expect("it is accepted").run;
    let item = runs::ended(&on, &run, PATIENCE).await;
    let diagnosis = runs::diagnosis(&on, &run).await;
    assert_eq!(item.state, RunState::Failed, "{diagnosis}");

    // What the task said is in its own log, which only its owner is given.
    let page = on.api.logs(&run, None, None).await.expect("the logs");
    let said = serde_json::to_string(&page.logs).expect("a page");
    assert!(said.contains(CANARY), "{said}");
    let told = on.api.events(&run, "").await.expect("the events");
    let told = serde_json::to_string(&told.events).expect("a page");
    assert!(!told.contains(CANARY), "{told}");

    let lines = logged(&on, run.as_str()).await;
    let functions: Vec<&str> = lines.iter().map(|(function, _)| *function).collect();
    assert_eq!(
        functions,
        ["submit", "plan", "dispatch", "execute-128", "aggregate"],
        "the run is in the log of each function that it has passed"
    );
    let telling = logged(&on, CANARY).await;
    assert!(telling.is_empty(), "{telling:#?}");
}
