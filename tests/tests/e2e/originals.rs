//! Definitions as Step Functions runs them: real functions, real state machines, real executions.

use flate2::Crc;
use foreshard_local_emulator::Emulator;
use serde_json::{Map, Value, json};

use super::runs::{PATIENCE, until};
use super::stack::Deployment;

/// What the functions do, by the last part of their names: every one tells what it was given.
const PROGRAM: &str = r#"
class Refused(Exception):
    pass

def handler(event, context):
    name = context.function_name
    given = event if isinstance(event, dict) else {"value": event}
    n = given.get("n", 0)
    if name.endswith("refuses"):
        raise Refused("not this one")
    if name.endswith("refuses-odd") and n % 2:
        raise Refused("odd")
    return {"n": n + 1, "by": name, "saw": event, "amount": n * 100, "list": [1, 2], "sum": n, "avg": n, "min": n, "max": n,
            "bucket": "b", "next_key": "k"}
"#;

/// Whether the emulator runs functions in Python; a line that says so where it does not.
pub fn can_run() -> bool {
    let emulator = Emulator::of_environment().expect("a known emulator");
    if emulator == Emulator::Localstack {
        println!("SKIPPED: originals: LocalStack without Docker runs native functions only");
    }
    emulator == Emulator::Ministack
}

/// Creates functions of these names.
pub async fn functions(on: &Deployment, names: impl IntoIterator<Item = &str>) {
    let archive = data_encoding::BASE64.encode(&zip("index.py", PROGRAM.as_bytes()));
    for name in names {
        let function = json!({
            "FunctionName": name, "Runtime": "python3.12", "Handler": "index.handler", "Timeout": 30,
            "Role": "arn:aws:iam::000000000000:role/original", "Code": {"ZipFile": archive},
        });
        on.cloud.create_function(&function).await;
    }
}

/// Runs a definition with an input: its output, or the name of the error that it ended with.
pub async fn run(
    on: &Deployment,
    name: &str,
    definition: &Value,
    input: &Value,
) -> Result<Value, String> {
    let call = async |action: &str, body: &Value| {
        on.cloud
            .json("states", &format!("AWSStepFunctions.{action}"), body)
            .await
    };
    let machine = json!({
        "name": name, "definition": with_payloads(definition).to_string(), "roleArn": "arn:aws:iam::000000000000:role/original",
    });
    let machine = call("CreateStateMachine", &machine).await["stateMachineArn"].clone();
    let start = json!({"stateMachineArn": machine, "input": input.to_string()});
    let execution = json!({"executionArn": call("StartExecution", &start).await["executionArn"]});
    let ended = until(PATIENCE, async || {
        let told = call("DescribeExecution", &execution).await;
        (told["status"] != "RUNNING").then_some(told)
    });
    let told = ended.await.unwrap_or_else(|| panic!("{name} does not end"));
    call("DeleteStateMachine", &json!({"stateMachineArn": machine})).await;
    match told["status"].as_str() {
        Some("SUCCEEDED") => {
            let output = told["output"].as_str().unwrap_or_default();
            Ok(without_metadata(
                serde_json::from_str(output).expect("an output is JSON"),
            ))
        }
        _ => Err(told["error"].as_str().unwrap_or_default().to_owned()),
    }
}

/// The definition with an empty payload wherever a call has none: that is what the function gets then. The embedded emulator
/// would give it the parameters of the call.
fn with_payloads(definition: &Value) -> Value {
    match definition {
        Value::Object(members) => {
            let parts = members.iter();
            let parts = parts.map(|(name, part)| (name.clone(), with_payloads(part)));
            let mut whole: Map<String, Value> = parts.collect();
            if whole.get("Resource") == Some(&json!("arn:aws:states:::lambda:invoke"))
                && let Some(Value::Object(parameters)) = whole.get_mut("Parameters")
                && !parameters.contains_key("Payload.$")
            {
                parameters.entry("Payload").or_insert_with(|| json!({}));
            }
            Value::Object(whole)
        }
        Value::Array(parts) => parts.iter().map(with_payloads).collect(),
        other => other.clone(),
    }
}

/// The value without what only Step Functions gives of a call: an import leaves it out, and says so.
fn without_metadata(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let of_calls = ["ExecutedVersion", "SdkHttpMetadata", "SdkResponseMetadata"];
            let kept = members
                .into_iter()
                .filter(|(name, _)| !of_calls.contains(&name.as_str()));
            kept.map(|(name, part)| (name, without_metadata(part)))
                .collect()
        }
        Value::Array(parts) => parts.into_iter().map(without_metadata).collect(),
        other => other,
    }
}

/// An archive with one file, stored as it is.
fn zip(name: &str, content: &[u8]) -> Vec<u8> {
    let mut crc = Crc::new();
    crc.update(content);
    let length = u32::try_from(content.len()).expect("it is small");
    let of_name = u16::try_from(name.len()).expect("it is short");
    // Version needed, flags, method (stored), time and date, checksum, both lengths, length of the name, no extra field.
    let mut head = vec![20, 0, 0, 0, 0, 0, 0, 0, 0x21, 0];
    for number in [crc.sum(), length, length] {
        head.extend(number.to_le_bytes());
    }
    head.extend(of_name.to_le_bytes());
    head.extend([0, 0]);
    let mut archive = b"PK\x03\x04".to_vec();
    archive.extend(&head);
    archive.extend(name.as_bytes());
    archive.extend(content);
    let at = u32::try_from(archive.len()).expect("it is small");
    let mut directory = b"PK\x01\x02\x14\x03".to_vec();
    directory.extend(&head);
    // No comment, first disk, no attributes but those of a file that all may read, at the beginning.
    directory.extend([0; 6]);
    directory.extend((0o100_644_u32 << 16).to_le_bytes());
    directory.extend(0_u32.to_le_bytes());
    directory.extend(name.as_bytes());
    let end = u32::try_from(directory.len()).expect("it is small");
    archive.extend(directory);
    archive.extend(b"PK\x05\x06\0\0\0\0\x01\0\x01\0");
    archive.extend(end.to_le_bytes());
    archive.extend(at.to_le_bytes());
    archive.extend([0, 0]);
    archive
}
