//! Executions of the state machine and tokens of parked lanes.

use std::sync::Arc;

use foreshard_model::ids::Round;

use crate::adapters::Adapters;
use crate::items::key;

pub async fn a_round_is_started_once(on: Arc<Adapters>) {
    let run = key("started").run;
    on.executions.start(&run, Round(0)).await.unwrap();
    on.executions.start(&run, Round(0)).await.unwrap();
    assert_eq!(
        on.execution_reads.is_open(&run, Round(0)).await,
        Ok(Some(true))
    );
    assert_eq!(on.execution_reads.is_open(&run, Round(1)).await, Ok(None));
    on.executions.start(&run, Round(1)).await.unwrap();
    assert_eq!(
        on.execution_reads.is_open(&run, Round(1)).await,
        Ok(Some(true))
    );
}

pub async fn a_round_that_was_never_started_is_none(on: Arc<Adapters>) {
    let run = key("never started").run;
    assert_eq!(on.execution_reads.is_open(&run, Round(0)).await, Ok(None));
}

pub async fn a_token_is_answered_once(on: Arc<Adapters>) {
    let token = (on.park)().await;
    assert_eq!(on.tokens.answer(&token).await, Ok(true));
    assert_eq!(on.tokens.answer(&token).await, Ok(false));
    assert_eq!(on.tokens.answer("nobody waits for this").await, Ok(false));
}
