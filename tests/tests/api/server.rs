//! Serves the API over HTTP on this machine, with everything behind it in memory. It reads no signature: whoever calls is
//! one local user.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

use foreshard_fakes::{World, block_on, wire};
use foreshard_model::policy::StartRate;
use foreshard_stages::submit::{ApiRequest, ApiResponse, Identity, Ports, answer};

/// Longest body that is taken from a caller: above it the API refuses anyway.
const BODY_BYTES: usize = 8 * 1024 * 1024;

/// A running server; it ends with the process.
pub struct Server {
    pub world: Arc<World>,
    pub url: String,
}

/// Starts one on any free port.
pub fn serve() -> Server {
    let world = Arc::new(World::new());
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let url = format!("http://{}", listener.local_addr().expect("it is bound"));
    let ports = ports(&world);
    thread::spawn(move || {
        for (number, stream) in listener.incoming().flatten().enumerate() {
            let ports = ports.clone();
            thread::spawn(move || converse(&ports, stream, number));
        }
    });
    Server { world, url }
}

fn ports(world: &Arc<World>) -> Ports {
    Ports {
        // Time stands still here, so nothing would ever come back.
        start_rate: StartRate {
            burst: u32::MAX,
            per_minute: u32::MAX,
        },
        ..wire::submit(world)
    }
}

/// One request and its answer; a caller that says no whole request gets none.
fn converse(ports: &Ports, mut stream: TcpStream, number: usize) {
    let Some(request) = received(&stream, number) else {
        return;
    };
    let answer = block_on(answer(ports, &request));
    let _ = stream.write_all(&sent(&answer, request.method == "HEAD"));
}

fn received(stream: &TcpStream, number: usize) -> Option<ApiRequest> {
    let mut reader = BufReader::new(stream);
    let mut line = || {
        let mut text = Vec::new();
        reader.read_until(b'\n', &mut text).ok()?;
        let text = String::from_utf8_lossy(&text).trim_end().to_owned();
        Some(text)
    };
    let first = line()?;
    let mut words = first.split(' ');
    let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut headers = BTreeMap::new();
    loop {
        let header = line()?;
        let Some((name, value)) = header.split_once(':') else {
            break;
        };
        headers.insert(name.to_lowercase(), value.trim().to_owned());
    }
    let length: usize = headers
        .get("content-length")
        .map_or(Some(0), |l| l.parse().ok())?;
    let mut body = vec![0; length.min(BODY_BYTES)];
    reader.read_exact(&mut body).ok()?;
    let url = reqwest::Url::parse("http://memory")
        .ok()?
        .join(&target)
        .ok()?;
    Some(ApiRequest {
        method,
        path: url.path().to_owned(),
        query: url.query_pairs().into_owned().collect(),
        headers,
        body,
        identity: Some(Identity {
            account: "000000000000".to_owned(),
            principal: "arn:aws:iam::000000000000:user/local".to_owned(),
        }),
        request_id: format!("request-{number}"),
    })
}

fn sent(answer: &ApiResponse, head_only: bool) -> Vec<u8> {
    let mut head = format!(
        "HTTP/1.1 {} -\r\ncontent-type: {}\r\ncontent-length: {}\r\nconnection: close\r\n",
        answer.status,
        answer.content_type,
        answer.body.len()
    );
    for (name, value) in &answer.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str("\r\n");
    let mut bytes = head.into_bytes();
    if !head_only {
        bytes.extend(&answer.body);
    }
    bytes
}
