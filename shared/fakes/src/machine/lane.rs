//! One branch of the state machine: dispatch, execute, park, wait, until it is told to end.

use std::future::Future;
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;

use foreshard_model::ids::{LaneId, Round, RunId};
use foreshard_model::message::{Answer, AnswerKind, CaughtError, DispatchRequest, Finished, Next};
use foreshard_model::units::TimeMs;
use foreshard_stages::dispatch::dispatch;
use foreshard_stages::ports::Clock as _;

use super::Shared;
use crate::faults::Fault;
use crate::world::World;

/// `MaxAttempts` of the retry on dispatch.
const RETRIES: u32 = 10;

/// `MaxDelaySeconds` of it, in milliseconds.
const RETRY_MAX_MS: u64 = 30_000;

/// `TimeoutSeconds` of dispatch, of execute and of parking, in milliseconds.
const DISPATCH_MS: u64 = 60_000;
const EXECUTE_MS: u64 = 960_000;
const PARK_MS: u64 = 3_600_000;

/// A branch: what it carries is its last answer and how its last shard ended.
pub(super) async fn lane(shared: Rc<Shared>, run: RunId, round: Round, lane: LaneId) {
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
        if shared.dice.borrow_mut().loses_lane() {
            shared.counts.borrow_mut().lost_lanes += 1;
            shared.world.faults(|f| f.note(Fault::LostLane));
            return;
        }
        let Some(answer) = asked(&shared, &request).await else {
            shared.counts.borrow_mut().gave_up += 1;
            return;
        };
        shared.counts.borrow_mut().answers += 1;
        match answer.kind {
            AnswerKind::Done => return,
            AnswerKind::Wait => {
                let wait_s = u64::from(answer.wait_s.unwrap_or(1));
                shared.world.sleep(wait_s * 1_000).await;
            }
            AnswerKind::Idle => parked(&shared, &request, &answer).await,
            AnswerKind::Run => request.finished = executed(&shared, &answer).await,
        }
        request.next = Some(Next { answer });
    }
}

/// The dispatch state with its retries; `None`: caught, the lane ends.
async fn asked(shared: &Rc<Shared>, request: &DispatchRequest) -> Option<Answer> {
    for attempt in 0..=RETRIES {
        match invoked(shared, request).await {
            Ok(answer) => return Some(answer),
            Err(word) if word == "Rejected" => {
                shared.counts.borrow_mut().rejected += 1;
                return None;
            }
            Err(_) => {
                let longest = (1_000 << attempt.min(5)).min(RETRY_MAX_MS);
                let delay = shared.dice.borrow_mut().delay(longest);
                shared.world.sleep(delay).await;
            }
        }
    }
    None
}

/// One invocation of dispatch: it may happen twice, die at a write, or answer in vain.
async fn invoked(shared: &Rc<Shared>, request: &DispatchRequest) -> Result<Answer, String> {
    shared.counts.borrow_mut().dispatches += 1;
    if let Some(later_ms) = shared.dice.borrow_mut().repeats() {
        shared.counts.borrow_mut().repeated += 1;
        shared.world.faults(|f| f.note(Fault::Repeated));
        let (theirs, request) = (Rc::clone(shared), request.clone());
        drop(shared.spawner.spawn(async move {
            theirs.world.sleep(later_ms).await;
            let _nobody_listens = dispatch(&theirs.dispatch, &request).await;
        }));
    }
    let (theirs, wanted) = (Rc::clone(shared), request.clone());
    let latency = shared.dice.borrow_mut().delay(40);
    let call = shared.spawner.spawn(async move {
        theirs.world.sleep(latency).await;
        let answer = dispatch(&theirs.dispatch, &wanted).await;
        if theirs.world.faults(|f| f.has_crashed()) {
            return Err("Lambda.Unknown".to_owned());
        }
        answer.map_err(|error| error.word().to_owned())
    });
    let lost = shared.dice.borrow_mut().loses_answer();
    let end = shared.world.now().plus(DISPATCH_MS);
    let answer = within(&shared.world, call, end).await;
    if lost {
        shared.counts.borrow_mut().lost_answers += 1;
        shared.world.faults(|f| f.note(Fault::LostAnswer));
        shared.world.sleep_until(end).await;
        return Err("States.Timeout".to_owned());
    }
    answer.unwrap_or_else(|| Err("States.Timeout".to_owned()))
}

/// The park state: the token is opened, dispatch stores it, and somebody answers it.
async fn parked(shared: &Rc<Shared>, request: &DispatchRequest, answer: &Answer) {
    let token = {
        let mut counts = shared.counts.borrow_mut();
        counts.parkings += 1;
        format!(
            "{}-{}-{}-{}",
            request.run, request.round, request.lane, counts.parkings
        )
    };
    shared.world.open_token(&token);
    let end = shared.world.now().plus(PARK_MS);
    let parking = DispatchRequest {
        park: true,
        step: Some(answer.step),
        token: Some(token.clone()),
        next: None,
        finished: None,
        ..request.clone()
    };
    if invoked(shared, &parking).await.is_err() {
        shared.world.drop_token(&token);
        return;
    }
    shared.world.token_answered(&token, end).await;
    if shared.dice.borrow_mut().loses_wake() {
        shared.counts.borrow_mut().lost_wakes += 1;
        shared.world.faults(|f| f.note(Fault::LostWake));
        shared.world.sleep_until(end).await;
    }
}

/// The execute state: caught errors go on as they are.
async fn executed(shared: &Rc<Shared>, answer: &Answer) -> Option<Finished> {
    let (target, shard) = (answer.target.clone()?, answer.shard.clone()?);
    shared.counts.borrow_mut().executes += 1;
    let theirs = Rc::clone(shared);
    let call = shared.spawner.spawn(async move {
        let outcome = (theirs.execute)(target, shard).await;
        if theirs.world.faults(|f| f.has_crashed()) {
            return Err(CaughtError {
                error: "Runtime.ExitError".to_owned(),
                cause: "RequestId: 1 Error: Runtime exited with error: exit status 101".to_owned(),
            });
        }
        outcome
    });
    let end = shared.world.now().plus(EXECUTE_MS);
    Some(match within(&shared.world, call, end).await {
        Some(Ok(outcome)) => Finished::Answered { outcome },
        Some(Err(caught)) => Finished::Caught {
            error: caught.error,
            cause: caught.cause,
        },
        None => Finished::Caught {
            error: "States.Timeout".to_owned(),
            cause: String::new(),
        },
    })
}

/// The output of a future, if it comes before `end`; otherwise it goes on without a listener.
async fn within<T>(world: &World, future: impl Future<Output = T>, end: TimeMs) -> Option<T> {
    let mut future = pin!(future);
    let mut late = pin!(world.sleep_until(end));
    std::future::poll_fn(|context| {
        if let Poll::Ready(output) = future.as_mut().poll(context) {
            return Poll::Ready(Some(output));
        }
        late.as_mut().poll(context).map(|()| None)
    })
    .await
}
