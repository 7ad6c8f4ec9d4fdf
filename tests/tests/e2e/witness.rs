//! The independent trace in the bucket: what the workers started and what dispatch committed, counted object by object.

use std::collections::BTreeMap;

use foreshard_model::ids::{RunId, Sha256Hex, TaskId};
use foreshard_model::plan::Plan;
use foreshard_stages::ports::BlobLists as _;

use super::stack::Deployment;

/// Digits of a task's digest in a key.
const HASH_DIGITS: usize = 32;

/// Starts and commits of a run, by the digest of the task.
#[derive(Debug, Default)]
pub struct Witness {
    starts: BTreeMap<String, Vec<String>>,
    commits: BTreeMap<String, Vec<String>>,
}

impl Witness {
    /// Reads the trace as it is now.
    pub async fn of(on: &Deployment, run: &RunId) -> Self {
        Self {
            starts: read(on, &format!("runs/{run}/trace/start/")).await,
            commits: read(on, &format!("runs/{run}/trace/commit/")).await,
        }
    }

    /// How often a task was started.
    pub fn starts(&self, task: &TaskId) -> usize {
        self.starts.get(&hash(task)).map_or(0, Vec::len)
    }

    /// How often a task was committed.
    pub fn commits(&self, task: &TaskId) -> usize {
        self.commits.get(&hash(task)).map_or(0, Vec::len)
    }

    /// Tasks that were committed.
    pub fn committed(&self) -> usize {
        self.commits.len()
    }

    /// Starts of all tasks.
    pub fn all_starts(&self) -> usize {
        self.starts.values().map(Vec::len).sum()
    }

    /// Fails unless every one of the tasks was committed exactly once, and nothing else was.
    pub fn assert_committed_once(&self, tasks: &[TaskId]) {
        let bad: Vec<String> = tasks
            .iter()
            .filter(|task| self.commits(task) != 1 || self.starts(task) == 0)
            .map(|task| {
                format!(
                    "`{task}`: {} starts, {} commits",
                    self.starts(task),
                    self.commits(task)
                )
            })
            .collect();
        assert!(
            bad.is_empty(),
            "not committed exactly once:\n{}",
            bad.join("\n")
        );
        assert_eq!(
            self.commits.len(),
            tasks.len(),
            "something else was committed"
        );
        assert_eq!(self.starts.len(), tasks.len(), "something else was started");
    }

    /// The tasks that were started more than once, with the number of starts.
    pub fn repeated(&self, tasks: &[TaskId]) -> BTreeMap<TaskId, usize> {
        let started = tasks.iter().map(|task| (task.clone(), self.starts(task)));
        started.filter(|(_, starts)| *starts > 1).collect()
    }

    /// Fails when a task that `before` saw committed was started again since.
    pub fn assert_kept(&self, before: &Self) {
        for task in before.commits.keys() {
            let (then, now) = (before.starts.get(task), self.starts.get(task));
            assert_eq!(
                then.map(Vec::len),
                now.map(Vec::len),
                "task {task} was finished and is repeated"
            );
        }
    }
}

/// The tasks of a plan.
pub fn tasks(plan: &Plan) -> Vec<TaskId> {
    plan.shards
        .iter()
        .flat_map(|shard| shard.tasks.clone())
        .collect()
}

fn hash(task: &TaskId) -> String {
    Sha256Hex::of(task.as_str().as_bytes()).as_str()[..HASH_DIGITS].to_owned()
}

async fn read(on: &Deployment, prefix: &str) -> BTreeMap<String, Vec<String>> {
    let mut notes: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut after: Option<String> = None;
    loop {
        let page = on
            .bucket
            .list(prefix, 1000, after.as_deref())
            .await
            .expect("the bucket lists");
        for key in &page.items {
            let (task, note) = key[prefix.len()..].split_once('/').expect("<task>/<note>");
            notes
                .entry(task.to_owned())
                .or_default()
                .push(note.to_owned());
        }
        after = page.next;
        if after.is_none() {
            return notes;
        }
    }
}
