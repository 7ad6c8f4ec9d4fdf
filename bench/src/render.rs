//! Figures as JSON, or as a table with a row for each file.

use serde::Serialize;
use serde_json::Value;

/// Figures as values.
pub fn values(figures: &impl Serialize) -> Value {
    serde_json::to_value(figures).unwrap_or_default()
}

/// As JSON.
pub fn json(figures: &Value) -> String {
    serde_json::to_string_pretty(figures).unwrap_or_default()
}

/// As a table: one column for each name.
pub fn table(figures: &Value) -> String {
    let rows: Vec<&Value> = match figures {
        Value::Array(rows) => rows.iter().collect(),
        one => vec![one],
    };
    let Some(Value::Object(first)) = rows.first() else {
        return String::new();
    };
    let names: Vec<&String> = first.keys().collect();
    let mut lines: Vec<Vec<String>> = vec![names.iter().map(|name| (*name).clone()).collect()];
    for row in rows {
        let cell = |name: &&String| match &row[name.as_str()] {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        lines.push(names.iter().map(cell).collect());
    }
    let widths: Vec<usize> = (0..names.len())
        .map(|at| lines.iter().map(|line| line[at].len()).max().unwrap_or(0))
        .collect();
    lines
        .iter()
        .map(|line| {
            let cells: Vec<String> = line
                .iter()
                .zip(&widths)
                .map(|(cell, &width)| format!("{cell:<width$}"))
                .collect();
            cells.join("  ").trim_end().to_owned()
        })
        .collect::<Vec<_>>()
        .join("\n")
}
