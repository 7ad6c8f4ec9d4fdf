//! The examples and the schema: what is published is what is read.

use jsonschema::Validator;
use serde_json::{Value, json};

use super::super::{document, schema};
use super::*;

const EXAMPLES: [(&str, &str); 6] = [
    (
        "word-count",
        include_str!("../../../../../examples/word-count/workflow.yaml"),
    ),
    (
        "sales-report",
        include_str!("../../../../../examples/sales-report/workflow.yaml"),
    ),
    (
        "pipeline",
        include_str!("../../../../../examples/pipeline/workflow.yaml"),
    ),
    (
        "access-log",
        include_str!("../../../../../examples/access-log/workflow.yaml"),
    ),
    (
        "lambda",
        include_str!("../../../../../examples/lambda/workflow.yaml"),
    ),
    (
        "http",
        include_str!("../../../../../examples/http/workflow.yaml"),
    ),
];

/// A YAML document as JSON, through the same reader.
fn as_json(text: &str) -> Value {
    use super::super::decode::{Decode as _, Json};
    use super::super::intake::open;
    use super::super::node::Reader;
    use super::super::problems::{At, Problems};
    use super::super::yaml::YamlEvents;
    let mut reader = Reader::new(YamlEvents::new(open(text.as_bytes(), 1 << 20).unwrap()));
    let event = reader.event().unwrap();
    let node = reader.value(event).unwrap();
    let mut problems = Problems::default();
    let value = Json::decode(node, &mut At::root(&mut problems)).0;
    assert!(problems.is_empty());
    value
}

fn validator() -> Validator {
    jsonschema::draft202012::new(&schema()).unwrap()
}

#[test]
fn every_example_parses_and_satisfies_the_schema() {
    let validator = validator();
    for (name, text) in EXAMPLES {
        let parsed = document(text.as_bytes(), &Library::new());
        let parsed = parsed.unwrap_or_else(|problems| panic!("{name}: {problems:?}"));
        assert_eq!(parsed.workflow.name, name);
        assert_eq!(parsed.notes, []);
        let value = as_json(text);
        let errors: Vec<String> = validator
            .iter_errors(&value)
            .map(|e| e.to_string())
            .collect();
        assert_eq!(errors, Vec::<String>::new(), "{name}");
        let again = document(value.to_string().as_bytes(), &Library::new()).unwrap();
        assert_eq!(again, parsed, "{name} as JSON");
    }
}

