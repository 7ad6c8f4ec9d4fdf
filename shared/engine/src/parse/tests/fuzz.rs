//! No input makes the parser panic, and no way of writing a document changes what it means.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::super::{references, stream};
use super::*;

/// Documents that exercise every part, to be mutated.
const SEEDS: [&str; 5] = [
    include_str!("../../../../../examples/access-log/workflow.yaml"),
    include_str!("../../../../../examples/pipeline/workflow.yaml"),
    include_str!("../../../../../examples/word-count/workflow.yaml"),
    r#"{"foreshard":1,"name":"x","version":"1","tasks":[{"id":"a","kind":"http","url":"https://a.b/c?d=é","inputs":{"v":{"value":{"a":[1,-2.5e3,null,true,"\u00e9\n"]}}}},{"id":"b","kind":"lambda","function":"f","needs":["a"],"inputs":{"v":{"task":"a","path":"$.x[?@.y > 1]"}}}]}"#,
    r#"{"name":"t","schemaVersion":"1.5","workflow":{"specification":{"tasks":[{"id":"a","children":["b"],"parents":[],"inputFiles":["/x"],"outputFiles":["y"]},{"id":"b","parents":["a"],"children":[],"inputFiles":["y"]}],"files":[{"id":"/x","sizeInBytes":1},{"id":"y","sizeInBytes":2}]},"execution":{"tasks":[{"id":"a","runtimeInSeconds":1.5,"memoryInBytes":7}]}}}"#,
];

/// Text that is likely to surprise a parser.
const SPICES: [&str; 24] = [
    "{", "}", "[", "]", ": ", "- ", "\n", "\t", "&a ", "*a", "!!str ", "---\n", "...\n", "|\n",
    "> ", "\"", "'", "#", "? ", "\\u0000", "\u{feff}", "é", "<<: ", "1e999",
];

fn survives(bytes: &[u8]) {
    let _ = references(bytes);
    match document(bytes, &Library::new()) {
        Ok(parsed) => assert!(!parsed.workflow.tasks.is_empty()),
        Err(problems) => {
            assert!(!problems.is_empty());
            for problem in problems {
                assert!(problem.code.starts_with("FS1"), "{problem:?}");
                assert!(problem.message.len() < 2_000, "{problem:?}");
                if let Some(place) = problem.place {
                    assert!(place.line > 0 && place.column > 0, "{problem:?}");
                }
            }
        }
    }
}

#[derive(Debug, Clone)]
enum Mutation {
    Insert(usize, usize),
    Remove(usize, usize),
    Flip(usize, u8),
    Copy(usize, usize, usize),
    Cut(usize),
}

fn mutate(text: &str, mutations: &[Mutation]) -> Vec<u8> {
    let mut bytes = text.as_bytes().to_vec();
    for mutation in mutations {
        let at = |place: usize| place % (bytes.len() + 1);
        match *mutation {
            Mutation::Insert(place, spice) => {
                let place = at(place);
                bytes.splice(place..place, SPICES[spice % SPICES.len()].bytes());
            }
            Mutation::Remove(place, count) => {
                let from = at(place);
                let to = (from + count % 40).min(bytes.len());
                bytes.drain(from..to);
            }
            Mutation::Flip(place, value) => {
                let place = at(place);
                if let Some(byte) = bytes.get_mut(place) {
                    *byte = value;
                }
            }
            Mutation::Copy(from, count, to) => {
                let from = at(from);
                let end = (from + count % 60).min(bytes.len());
                let part = bytes[from..end].to_vec();
                let to = at(to);
                bytes.splice(to..to, part);
            }
            Mutation::Cut(place) => bytes.truncate(at(place)),
        }
    }
    bytes
}

fn mutations() -> impl Strategy<Value = Vec<Mutation>> {
    let place = 0_usize..4_000;
    let one = prop_oneof![
        4 => (place.clone(), 0_usize..24).prop_map(|(a, b)| Mutation::Insert(a, b)),
        2 => (place.clone(), 1_usize..40).prop_map(|(a, b)| Mutation::Remove(a, b)),
        2 => (place.clone(), any::<u8>()).prop_map(|(a, b)| Mutation::Flip(a, b)),
        2 => (place.clone(), 1_usize..60, place.clone()).prop_map(|(a, b, c)| Mutation::Copy(a, b, c)),
        1 => place.prop_map(Mutation::Cut),
    ];
    prop::collection::vec(one, 1..6)
}

