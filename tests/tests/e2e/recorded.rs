//! Recorded real workflows as they lie beside the checkout: what they say of themselves, and how they are submitted.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;
use foreshard_model::api::{SubmitRequest, UploadKind};
use foreshard_model::ids::RunId;
use foreshard_model::limits::INLINE_DOCUMENT_BYTES;
use foreshard_model::policy::RunOptions;
use serde_json::Value;

use super::stack::Deployment;

/// One recorded workflow.
pub struct Recorded {
    pub name: String,
    raw: Vec<u8>,
    inflated_bytes: usize,
    /// Tasks.
    pub tasks: usize,
    /// Sum of the recorded run times, in seconds.
    pub work_s: f64,
    /// Longest path by recorded run times, in seconds.
    pub critical_path_s: f64,
    /// Largest recorded memory of a task, in MiB; 0 where none is recorded.
    pub memory_mib: f64,
}

/// Paths of all recorded workflows, in order.
pub fn all(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder)
        .expect("the folder is there")
        .flatten();
    let mut files: Vec<PathBuf> = entries
        .map(|e| e.path())
        .filter(|p| p.to_string_lossy().ends_with(".json.gz"))
        .collect();
    files.sort();
    files
}

impl Recorded {
    pub fn read(path: &Path) -> Self {
        let raw = std::fs::read(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        let mut text = Vec::new();
        MultiGzDecoder::new(raw.as_slice())
            .read_to_end(&mut text)
            .expect("it is gzip");
        let document: Value = serde_json::from_slice(&text).expect("it is JSON");
        let specified = document["workflow"]["specification"]["tasks"]
            .as_array()
            .expect("tasks");
        let executed = document["workflow"]["execution"]["tasks"]
            .as_array()
            .expect("executed tasks");
        let number = |name: &'static str| {
            let of = move |task: &Value| {
                Some((
                    task["id"].as_str()?.to_owned(),
                    task[name].as_f64().unwrap_or(0.0),
                ))
            };
            executed
                .iter()
                .filter_map(of)
                .collect::<BTreeMap<String, f64>>()
        };
        let runtimes = number("runtimeInSeconds");
        let memory = number("memoryInBytes").into_values().fold(0.0, f64::max) / f64::from(1 << 20);
        let name = path
            .file_name()
            .and_then(|n| n.to_str())
            .unwrap_or_default();
        Self {
            name: name.trim_end_matches(".json.gz").to_owned(),
            inflated_bytes: text.len(),
            tasks: specified.len(),
            work_s: runtimes.values().sum(),
            critical_path_s: longest(specified, &runtimes),
            memory_mib: memory,
            raw,
        }
    }

    /// Submits it as the command line would: gzipped, in the request or as an upload.
    pub async fn submit(&self, on: &Deployment, options: RunOptions) -> RunId {
        let mut request = SubmitRequest {
            options,
            ..SubmitRequest::default()
        };
        if self.inflated_bytes <= INLINE_DOCUMENT_BYTES {
            request.document_gzip = Some(data_encoding::BASE64.encode(&self.raw));
        } else {
            let id = on
                .api
                .upload(UploadKind::Document, &self.raw)
                .await
                .expect("it is uploaded");
            request.upload = Some(id);
        }
        let answer = on.api.submit(&request, None).await;
        answer
            .unwrap_or_else(|error| panic!("{}: {error}", self.name))
            .run
    }
}

/// Longest path by run time: the finish of each task is its own time after the latest of its parents.
fn longest(tasks: &[Value], runtimes: &BTreeMap<String, f64>) -> f64 {
    let ids = |task: &Value, field: &str| -> Vec<String> {
        let list = task[field].as_array().cloned().unwrap_or_default();
        list.iter()
            .filter_map(|id| Some(id.as_str()?.to_owned()))
            .collect()
    };
    let children: BTreeMap<String, Vec<String>> = tasks
        .iter()
        .map(|task| {
            (
                task["id"].as_str().unwrap_or_default().to_owned(),
                ids(task, "children"),
            )
        })
        .collect();
    let mut missing: BTreeMap<&str, usize> = children.keys().map(|id| (id.as_str(), 0)).collect();
    for child in children.values().flatten() {
        *missing.entry(child).or_default() += 1;
    }
    let mut ready: Vec<&str> = missing
        .iter()
        .filter(|(_, n)| **n == 0)
        .map(|(id, _)| *id)
        .collect();
    let mut start: BTreeMap<&str, f64> = BTreeMap::new();
    let mut end: f64 = 0.0;
    while let Some(id) = ready.pop() {
        let finish =
            start.get(id).copied().unwrap_or(0.0) + runtimes.get(id).copied().unwrap_or(0.0);
        end = end.max(finish);
        for child in children.get(id).into_iter().flatten() {
            let at = start.entry(child).or_default();
            *at = at.max(finish);
            let left = missing.get_mut(child.as_str()).expect("a known task");
            *left -= 1;
            if *left == 0 {
                ready.push(child);
            }
        }
    }
    end
}
