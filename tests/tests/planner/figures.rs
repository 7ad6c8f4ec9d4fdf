//! Every recorded workflow through the benchmarks; what they print is what the checker finds.

use std::path::{Path, PathBuf};

use foreshard_bench::{Bench, PartitionArguments, ScheduleArguments};
use serde_json::Value;

use crate::check;
use crate::recorded::{Workflow, shared, workflows};

fn figures(bench: &Bench) -> Vec<Value> {
    let text = foreshard_bench::run(bench, true).expect("the benchmark runs");
    serde_json::from_str(&text).expect("it prints JSON")
}

fn written(folder: &Path, file: &Path, kind: &str) -> Value {
    let name = file
        .file_name()
        .expect("a file has a name")
        .to_string_lossy()
        .into_owned();
    let stem = name.split('.').next().unwrap_or(&name);
    let text = std::fs::read(folder.join(format!("{stem}.{kind}.json"))).expect("it was written");
    serde_json::from_slice(&text).expect("JSON")
}

/// Little CPU time for the search, so that the result hardly depends on the machine; what a search of seconds finds is in
/// `docs/planner.md`.
#[test]
fn every_timetable_holds_and_none_is_longer_than_the_peers_heft() {
    let Some(shared) = shared() else { return };
    let files = workflows(&shared);
    let out = tempfile::tempdir().unwrap();
    let rows = figures(&Bench::Schedule(ScheduleArguments {
        files: files.clone(),
        network: Some(shared.join("baselines/schedulers.json")),
        out: Some(out.path().to_path_buf()),
        budget_s: 0.1,
    }));
    let baselines = std::fs::read(shared.join("baselines/schedulers.json")).unwrap();
    let baselines: Value = serde_json::from_slice(&baselines).unwrap();
    let mut sharded = 0.0;
    for (file, row) in files.iter().zip(&rows) {
        let workflow = Workflow::read(file);
        let plan = written(out.path(), file, "schedule");
        let name = row["file"].as_str().unwrap();
        let makespan = check::timetable(&workflow, &plan["tasks"]).expect(name);
        let (whole, shards) = check::shards(&workflow, &plan["sharded"]).expect(name);
        assert!(
            (makespan - number(row, "makespan_s")).abs() < 1e-6,
            "{name}"
        );
        assert!(
            (whole - number(row, "makespan_sharded_s")).abs() < 1e-6,
            "{name}"
        );
        assert_eq!(shards as f64, number(row, "shards"), "{name}");
        assert!(
            number(row, "lower_bound_s") <= makespan * (1.0 + 1e-9),
            "{name}"
        );
        let peers = baselines["instances"][name]["schedulers"]
            .as_object()
            .unwrap();
        let heft = peers["HEFT"]["makespan"].as_f64().unwrap();
        assert!(
            makespan <= heft * 1.0001,
            "{name}: {makespan} against {heft}"
        );
        sharded += (whole / heft).ln();
    }
    let mean = (sharded / files.len() as f64).exp();
    assert!(
        mean <= 1.10,
        "shards make runs {mean} times as long as HEFT"
    );
}

/// Eight parts of everything; sixteen where the peer's parts can be run one after the other, too.
#[test]
fn every_partition_holds_and_cuts_no_more_than_the_peer() {
    let Some(shared) = shared() else { return };
    let baselines = std::fs::read(shared.join("baselines/partitions.json")).unwrap();
    let baselines: Value = serde_json::from_slice(&baselines).unwrap();
    let peer = |file: &Path, parts: u32| {
        let name = file
            .file_name()
            .expect("a file has a name")
            .to_string_lossy();
        baselines["instances"][name.as_ref()][parts.to_string()].clone()
    };
    for parts in [8_u32, 16] {
        let mut files: Vec<PathBuf> = workflows(&shared);
        files.retain(|file| parts == 8 || peer(file, parts)["acyclic"] == true);
        let out = tempfile::tempdir().unwrap();
        let rows = figures(&Bench::Partition(PartitionArguments {
            files: files.clone(),
            shards: parts,
            out: Some(out.path().to_path_buf()),
        }));
        for (file, row) in files.iter().zip(&rows) {
            holds(file, row, &written(out.path(), file, "partition"), parts);
            let peer = peer(file, parts);
            if peer["acyclic"] == true {
                cuts_no_more(row, &peer);
            }
        }
    }
}

fn number(row: &Value, field: &str) -> f64 {
    row[field].as_f64().expect("a number")
}

fn holds(file: &Path, row: &Value, found: &Value, parts: u32) {
    let workflow = Workflow::read(file);
    let (cut, imbalance) = match check::partition(&workflow, found, parts as usize) {
        Ok(measured) => measured,
        Err(why) => panic!("{row}: {why}"),
    };
    assert_eq!(cut, number(row, "cut_bytes"), "{row}");
    assert!((imbalance - number(row, "imbalance")).abs() < 1e-6, "{row}");
    assert_eq!(row["acyclic"], true, "{row}");
}

fn cuts_no_more(row: &Value, peer: &Value) {
    let most = number(peer, "cut_bytes") * 1.1;
    assert!(number(row, "cut_bytes") <= most, "{row} against {peer}");
    let even = number(peer, "imbalance").max(1.03) + 1e-4;
    assert!(number(row, "imbalance") <= even, "{row} against {peer}");
}
