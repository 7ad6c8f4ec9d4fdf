//! Writes a document as YAML for people: a line for each field, JSON within the line.

use std::fmt::Write as _;

use serde_json::{Map, Value};

/// Words that YAML readers may take for something else than a text.
const WORDS: [&str; 9] = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"];

/// A document; its tasks one under another.
pub(super) fn document(document: &Map<String, Value>) -> String {
    let mut text = String::new();
    for (field, value) in document {
        match (field.as_str(), value) {
            ("tasks", Value::Array(tasks)) => {
                text.push_str("tasks:\n");
                for task in tasks {
                    write_task(&mut text, task);
                }
            }
            _ => line(&mut text, "", field, value),
        }
    }
    text
}

fn write_task(text: &mut String, task: &Value) {
    let mut indent = "  - ";
    for (field, value) in task.as_object().into_iter().flatten() {
        match value {
            Value::Object(members) if matches!(field.as_str(), "inputs") => {
                let _ = writeln!(text, "{indent}inputs:");
                for (name, source) in members {
                    line(text, "      ", name, source);
                }
            }
            _ => line(text, indent, field, value),
        }
        indent = "    ";
    }
    text.push('\n');
}

fn line(text: &mut String, indent: &str, field: &str, value: &Value) {
    let shown = match value {
        Value::String(word) if is_plain(word) => word.clone(),
        other => other.to_string(),
    };
    let name = if is_plain(field) {
        field.to_owned()
    } else {
        Value::from(field).to_string()
    };
    let _ = writeln!(text, "{indent}{name}: {shown}");
}

/// Whether a text needs no quotes wherever it stands.
fn is_plain(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.chars().all(plain)
        && !WORDS.contains(&text.to_ascii_lowercase().as_str())
}
