//! Random definitions: what the imported workflow gives is what the States Language says.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::{imported, reference, runner};
use crate::asl::Options;

/// A function that tells what it was given; one named `odd` fails for odd numbers in `n`.
fn function(name: &str, payload: &Value) -> Result<Value, &'static str> {
    if name == "odd" && payload["n"].as_i64().is_some_and(|n| n % 2 != 0) {
        return Err("Odd");
    }
    let n = payload["n"].as_i64().unwrap_or(0);
    Ok(json!({"n": n + 1, "by": name, "saw": payload, "list": [n, n + 1]}))
}

const MEMBERS: [&str; 4] = ["a", "b", "c", "n"];

fn path() -> impl Strategy<Value = String> {
    let name = prop::sample::select(&MEMBERS[..]);
    prop_oneof![
        4 => name.clone().prop_map(|name| format!("$.{name}")),
        1 => (name.clone(), name).prop_map(|(one, two)| format!("$.{one}.{two}")),
        1 => Just("$".to_owned()),
    ]
}

fn fields() -> impl Strategy<Value = Map<String, Value>> {
    let template =
        (path(), path()).prop_map(|(one, two)| json!({"n": 1, "a.$": one, "b": {"c.$": two}}));
    (
        prop::option::weighted(0.15, path()),
        prop::option::weighted(0.4, template),
        prop::option::weighted(
            0.6,
            prop_oneof![path().prop_map(Value::from), Just(Value::Null)],
        ),
        prop::option::weighted(0.1, path()),
    )
        .prop_map(|(input, template, result, output)| {
            let mut fields = Map::new();
            let given = [
                ("InputPath", input.map(Value::from)),
                ("Parameters", template),
                ("ResultPath", result),
                ("OutputPath", output.map(Value::from)),
            ];
            for (name, value) in given {
                if let Some(value) = value {
                    fields.insert(name.to_owned(), value);
                }
            }
            fields
        })
}

/// A state without `Next`, with what it takes of one.
fn state(depth: u32) -> BoxedStrategy<Value> {
    let with = |kind: Value| {
        fields().prop_map(move |fields| {
            let mut state = kind.as_object().cloned().unwrap_or_default();
            state.extend(fields);
            Value::Object(state)
        })
    };
    let simple = prop_oneof![
        3 => with(json!({"Type": "Task", "Resource": "echo"})),
        1 => with(json!({"Type": "Task", "Resource": "odd"})),
        2 => with(json!({"Type": "Task", "Resource": "odd", "Catch": [{"ErrorEquals": ["States.ALL"], "ResultPath": "$.c", "Next": "last"}]})),
        2 => with(json!({"Type": "Pass"})),
        1 => with(json!({"Type": "Pass", "Result": {"n": 4, "b": [1]}})),
        2 => Just(json!({"Type": "Choice", "Choices": [{"Variable": "$.n", "NumericGreaterThan": 2, "Next": "last"}]})),
    ];
    if depth == 0 {
        return simple.boxed();
    }
    let parallel = (fields(), prop::collection::vec(machine(depth - 1), 1..3)).prop_map(
        |(fields, branches)| {
            let mut state = fields;
            state.insert("Type".to_owned(), json!("Parallel"));
            state.insert("Branches".to_owned(), branches.into());
            Value::Object(state)
        },
    );
    let map = machine(depth - 1).prop_map(|processor| {
        json!({"Type": "Map", "ItemsPath": "$.list", "ItemProcessor": processor, "ResultPath": "$.a"})
    });
    prop_oneof![6 => simple, 1 => parallel, 1 => map].boxed()
}

/// States one after another; jumps lead to the last.
fn machine(depth: u32) -> BoxedStrategy<Value> {
    prop::collection::vec(state(depth), 1..5)
        .prop_map(|states| {
            let mut all = Map::new();
            let count = states.len();
            for (index, mut state) in states.into_iter().enumerate() {
                let next = if index + 1 == count {
                    "last".to_owned()
                } else {
                    format!("s{}", index + 1)
                };
                let field = if state["Type"] == "Choice" {
                    "Default"
                } else {
                    "Next"
                };
                state[field] = next.into();
                all.insert(format!("s{index}"), state);
            }
            all.insert("last".to_owned(), json!({"Type": "Pass", "End": true}));
            json!({"StartAt": "s0", "States": all})
        })
        .boxed()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]
    #[test]
    fn an_imported_definition_gives_what_the_original_gives(definition in machine(2), n in 0..5) {
        let input = json!({"n": n, "a": {"b": 1, "n": 7}, "b": {"a": "x"}, "list": [{"n": 1, "list": [{"n": 3}]}, {"n": 2, "list": []}]});
        let options = Options { map_items: Some(2), ..Options::default() };
        let expected = reference::run(&definition, &input, function);
        let workflow = imported(&definition, &options);
        let found = runner::run(&workflow, &input, function);
        match (&expected, &found) {
            (Ok(expected), Ok(found)) => prop_assert_eq!(found, expected, "{}", definition),
            (Err(_), Err(_)) => {}
            // A path that finds nothing fails the run where its value is used, and nobody may use it.
            (Err(why), Ok(_)) if why.contains("nothing at") || why == "blocked" || why == "no list" => {}
            _ => prop_assert!(false, "expected {:?}, found {:?} of {}", expected, found, definition),
        }
    }
}
