//! Every example gives the result that lies beside it, through the command line.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::command_line::foreshard;
use super::stack::{Stack, deployment};

fn folders(root: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(root.join("examples"))
        .expect("there are examples")
        .flatten();
    let mut folders: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    folders.retain(|folder| folder.join("expected.json").is_file());
    folders.sort();
    folders
}

fn document(folder: &Path) -> PathBuf {
    let names = ["workflow.yaml", "workflow.json", "workflow.json.gz"];
    let found = names
        .iter()
        .map(|name| folder.join(name))
        .find(|path| path.is_file());
    found.unwrap_or_else(|| panic!("`{}` has no workflow", folder.display()))
}

fn show(stack: &Stack, folder: &Path) {
    let name = folder
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let document = document(folder).display().to_string();
    let said = foreshard(stack, &["run", &document, "--format", "json"]);
    assert_eq!(said.code, 0, "{name}: {}\n{}", said.out, said.err);
    let figures: Value =
        serde_json::from_str(&said.out).unwrap_or_else(|e| panic!("{name}: {e}: {}", said.out));
    assert_eq!(figures["status"], "succeeded", "{name}");
    assert_eq!(
        figures["tasks"]["total"], figures["tasks"]["committed"],
        "{name}: {figures}"
    );
    let run = figures["run"].as_str().expect("a run");
    let said = foreshard(stack, &["result", run, "--format", "json"]);
    assert_eq!(said.code, 0, "{name}: {}", said.err);
    let result: Value = serde_json::from_str(&said.out).expect("JSON");
    let expected = std::fs::read_to_string(folder.join("expected.json")).expect("it is there");
    let expected: Value = serde_json::from_str(&expected).expect("expected.json is JSON");
    assert_eq!(result, expected, "{name}");
    println!(
        "{name}: {} tasks in {} shards, {:.2} s, ${:.6}",
        figures["tasks"]["total"],
        figures["shards"],
        figures["makespan_s"].as_f64().unwrap_or(0.0),
        figures["cost_usd"].as_f64().unwrap_or(0.0)
    );
}

#[tokio::test]
async fn examples() {
    let on = deployment().await;
    let folders = folders(on.stack.root());
    assert!(
        folders.len() >= 2,
        "at least two examples have an expected result: {folders:?}"
    );
    for folder in folders {
        show(on.stack, &folder);
    }
}
