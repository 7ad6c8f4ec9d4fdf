//! Expressions against tables of what the States Language says.

use serde_json::{Map, Value, json};

use super::*;

fn eval(expression: &Value, inputs: &Value) -> Result<Value, EvaluateError> {
    let parsed: Expression = serde_json::from_value(expression.clone()).unwrap();
    assert_eq!(serde_json::to_value(&parsed).unwrap(), *expression);
    let empty = Map::new();
    let inputs = inputs.as_object().unwrap_or(&empty);
    evaluate(&parsed, Scope { inputs, run: "r-1" })
}

#[test]
fn values_are_taken_built_and_put() {
    let inputs = json!({"order": {"lines": [{"n": 1}, {"n": 2}], "odd name": 3}});
    let order = json!({"input": "order"});
    let table = [
        (json!({"path": [order, "$.lines[1].n"]}), json!(2)),
        (json!({"path": [order, "$['odd name']"]}), json!(3)),
        (json!({"path": [order, "$.lines[*].n"]}), json!([1, 2])),
        (
            json!({"path": [order, "$.lines[?(@.n > 1)].n"]}),
            json!([2]),
        ),
        (
            json!({"object": {"b": {"value": 1}, "a": {"list": [{"value": null}]}}}),
            json!({"b": 1, "a": [null]}),
        ),
        (
            json!({"put": [{"value": {"a": 1}}, [["$.b.c", {"value": 2}], ["$.a", {"value": 3}]]]}),
            json!({"a": 3, "b": {"c": 2}}),
        ),
        (
            json!({"if": [{"is": ["IsPresent", {"path": [order, "$.none"]}]}, {"value": 1}, {"value": 2}]}),
            json!(2),
        ),
        (json!({"chosen": [{"value": null}, "A"]}), json!(false)),
        (
            json!({"chosen": [{"value": {"A": true}}, "A"]}),
            json!(true),
        ),
    ];
    for (expression, expected) in table {
        assert_eq!(eval(&expression, &inputs), Ok(expected), "{expression}");
    }
    for path in ["$.none", "$.none[*]", "$.lines[5]"] {
        let missing = json!({"path": [order, path]});
        assert_eq!(
            eval(&missing, &inputs),
            Err(EvaluateError::Nothing(path.to_owned()))
        );
    }
    let blocked = json!({"put": [{"value": 1}, [["$.a", {"value": 2}]]]});
    assert_eq!(
        eval(&blocked, &json!({})),
        Err(EvaluateError::Put("$.a".to_owned()))
    );
}

/// Functions with arguments, and what they give.
fn check(table: &[(&str, Value, Value)]) {
    for (name, arguments, expected) in table {
        let parts = arguments.as_array().unwrap().iter();
        let parts: Vec<Value> = parts.map(|part| json!({ "value": part })).collect();
        let expression = json!({"call": [name, parts]});
        assert_eq!(
            eval(&expression, &json!({})),
            Ok(expected.clone()),
            "{name}"
        );
    }
}

#[test]
fn functions_of_texts_follow_the_documentation_of_the_service() {
    check(&[
        (
            "States.Format",
            json!(["Hi {} \\{x\\}, {}", "Ada", 3]),
            json!("Hi Ada {x}, 3"),
        ),
        (
            "States.StringToJson",
            json!(["{\"a\": [1]}"]),
            json!({"a": [1]}),
        ),
        (
            "States.JsonToString",
            json!([{"b": 1, "a": "x"}]),
            json!("{\"b\":1,\"a\":\"x\"}"),
        ),
        (
            "States.Base64Encode",
            json!(["Data to encode"]),
            json!("RGF0YSB0byBlbmNvZGU="),
        ),
        (
            "States.Base64Decode",
            json!(["RGVjb2RlZCBkYXRh"]),
            json!("Decoded data"),
        ),
        (
            "States.JsonMerge",
            json!([{"a": {"x": 1}, "b": 1}, {"a": {"y": 2}}, false]),
            json!({"a": {"y": 2}, "b": 1}),
        ),
        ("States.MathAdd", json!([111, -1]), json!(110)),
        (
            "States.StringSplit",
            json!(["This.is+a,test", ".+,"]),
            json!(["This", "is", "a", "test"]),
        ),
    ]);
    let uuid = eval(
        &json!({"call": ["States.UUID", [{"value": "a"}]]}),
        &json!({}),
    )
    .unwrap();
    insta::assert_snapshot!(uuid.as_str().unwrap(), @"008baee3-7cff-4397-8d8c-32340b1c28bb");
    let bad = eval(
        &json!({"call": ["States.MathAdd", [{"value": "1"}]]}),
        &json!({}),
    )
    .unwrap_err();
    insta::assert_snapshot!(bad, @"`States.MathAdd`: its arguments are of another number or type");
}

