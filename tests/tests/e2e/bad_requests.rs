//! Requests and command lines that are wrong beside their document: each refused with its status, code or exit code.

use foreshard_model::api::SubmitRequest;

use super::bad_input::{GOOD, HEAD, refused, started};
use super::command_line::foreshard;
use super::stack::deployment;

fn good() -> SubmitRequest {
    SubmitRequest {
        document: Some(format!("{HEAD}tasks:\n{GOOD}")),
        ..SubmitRequest::default()
    }
}

/// What is wrong, status and code that say so, and what makes a good request so.
type Case = (&'static str, u16, &'static str, fn(&mut SubmitRequest));

const CASES: [Case; 7] = [
    ("7 MB inline", 413, "FS3008", |request| {
        let text = request.document.get_or_insert_default();
        text.push_str(&format!("# {}\n", "x".repeat(7_000_000)));
    }),
    ("no document", 400, "FS3010", |request| {
        request.document = None;
    }),
    ("two documents", 400, "FS3010", |request| {
        request.upload = Some("x".into());
    }),
    ("not base64", 400, "FS3011", |request| {
        (request.document, request.document_gzip) = (None, Some("***".into()));
    }),
    ("no such upload", 400, "FS3012", |request| {
        (request.document, request.upload) = (None, Some("x".into()));
    }),
    ("a role of others", 400, "FS3013", |request| {
        request.role = Some("arn:aws:iam::999999999999:role/other".into());
    }),
    ("a scale below zero", 400, "FS3013", |request| {
        request.options.scale = -1.0;
    }),
];

#[tokio::test]
async fn bad_requests() {
    let on = deployment().await;
    let before = started(&on).await;
    for (what, status, code, make_bad) in CASES {
        let mut request = good();
        make_bad(&mut request);
        let problem = refused(&on, &request).await;
        let seen = (problem.status, problem.code.as_str());
        assert_eq!(seen, (status, code), "{what}: {problem:?}");
        println!("{what:<30} {status} {code} {}", problem.detail);
    }
    assert_eq!(started(&on).await, before, "something was started");
}

#[tokio::test]
async fn bad_command_lines() {
    let on = deployment().await;
    let before = started(&on).await;
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), good().document.unwrap_or_default()).expect("it is written");
    let good = file.path().display().to_string();
    for (what, arguments, code) in [
        ("no such file", vec!["run", "no/such/file.yaml"], 2),
        (
            "input that is not JSON",
            vec!["run", &good, "--input", "{"],
            2,
        ),
        ("no such option", vec!["run", &good, "--sideways"], 2),
        ("a scale below zero", vec!["run", &good, "--scale=-1"], 3),
        ("not the id of a run", vec!["status", "monday"], 2),
        ("no such run", vec!["status", "r-aaaaaaaaaaaaaaaaaaaa"], 3),
    ] {
        let said = foreshard(on.stack, &arguments);
        assert_eq!(said.code, code, "{what}: {}\n{}", said.out, said.err);
        assert!(!said.err.is_empty(), "{what} is said on standard error");
        let first = said.err.lines().next().unwrap_or_default();
        println!("{what:<30} exit {code}: {first}");
    }
    assert_eq!(started(&on).await, before, "something was started");
}
