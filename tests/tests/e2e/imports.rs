//! Imported definitions beside their originals: the same input, real functions, the same result.

use std::collections::BTreeSet;
use std::io::Read as _;

use flate2::read::GzDecoder;
use foreshard_engine::asl::{self, Options};
use foreshard_model::api::SubmitRequest;
use foreshard_model::run::RunState;
use serde_json::{Value, json};

use super::stack::{Deployment, deployment};
use super::{originals, runs};

fn call(function: &str, extra: Value) -> Value {
    let mut state = json!({
        "Type": "Task", "Resource": "arn:aws:states:::lambda:invoke",
        "Parameters": {"FunctionName": function, "Payload.$": "$"}, "OutputPath": "$.Payload"
    });
    state
        .as_object_mut()
        .expect("an object")
        .extend(extra.as_object().cloned().unwrap_or_default());
    state
}

/// Definitions that use what an import knows, each with inputs.
fn fixtures() -> Vec<(&'static str, Value, Vec<Value>)> {
    let sequence = json!({"StartAt": "One", "States": {
        "One": call("original-one", json!({"OutputPath": "$", "ResultSelector": {"n.$": "$.Payload.n"}, "ResultPath": "$.one", "Next": "Say"})),
        "Say": {"Type": "Pass", "Parameters": {"n.$": "$.one.n", "text.$": "States.Format('{} of {}', $.one.n, $.name)",
            "list.$": "States.Array($.n, 'x')", "fixed": {"deep": [1, null]}}, "Next": "Two"},
        "Two": call("original-two", json!({"End": true}))
    }});
    let parallel = json!({"StartAt": "Both", "States": {
        "Both": {"Type": "Parallel", "ResultPath": "$.both", "Next": "All", "Branches": [
            {"StartAt": "Left", "States": {"Left": call("original-left", json!({"End": true}))}},
            {"StartAt": "Right", "States": {"Right": {"Type": "Pass", "Result": 7, "End": true}}}]},
        "All": {"Type": "Pass", "Parameters": {"left.$": "$.both[0].n", "right.$": "$.both[1]", "n.$": "$.n"}, "End": true}
    }});
    let map = json!({"StartAt": "List", "States": {
        "List": {"Type": "Pass", "Result": [{"n": 1}, {"n": 5}], "ResultPath": "$.items", "Next": "Each"},
        "Each": {"Type": "Map", "ItemsPath": "$.items", "ItemSelector": {"n.$": "$$.Map.Item.Value.n", "at.$": "$$.Map.Item.Index", "of.$": "$.name"},
            "ItemProcessor": {"ProcessorConfig": {"Mode": "INLINE"}, "StartAt": "One", "States": {"One": call("original-one", json!({"End": true}))}},
            "ResultSelector": {"all.$": "$[*].n"}, "End": true}
    }});
    let choice = json!({"StartAt": "Large", "States": {
        "Large": {"Type": "Choice", "Choices": [{"And": [{"Variable": "$.n", "IsPresent": true}, {"Variable": "$.n", "NumericGreaterThan": 3}], "Next": "Left"},
            {"Variable": "$.name", "StringMatches": "a*", "Next": "Right"}], "Default": "Neither"},
        "Left": call("original-left", json!({"Next": "Last"})),
        "Right": call("original-right", json!({"Next": "Last"})),
        "Neither": {"Type": "Fail", "Error": "Neither", "Cause": "no rule"},
        "Last": {"Type": "Pass", "Parameters": {"by.$": "$.by"}, "End": true}
    }});
    // The embedded emulator names every error of a Python function alike, whatever the exception.
    let refused = json!(["Refused", "Runtime.HandlerError"]);
    let errors = json!({"StartAt": "Try", "States": {
        "Try": call("original-refuses-odd", json!({
            "Retry": [{"ErrorEquals": refused, "IntervalSeconds": 1, "MaxAttempts": 1}],
            "Catch": [{"ErrorEquals": refused, "ResultPath": "$.error", "Next": "Caught"}], "Next": "Fine"})),
        "Caught": {"Type": "Pass", "Parameters": {"name.$": "$.error.Error", "n.$": "$.n"}, "End": true},
        "Fine": {"Type": "Succeed"}
    }});
    let fails = json!({"StartAt": "Try", "States": {"Try": call("original-refuses", json!({"End": true}))}});
    let input = |n: i64, name: &str| json!({"n": n, "name": name});
    vec![
        ("sequence", sequence, vec![input(1, "x")]),
        ("parallel", parallel, vec![input(2, "x")]),
        ("map", map, vec![input(3, "x")]),
        (
            "choice",
            choice,
            vec![input(4, "x"), input(1, "ab"), input(1, "x")],
        ),
        ("errors", errors, vec![input(1, "x"), input(2, "x")]),
        ("fails", fails, vec![input(1, "x")]),
    ]
}

