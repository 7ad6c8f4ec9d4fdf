//! A worker killed in the middle of a task: the task ends with it, and the next worker finds nothing of either.

use std::path::PathBuf;
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use foreshard_model::message::OutcomeStatus;

use crate::bench::{Bench, script};

/// Set for the worker that will be killed: its root.
const ROOT: &str = "FORESHARD_TEST_DYING";

/// Longer than anything here takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

async fn until<T>(what: &str, mut condition: impl FnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = condition() {
            return found;
        }
        assert!(began.elapsed() < PATIENCE, "waited for: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

fn is_running(pid: &str) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    !stat.is_empty() && !stat.contains(") Z") && !stat.contains(") X")
}

pub async fn a_killed_worker_takes_its_task_with_it() {
    let root = tempfile::tempdir().unwrap();
    let mut worker = Command::new(std::env::current_exe().unwrap())
        .env(ROOT, root.path())
        .spawn()
        .unwrap();
    let pids = root.path().join("pids");
    let pid = until("the task", || {
        let text = std::fs::read_to_string(&pids).ok()?;
        text.strip_suffix('\n').map(str::to_owned)
    })
    .await;
    assert!(is_running(&pid));
    worker.kill().unwrap();
    worker.wait().unwrap();
    until("the end of the task", || (!is_running(&pid)).then_some(())).await;
    let path = root.path().to_path_buf();
    let bench = Bench::with(|settings| settings.root = path, |_| {});
    let outcome = bench
        .execute(&bench.shard(0, vec![script("next", "true")]))
        .await;
    assert_eq!(outcome.status, OutcomeStatus::Done, "{:?}", outcome.failure);
    let homes = std::fs::read_dir(root.path()).unwrap().flatten();
    let homes = homes.filter(|entry| {
        entry
            .file_name()
            .to_string_lossy()
            .starts_with("foreshard-worker-")
    });
    assert_eq!(
        homes.count(),
        2,
        "the folder and the lock of the worker that lives"
    );
}

/// In the inner start: a worker with a task that never ends. `None` in the outer one.
pub fn inside() -> Option<ExitCode> {
    let root = PathBuf::from(std::env::var_os(ROOT)?);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let path = root.clone();
        let bench = Bench::with(|settings| settings.root = path, |_| {});
        let text = format!("echo $$ > {}; exec sleep 600", root.join("pids").display());
        bench
            .execute(&bench.shard(0, vec![script("endless", &text)]))
            .await;
    });
    Some(ExitCode::FAILURE)
}
