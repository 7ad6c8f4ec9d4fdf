//! Bad documents get a clear answer through the API and through the command line, and start nothing.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use foreshard_aws::client::{ApiError, RunFilter};
use foreshard_model::api::{ProblemDocument, SubmitRequest};

use super::command_line::foreshard;
use super::stack::{Deployment, deployment};

/// Gzip in base64, as a request carries a document that is not text.
fn gzip(bytes: &[u8]) -> String {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).expect("memory takes it");
    data_encoding::BASE64.encode(&encoder.finish().expect("memory takes it"))
}

pub const HEAD: &str = "foreshard: 1\nname: bad\nversion: \"1\"\n";

/// A task that is all right.
pub const GOOD: &str = "  - {id: a, kind: synthetic, cpu_s: 0.1}\n";

/// What is wrong, the code that says so, and the document.
fn documents() -> Vec<(&'static str, &'static str, Vec<u8>)> {
    let tasks = |text: &str| format!("{HEAD}tasks:\n{text}").into_bytes();
    let burn = "kind: synthetic, cpu_s: 0.1";
    let deep = format!(
        "{HEAD}tasks:\n  - {{id: a, kind: handler, handler: collect, inputs: {{x: {{value: {}1{}}}}}}}\n",
        "[".repeat(200),
        "]".repeat(200)
    );
    let mut bomb = format!("{HEAD}x0: &x0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]\n");
    for level in 1..12 {
        let aliases = vec![format!("*x{}", level - 1); 10].join(", ");
        bomb.push_str(&format!("x{level}: &x{level} [{aliases}]\n"));
    }
    bomb.push_str("tasks: *x11\n");
    vec![
        (
            "cycle",
            "FS1022",
            tasks(&format!(
                "  - {{id: a, {burn}, needs: [b]}}\n  - {{id: b, {burn}, needs: [a]}}\n"
            )),
        ),
        (
            "unknown field",
            "FS1012",
            tasks(&format!("  - {{id: a, {burn}, memroy_mib: 64}}\n")),
        ),
        (
            "missing dependency",
            "FS1021",
            tasks(&format!("  - {{id: a, {burn}, needs: [nobody]}}\n")),
        ),
        (
            "mapping that is not upstream",
            "FS1023",
            tasks(&format!(
                "{GOOD}  - {{id: b, kind: handler, handler: collect, inputs: {{x: {{task: a}}}}}}\n"
            )),
        ),
        (
            "wrong type",
            "FS1011",
            tasks("  - {id: a, kind: synthetic, cpu_s: soon}\n"),
        ),
        (
            "unknown kind",
            "FS1018",
            tasks("  - {id: a, kind: shell, run: [ls]}\n"),
        ),
        ("duplicate ids", "FS1020", tasks(&format!("{GOOD}{GOOD}"))),
        ("deep nesting", "FS1006", deep.into_bytes()),
        ("alias bomb", "FS1007", bomb.into_bytes()),
        ("empty", "FS1001", Vec::new()),
        ("binary", "FS1002", vec![0xff, 0xfe, 0x00, 0x9f, 0x92, 0x96]),
        (
            "neither YAML nor JSON",
            "FS1005",
            b"{\"foreshard\": 1, ".to_vec(),
        ),
    ]
}

pub async fn refused(on: &Deployment, request: &SubmitRequest) -> ProblemDocument {
    match on.api.submit(request, None).await {
        Err(ApiError::Refused(problem)) => *problem,
        other => panic!("not refused: {other:?}"),
    }
}

/// A document as a request carries it: text where it is text.
fn request(bytes: &[u8]) -> SubmitRequest {
    match std::str::from_utf8(bytes) {
        Ok(text) => SubmitRequest {
            document: Some(text.to_owned()),
            ..SubmitRequest::default()
        },
        Err(_) => SubmitRequest {
            document_gzip: Some(gzip(bytes)),
            ..SubmitRequest::default()
        },
    }
}

/// What would show that something was started.
pub async fn started(on: &Deployment) -> (usize, Option<String>) {
    let page = on
        .api
        .runs(&RunFilter::default(), 1, None)
        .await
        .expect("a page");
    (
        on.cloud.executions(&on.machine).await,
        page.runs.first().map(|view| view.run.to_string()),
    )
}

async fn through_the_api(on: &Deployment, what: &str, code: &str, bytes: &[u8]) {
    let problem = refused(on, &request(bytes)).await;
    assert_eq!(
        (problem.status, problem.code.as_str()),
        (400, "FS3009"),
        "{what}: {problem:?}"
    );
    let codes: Vec<&str> = problem.problems.iter().map(|p| p.code.as_str()).collect();
    assert!(
        codes.contains(&code),
        "{what}: {codes:?} has no {code}: {problem:?}"
    );
    let found = problem
        .problems
        .iter()
        .find(|p| p.code == code)
        .expect("just seen");
    assert!(!found.message.is_empty());
    println!("{what:<30} 400 {} {found}", problem.code);
}

fn through_the_command_line(on: &Deployment, what: &str, code: &str, bytes: &[u8]) {
    let file = tempfile::Builder::new()
        .suffix(".yaml")
        .tempfile()
        .expect("a file");
    std::fs::write(file.path(), bytes).expect("it is written");
    let path = file.path().display().to_string();
    let said = foreshard(on.stack, &["run", &path]);
    assert_eq!(said.code, 2, "{what}: {}\n{}", said.out, said.err);
    assert!(
        said.out.is_empty(),
        "{what}: data on standard output: {}",
        said.out
    );
    assert!(
        said.err.contains(code),
        "{what}: no {code} in:\n{}",
        said.err
    );
    assert!(
        said.err.contains(&path),
        "{what}: the file is not named in:\n{}",
        said.err
    );
}

#[tokio::test]
async fn bad_documents() {
    let on = deployment().await;
    let before = started(&on).await;
    for (what, code, bytes) in documents() {
        through_the_api(&on, what, code, &bytes).await;
        through_the_command_line(&on, what, code, &bytes);
    }
    assert_eq!(started(&on).await, before, "something was started");
}
