//! Small shards for the tests of this crate.

use std::collections::BTreeMap;

use foreshard_model::claim::Claim;
use foreshard_model::ids::{Attempt, Generation, ShardId};
use foreshard_model::message::ExecuteRequest;
use foreshard_model::output::ShardTask;
use foreshard_model::run::Context;
use foreshard_model::units::{Mib, TimeMs};
use foreshard_model::workflow::{CutRules, Effect, Resources, TaskKind};

/// The first attempt of shard 0.
pub(crate) fn request(run: &str) -> ExecuteRequest {
    ExecuteRequest {
        run: run.into(),
        shard: ShardId(0),
        attempt: Attempt(1),
        generation: Generation(0),
        chunk: Claim::default(),
        deadline: TimeMs(u64::MAX),
        progress: None,
        input: None,
        context: Context {
            tenant: "1".into(),
            principal: "arn:aws:iam::1:user/ada".to_owned(),
            role: None,
            trace_id: "0af7651916cd43dd8448eb211c80319c".to_owned(),
            baggage: BTreeMap::new(),
        },
        workflow: "test".to_owned(),
        partitions: 1,
        trace: false,
    }
}

/// A task that a handler runs.
pub(crate) fn handler(id: &str, handler: &str) -> ShardTask {
    ShardTask {
        id: id.into(),
        task_type: handler.to_owned(),
        kind: TaskKind::Handler {
            handler: handler.to_owned(),
        },
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
        timeout_ms: 30_000,
        effect: Effect::Idempotent,
        cut: CutRules::default(),
    }
}
