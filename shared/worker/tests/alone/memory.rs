//! 100 MB between two shards: streamed by the worker and by the synthetic task, on both sides.

use std::sync::Arc;

use foreshard_model::message::OutcomeStatus;
use foreshard_worker::{Handlers, Worker};
use serde_json::json;

use crate::bench::{Bench, With as _, ports, settings, synthetic};
use crate::disk::DiskBlobs;

const FILE_BYTES: u64 = 100_000_000;

/// What the worker may hold beyond what it has anyway: a third of the file.
const GROWTH_KIB: u64 = 32 * 1024;

fn peak_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

pub async fn a_large_file_is_never_whole_in_memory() {
    let bench = Bench::new();
    let objects = Arc::new(DiskBlobs(tempfile::tempdir().unwrap().keep()));
    let worker = |root: &tempfile::TempDir| {
        let mut ports = ports(&bench.world);
        (ports.reads, ports.writes) = (objects.clone(), objects.clone());
        Worker::new(
            ports,
            Handlers::builtin(),
            settings(root.path().to_path_buf()),
        )
    };
    let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let write = synthetic("write", 1.0, 0)
        .generated("in", FILE_BYTES)
        .writes("large", Some(FILE_BYTES));
    let read = synthetic("read", 1.0, 0)
        .file("in", 0, "write", "large")
        .writes("out", Some(1));
    let before_kib = peak_kib();
    let mut outputs = Vec::new();
    for (root, task, id) in [(&one, write, 0), (&other, read, 1)] {
        let request = bench.shard(id, vec![task]);
        // The chunk is in the world of the bench.
        std::fs::write(
            objects
                .0
                .join(foreshard_model::ids::Sha256Hex::of(request.chunk.key.as_bytes()).as_str()),
            bench.world.blob(&request.chunk.key).unwrap(),
        )
        .unwrap();
        let outcome = worker(root).execute(request, 60_000).await.unwrap();
        assert_eq!(outcome.status, OutcomeStatus::Done, "{:?}", outcome.failure);
        assert!(
            outcome.usage.peak_kib < before_kib + GROWTH_KIB,
            "{:?}",
            outcome.usage
        );
        bench.commit(&outcome);
        outputs.push(outcome.output.unwrap());
    }
    let manifest = std::fs::read(
        objects
            .0
            .join(foreshard_model::ids::Sha256Hex::of(outputs[1].key.as_bytes()).as_str()),
    )
    .unwrap();
    let manifest: serde_json::Value = serde_json::from_slice(&manifest).unwrap();
    assert_eq!(
        manifest["tasks"]["read"]["value"]["inline"]["read_bytes"],
        json!(FILE_BYTES)
    );
    let grown_kib = peak_kib() - before_kib;
    assert!(grown_kib < GROWTH_KIB, "the worker grew by {grown_kib} KiB");
    std::fs::remove_dir_all(&objects.0).unwrap();
}