#[test]
fn functions_of_lists_follow_the_documentation_of_the_service() {
    check(&[
        ("States.Array", json!([1, "a"]), json!([1, "a"])),
        (
            "States.ArrayPartition",
            json!([[1, 2, 3, 4, 5], 2]),
            json!([[1, 2], [3, 4], [5]]),
        ),
        ("States.ArrayContains", json!([[1, 2], 2]), json!(true)),
        (
            "States.ArrayRange",
            json!([1, 9, 2]),
            json!([1, 3, 5, 7, 9]),
        ),
        ("States.ArrayGetItem", json!([["a", "b"], 1]), json!("b")),
        ("States.ArrayLength", json!([[1, 2]]), json!(2)),
        ("States.ArrayUnique", json!([[1, 2, 1]]), json!([1, 2])),
        ("first", json!([[1, 2, 3], 2]), json!([1, 2])),
        ("exactly", json!([[1, 2], 2]), json!([1, 2])),
        ("at_most", json!([[1, 2], 3]), json!([1, 2])),
        ("run", json!([]), json!("r-1")),
    ]);
}

#[test]
fn comparisons_follow_the_specification() {
    let table = [
        ("StringEquals", json!("a"), json!("a"), true),
        ("StringEquals", json!(1), json!("1"), false),
        ("StringLessThan", json!("a"), json!("b"), true),
        ("NumericEquals", json!(1), json!(1.0), true),
        ("NumericGreaterThanEquals", json!(2), json!(2), true),
        ("NumericLessThan", json!("1"), json!(2), false),
        ("BooleanEquals", json!(true), json!(true), true),
        (
            "TimestampLessThan",
            json!("2016-08-18T17:33:00Z"),
            json!("2016-08-18T17:33:00.5Z"),
            true,
        ),
        (
            "TimestampEquals",
            json!("2024-02-29T12:00:00+02:00"),
            json!("2024-02-29T10:00:00Z"),
            true,
        ),
        (
            "TimestampEquals",
            json!("yesterday"),
            json!("yesterday"),
            false,
        ),
        (
            "StringMatches",
            json!("foo123.log"),
            json!("foo*.log"),
            true,
        ),
        ("StringMatches", json!("foo.txt"), json!("foo*.log"), false),
        ("StringMatches", json!("a*b"), json!("a\\*b"), true),
        ("StringMatches", json!("axb"), json!("a\\*b"), false),
        ("StringMatches", json!("abcabd"), json!("*ab*d"), true),
    ];
    for (name, left, right, expected) in table {
        let expression = json!({"test": [name, {"value": left}, {"value": right}]});
        assert_eq!(
            eval(&expression, &json!({})),
            Ok(json!(expected)),
            "{expression}"
        );
    }
}

#[test]
fn questions_follow_the_specification() {
    let questions = [
        ("IsNull", json!(null), true),
        ("IsString", json!(1), false),
        ("IsNumeric", json!(1.5), true),
        ("IsBoolean", json!(false), true),
        ("IsTimestamp", json!("2001-01-01T12:00:00Z"), true),
        ("IsTimestamp", json!("2001-01-01 12:00:00"), false),
        ("IsPresent", json!(null), true),
    ];
    for (name, value, expected) in questions {
        let expression = json!({"is": [name, {"value": value}]});
        assert_eq!(
            eval(&expression, &json!({})),
            Ok(json!(expected)),
            "{expression}"
        );
    }
    for name in COMPARISONS {
        assert!(
            compare::test(name, &Value::Null, &Value::Null).is_some(),
            "{name}"
        );
    }
    for name in QUESTIONS.iter().filter(|name| **name != "IsPresent") {
        assert!(compare::is(name, &Value::Null).is_some(), "{name}");
    }
}

#[test]
fn paths_are_written_as_the_standard_has_them() {
    let table = [
        ("$", Some("$")),
        ("$.a.b[0]", Some("$.a.b[0]")),
        ("$['a']['b c']", Some("$.a['b c']")),
        ("$.a-b", Some("$['a-b']")),
        ("$.[0].a.['b'].[*]", Some("$[0].a.b[*]")),
        ("$.a[*].b", Some("$.a[*].b")),
        ("$.a[?(@.b == 'x')]", Some("$.a[?(@.b == 'x')]")),
        ("$..b", None),
        ("$.a.length()", None),
        ("a.b", None),
        ("$.a[", None),
    ];
    for (text, expected) in table {
        let found = path::Path::parse(text).map(|path| path.text());
        assert_eq!(found.as_deref(), expected, "{text}");
    }
}
