//! No payload and no credential is in a line of a log, nor in what is stored of a failure: everything that a caller sends
//! carries a word that is looked for afterwards.

use std::io::{Result as Written, Write};
use std::sync::{Arc, Mutex};

use foreshard_fakes::machine::{Chaos, Fates};
use serde_json::json;
use tracing::field::Empty;
use tracing_subscriber::filter::LevelFilter;

use crate::caller::{CHAIN, Caller};
use crate::through::story_of;

/// In the document, the input, the baggage, headers, bodies: in nothing that is logged.
const CANARY: &str = "canary-7f3a91";

/// A log, whole.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> Written<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> Written<()> {
        Ok(())
    }
}

/// What is logged while `act` runs.
fn logged(act: impl FnOnce()) -> Vec<String> {
    let log = Log::default();
    let lines = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .json()
        .with_max_level(LevelFilter::TRACE)
        .with_writer(move || lines.clone())
        .finish();
    tracing::subscriber::with_default(subscriber, || {
        let span = tracing::info_span!("call", run = Empty, trace_id = Empty, tenant = Empty);
        span.in_scope(act);
    });
    let bytes = log.0.lock().unwrap().clone();
    let text = String::from_utf8(bytes).unwrap();
    text.lines().map(str::to_owned).collect()
}

/// Requests that are refused, each for another reason, each full of canaries.
fn refusals(caller: &Caller) {
    let document = CHAIN.replace("chain", CANARY);
    let bad = format!("{CANARY}: {CANARY}\ntasks: {CANARY}");
    for body in [
        json!({ "document": bad }),
        json!({ "document": document.replace("kind: synthetic", &format!("kind: {CANARY}")) }),
        json!({ "document": document, "role": CANARY }),
        json!({ "document": document, "options": {CANARY: 1} }),
        json!({ "document": document, "bundles": {CANARY: CANARY} }),
        json!({ "document_gzip": CANARY }),
        json!({ "upload": CANARY }),
        json!({ "document": document, "baggage": {CANARY: "x".repeat(5_000)} }),
        json!(CANARY),
    ] {
        for path in ["/runs", "/validate", "/workflows", "/uploads"] {
            let method = if path == "/workflows" { "PUT" } else { "POST" };
            let mut request = caller.request(method, path, &body);
            for name in ["authorization", "x-amz-security-token", "idempotency-key"] {
                let value = format!("{CANARY} {name}");
                request.headers.insert(name.to_owned(), value);
            }
            caller.send(&request);
        }
    }
    for path in [
        format!("/{CANARY}"),
        format!("/runs/{CANARY}"),
        format!("/runs?limit={CANARY}"),
        format!("/runs?after={CANARY}"),
        format!("/runs?state={CANARY}"),
        format!("/workflows/{CANARY}/1"),
    ] {
        caller.get(&path);
        caller.call(CANARY, &path, &json!(null));
    }
    caller.submit(CANARY, CHAIN);
    caller.submit(CANARY, &document);
}

#[test]
fn no_request_leaves_its_payload_in_the_log() {
    let caller = Caller::new();
    let lines = logged(|| {
        refusals(&caller);
        caller.world.faults(|f| f.arm_read(0));
        caller.submit("k", &CHAIN.replace("chain", CANARY));
    });
    assert!(lines.len() > 40, "{} lines", lines.len());
    let telling: Vec<&String> = lines.iter().filter(|line| line.contains(CANARY)).collect();
    assert!(telling.is_empty(), "{telling:#?}");
}

#[test]
fn no_run_leaves_its_payload_in_the_log_or_in_what_is_stored_of_its_failures() {
    let fates = Fates {
        lost: 100,
        throttled: 100,
        timeout: 50,
        unavailable: 50,
        yielded: 100,
        ..Fates::default()
    };
    let mut ended = Vec::new();
    let lines = logged(|| {
        for seed in 0..8 {
            let body = json!({
                "options": {"shard_tasks_max": 1, "trace": true},
                "input": {"secret": CANARY}, "baggage": {"token": CANARY},
            });
            ended.push(story_of(seed, &Chaos::heavy(), fates, &body));
        }
    });
    for story in &ended {
        let item = story.caller.world.run_item(&story.run).unwrap();
        let told = format!(
            "{:?} {:?}",
            item.cause,
            story.caller.world.ledger(&story.run)
        );
        assert!(!told.contains(CANARY), "{told}");
        let trace = format!("\"trace_id\":\"{}\"", item.context.trace_id);
        let owner = format!("\"tenant\":\"{}\"", item.context.tenant);
        for field in [trace, owner] {
            assert!(lines.iter().any(|line| line.contains(&field)), "{field}");
        }
    }
    let telling: Vec<&String> = lines.iter().filter(|line| line.contains(CANARY)).collect();
    assert!(telling.is_empty(), "{telling:#?}");
}