/// A valid document: tasks that need earlier ones, with all sorts of fields.
fn valid() -> impl Strategy<Value = Value> {
    let value = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "[ -~é\n\t]{0,12}".prop_map(Value::from),
        prop::collection::vec("[a-z: #]{0,6}".prop_map(Value::from), 0..3).prop_map(Value::from),
    ];
    let task = (any::<[bool; 4]>(), value, any::<u16>(), 1_u32..4_000);
    prop::collection::vec(task, 1..12).prop_map(|specs| {
        let mut tasks = Vec::new();
        for (index, (flags, value, pick, memory)) in specs.into_iter().enumerate() {
            let mut task = json!({"id": format!("t{index}"), "kind": "command", "run": ["x", "y z"], "writes": ["out"]});
            if flags[0] {
                task["memory_mib"] = json!(memory);
                task["timeout_s"] = json!(f64::from(memory) / 8.0);
            }
            let mut inputs = Map::new();
            inputs.insert("constant".to_owned(), json!({"value": value}));
            if flags[1] && index > 0 {
                let need = format!("t{}", usize::from(pick) % index);
                task["needs"] = json!([need]);
                inputs.insert("from".to_owned(), json!({"task": need, "path": "$.a[0]"}));
                task["files"] = json!([{"name": "in", "task": need, "file": "out"}]);
            }
            if flags[2] {
                inputs.insert("run".to_owned(), json!({"run": "$['x']", "default": value}));
            }
            if flags[3] {
                task["env"] = json!({"A": "b: c", "D": "#"});
            }
            task["inputs"] = Value::Object(inputs);
            tasks.push(task);
        }
        json!({"foreshard": 1, "name": "any", "version": "1.0", "tasks": tasks})
    })
}

/// YAML as people write it: blocks, and JSON only for the leaves.
fn yaml(value: &Value, indent: usize, out: &mut String) {
    let pad = " ".repeat(indent);
    match value {
        Value::Object(map) if !map.is_empty() => {
            for (key, value) in map {
                let _ = write!(out, "\n{pad}{key}:");
                yaml(value, indent + 2, out);
            }
        }
        Value::Array(items) if !items.is_empty() => {
            for item in items {
                let _ = write!(out, "\n{pad}-");
                yaml(item, indent + 2, out);
            }
        }
        leaf => {
            let _ = write!(out, " {leaf}");
        }
    }
}

proptest! {
    #[test]
    fn any_bytes_survive(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        survives(&bytes);
    }

    #[test]
    fn any_spiced_text_survives(parts in prop::collection::vec((0_usize..24, "[a-z]{0,3}"), 0..60)) {
        let text: String = parts.iter().map(|(spice, word)| format!("{}{word}", SPICES[*spice])).collect();
        survives(text.as_bytes());
        survives(format!("{{\"tasks\": [{text}").as_bytes());
        survives(format!("foreshard: 1\ntasks:\n{text}").as_bytes());
    }

    #[test]
    fn mutated_documents_survive(seed in 0_usize..4, mutations in mutations(), zip in any::<bool>()) {
        let bytes = mutate(SEEDS[seed], &mutations);
        survives(&bytes);
        if zip {
            let mut bytes = gzip(&bytes);
            survives(&bytes);
            let middle = bytes.len() / 2;
            bytes[middle] ^= 0x55;
            survives(&bytes);
        }
    }

    #[test]
    fn any_json_path_survives(path in "[$@.*\\[\\]()?'\"a-c0-2=&|! <]{0,40}") {
        let text = json!({"foreshard": 1, "name": "x", "version": "1", "tasks": [
            {"id": "a", "kind": "command", "run": ["x"], "inputs": {"v": {"run": format!("${path}")}}},
        ]});
        survives(text.to_string().as_bytes());
    }

    #[test]
    fn every_notation_means_the_same(value in valid()) {
        let compact = value.to_string();
        let parsed = document(compact.as_bytes(), &Library::new());
        prop_assert!(parsed.is_ok(), "{parsed:?}");
        let pretty = serde_json::to_string_pretty(&value).unwrap();
        let mut block = String::new();
        yaml(&value, 0, &mut block);
        // The same JSON read as YAML: a comment in front makes it that.
        let flow = format!("# YAML\n{pretty}");
        for text in [pretty.as_str(), block.as_str(), flow.as_str()] {
            prop_assert_eq!(&document(text.as_bytes(), &Library::new()), &parsed, "{}", text);
        }
        prop_assert_eq!(&stream(&gzip(compact.as_bytes())[..], &Library::new()), &parsed);
    }
}
