//! A worker that is killed in the middle of a shard: another attempt goes on where its last checkpoint is.

use std::path::PathBuf;
use std::process::Command;

use foreshard_model::ids::TaskId;
use serde_json::Value;

use super::documents::chain;
use super::runs::{self, PATIENCE, until};
use super::stack::{Stack, deployment};
use super::witness::{Witness, tasks};

/// Tasks of the shard, and how many of them have been started when its worker is killed.
const TASKS: usize = 6;
const STARTED: usize = 3;
/// Long enough that the kill always falls into a task, and that each is checkpointed ([`foreshard_engine::execute::CHECKPOINT_MS`]).
const TASK_S: f64 = 1.2;

/// Ids of the environments that execute a shard now: bootstraps of execute that have a child.
fn busy_workers(stack: &Stack) -> Vec<u32> {
    let worker =
        std::fs::read(stack.home.artifacts().join("execute/bootstrap")).expect("it is built");
    let text =
        std::fs::read_to_string(stack.home.state.join("environments.jsonl")).unwrap_or_default();
    let lines = text
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let pids = lines.filter_map(|line| u32::try_from(line["pid"].as_u64()?).ok());
    pids.filter(|pid| has_child(*pid) && program(*pid).is_some_and(|path| is_same(&path, &worker)))
        .collect()
}

/// The program of a process, by its command line: that of a worker cannot be read in any other way.
fn program(pid: u32) -> Option<PathBuf> {
    let line = std::fs::read(format!("/proc/{pid}/cmdline")).ok()?;
    let first = line.split(|byte| *byte == 0).next()?;
    Some(PathBuf::from(String::from_utf8_lossy(first).into_owned()))
}

fn is_same(path: &PathBuf, content: &[u8]) -> bool {
    let length = std::fs::metadata(path).map_or(0, |data| data.len());
    length == content.len() as u64 && std::fs::read(path).is_ok_and(|bytes| bytes == content)
}

fn has_child(parent: u32) -> bool {
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let mut stats =
        entries.filter_map(|entry| std::fs::read_to_string(entry.path().join("stat")).ok());
    // `pid (name) state parent …`: the name may hold anything.
    stats.any(|stat| {
        let fields = stat
            .rsplit_once(") ")
            .map(|(_, rest)| rest.split(' ').nth(1).map(str::to_owned));
        fields
            .flatten()
            .is_some_and(|field| field == parent.to_string())
    })
}

fn kill(pid: u32) {
    let status = Command::new("kill")
        .args(["-9", &pid.to_string()])
        .status()
        .expect("kill runs");
    assert!(status.success(), "process {pid} is killed");
}

/// The last two tasks of the chain that were started: one that died, and one whose checkpoint may not have been written yet.
fn started_last(started: usize) -> [TaskId; 2] {
    [2, 1].map(|back| TaskId(format!("t{}", started.saturating_sub(back))))
}

#[tokio::test]
async fn worker_killed() {
    let on = deployment().await;
    let run = runs::submit(&on, &chain(TASKS, TASK_S), runs::traced()).await;
    let started = async || (Witness::of(&on, &run).await.all_starts() >= STARTED).then_some(());
    assert!(
        until(PATIENCE, started).await.is_some(),
        "{}",
        runs::diagnosis(&on, &run).await
    );
    let workers = until(PATIENCE, async || {
        Some(busy_workers(on.stack)).filter(|w| !w.is_empty())
    })
    .await;
    let before = Witness::of(&on, &run).await.all_starts();
    let workers = workers.expect("a worker is busy");
    assert_eq!(workers.len(), 1, "a chain runs in one place");
    kill(workers[0]);

    let item = runs::succeeded(&on, &run, PATIENCE).await;
    let tasks = tasks(&runs::plan(&on, &run).await);
    let witness = Witness::of(&on, &run).await;
    witness.assert_committed_once(&tasks);
    let repeated = witness.repeated(&tasks);
    let failures: Vec<_> = runs::shards(&on, &item)
        .await
        .into_iter()
        .map(|shard| shard.failures)
        .filter(|failures| !failures.is_empty())
        .collect();
    println!(
        "worker {} killed after {before} of {TASKS} starts: {} starts in all, failures {failures:?}, repeated {repeated:?}",
        workers[0],
        witness.all_starts(),
    );
    assert_eq!(failures.len(), 1, "one shard has lost one attempt");
    // None at all when the kill came just between two tasks.
    let last = |task: &TaskId| started_last(before).contains(task);
    assert!(
        repeated
            .iter()
            .all(|(task, starts)| last(task) && *starts == 2),
        "only the task that died, and the one whose checkpoint was on its way, are started again: {repeated:?}"
    );
}
