//! The kinds of task that reach out of the worker: an existing Lambda function, and an HTTP server.

use serde_json::json;

use super::documents::document;
use super::runs;
use super::stack::deployment;

/// The function and the server are the deployment's own: its API asked as a function, the emulator's health by HTTP. The
/// function does not believe who the task says to be: it answers that, and a function's answer is a task's output.
#[tokio::test]
async fn functions_and_servers_are_called() {
    let on = deployment().await;
    let caller = json!({ "identity": {
        "accountId": "000000000000", "userArn": "arn:aws:iam::000000000000:user/task",
        "caller": "AIDATASK", "accessKey": "AKIATASK",
    } });
    let mut document = document(vec![
        json!({
            "id": "pool", "kind": "lambda", "function": on.stack.function("submit"),
            "inputs": {
                "httpMethod": { "value": "GET" }, "path": { "value": "/pool" }, "requestContext": { "value": caller },
            },
        }),
        json!({
            "id": "health", "kind": "http", "url": format!("{}/_foreshard/health", on.stack.record.endpoint),
        }),
        json!({
            "id": "both", "kind": "handler", "handler": "collect", "needs": ["pool", "health"],
            "inputs": {
                "status": { "task": "pool", "path": "$.statusCode" },
                "body": { "task": "pool", "path": "$.body" },
                "health": { "task": "health" },
            },
        }),
    ]);
    document["outputs"] = json!({ "both": { "task": "both" } });
    let item = runs::run(&on, &document, runs::traced()).await;
    let result = on.api.result(&item.run).await.expect("the result is there");
    let both = &result.outputs["both"];
    assert_eq!(both["status"], 403, "{both}");
    let body = both["body"].as_str().unwrap_or_default();
    assert!(body.contains("FS3004"), "{body}");
    assert!(both["health"].to_string().contains("ready"), "{both}");
}
