//! The client against a server that answers from a script: what is signed, what is repeated, what errors become.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::thread::JoinHandle;

use foreshard_model::api::{SubmitRequest, UploadKind};
use foreshard_model::ids::RunId;

use super::{ApiClient, ApiError};
use crate::sdk::Credentials;

/// One request as the server saw it: its first line and headers, lower case, and its body.
struct Seen {
    head: String,
    body: String,
}

/// Answers one request for each status and body of the script, each on a connection of its own.
fn server(script: Vec<(u16, String)>) -> (String, JoinHandle<Vec<Seen>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let handle = std::thread::spawn(move || {
        script
            .into_iter()
            .map(|(status, body)| {
                let (stream, _) = listener.accept().unwrap();
                let mut reader = BufReader::new(stream.try_clone().unwrap());
                let mut head = String::new();
                let mut line = String::new();
                while reader.read_line(&mut line).unwrap() > 2 {
                    head += &line.to_ascii_lowercase();
                    line.clear();
                }
                let length = head
                    .lines()
                    .find_map(|l| l.strip_prefix("content-length: "))
                    .map_or(0, |n| n.trim().parse().unwrap());
                let mut bytes = vec![0; length];
                reader.read_exact(&mut bytes).unwrap();
                let mut stream = stream;
                write!(
                    stream,
                    "HTTP/1.1 {status} X\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
                    body.len()
                )
                .unwrap();
                Seen {
                    head,
                    body: String::from_utf8(bytes).unwrap(),
                }
            })
            .collect()
    });
    (address, handle)
}

fn client(address: &str) -> ApiClient {
    let credentials = Credentials::new("AK", "secret", Some("session".into()), None, "test");
    ApiClient::new(&format!("{address}/live/"), "eu-west-1", credentials).unwrap()
}

const VIEW: &str = r#"{"run":"r-a","state":"running","workflow":"w","principal":"p","trace_id":"t","accepted_at":1,"round":0}"#;
const SUBMITTED: &str = r#"{"run":"r-a","created":true,"started":true}"#;

#[tokio::test(flavor = "current_thread")]
async fn a_read_is_signed_and_repeated_until_it_is_answered() {
    let (address, server) = server(vec![
        (502, "{\"message\":\"Internal server error\"}".into()),
        (429, "{\"message\":\"Too Many Requests\"}".into()),
        (200, VIEW.into()),
    ]);
    let view = client(&address).run(&"r-a".into()).await.unwrap();
    assert_eq!(view.run, RunId::from("r-a"));
    let seen = server.join().unwrap();
    assert!(
        seen[2].head.starts_with("get /live/runs/r-a http/1.1"),
        "{}",
        seen[2].head
    );
    for header in [
        "authorization: aws4-hmac-sha256",
        "x-amz-date: ",
        "x-amz-security-token: session",
    ] {
        assert!(seen[0].head.contains(header), "{header}: {}", seen[0].head);
    }
}

#[tokio::test(flavor = "current_thread")]
async fn a_submission_is_repeated_only_with_a_key() {
    let (address, served) = server(vec![(503, "{}".into())]);
    let request = SubmitRequest {
        document: Some("tasks: []".into()),
        ..SubmitRequest::default()
    };
    let error = client(&address).submit(&request, None).await.unwrap_err();
    assert!(matches!(error, ApiError::Unreachable(_)), "{error}");
    assert_eq!(served.join().unwrap().len(), 1);

    let (address, served) = server(vec![(503, "{}".into()), (202, SUBMITTED.into())]);
    client(&address).submit(&request, Some("k1")).await.unwrap();
    let seen = served.join().unwrap();
    assert!(seen[1].head.contains("idempotency-key: k1"));
    assert_eq!(seen[0].body, seen[1].body);
}

#[tokio::test(flavor = "current_thread")]
async fn a_refusal_is_the_problem_that_the_api_states() {
    let problem = r#"{"type":"errors.md#fs3001","title":"no such run","status":404,"code":"FS3001","detail":"`r-a`"}"#;
    let (address, served) = server(vec![(404, problem.into())]);
    let error = client(&address).cancel(&"r-a".into()).await.unwrap_err();
    assert_eq!(error.to_string(), "no such run (FS3001): `r-a`");
    let seen = served.join().unwrap();
    assert!(
        seen[0].head.starts_with("post /live/runs/r-a/cancel"),
        "{}",
        seen[0].head
    );
}

#[tokio::test(flavor = "current_thread")]
async fn an_answer_of_somebody_else_is_said_so() {
    let (address, served) = server(vec![(200, "<html>".into())]);
    let error = client(&address).pool().await.unwrap_err();
    assert!(
        error.to_string().contains("not an answer of this API"),
        "{error}"
    );
    served.join().unwrap();
    let nowhere = ApiClient::new(
        "ftp://x",
        "r",
        Credentials::new("a", "b", None, None, "test"),
    );
    assert!(matches!(nowhere, Err(ApiError::Local(_))));
}

#[tokio::test(flavor = "current_thread")]
async fn a_file_is_sent_once_and_not_at_all_when_it_is_there() {
    let (bucket, stored) = server(vec![(503, "slow down".into()), (200, String::new())]);
    let place = format!(
        r#"{{"id":"u1","present":false,"url":"{bucket}/b/k?sig=1","headers":{{"content-length":"5","x-amz-checksum-sha256":"abc="}}}}"#
    );
    let there = r#"{"id":"u1","present":true,"url":"","headers":{}}"#;
    let (address, served) = server(vec![(200, place), (200, there.into())]);
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "hello").unwrap();
    let client = client(&address);
    let sent = client.upload_file(UploadKind::Bundle, file.path()).await;
    assert_eq!(sent.unwrap(), "u1");
    assert_eq!(
        client.upload(UploadKind::Bundle, b"hello").await.unwrap(),
        "u1"
    );
    let seen = stored.join().unwrap();
    assert_eq!(seen[1].body, "hello");
    assert!(seen[1].head.starts_with("put /b/k?sig=1"));
    assert!(seen[1].head.contains("x-amz-checksum-sha256: abc="));
    assert_eq!(seen[1].head.matches("content-length").count(), 1);
    let asked: serde_json::Value = serde_json::from_str(&served.join().unwrap()[0].body).unwrap();
    assert_eq!(asked["bytes"], 5);
}
