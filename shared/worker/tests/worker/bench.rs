//! A worker over a world in memory, and short words for shards and tasks.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use foreshard_fakes::World;
use foreshard_model::claim::Claim;
use foreshard_model::frontier::{ShardItem, ShardState};
use foreshard_model::ids::{Attempt, Generation, RunId, Sha256Hex, ShardId};
use foreshard_model::message::{Cause, ExecuteRequest, Outcome, OutcomeStatus};
use foreshard_model::output::{
    Located, LocatedFile, LocatedFileSource, Manifest, OutputValue, ShardTask, TaskOutput,
};
use foreshard_model::plan::{Chunk, ShardTasks};
use foreshard_model::run::Context;
use foreshard_model::units::{Mib, TimeMs};
use foreshard_model::workflow::{
    Command, CutRules, Effect, FileOutput, Resources, Synthetic, TaskKind,
};
use foreshard_stages::ports::Clock;
use foreshard_worker::{Handlers, Ports, Settings, Worker};
use serde_json::Value;

/// The run of most tests.
pub const RUN: &str = "r-aaaaaaaaaaaaaaaaaaaa";

/// A worker and its world.
pub struct Bench {
    pub world: Arc<World>,
    pub worker: Worker,
    pub root: tempfile::TempDir,
}

/// Real time: tests compare when tasks ran.
pub struct RealClock;

#[async_trait]
impl Clock for RealClock {
    fn now(&self) -> TimeMs {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        TimeMs(u64::try_from(now.as_millis()).unwrap())
    }

    async fn pause(&self, ms: u64) {
        tokio::time::sleep(Duration::from_millis(ms)).await;
    }
}

/// What a worker on two vCPUs and 512 MiB has.
pub fn settings(root: PathBuf) -> Settings {
    let mut settings = Settings::from_lookup(|_| None);
    settings.root = root;
    settings.memory = Mib(512);
    settings.vcpus = 2;
    settings.task_program = env!("CARGO_BIN_EXE_foreshard-task").into();
    settings
}

pub fn ports(world: &Arc<World>) -> Ports {
    Ports {
        reads: world.clone(),
        writes: world.clone(),
        attempts: world.clone(),
        pointers: world.clone(),
        identity: world.clone(),
        calls: world.clone(),
        metrics: Some(world.clone()),
        clock: Arc::new(RealClock),
    }
}

impl Bench {
    pub fn new() -> Self {
        Self::with(|_| {}, |_| {})
    }

    pub fn with(change: impl FnOnce(&mut Settings), register: impl FnOnce(&mut Handlers)) -> Self {
        let root = tempfile::tempdir().unwrap();
        let mut settings = settings(root.path().to_path_buf());
        change(&mut settings);
        let mut handlers = Handlers::builtin();
        register(&mut handlers);
        let world = Arc::new(World::new());
        world.set_now(RealClock.now());
        let worker = Worker::new(ports(&world), handlers, settings);
        Self {
            world,
            worker,
            root,
        }
    }

    /// Stores the tasks as a shard that is running its first attempt.
    pub fn shard(&self, id: u32, tasks: Vec<ShardTask>) -> ExecuteRequest {
        self.shard_of(RUN, id, tasks)
    }

    pub fn shard_of(&self, run: &str, id: u32, tasks: Vec<ShardTask>) -> ExecuteRequest {
        let id = ShardId(id);
        let chunk = Chunk {
            shards: vec![ShardTasks { id, tasks }],
        };
        self.own(run, id, Attempt(1));
        ExecuteRequest {
            run: run.into(),
            shard: id,
            attempt: Attempt(1),
            generation: Generation(0),
            chunk: self.store(&format!("runs/{run}/plans/0/chunk-{id}.json"), &chunk),
            deadline: RealClock.now().plus(60_000),
            progress: None,
            input: None,
            context: Context {
                tenant: "1".into(),
                principal: "arn:aws:iam::1:user/ada".to_owned(),
                role: None,
                trace_id: "0af7651916cd43dd8448eb211c80319c".to_owned(),
                baggage: BTreeMap::from([("team".to_owned(), "blue".to_owned())]),
            },
            workflow: "test".to_owned(),
            partitions: 1,
            trace: false,
        }
    }

