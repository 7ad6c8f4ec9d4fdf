//! A WfFormat document read for the checker alone: by its JSON, not by the engine's parser.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use flate2::read::GzDecoder;
use serde_json::Value;

/// The folder `shared` beside the checkout; `None` where there is none.
pub fn shared() -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared");
    let found = beside.join("data/workflows").is_dir();
    let required = std::env::var("FORESHARD_SHARED").is_ok_and(|how| how == "required");
    assert!(found || !required, "`{}` is missing", beside.display());
    if !found {
        eprintln!("skipped: there is no folder `shared` beside the checkout");
    }
    found.then_some(beside)
}

/// The recorded workflows, by name.
pub fn workflows(shared: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(shared.join("data/workflows")).expect("the folder is there");
    let mut files: Vec<PathBuf> = entries
        .map(|entry| entry.expect("an entry").path())
        .collect();
    files.sort();
    files
}

/// Work of each task in seconds, and bytes of each edge.
pub struct Workflow {
    /// Seconds on a target of speed 1.
    pub work_s: BTreeMap<String, f64>,
    /// Bytes by first and second task.
    pub bytes: BTreeMap<(String, String), f64>,
}

impl Workflow {
    /// Reads a gzipped document.
    pub fn read(path: &Path) -> Self {
        let file = std::fs::File::open(path).expect("the file is there");
        let document: Value = serde_json::from_reader(GzDecoder::new(file)).expect("JSON");
        let specification = &document["workflow"]["specification"];
        let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
        let names = |value: &Value| -> BTreeSet<String> {
            list(value)
                .iter()
                .map(|name| name.as_str().expect("a name").to_owned())
                .collect()
        };
        let id = |value: &Value| value["id"].as_str().expect("an id").to_owned();
        let sizes: BTreeMap<String, f64> = list(&specification["files"])
            .iter()
            .map(|file| (id(file), file["sizeInBytes"].as_f64().unwrap_or(0.0)))
            .collect();
        let tasks: BTreeMap<String, Value> = list(&specification["tasks"])
            .into_iter()
            .map(|task| (id(&task), task))
            .collect();
        let mut pairs = BTreeSet::new();
        for (name, task) in &tasks {
            pairs.extend(
                names(&task["parents"])
                    .into_iter()
                    .map(|p| (p, name.clone())),
            );
            pairs.extend(
                names(&task["children"])
                    .into_iter()
                    .map(|c| (name.clone(), c)),
            );
        }
        let moved = |(from, to): (String, String)| {
            let written = names(&tasks[&from]["outputFiles"]);
            let read = names(&tasks[&to]["inputFiles"]);
            let both = written.intersection(&read);
            let bytes: f64 = both
                .map(|file| sizes.get(file).copied().unwrap_or(0.0))
                .sum();
            ((from, to), bytes)
        };
        Self {
            work_s: list(&document["workflow"]["execution"]["tasks"])
                .iter()
                .map(|run| {
                    (
                        id(run),
                        run["runtimeInSeconds"].as_f64().unwrap_or(0.0).max(0.001),
                    )
                })
                .collect(),
            bytes: pairs.into_iter().map(moved).collect(),
        }
    }
}