#[test]
fn what_the_reference_shows_is_read() {
    let page = include_str!("../../../../../docs/workflows.md");
    let blocks = page.split("```yaml\n").skip(1);
    let block = blocks
        .filter_map(|rest| rest.split("```").next())
        .find(|block| block.starts_with("workflows:"));
    insta::assert_snapshot!(outcome(&format!("{HEAD}{}", block.unwrap())), @r#"
    split: run split.sh >part-1 >part-2
    first/words: run words.sh <split limit=10 text@split:part-1
    first: collect <first/words total=first/words$.n
    second/words: run words.sh <split limit=run$.limit text@split:part-2
    second: collect <second/words total=second/words$.n
    sum: run sum.sh <first <second a=first$.total b=second$.total
    "#);
}

#[test]
fn the_published_schema_is_the_one_of_the_types() {
    let published: Value =
        serde_json::from_str(include_str!("../../../../../docs/workflow.schema.json")).unwrap();
    let text = serde_json::to_string_pretty(&schema()).unwrap();
    assert!(
        published == schema(),
        "docs/workflow.schema.json is not up to date; it should be:\n{text}"
    );
}

/// Documents, and whether they are good.
fn table() -> Vec<(Value, bool)> {
    let head = |tasks: Value| json!({"foreshard": 1, "name": "x", "version": "1", "tasks": tasks});
    let command = json!({"id": "a", "kind": "command", "run": ["x"]});
    let with = |field: &str, value: Value| {
        let mut task = command.clone();
        task[field] = value;
        head(json!([task]))
    };
    vec![
        (head(json!([command])), true),
        (with("memory_mib", json!(10)), true),
        (with("memory_mib", json!(0)), false),
        (with("memory_mib", json!("10")), false),
        (with("memory_mib", json!(null)), false),
        (with("memory", json!(10)), false),
        (with("cpu_s", json!(1)), false),
        (with("kind", json!("lambda")), false),
        (with("kind", json!("comand")), false),
        (with("effect", json!("never")), false),
        (with("id", json!("a/b")), false),
        (
            with("writes", json!(["a", {"name": "b", "bytes": 1}])),
            true,
        ),
        (with("writes", json!(["../a"])), false),
        (with("writes", json!([".."])), false),
        (with("bundle", json!("a/b")), true),
        (with("bundle", json!("a/../b")), false),
        (with("env", json!({"A": "1"})), true),
        (with("env", json!({"AWS_SESSION_TOKEN": "1"})), false),
        (with("env", json!({"A": 1})), false),
        (with("inputs", json!({"x": {"value": null}})), true),
        (with("inputs", json!({"x": {}})), false),
        (
            with("inputs", json!({"x": {"value": 1, "run": "$"}})),
            false,
        ),
        (
            with("inputs", json!({"x": {"run": "$.a", "default": 1}})),
            true,
        ),
        (with("inputs", json!({"1x": {"run": "$"}})), false),
        (with("cut", json!({"after": true})), true),
        (with("cut", json!({"befor": true})), false),
        (
            head(json!([{"id": "h", "kind": "http", "url": "https://x.y"}])),
            true,
        ),
        (
            head(json!([{"id": "h", "kind": "http", "url": "x.y"}])),
            false,
        ),
        (head(json!([{"id": "h", "kind": "http"}])), false),
        (
            json!({"foreshard": 2, "name": "x", "version": "1", "tasks": [command]}),
            false,
        ),
        (
            json!({"foreshard": 1, "name": "X", "version": "1", "tasks": [command]}),
            false,
        ),
        (
            json!({"foreshard": 1, "name": "x", "tasks": [command]}),
            false,
        ),
        (
            json!({"foreshard": 1, "name": "x", "version": 1, "tasks": [command]}),
            false,
        ),
    ]
}

/// Splits and equivalents, and whether they are good.
fn forms() -> Vec<(Value, bool)> {
    let with = |field: &str, value: Value| {
        let mut task =
            json!({"id": "a", "kind": "command", "run": ["x"], "inputs": {"r": {"run": "$"}}});
        task[field] = value;
        json!({"foreshard": 1, "name": "x", "version": "1", "tasks": [task]})
    };
    let split = |split: Value| with("split", split);
    vec![
        (split(json!({"array": "$.r", "merge": "arrays"})), true),
        (
            split(json!({"array": "$.r", "merge": {"run": ["x"], "bundle": "b"}})),
            true,
        ),
        (
            split(json!({"array": "$.r", "merge": {"bundle": "b"}})),
            false,
        ),
        (
            split(json!({"array": "$.r", "merge": {"run": ["x"], "function": "f"}})),
            false,
        ),
        (split(json!({"array": "$.r", "merge": "lists"})), false),
        (split(json!({"array": "$.r"})), false),
        (split(json!({"merge": "arrays"})), false),
        (
            split(json!({"array": "$.r", "header": 1, "merge": "arrays"})),
            false,
        ),
        (
            split(json!({"array": "$.r", "max_parts": 1001, "merge": "arrays"})),
            false,
        ),
        (
            with(
                "equivalents",
                json!([{"function": "f", "note": "n"}, {"vcpus": 2}]),
            ),
            true,
        ),
        (
            with("equivalents", json!([{"function": "f", "handler": "h"}])),
            false,
        ),
        (
            with(
                "equivalents",
                json!([{"handler": "h", "env": {}, "gpu": 1}]),
            ),
            false,
        ),
    ]
}

#[test]
fn the_schema_refuses_what_the_reader_refuses() {
    let validator = validator();
    for (value, good) in table().into_iter().chain(forms()) {
        let text = value.to_string();
        assert_eq!(validator.is_valid(&value), good, "schema: {text}");
        let read = document(text.as_bytes(), &Library::new());
        assert_eq!(read.is_ok(), good, "reader: {text} {read:?}");
    }
}
