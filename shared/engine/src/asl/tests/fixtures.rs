//! Definitions by hand: how they look as workflows, and what they give.

use serde_json::{Value, json};

use super::{imported, runner, tried};
use crate::asl::{Options, Outcome};

fn order() -> Value {
    json!({
        "Comment": "Takes an order.",
        "StartAt": "Price",
        "States": {
            "Price": {
                "Type": "Task", "Resource": "arn:aws:states:::lambda:invoke",
                "Parameters": {"FunctionName": "price", "Payload": {"sku.$": "$.sku", "note": "x"}},
                "ResultSelector": {"amount.$": "$.Payload.amount"}, "ResultPath": "$.price",
                "Retry": [{"ErrorEquals": ["Lambda.ServiceException"], "IntervalSeconds": 2, "MaxAttempts": 6}],
                "Next": "Large?"
            },
            "Large?": {
                "Type": "Choice",
                "Choices": [{"Variable": "$.price.amount", "NumericGreaterThan": 100, "Next": "Approve"}],
                "Default": "Ship"
            },
            "Approve": {
                "Type": "Task", "Resource": "arn:aws:lambda:us-east-1:000000000000:function:approve",
                "ResultPath": "$.approval",
                "Catch": [{"ErrorEquals": ["Refused"], "ResultPath": "$.why", "Next": "Tell"}],
                "Next": "Ship"
            },
            "Tell": {
                "Type": "Pass",
                "Parameters": {"text.$": "States.Format('order of {} refused: {}', $.sku, $.why.Error)"},
                "End": true
            },
            "Ship": {"Type": "Task", "Resource": "ship", "End": true}
        }
    })
}

fn function(name: &str, payload: &Value) -> Result<Value, &'static str> {
    let amount = payload["price"]["amount"].as_i64().unwrap_or(0);
    match name {
        "price" => Ok(
            json!({"amount": payload["sku"].as_str().map_or(0, str::len) * 50, "currency": "EUR"}),
        ),
        "ship" => Ok(json!({"shipped": payload})),
        _ if amount > 200 => Err("Refused"),
        _ => Ok(json!("fine")),
    }
}

#[test]
fn an_order_becomes_a_workflow_that_people_can_read() {
    let import = tried(&order(), &Options::default());
    assert_eq!(
        import.outcome(),
        Outcome::Imported,
        "{:#?}",
        import.findings
    );
    assert_eq!(import.document.unwrap(), include_str!("order.yaml"));
    let states: Vec<String> = import
        .states
        .iter()
        .map(|s| format!("{}: {}", s.state, s.becomes))
        .collect();
    insta::assert_snapshot!(states.join("\n"), @r"
    Price: Price
    Large?: Large_
    Approve: Approve.input, Approve, Approve.outcome
    Tell: data of the states after it
    Ship: Large_.or, Ship.input, Ship
    ");
}

#[test]
fn every_way_through_an_order_gives_what_the_original_gives() {
    let workflow = imported(&order(), &Options::default());
    let table = [
        (
            "a",
            json!({"shipped": {"sku": "a", "price": {"amount": 50}}}),
        ),
        (
            "abc",
            json!({"shipped": {"sku": "abc", "price": {"amount": 150}, "approval": "fine"}}),
        ),
        ("abcde", json!({"text": "order of abcde refused: Refused"})),
    ];
    for (sku, expected) in table {
        assert_eq!(
            runner::run(&workflow, &json!({"sku": sku}), function),
            Ok(expected)
        );
    }
}

fn each(extra: &Value) -> Value {
    let mut map = json!({
        "Type": "Map", "ItemsPath": "$.skus", "MaxConcurrency": 1,
        "ItemSelector": {"sku.$": "$$.Map.Item.Value", "at.$": "$$.Map.Item.Index", "of.$": "$.of"},
        "ItemProcessor": {
            "ProcessorConfig": {"Mode": "INLINE"},
            "StartAt": "Price", "States": {"Price": {"Type": "Task", "Resource": "price", "OutputPath": "$.amount", "End": true}}
        },
        "ResultPath": "$.amounts", "End": true
    });
    map.as_object_mut()
        .unwrap()
        .extend(extra.as_object().unwrap().clone());
    json!({"StartAt": "Each", "States": {"Each": map}})
}

#[test]
fn a_map_takes_lists_of_the_length_that_it_was_made_for() {
    let input = |n: usize| json!({"skus": vec!["ab"; n], "of": 1});
    let sampled = Options {
        input: Some(input(2)),
        ..Options::default()
    };
    let workflow = imported(&each(&json!({})), &sampled);
    let given = runner::run(&workflow, &input(2), function).unwrap();
    assert_eq!(given["amounts"], json!([100, 100]));
    insta::assert_snapshot!(runner::run(&workflow, &input(3), function).unwrap_err(), @"Each.items: `exactly`: the list has 3 elements, not 2");
    let bounded = Options {
        map_items: Some(3),
        ..Options::default()
    };
    let workflow = imported(&each(&json!({})), &bounded);
    for n in 0..=3 {
        let given = runner::run(&workflow, &input(n), function).unwrap();
        assert_eq!(given["amounts"], json!(vec![100; n]));
    }
    insta::assert_snapshot!(runner::run(&workflow, &input(4), function).unwrap_err(), @"Each.items: `at_most`: the list has 4 elements, not 3");
}

#[test]
fn a_failure_in_a_branch_is_the_end_of_the_run() {
    let definition = json!({"StartAt": "Both", "States": {
        "Both": {"Type": "Parallel", "Next": "Ship", "Branches": [
            {"StartAt": "Ok", "States": {"Ok": {"Type": "Choice", "Default": "No",
                "Choices": [{"Variable": "$.ok", "BooleanEquals": true, "Next": "Yes"}]},
                "Yes": {"Type": "Succeed"}, "No": {"Type": "Fail", "Error": "NotOk", "Cause": "it is not"}}},
            {"StartAt": "Price", "States": {"Price": {"Type": "Task", "Resource": "price", "End": true}}}]},
        "Ship": {"Type": "Task", "Resource": "ship", "End": true}
    }});
    let workflow = imported(&definition, &Options::default());
    let input = json!({"ok": true, "sku": "a"});
    let shipped = json!({"shipped": [input, {"amount": 50, "currency": "EUR"}]});
    assert_eq!(runner::run(&workflow, &input, function), Ok(shipped));
    let failed = runner::run(&workflow, &json!({"ok": false, "sku": "a"}), function);
    insta::assert_snapshot!(failed.unwrap_err(), @r#"Both.0.No: failed with {"Cause":"it is not","Error":"NotOk"}"#);
}
