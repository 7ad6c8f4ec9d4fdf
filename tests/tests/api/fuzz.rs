//! Schemathesis over the API as it describes itself: no server error, and no answer that is not described.
//!
//! `make fuzz-api` makes its environment. Without it nothing is fuzzed, and the test says so.

use std::path::{Path, PathBuf};
use std::process::Command;

use foreshard_aws::client::ApiClient;
use foreshard_aws::sdk::Credentials;

use super::server::serve;

/// Requests that are made up for each operation in the short run.
const EXAMPLES: &str = "25";

/// The short run always makes up the same requests.
const SEED: &str = "20261121";

/// What every answer is held against.
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,\
                      response_headers_conformance,response_schema_conformance";

/// What a gateway does not let through to the API.
const OF_THE_API: &str = ",unsupported_method";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// A variable of the environment, or what stands for it.
fn variable(name: &str, default: &str) -> String {
    std::env::var(name).unwrap_or(default.to_owned())
}

/// Fetches the description that the deployment serves, and keeps it where Schemathesis reads it.
async fn described(url: &str) -> PathBuf {
    let key = variable("AWS_ACCESS_KEY_ID", "test");
    let secret = variable("AWS_SECRET_ACCESS_KEY", "test");
    let credentials = Credentials::new(key, secret, None, None, "environment");
    let region = variable("AWS_REGION", "us-east-1");
    let client = ApiClient::new(url, &region, credentials).expect("it is an address");
    let described = client.description().await.expect("it is served");
    let file = root().join("target/fuzz-api/openapi.json");
    std::fs::write(&file, described.to_string()).expect("written");
    file
}

#[tokio::test]
async fn schemathesis_finds_no_server_error_and_nothing_undescribed() {
    let program = root().join("target/fuzz-api/venv/bin/schemathesis");
    let required = std::env::var("FORESHARD_FUZZ_EXAMPLES");
    if required.is_err() && !program.is_file() {
        println!(
            "SKIPPED: there is no `{}`: `make fuzz-api`",
            program.display()
        );
        return;
    }
    // A deployment, signed with the usual environment; else the API in memory.
    let (url, checks) = match std::env::var("FORESHARD_FUZZ_URL") {
        Ok(url) => (url, CHECKS.to_owned()),
        Err(_) => (serve().url, format!("{CHECKS}{OF_THE_API}")),
    };
    let answer = Command::new(&program)
        .arg("run")
        .arg(described(&url).await)
        .args(["--url", &url, "--checks", &checks])
        .args(["--phases", "examples,coverage,fuzzing,stateful"])
        .args(["--max-examples", required.as_deref().unwrap_or(EXAMPLES)])
        .args(["--seed", &variable("FORESHARD_FUZZ_SEED", SEED)])
        .args(["--workers", "1", "--no-color"])
        .args(["--generation-database", "none", "--warnings", "off"])
        .current_dir(root())
        .env("SCHEMATHESIS_HOOKS", "tests/fuzz-api/hooks.py")
        .env("AWS_ACCESS_KEY_ID", variable("AWS_ACCESS_KEY_ID", "test"))
        .env(
            "AWS_SECRET_ACCESS_KEY",
            variable("AWS_SECRET_ACCESS_KEY", "test"),
        )
        .env("AWS_REGION", variable("AWS_REGION", "us-east-1"))
        .output()
        .expect("schemathesis starts: `make fuzz-api`");
    let said = String::from_utf8_lossy(&answer.stdout);
    println!("{said}\n{}", String::from_utf8_lossy(&answer.stderr));
    assert!(answer.status.success(), "schemathesis has found something");
    assert!(said.contains(" passed"), "nothing was tested");
}
