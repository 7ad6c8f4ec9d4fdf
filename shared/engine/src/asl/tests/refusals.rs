//! What has no equivalent, and what differs: a line for each, with its code.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{imported, tried};
use crate::asl::{Options, import};

fn state(state: Value) -> Value {
    json!({"StartAt": "S", "States": {"S": state, "T": {"Type": "Succeed"}}})
}

fn task(extra: Value) -> Value {
    let mut task = json!({"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "Parameters": {"FunctionName": "f"}, "Next": "T"});
    task.as_object_mut()
        .unwrap()
        .extend(extra.as_object().unwrap().clone());
    state(task)
}

fn codes(definition: &Value) -> String {
    let import = tried(definition, &Options::default());
    let lines = import
        .findings
        .iter()
        .map(|f| format!("{} {}: {}", f.code, f.path, f.message));
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn every_state_says_why_it_has_no_equivalent() {
    let table = [
        task(json!({"Resource": "arn:aws:states:::sns:publish"})),
        task(json!({"Resource": "arn:aws:states:::lambda:invoke.waitForTaskToken"})),
        task(json!({"Parameters": {"FunctionName.$": "$.name"}})),
        task(json!({"Parameters": {"FunctionName": "f", "InvocationType": "Event"}})),
        task(json!({"HeartbeatSeconds": 5})),
        task(json!({"QueryLanguage": "JSONata"})),
        task(json!({"ResultSelector": {"id.$": "$.SdkResponseMetadata.RequestId"}})),
        task(json!({"ResultPath": "$.a[*]"})),
        task(json!({"Next": "S"})),
        task(json!({"Next": "U"})),
        task(
            json!({"Parameters": {"FunctionName": "f", "Payload": {"t.$": "$$.State.EnteredTime", "r.$": "States.MathRandom(1, 2)", "d.$": "$..x"}}}),
        ),
        state(
            json!({"Type": "Map", "ItemsPath": "$.l", "ItemProcessor": {"StartAt": "I", "States": {"I": {"Type": "Pass", "End": true}}}, "Next": "T"}),
        ),
        state(
            json!({"Type": "Map", "ItemReader": {}, "ItemProcessor": {"StartAt": "I", "States": {"I": {"Type": "Wait", "Timestamp": "2030-01-01T00:00:00Z", "End": true}}}, "Next": "T"}),
        ),
        state(
            json!({"Type": "Parallel", "Branches": [], "Retry": [{"ErrorEquals": ["States.ALL"]}], "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "T"}], "Next": "T"}),
        ),
        state(
            json!({"Type": "Choice", "Choices": [{"Variable": "$.a", "NumericIs": 1, "Next": "T"}]}),
        ),
        state(json!({"Type": "Wait", "Seconds": 3600, "Next": "T"})),
    ];
    let said: Vec<String> = table.iter().map(codes).collect();
    insta::assert_snapshot!(said.join("\n"), @r"
    FS5006 S: no kind of task calls `sns:publish`
    FS5007 S: `lambda:invoke.waitForTaskToken` waits for a job or for somebody to answer
    FS5009 S: the function is only known when it runs
    FS5008 S: `InvocationType` is another than `RequestResponse`: tasks wait for the answer
    FS5050 : the metadata of a call (`ExecutedVersion`, `SdkHttpMetadata`, `SdkResponseMetadata`) is left out
    FS5008 S: `HeartbeatSeconds` has no equivalent
    FS5050 : the metadata of a call (`ExecutedVersion`, `SdkHttpMetadata`, `SdkResponseMetadata`) is left out
    FS5005 S: its data is described in JSONata
    FS5016 S: `$.SdkResponseMetadata.RequestId` takes `SdkResponseMetadata`, which only Step Functions gives
    FS5013 S: `$.a[*]` does not name one place to put a result
    FS5004 S: it leads back to `S`: a workflow is a graph without circles
    FS5003 S: it leads to `U`, which is not there
    FS5015 S: `$$.State.EnteredTime` has no equivalent
    FS5014 S: `States.MathRandom` has no equivalent
    FS5013 S: `$..x` is not a path that means the same everywhere: variables, `..` and functions do not
    FS5050 : the metadata of a call (`ExecutedVersion`, `SdkHttpMetadata`, `SdkResponseMetadata`) is left out
    FS5010 S: its list is only known when it runs
    FS5011 S: `ItemReader` has no equivalent
    FS5008 S/I: `Timestamp` has no equivalent
    FS5017 S/I: it waits for more than 780 s or until a point in time
    FS5012 S: it is repeated as a whole after an error, which tasks are one by one
    FS5012 S: an error in it is caught as a whole: its branches would be stopped wherever they are
    FS5019 S: there is no comparison `NumericIs`
    FS5017 S: it waits for more than 780 s or until a point in time
    ");
}

#[test]
fn what_differs_is_noted() {
    let definition = json!({"StartAt": "S", "TimeoutSeconds": 60, "States": {"S": {
        "Type": "Task", "Resource": "arn:aws:states:::lambda:invoke",
        "Parameters": {"FunctionName": "f", "Payload": {"id.$": "$$.Execution.Id"}},
        "Retry": [{"ErrorEquals": ["States.ALL"], "IntervalSeconds": 60, "MaxAttempts": 10}], "End": true
    }}});
    insta::assert_snapshot!(codes(&definition), @r"
    FS5052 : a run has no time limit of 60 s as a whole; tasks have
    FS5051 S: `$$.Execution.Id` is the run's id here, not an ARN
    FS5053 S: all of its repeats together have 900 s, 61380 s of them for waiting
    FS5050 : the metadata of a call (`ExecutedVersion`, `SdkHttpMetadata`, `SdkResponseMetadata`) is left out
    ");
    let through = Options {
        services: Some("services".to_owned()),
        ..Options::default()
    };
    let import = tried(
        &task(json!({"Resource": "arn:aws:states:::sns:publish"})),
        &through,
    );
    assert!(
        import
            .document
            .unwrap()
            .contains("resource: {\"value\":\"sns:publish\"}")
    );
}

#[test]
fn repeats_that_the_language_cuts_are_a_difference() {
    for retry in [json!({"MaxAttempts": 101}), json!({"BackoffRate": 101.0})] {
        let mut retrier = json!({"ErrorEquals": ["Busy"], "MaxDelaySeconds": 1});
        retrier
            .as_object_mut()
            .unwrap()
            .extend(retry.as_object().unwrap().clone());
        let definition = task(json!({"Retry": [retrier], "OutputPath": "$.Payload"}));
        let found = codes(&definition);
        assert!(found.starts_with("FS5053 S: "), "{found}");
        imported(&definition, &Options::default());
    }
}

#[test]
fn placeholders_are_filled_in_or_named() {
    let text = br#"{"StartAt": "S", "States": {"S": {"Type": "Wait", "Seconds": ${Wait}, "Next": "${Next}"}, "T": {"Type": "Succeed"}}}"#;
    let missing = import(text, &Options::default()).unwrap_err();
    assert_eq!(
        missing
            .iter()
            .map(|p| p.message.as_str())
            .collect::<Vec<_>>(),
        [
            "the placeholder `${Next}` has no value",
            "the placeholder `${Wait}` has no value"
        ]
    );
    let values = BTreeMap::from([
        ("Wait".to_owned(), "3".to_owned()),
        ("Next".to_owned(), "T".to_owned()),
    ]);
    let options = Options {
        values,
        ..Options::default()
    };
    assert!(import(text, &options).unwrap().document.is_some());
    let text = import(b"[1]", &Options::default()).unwrap_err();
    assert_eq!(
        text[0].message,
        "it is no definition in the States Language: it is no object"
    );
    let none = import(b"a: 1", &Options::default()).unwrap_err();
    insta::assert_snapshot!(none[0], @"FS5001 ``: it is no definition in the States Language: missing field `StartAt` (hint: a definition is an object with `StartAt` and `States`)");
}