/// Runs both, and holds the one against the other. Whether it was a success.
async fn compare(on: &Deployment, name: &str, definition: &Value, input: &Value) -> bool {
    let import = asl::import(definition.to_string().as_bytes(), &Options::default());
    let import = import.unwrap_or_else(|problems| panic!("{name}: {problems:#?}"));
    let document = import
        .document
        .unwrap_or_else(|| panic!("{name}: {:#?}", import.findings));
    let request = SubmitRequest {
        document: Some(document.clone()),
        input: Some(input.clone()),
        ..SubmitRequest::default()
    };
    let accepted = on.api.submit(&request, None).await;
    let original = originals::run(on, &format!("original-{name}"), definition, input).await;
    let run = match accepted {
        Ok(answer) => answer.run,
        // A request is refused for what an execution fails for.
        Err(error) => {
            assert!(
                original.is_err(),
                "{name}: {error} beside {original:?}\n{document}"
            );
            return false;
        }
    };
    let item = runs::ended(on, &run, runs::PATIENCE).await;
    let imported = match item.state {
        RunState::Succeeded => {
            Ok(on.api.result(&run).await.expect("a result").outputs["output"].clone())
        }
        _ => Err(()),
    };
    match (&original, &imported) {
        (Ok(original), Ok(imported)) => {
            assert_eq!(imported, original, "{name} {input}\n{document}")
        }
        (Err(_), Err(())) => {}
        _ => panic!(
            "{name} {input}: {original:?} and {imported:?}\n{document}\n{}",
            runs::diagnosis(on, &run).await
        ),
    }
    println!(
        "{name} {input}: both {}",
        if original.is_ok() {
            "give the same"
        } else {
            "fail"
        }
    );
    original.is_ok()
}

/// The functions that a definition calls.
fn called(value: &Value, names: &mut BTreeSet<String>) {
    for (field, part) in value.as_object().into_iter().flatten() {
        match (field.as_str(), part.as_str()) {
            ("FunctionName", Some(name)) => drop(names.insert(name.to_owned())),
            ("Resource", Some(name)) if !name.starts_with("arn:aws:states") => {
                names.insert(name.rsplit(':').next().unwrap_or_default().to_owned());
            }
            _ => called(part, names),
        }
    }
    for part in value.as_array().into_iter().flatten() {
        called(part, names);
    }
}

#[tokio::test]
async fn imported_definitions_give_what_their_originals_give() {
    if !originals::can_run() {
        return;
    }
    let on = deployment().await;
    let mut succeeded = 0;
    for (name, definition, inputs) in fixtures() {
        let mut names = BTreeSet::new();
        called(&definition, &mut names);
        originals::functions(&on, names.iter().map(String::as_str)).await;
        for input in inputs {
            succeeded += usize::from(compare(&on, name, &definition, &input).await);
        }
    }
    assert_eq!(succeeded, 7, "all but the two that are to fail");
}

/// The recorded definitions whose tasks are functions: every one that can be imported as it is.
#[tokio::test]
async fn recorded_definitions_give_what_their_originals_give() {
    if !originals::can_run() {
        return;
    }
    let on = deployment().await;
    let file = on.stack.root().join("../shared/data/asl/asl.jsonl.gz");
    let required = std::env::var("FORESHARD_SHARED").is_ok_and(|how| how == "required");
    if !file.is_file() && !required {
        println!(
            "SKIPPED: recorded definitions: there is no `{}`",
            file.display()
        );
        return;
    }
    let packed = std::fs::read(&file).expect("the definitions are there");
    let mut text = String::new();
    GzDecoder::new(packed.as_slice())
        .read_to_string(&mut text)
        .expect("it is gzip");
    let (mut compared, mut succeeded) = (0, 0);
    // What one or the other looks at; the rest of an input is for all.
    let input = json!({"n": 2, "name": "x", "amount": 10, "NeedCallback": false, "detail": {"object": {"key": "a.txt"}}});
    for (number, line) in text.lines().enumerate() {
        let entry: Value = serde_json::from_str(line).expect("it is JSON");
        let mut definition = entry["asl"].to_string();
        for name in asl::placeholders(&definition) {
            let plain = format!(
                "original-{}",
                name.replace(|c: char| !c.is_ascii_alphanumeric(), "-")
            );
            definition = definition.replace(&format!("${{{name}}}"), &plain);
        }
        // A function as the resource is named by its ARN.
        let arn = "\"Resource\":\"arn:aws:lambda:us-east-1:000000000000:function:original-";
        let definition = definition.replace("\"Resource\":\"original-", arn);
        let import = asl::import(definition.as_bytes(), &Options::default());
        let definition: Value = serde_json::from_str(&definition).expect("it is JSON");
        let mut names = BTreeSet::new();
        called(&definition, &mut names);
        if names.is_empty() || !import.is_ok_and(|import| import.document.is_some()) {
            continue;
        }
        originals::functions(&on, names.iter().map(String::as_str)).await;
        let name = format!("recorded-{number}");
        succeeded += usize::from(compare(&on, &name, &definition, &input).await);
        compared += 1;
    }
    println!("{compared} recorded definitions compared");
    assert!(compared > 0);
    assert_eq!(succeeded, compared, "an end in failure says little");
}