    /// The shard is running this attempt, as dispatch would have written it.
    pub fn own(&self, run: &str, id: ShardId, attempt: Attempt) {
        self.world.put_shard(ShardItem {
            run: run.into(),
            id,
            version: 1,
            state: ShardState::Running,
            attempt,
            ..ShardItem::default()
        });
    }

    /// Commits the output of a shard, as settle would.
    pub fn commit(&self, outcome: &Outcome) {
        let mut item = self.item(outcome.shard);
        item.state = ShardState::Done;
        item.output = outcome.output.clone();
        self.world.put_shard(item);
    }

    pub fn item(&self, id: ShardId) -> ShardItem {
        let items = self.world.shard_items(&RunId::from(RUN));
        items.into_iter().find(|item| item.id == id).unwrap()
    }

    /// The next attempt of the same shard, as dispatch would ask for it.
    pub fn next(&self, request: &ExecuteRequest, progress: Option<Claim>) -> ExecuteRequest {
        let attempt = Attempt(request.attempt.0 + 1);
        self.own(request.run.as_str(), request.shard, attempt);
        ExecuteRequest {
            attempt,
            progress,
            ..request.clone()
        }
    }

    pub fn store<T: serde::Serialize>(&self, key: &str, value: &T) -> Claim {
        let bytes = serde_json::to_vec(value).unwrap();
        let claim = Claim {
            key: key.to_owned(),
            sha256: Sha256Hex::of(&bytes),
            bytes: bytes.len() as u64,
        };
        self.world.put_blob(key, bytes);
        claim
    }

    pub async fn execute(&self, request: &ExecuteRequest) -> Outcome {
        self.worker.execute(request.clone(), 60_000).await.unwrap()
    }

    /// Executes a shard with one task and gives its output.
    pub async fn output(&self, task: ShardTask) -> Value {
        let id = task.id.clone();
        let outcome = self.execute(&self.shard(0, vec![task])).await;
        self.value(&outcome, id.as_str())
    }

    /// Executes a shard with one task that fails: its cause and message.
    pub async fn failure(&self, task: ShardTask) -> (Cause, String) {
        let outcome = self.execute(&self.shard(0, vec![task])).await;
        assert_eq!(outcome.status, OutcomeStatus::Failed);
        let failure = outcome.failure.unwrap();
        (failure.cause, failure.message)
    }

    /// The manifest of an outcome: of the finished shard, or of its checkpoint.
    pub fn manifest(&self, outcome: &Outcome) -> Manifest {
        let claim = outcome.output.as_ref().or(outcome.progress.as_ref());
        let claim = claim.unwrap_or_else(|| panic!("no manifest: {outcome:?}"));
        let bytes = self.world.blob(&claim.key).unwrap();
        assert_eq!(Sha256Hex::of(&bytes), claim.sha256);
        serde_json::from_slice(&bytes).unwrap()
    }

    pub fn task_output(&self, outcome: &Outcome, task: &str) -> TaskOutput {
        assert_eq!(outcome.status, OutcomeStatus::Done, "{:?}", outcome.failure);
        self.manifest(outcome).tasks[&task.into()].clone()
    }

    pub fn value(&self, outcome: &Outcome, task: &str) -> Value {
        match self.task_output(outcome, task).value {
            OutputValue::Inline(value) => value,
            OutputValue::Stored(claim) => {
                let bytes = self.world.blob(&claim.key).unwrap();
                assert_eq!(Sha256Hex::of(&bytes), claim.sha256);
                serde_json::from_slice(&bytes).unwrap()
            }
        }
    }

    /// The log of a task of shard 0 in its first attempt.
    pub fn log(&self, task: &str) -> String {
        let key = foreshard_model::logs::key(&RUN.into(), ShardId(0), Attempt(1), &task.into());
        String::from_utf8(self.world.blob(&key).unwrap_or_default()).unwrap()
    }
}

