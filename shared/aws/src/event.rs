//! What starts submit: a request of the gateway, the event of a timer, or the minute in which it looks after schedules.

use foreshard_model::schedule::ScheduleEvent;
use foreshard_stages::submit::Fired;
use serde::{Deserialize, Serialize};

use crate::proxy::{ProxyAnswer, ProxyEvent};

/// An event of submit. The gateway's events have none of the others' members, and nobody who calls the API can add one.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub enum SubmitEvent {
    /// A schedule's time has come.
    Schedule(ScheduleEvent),
    /// The rule of each minute.
    Sweep(Sweep),
    /// A request.
    Request(Box<ProxyEvent>),
}

/// The constant that the rule of each minute sends. Some emulators deliver one only if it has an `id`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sweep {
    #[serde(rename = "id")]
    _id: SweepId,
}

#[derive(Debug, Deserialize)]
enum SweepId {
    #[serde(rename = "schedules")]
    Schedules,
}

/// What submit answers.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum SubmitAnswer {
    /// To a request.
    Request(ProxyAnswer),
    /// To an event; nobody reads it but logs and tests.
    Fired(Fired),
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn kind(event: serde_json::Value) -> &'static str {
        match serde_json::from_value(event).unwrap() {
            SubmitEvent::Schedule(_) => "schedule",
            SubmitEvent::Sweep(_) => "sweep",
            SubmitEvent::Request(_) => "request",
        }
    }

    #[test]
    fn each_event_is_known_by_its_members() {
        let event = json!({"schedule": {"tenant": "acme", "name": "nightly", "time": "<aws.scheduler.scheduled-time>"}});
        assert_eq!(kind(event), "schedule");
        assert_eq!(kind(json!({"id": "schedules"})), "sweep");
        assert_eq!(
            kind(json!({"httpMethod": "GET", "path": "/runs"})),
            "request"
        );
        // What a caller writes is in the body.
        assert_eq!(
            kind(json!({"httpMethod": "POST", "path": "/runs", "body": "{\"id\": \"schedules\"}"})),
            "request"
        );
        assert_eq!(kind(json!({"id": "other"})), "request");
    }
}
