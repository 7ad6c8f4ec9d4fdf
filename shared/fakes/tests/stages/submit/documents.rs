//! Documents that do not come with the request: uploads, bundles, registered workflows.

use std::io::Write as _;

use foreshard_model::ids::Sha256Hex;
use serde_json::{Value, json};

use crate::caller::{ACCOUNT, CHAIN, CYCLE, Caller, refused, run_of};

/// A document that refers to a registered one.
const OUTER: &str = r#"
foreshard: 1
name: outer
version: "1"
tasks:
  - {id: all, kind: workflow, workflow: "chain@1"}
"#;

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn a_gzipped_document_is_taken_as_it_is() {
    let caller = Caller::new();
    let bytes = gzip(CHAIN);
    let body = json!({"document_gzip": data_encoding::BASE64.encode(&bytes)});
    let answer = caller.submit_body("k", &body);
    assert_eq!(answer.status, 202, "{}", answer.value());
    let item = caller.world.run_item(&run_of(&answer)).unwrap();
    assert_eq!(caller.world.blob(&item.document.key).unwrap(), bytes);
    let bomb = gzip(&format!("{CHAIN}\n#{}", " ".repeat(5 * 1024 * 1024)));
    let body = json!({"document_gzip": data_encoding::BASE64.encode(&bomb)});
    let answer = caller.submit_body("bomb", &body);
    assert!(
        refused(&answer).starts_with("413 FS3008"),
        "{}",
        answer.value()
    );
}

#[test]
fn an_upload_is_answered_with_a_link_until_its_content_is_there() {
    let caller = Caller::new();
    let digest = Sha256Hex::of(CHAIN.as_bytes());
    let wanted = |kind: &str, bytes: usize| json!({"kind": kind, "sha256": digest, "bytes": bytes});
    let answer = caller.call("POST", "/uploads", &wanted("document", CHAIN.len()));
    assert_eq!(answer.status, 200);
    assert_eq!(answer.value()["present"], false);
    let url = answer.value()["url"].as_str().unwrap().to_owned();
    assert!(
        url.contains(&format!("uploads/{ACCOUNT}/{digest}")),
        "{url}"
    );

    caller.world.put_blob(
        &format!("uploads/{ACCOUNT}/{digest}"),
        CHAIN.as_bytes().to_vec(),
    );
    let again = caller.call("POST", "/uploads", &wanted("document", CHAIN.len()));
    assert_eq!(again.value()["present"], true);
    let run = caller.submit_body("k", &json!({ "upload": digest }));
    assert_eq!(run.status, 202, "{}", run.value());

    for (body, expected) in [
        (wanted("document", 0), "413 FS3008"),
        (wanted("bundle", 251 * 1024 * 1024), "413 FS3008"),
        (wanted("picture", 1), "400 FS3001"),
        (
            json!({"kind": "bundle", "sha256": "short", "bytes": 1}),
            "400 FS3001",
        ),
    ] {
        let answer = caller.call("POST", "/uploads", &body);
        assert!(
            refused(&answer).starts_with(expected),
            "{}",
            refused(&answer)
        );
    }
}

#[test]
fn a_large_upload_is_accepted_unread_and_a_bad_small_one_is_refused() {
    let caller = Caller::new();
    let put = |bytes: Vec<u8>| {
        let digest = Sha256Hex::of(&bytes);
        caller
            .world
            .put_blob(&format!("uploads/{ACCOUNT}/{digest}"), bytes);
        digest
    };
    let large = put(vec![b' '; 5 * 1024 * 1024]);
    let answer = caller.submit_body("large", &json!({ "upload": large }));
    assert_eq!(answer.status, 202, "{}", answer.value());
    let item = caller.world.run_item(&run_of(&answer)).unwrap();
    assert_eq!(item.document.key, format!("uploads/{ACCOUNT}/{large}"));

    let bad = put(CYCLE.as_bytes().to_vec());
    let answer = caller.submit_body("bad", &json!({ "upload": bad }));
    assert!(refused(&answer).starts_with("400 FS3009"));
    let swapped = "b".repeat(64);
    caller
        .world
        .put_blob(&format!("uploads/{ACCOUNT}/{swapped}"), b"x".to_vec());
    let answer = caller.submit_body("swapped", &json!({ "upload": swapped }));
    assert!(refused(&answer).starts_with("400 FS3012"));
}

#[test]
fn a_workflow_is_registered_once_and_referred_to() {
    let caller = Caller::new();
    let put = |document: &str| caller.call("PUT", "/workflows", &json!({ "document": document }));
    let missing = caller.submit("k", OUTER);
    assert_eq!(missing.value()["problems"][0]["code"], "FS1030");

    let first = put(CHAIN);
    assert_eq!(first.status, 201, "{}", first.value());
    assert_eq!(first.value(), json!({"name": "chain", "version": "1"}));
    assert_eq!(put(CHAIN).status, 200);
    let changed = put(&CHAIN.replace("0.1", "0.2"));
    assert!(refused(&changed).starts_with("409 FS3016"));
    assert!(refused(&put(CYCLE)).starts_with("400 FS3009"));
    assert_eq!(put(OUTER).status, 201);

    let answer = caller.submit("k", OUTER);
    assert_eq!(answer.status, 202, "{}", answer.value());
    let listed = caller.get("/workflows").value();
    assert_eq!(
        listed["workflows"],
        json!([{"name": "chain", "version": "1"}, {"name": "outer", "version": "1"}])
    );
    let page = caller.get("/workflows?limit=1").value();
    let rest = caller
        .get(&format!(
            "/workflows?after={}",
            page["next"].as_str().unwrap()
        ))
        .value();
    assert_eq!(rest["workflows"][0]["name"], "outer");

    let shown = caller.get("/workflows/chain/1").value();
    assert_eq!(shown["document"], CHAIN);
    let none = caller.get("/workflows/chain/2");
    assert!(refused(&none).starts_with("404 FS3017"));
    let stranger = Caller::of("210987654321", &caller.world);
    assert_eq!(stranger.get("/workflows/chain/1").status, 404);
    assert_eq!(stranger.get("/workflows").value()["workflows"], json!([]));
}

#[test]
fn bundles_go_with_the_run_and_a_folder_without_one_is_refused() {
    let caller = Caller::new();
    let document = r#"
foreshard: 1
name: count
version: "1"
tasks:
  - {id: a, kind: command, run: [./count], bundle: programs}
"#;
    let bytes = b"a tar".to_vec();
    let digest = Sha256Hex::of(&bytes);
    caller
        .world
        .put_blob(&format!("bundles/{ACCOUNT}/{digest}"), bytes);
    let without = caller.submit("k", document);
    assert_eq!(without.status, 400);
    let code = without.value()["problems"][0]["code"].clone();
    assert!(code.as_str().unwrap().starts_with("FS2"), "{code}");
    let body = json!({"document": document, "bundles": {"programs": digest}});
    let answer = caller.submit_body("k", &body);
    assert_eq!(answer.status, 202, "{}", answer.value());
    let item = caller.world.run_item(&run_of(&answer)).unwrap();
    assert_eq!(item.bundles["programs"].bytes, 5);
    assert_ne!(answer.value(), Value::Null);
}
