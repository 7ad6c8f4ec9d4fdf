//! `http` tasks against a server of the test.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};

use foreshard_model::message::Cause;
use serde_json::json;

use crate::bench::{Bench, With as _, http};

/// Answers by path, one connection after the other, as long as the test lives. Gives its address.
fn serve() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            answer(stream);
        }
    });
    address
}

fn answer(mut stream: TcpStream) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut head = String::new();
    while reader.read_line(&mut head).unwrap_or(0) > 2 {}
    let length = head.lines().find_map(|l| {
        l.to_ascii_lowercase()
            .strip_prefix("content-length: ")?
            .parse()
            .ok()
    });
    let mut body = vec![0; length.unwrap_or(0)];
    reader.read_exact(&mut body).unwrap();
    let body = String::from_utf8(body).unwrap();
    let line = head.lines().next().unwrap_or_default().to_owned();
    let path = line.split(' ').nth(1).unwrap_or_default();
    let (status, extra, text) = match path.split('?').next().unwrap_or_default() {
        "/echo" => (
            "200 OK",
            String::new(),
            json!({"line": line, "body": body, "head": head}).to_string(),
        ),
        "/none" => ("204 No Content", String::new(), String::new()),
        "/text" => ("200 OK", String::new(), "not json".to_owned()),
        "/missing" => ("404 Not Found", String::new(), "no such thing".to_owned()),
        "/busy" => ("503 Service Unavailable", String::new(), "later".to_owned()),
        "/loop" => ("302 Found", "location: /loop\r\n".to_owned(), String::new()),
        "/metadata" => (
            "302 Found",
            "location: http://169.254.169.254/latest\r\n".to_owned(),
            String::new(),
        ),
        "/moved" => ("302 Found", "location: /echo\r\n".to_owned(), String::new()),
        _ => return, // closes without an answer
    };
    let head = format!(
        "HTTP/1.1 {status}\r\nconnection: close\r\n{extra}content-length: {}\r\n\r\n",
        text.len()
    );
    let _gone = stream.write_all((head + &text).as_bytes());
}

#[tokio::test]
async fn the_input_goes_with_the_request_and_the_answer_is_the_output() {
    let (bench, server) = (Bench::new(), serve());
    let post = http("post", "POST", &format!("http://{server}/echo")).constant("x", json!(1));
    let output = bench.output(post).await;
    assert_eq!(output["body"], json!("{\"x\":1}"));
    let trace = "traceparent: 00-0af7651916cd43dd8448eb211c80319c-";
    assert!(output["head"].as_str().unwrap().contains(trace), "{output}");
    let get = http("get", "GET", &format!("http://{server}/echo?a=1"))
        .constant("x", json!("y z"))
        .constant("n", json!([2]));
    assert_eq!(
        bench.output(get).await["line"],
        json!("GET /echo?a=1&n=%5B2%5D&x=y+z HTTP/1.1")
    );
    assert_eq!(
        bench
            .output(http("none", "DELETE", &format!("http://{server}/none")))
            .await,
        json!(null)
    );
    assert!(
        bench
            .output(http("moved", "GET", &format!("http://{server}/moved")))
            .await
            .is_object()
    );
}

#[tokio::test]
async fn a_failure_tells_whether_a_repeat_may_help() {
    let (bench, server) = (Bench::new(), serve());
    let closed = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let table = [
        (format!("http://{server}/missing"), Cause::TaskFailed),
        (format!("http://{server}/busy"), Cause::Unavailable),
        (format!("http://{server}/silence"), Cause::Unavailable),
        (format!("http://{closed}/"), Cause::Unavailable),
        (format!("http://{server}/text"), Cause::BadOutput),
        (format!("http://{server}/loop"), Cause::TaskFailed),
        (format!("http://{server}/metadata"), Cause::TaskFailed),
        (
            "http://169.254.169.254/latest/meta-data".to_owned(),
            Cause::TaskFailed,
        ),
        (
            "http://user:secret@[::ffff:169.254.169.254]/".to_owned(),
            Cause::TaskFailed,
        ),
        ("not a url".to_owned(), Cause::TaskFailed),
    ];
    for (url, expected) in table {
        let (cause, message) = bench.failure(http("call", "GET", &url)).await;
        assert_eq!(cause, expected, "{url}: {message}");
        assert!(
            !message.contains("secret") && !message.contains("no such thing"),
            "{message}"
        );
    }
    let (_, _) = bench
        .failure(http("call", "GET", &format!("http://{server}/missing")))
        .await;
    assert_eq!(bench.log("call"), "no such thing");
}

#[tokio::test]
async fn nobody_takes_an_invocation_from_the_runtime_api() {
    let server = serve();
    let bench = Bench::with(
        |settings| settings.runtime_api = Some(server.clone()),
        |_| {},
    );
    let port = server.rsplit_once(':').unwrap().1;
    for host in ["127.0.0.1", "localhost", "0.0.0.0"] {
        let url = format!("http://{host}:{port}/echo");
        let outcome = bench
            .execute(&bench.shard(0, vec![http("steal", "GET", &url)]))
            .await;
        assert!(outcome.failure.is_some(), "{url}");
    }
}
