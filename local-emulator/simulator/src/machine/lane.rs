//! One branch of the state machine: dispatch, execute, park, wait, until it is told to end.

use foreshard_model::ids::{LaneId, Round, RunId, TargetId};
use foreshard_model::message::{
    Answer, AnswerKind, CaughtError, DispatchRequest, ExecuteRequest, Finished, Next, Outcome,
};
use foreshard_stages::dispatch::dispatch;

use super::{DISPATCH, Machine, caught, is_retried, retry_ms};
use crate::parameters::{DISPATCH_CPU_MS, FLOW_STATE_MS, TASK_STATE_MS};
use crate::states::{Dead, FLOW_EVENTS, History, RETRY_EVENTS, TASK_EVENTS};

/// Repeats of dispatch. Source: the definition of the state machine.
const RETRIES: u32 = 10;

/// `TimeoutSeconds` of dispatch, of execute and of parking, in milliseconds. Source: the definition.
const DISPATCH_MS: u64 = 60_000;
const EXECUTE_MS: u64 = 960_000;
const PARK_MS: u64 = 3_600_000;

/// Events of a state that waits for a token: one more than a task's, for the submission.
const PARK_EVENTS: u32 = TASK_EVENTS + 1;

/// Milliseconds to parse a byte of the topology: a gigabyte takes ten seconds. Assumed.
const PARSE_MS_PER_BYTE: f64 = 1e-5;

fn timed_out() -> CaughtError {
    CaughtError {
        error: "States.Timeout".to_owned(),
        cause: String::new(),
    }
}

impl Machine {
    /// A branch: what it carries is its last answer and how its last shard ended.
    ///
    /// # Errors
    /// What ends the execution that the branch belongs to.
    pub(super) async fn lane(
        &self,
        history: &History,
        run: RunId,
        round: Round,
        lane: LaneId,
    ) -> Result<(), Dead> {
        let mut request = DispatchRequest {
            run,
            round,
            lane,
            next: None,
            finished: None,
            park: false,
            step: None,
            token: None,
        };
        loop {
            self.cloud.carries(&request)?;
            let Some(answer) = self.asked(history, &request).await? else {
                return self.lane_ends(history).await;
            };
            self.cloud
                .enter(history, FLOW_EVENTS, FLOW_STATE_MS)
                .await?;
            match answer.kind {
                AnswerKind::Done => return self.lane_ends(history).await,
                AnswerKind::Wait => {
                    self.cloud.lock().usage.waits += 1;
                    self.cloud
                        .enter(history, FLOW_EVENTS, FLOW_STATE_MS)
                        .await?;
                    let wait_s = u64::from(answer.wait_s.unwrap_or(1));
                    self.cloud.timeline.sleep(wait_s * 1_000).await;
                }
                AnswerKind::Idle => self.parked(history, &request, &answer).await?,
                AnswerKind::Run => request.finished = self.executed(history, &answer).await?,
            }
            request.next = Some(Next { answer });
        }
    }

    async fn lane_ends(&self, history: &History) -> Result<(), Dead> {
        self.cloud.enter(history, FLOW_EVENTS, FLOW_STATE_MS).await
    }

    /// The dispatch state with its repeats; `None`: caught, the lane ends.
    async fn asked(
        &self,
        history: &History,
        request: &DispatchRequest,
    ) -> Result<Option<Answer>, Dead> {
        for attempt in 0..=RETRIES {
            let events = if attempt == 0 {
                TASK_EVENTS
            } else {
                RETRY_EVENTS
            };
            self.cloud.enter(history, events, TASK_STATE_MS).await?;
            match self.dispatched(request).await {
                Ok(answer) => return Ok(Some(answer)),
                Err(error) if !is_retried(&error) => return Ok(None),
                Err(_) => {
                    let wait_ms = self.cloud.jittered(retry_ms(attempt));
                    self.cloud.timeline.sleep(wait_ms).await;
                }
            }
        }
        Ok(None)
    }

    async fn dispatched(&self, request: &DispatchRequest) -> Result<Answer, CaughtError> {
        let invoked = self.cloud.invoke(DISPATCH, |context| async move {
            if context.cold {
                self.reads_topology(&request.run).await;
            }
            self.cloud.computes(DISPATCH_CPU_MS, DISPATCH).await;
            Ok(dispatch(&self.dispatch, request).await)
        });
        match self.cloud.timeline.within(DISPATCH_MS, invoked).await {
            None => Err(timed_out()),
            Some(Err(unanswered)) => Err(unanswered.caught()),
            Some(Ok(answer)) => answer.map_err(|error| caught(&error)),
        }
    }

    /// A new environment reads the topology first; the others have it.
    async fn reads_topology(&self, run: &RunId) {
        let item = self.cloud.world.run_item(run);
        if let Some(bytes) = item
            .and_then(|item| item.plan)
            .map(|plan| plan.topology.bytes)
        {
            self.cloud.gets(bytes).await;
            self.cloud
                .computes(bytes as f64 * PARSE_MS_PER_BYTE, DISPATCH)
                .await;
        }
    }

    /// The park state: the token is opened, dispatch stores it, and somebody answers it.
    async fn parked(
        &self,
        history: &History,
        request: &DispatchRequest,
        answer: &Answer,
    ) -> Result<(), Dead> {
        self.cloud
            .enter(history, PARK_EVENTS, TASK_STATE_MS)
            .await?;
        self.cloud.lock().usage.parkings += 1;
        let token = format!(
            "{}/{}/{}/{}",
            request.run, request.round, request.lane, answer.step
        );
        self.cloud.open_token(&token);
        let parking = DispatchRequest {
            park: true,
            step: Some(answer.step),
            token: Some(token.clone()),
            next: None,
            finished: None,
            ..request.clone()
        };
        if self.dispatched(&parking).await.is_ok() {
            let answered = self.cloud.answered(&token);
            // Not answered within the hour: the lane looks for work again.
            let _answered: Option<()> = self.cloud.timeline.within(PARK_MS, answered).await;
        }
        self.cloud.close_token(&token);
        Ok(())
    }

    /// The execute state: caught errors go on as they are.
    async fn executed(&self, history: &History, answer: &Answer) -> Result<Option<Finished>, Dead> {
        let (Some(target), Some(shard)) = (&answer.target, &answer.shard) else {
            return Ok(None);
        };
        self.cloud
            .enter(history, TASK_EVENTS, TASK_STATE_MS)
            .await?;
        Ok(Some(match self.works(target, shard).await {
            Ok(outcome) => Finished::Answered { outcome },
            Err(caught) => Finished::Caught {
                error: caught.error,
                cause: caught.cause,
            },
        }))
    }

    async fn works(
        &self,
        target: &TargetId,
        shard: &ExecuteRequest,
    ) -> Result<Outcome, CaughtError> {
        let Some(on) = self.targets.get(&target.0) else {
            return Err(CaughtError {
                error: "Lambda.ResourceNotFoundException".to_owned(),
                cause: format!("Function not found: {target}"),
            });
        };
        let worker = &self.worker;
        let invoked = self
            .cloud
            .invoke(&target.0, |context| worker.execute(on, shard, context));
        match self.cloud.timeline.within(EXECUTE_MS, invoked).await {
            None => Err(timed_out()),
            Some(ended) => ended.map_err(|unanswered| unanswered.caught()),
        }
    }
}