fn task(id: &str, kind: TaskKind) -> ShardTask {
    ShardTask {
        id: id.into(),
        task_type: id.trim_end_matches(|c: char| c.is_ascii_digit()).to_owned(),
        kind,
        bundle: None,
        after: Vec::new(),
        inputs: BTreeMap::new(),
        files: Vec::new(),
        slice: None,
        parts: Vec::new(),
        writes: Vec::new(),
        resources: Resources {
            memory: Mib(64),
            vcpus: 1.0,
            gpu: None,
            disk: Mib(0),
            network_mbps: 0,
        },
        estimate_ms: 0,
        bound: false,
        instead: Vec::new(),
        timeout_ms: 20_000,
        effect: Effect::Idempotent,
        cut: CutRules::default(),
    }
}

/// A shell script.
pub fn script(id: &str, text: &str) -> ShardTask {
    command(id, &["sh", "-c", text])
}

pub fn command(id: &str, run: &[&str]) -> ShardTask {
    let run = run.iter().map(|text| (*text).to_owned()).collect();
    task(
        id,
        TaskKind::Command(Command {
            run,
            bundle: None,
            env: BTreeMap::new(),
        }),
    )
}

pub fn handler(id: &str, name: &str) -> ShardTask {
    task(
        id,
        TaskKind::Handler {
            handler: name.to_owned(),
        },
    )
}

pub fn lambda(id: &str, function: &str) -> ShardTask {
    task(
        id,
        TaskKind::Lambda {
            function: function.to_owned(),
            errors: None,
        },
    )
}

pub fn http(id: &str, method: &str, url: &str) -> ShardTask {
    let call = foreshard_model::workflow::HttpCall {
        method: method.to_owned(),
        url: url.to_owned(),
        headers: BTreeMap::new(),
    };
    task(id, TaskKind::Http(call))
}

pub fn synthetic(id: &str, cpu_ms: f64, mib: u32) -> ShardTask {
    task(
        id,
        TaskKind::Synthetic(Synthetic {
            cpu_ms,
            memory: Mib(mib),
        }),
    )
}

/// Changes to a task, one after the other.
pub trait With {
    fn after(self, positions: &[u32]) -> Self;
    fn constant(self, name: &str, value: Value) -> Self;
    fn value(self, name: &str, shard: u32, task: &str, path: Option<&str>) -> Self;
    fn file(self, name: &str, shard: u32, task: &str, file: &str) -> Self;
    fn generated(self, name: &str, bytes: u64) -> Self;
    fn writes(self, name: &str, bytes: Option<u64>) -> Self;
    fn timeout(self, ms: u64) -> Self;
    fn effect(self, effect: Effect) -> Self;
}

impl With for ShardTask {
    fn after(mut self, positions: &[u32]) -> Self {
        self.after = positions.to_vec();
        self
    }

    fn constant(mut self, name: &str, value: Value) -> Self {
        self.inputs
            .insert(name.to_owned(), Located::Constant(value));
        self
    }

    fn value(mut self, name: &str, shard: u32, task: &str, path: Option<&str>) -> Self {
        let located = Located::Task {
            shard: ShardId(shard),
            task: task.into(),
            path: path.map(str::to_owned),
        };
        self.inputs.insert(name.to_owned(), located);
        self
    }

    fn file(mut self, name: &str, shard: u32, task: &str, file: &str) -> Self {
        let source = LocatedFileSource::Task {
            shard: ShardId(shard),
            task: task.into(),
            file: file.to_owned(),
        };
        self.files.push(LocatedFile {
            name: name.to_owned(),
            source,
        });
        self
    }

    fn generated(mut self, name: &str, bytes: u64) -> Self {
        let source = LocatedFileSource::Generated { bytes };
        self.files.push(LocatedFile {
            name: name.to_owned(),
            source,
        });
        self
    }

    fn writes(mut self, name: &str, bytes: Option<u64>) -> Self {
        self.writes.push(FileOutput {
            name: name.to_owned(),
            bytes,
        });
        self
    }

    fn timeout(mut self, ms: u64) -> Self {
        self.timeout_ms = ms;
        self
    }

    fn effect(mut self, effect: Effect) -> Self {
        self.effect = effect;
        self
    }
}
