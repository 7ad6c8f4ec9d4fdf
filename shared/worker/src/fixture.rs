//! Small shards for the tests of this crate.

use std::collections::BTreeMap;

use foreshard_model::claim::Claim;
use foreshard_model::ids::{Attempt, Generation, ShardId};
use foreshard_model::message::ExecuteRequest;
use foreshard_model::run::Context;
use foreshard_model::units::TimeMs;

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
