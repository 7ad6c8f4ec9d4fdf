//! Identities, users' functions and metrics: recorded, with answers that a test gives.

use std::collections::BTreeMap;

use async_trait::async_trait;
use foreshard_stages::ports::{
    FunctionCalls, Metrics, PortError, PortResult, Sample, TaskCredentials, TaskIdentity,
};
use serde_json::Value;

use crate::world::World;

/// What a user's function does in a test.
pub(crate) type Function = Box<dyn Fn(Value) -> Result<Value, String> + Send>;

/// How long assumed credentials live: role chaining ends at one hour.
const SESSION_MS: u64 = 3_600_000;

/// One assumed role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assumed {
    /// The role; `None`: the deployment's default.
    pub role: Option<String>,
    /// Session name.
    pub session: String,
    /// Session tags.
    pub tags: BTreeMap<String, String>,
}

/// One invocation of a user's function.
#[derive(Debug, Clone, PartialEq)]
pub struct Invoked {
    /// The function.
    pub function: String,
    /// What it got.
    pub payload: Value,
    /// Access key that it was called with.
    pub access_key_id: String,
}

impl World {
    /// Registers a user's function.
    pub fn on_invoke(
        &self,
        function: &str,
        act: impl Fn(Value) -> Result<Value, String> + Send + 'static,
    ) {
        let act: Function = Box::new(act);
        self.lock().functions.insert(function.to_owned(), act);
    }

    /// Roles assumed so far.
    #[must_use]
    pub fn assumed(&self) -> Vec<Assumed> {
        self.lock().assumed.clone()
    }

    /// Invocations of users' functions so far.
    #[must_use]
    pub fn invoked(&self) -> Vec<Invoked> {
        self.lock().invoked.clone()
    }

    /// Metrics published so far.
    #[must_use]
    pub fn samples(&self) -> Vec<Sample> {
        self.lock().samples.clone()
    }
}

#[async_trait]
impl TaskIdentity for World {
    async fn assume(
        &self,
        role: Option<&str>,
        session: &str,
        tags: &BTreeMap<String, String>,
    ) -> PortResult<TaskCredentials> {
        self.write("assume", |state| {
            state.assumed.push(Assumed {
                role: role.map(str::to_owned),
                session: session.to_owned(),
                tags: tags.clone(),
            });
            Ok(TaskCredentials {
                access_key_id: format!("ASIA-{session}"),
                secret_access_key: format!("secret of {session}"),
                session_token: format!("token of {session}"),
                expires_at: state.now.plus(SESSION_MS),
            })
        })
        .await
    }
}

#[async_trait]
impl FunctionCalls for World {
    async fn invoke(
        &self,
        function: &str,
        payload: Value,
        identity: &TaskCredentials,
    ) -> PortResult<Result<Value, String>> {
        self.write("invoke", |state| {
            state.invoked.push(Invoked {
                function: function.to_owned(),
                payload: payload.clone(),
                access_key_id: identity.access_key_id.clone(),
            });
            let Some(act) = state.functions.get(function) else {
                return Err(PortError::NotFound(format!("function `{function}`")));
            };
            Ok(act(payload.clone()))
        })
        .await
    }
}

#[async_trait]
impl Metrics for World {
    async fn publish(&self, samples: &[Sample]) -> PortResult<()> {
        self.write("publish", |state| {
            state.samples.extend_from_slice(samples);
            Ok(())
        })
        .await
    }
}
