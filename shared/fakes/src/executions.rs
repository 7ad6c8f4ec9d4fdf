//! Executions of the state machine and task tokens, as the stages see them.

use std::task::Poll;

use async_trait::async_trait;
use foreshard_model::ids::{Round, RunId};
use foreshard_model::units::TimeMs;
use foreshard_stages::ports::{ExecutionReads, Executions, LaneTokens, PortResult};

use crate::world::World;

#[async_trait]
impl Executions for World {
    async fn start(&self, run: &RunId, round: Round) -> PortResult<()> {
        self.write("start", |state| {
            let key = (run.clone(), round);
            if state.executions.contains_key(&key) {
                return Ok(());
            }
            state.executions.insert(key.clone(), true);
            state.started.push(key);
            Ok(())
        })
        .await
    }
}

#[async_trait]
impl ExecutionReads for World {
    async fn is_open(&self, run: &RunId, round: Round) -> PortResult<Option<bool>> {
        self.read(|state| Ok(state.executions.get(&(run.clone(), round)).copied()))
            .await
    }
}

#[async_trait]
impl LaneTokens for World {
    async fn answer(&self, token: &str) -> PortResult<bool> {
        self.write("answer", |state| {
            let Some(waiting) = state.tokens.get_mut(token) else {
                return Ok(false);
            };
            let alive = std::mem::replace(waiting, false);
            if alive {
                state.answered.push(token.to_owned());
                if let Some(waker) = state.token_wakers.remove(token) {
                    waker.wake();
                }
            }
            Ok(alive)
        })
        .await
    }
}

impl World {
    /// Executions in the order in which they were started.
    #[must_use]
    pub fn executions_started(&self) -> Vec<(RunId, Round)> {
        self.lock().started.clone()
    }

    /// Takes the executions that were started since the last call.
    pub fn take_started(&self) -> Vec<(RunId, Round)> {
        std::mem::take(&mut self.lock().started)
    }

    /// Ends an execution, whether it succeeded or not.
    pub fn close_execution(&self, run: &RunId, round: Round) {
        self.lock().executions.insert((run.clone(), round), false);
    }

    /// A branch waits for this token from now on.
    pub fn open_token(&self, token: &str) {
        self.lock().tokens.insert(token.to_owned(), true);
    }

    /// Waits until the token is answered, at most until `end`; whether it was answered. Then it is dead.
    pub async fn token_answered(&self, token: &str, end: TimeMs) -> bool {
        std::future::poll_fn(|context| {
            let mut state = self.lock();
            let waiting = state.tokens.get(token).copied().unwrap_or(false);
            if waiting && state.now < end {
                state.sleep(end, context.waker());
                let waker = context.waker().clone();
                state.token_wakers.insert(token.to_owned(), waker);
                return Poll::Pending;
            }
            state.token_wakers.remove(token);
            state.tokens.insert(token.to_owned(), false);
            Poll::Ready(!waiting)
        })
        .await
    }

    /// The token has timed out, or its branch is gone.
    pub fn drop_token(&self, token: &str) {
        self.lock().tokens.insert(token.to_owned(), false);
    }

    /// Takes the tokens that were answered since the last call, in order.
    pub fn take_answered(&self) -> Vec<String> {
        std::mem::take(&mut self.lock().answered)
    }
}
