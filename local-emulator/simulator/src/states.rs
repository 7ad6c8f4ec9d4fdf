//! Step Functions: transitions that are counted and held back, histories that fill up, payloads that are too large.

use std::cell::Cell;

use serde::Serialize;

use crate::cloud::{Cloud, Service};

/// Events of a Task state that ends well: entered, scheduled, started, succeeded, exited. Source: `HistoryEventType`.
pub(crate) const TASK_EVENTS: u32 = 5;
/// Events of a repeat: scheduled, started, failed.
pub(crate) const RETRY_EVENTS: u32 = 3;
/// Events of a state that calls nothing: entered and exited.
pub(crate) const FLOW_EVENTS: u32 = 2;
/// Events of a Parallel or an inline Map beside its branches: entered, started, succeeded, exited.
pub(crate) const FORK_EVENTS: u32 = 4;
/// Events of an iteration of an inline Map: started and succeeded.
pub(crate) const ITERATION_EVENTS: u32 = 2;
/// Events of a distributed Map: entered, scheduled, started, succeeded, exited.
pub(crate) const MAP_RUN_EVENTS: u32 = 5;
/// Events of an execution beside its states.
pub(crate) const EXECUTION_EVENTS: u32 = 2;

/// What ends an execution and cannot be caught.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dead {
    /// Its history is full.
    History,
    /// A payload is larger than a state may have: `States.DataLimitExceeded`, which `States.ALL` does not catch.
    Payload,
}

impl Dead {
    /// The limit and what it says.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::History => "the execution reached the maximum number of history events (25000)",
            Self::Payload => {
                "States.DataLimitExceeded: a state has more than 262144 bytes of input or output"
            }
        }
    }
}

/// The history of one execution.
#[derive(Debug)]
pub(crate) struct History {
    events: Cell<u32>,
    most: u32,
}

impl History {
    pub(crate) fn new(most: u32) -> Self {
        Self {
            events: Cell::new(0),
            most,
        }
    }
}

impl Cloud {
    /// Writes events into a history.
    pub(crate) fn record(&self, history: &History, events: u32) -> Result<(), Dead> {
        let written = history.events.get() + events;
        history.events.set(written);
        let mut services = self.lock();
        let longest = &mut services.usage.longest_history;
        *longest = written.min(history.most).max(*longest);
        if written > history.most {
            return Err(Dead::History);
        }
        Ok(())
    }

    /// Enters a state: one transition, held back while there are more than the account has, its events, its time.
    pub(crate) async fn enter(&self, history: &History, events: u32, ms: u64) -> Result<(), Dead> {
        self.record(history, events)?;
        let wait_ms = {
            let now = self.timeline.now();
            let mut services = self.lock();
            services.usage.transitions += 1;
            let wait_ms = services.transitions.book(1.0, now);
            services.usage.throttles.step_functions += u64::from(wait_ms > 0);
            wait_ms
        };
        if wait_ms > 0 {
            self.timeline.sleep(wait_ms).await;
        }
        self.takes(Service::States, ms).await;
        Ok(())
    }

    /// Books the start of an execution, a child's included, and waits for its turn.
    pub(crate) async fn starts_execution(&self) {
        let wait_ms = {
            let now = self.timeline.now();
            let mut services = self.lock();
            services.usage.executions += 1;
            let wait_ms = services.starts.book(1.0, now);
            services.usage.throttles.step_functions += u64::from(wait_ms > 0);
            wait_ms
        };
        if wait_ms > 0 {
            self.timeline.sleep(wait_ms).await;
        }
    }

    /// Checks what a state takes or gives.
    pub(crate) fn carries(&self, payload: &impl Serialize) -> Result<(), Dead> {
        let bytes = serde_json::to_vec(payload).map_or(usize::MAX, |json| json.len());
        self.carries_bytes(bytes)
    }

    /// The same of so many bytes.
    pub(crate) fn carries_bytes(&self, bytes: usize) -> Result<(), Dead> {
        let mut services = self.lock();
        let largest = &mut services.usage.largest_payload;
        *largest = bytes.max(*largest);
        if bytes > self.account.payload_bytes {
            return Err(Dead::Payload);
        }
        Ok(())
    }
}
