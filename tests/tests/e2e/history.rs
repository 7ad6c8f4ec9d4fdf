//! The execution histories of a run: which states its rounds and lanes were in, and when.

use std::collections::BTreeMap;

use foreshard_model::run::RunItem;
use serde_json::{Value, json};

use super::stack::Deployment;

/// One stay in a state.
#[derive(Debug, Clone)]
pub struct Stay {
    /// Its name, such as `ExecuteInline`.
    pub state: String,
    /// Milliseconds since the epoch.
    pub from_ms: f64,
    /// The same; the start itself while the state has not been left.
    pub to_ms: f64,
}

impl Stay {
    pub fn ms(&self) -> f64 {
        self.to_ms - self.from_ms
    }
}

/// All rounds of a run together.
#[derive(Debug, Default)]
pub struct History {
    /// Stays in states, lanes included.
    pub stays: Vec<Stay>,
    /// Names of the rounds' executions.
    pub rounds: Vec<String>,
    /// Events of the execution or child that has the most.
    pub longest: usize,
}

impl History {
    /// Reads the histories of all rounds that the run has had.
    pub async fn of(on: &Deployment, item: &RunItem) -> Self {
        let mut history = Self::default();
        for round in 0..=item.round.0 {
            let name = format!("{}-{round}", item.run);
            let machine = on.machine.replacen(":stateMachine:", ":execution:", 1);
            let arn = format!("{machine}:{name}");
            let Some(events) = events(on, &arn).await else {
                continue;
            };
            history.rounds.push(name);
            history.add(&events);
            for child in children(on, &arn).await {
                history.add(&self::events(on, &child).await.unwrap_or_default());
            }
        }
        history
    }

    fn add(&mut self, events: &[Value]) {
        self.longest = self.longest.max(events.len());
        self.stays.extend(stays(events));
    }

    /// Stays in states whose name begins so; the mode is at the end of a lane's.
    pub fn stays(&self, prefix: &str) -> impl Iterator<Item = &Stay> {
        self.stays
            .iter()
            .filter(move |stay| stay.state.starts_with(prefix))
    }

    /// How many there are.
    pub fn count(&self, prefix: &str) -> usize {
        self.stays(prefix).count()
    }
}

/// Each `…StateEntered` with the next `…StateExited` of its branch: events know the one before them.
fn stays(events: &[Value]) -> Vec<Stay> {
    let mut entered: BTreeMap<u64, usize> = BTreeMap::new();
    let mut found: Vec<Stay> = Vec::new();
    for event in events {
        let (id, at) = (
            event["id"].as_u64().unwrap_or(0),
            moment(&event["timestamp"]),
        );
        let kind = event["type"].as_str().unwrap_or("");
        let before = entered
            .get(&event["previousEventId"].as_u64().unwrap_or(0))
            .copied();
        if let Some(name) = event["stateEnteredEventDetails"]["name"].as_str() {
            entered.insert(id, found.len());
            found.push(Stay {
                state: name.to_owned(),
                from_ms: at,
                to_ms: at,
            });
        } else if kind.ends_with("StateExited") {
            let name = event["stateExitedEventDetails"]["name"]
                .as_str()
                .unwrap_or("");
            // A map's end follows whichever of its branches came last.
            let open = before.filter(|stay| found[*stay].state == name);
            let open = open.or_else(|| found.iter().rposition(|stay| stay.state == name));
            if let Some(stay) = open {
                found[stay].to_ms = at;
            }
        } else if let Some(stay) = before {
            entered.insert(id, stay);
        }
    }
    found
}

async fn events(on: &Deployment, arn: &str) -> Option<Vec<Value>> {
    let mut events = Vec::new();
    let mut token = Value::Null;
    loop {
        let mut body = json!({ "executionArn": arn, "maxResults": 1000 });
        if !token.is_null() {
            body["nextToken"] = token;
        }
        let page = on
            .cloud
            .try_json("states", "AWSStepFunctions.GetExecutionHistory", &body)
            .await
            .ok()?;
        events.extend(page["events"].as_array().cloned().unwrap_or_default());
        token = page["nextToken"].clone();
        if token.is_null() {
            return Some(events);
        }
    }
}

/// Executions of the lanes of a distributed map.
async fn children(on: &Deployment, arn: &str) -> Vec<String> {
    let body = json!({ "executionArn": arn });
    let runs = on
        .cloud
        .json("states", "AWSStepFunctions.ListMapRuns", &body)
        .await;
    let mut children = Vec::new();
    for run in runs["mapRuns"].as_array().into_iter().flatten() {
        let mut token = Value::Null;
        loop {
            let mut body = json!({ "mapRunArn": run["mapRunArn"], "maxResults": 1000 });
            if !token.is_null() {
                body["nextToken"] = token;
            }
            let page = on
                .cloud
                .json("states", "AWSStepFunctions.ListExecutions", &body)
                .await;
            let found = page["executions"].as_array().cloned().unwrap_or_default();
            children.extend(
                found
                    .iter()
                    .filter_map(|e| Some(e["executionArn"].as_str()?.to_owned())),
            );
            token = page["nextToken"].clone();
            if token.is_null() {
                break;
            }
        }
    }
    children
}

/// A timestamp as the service gives it: seconds as a number, or a date as text.
fn moment(timestamp: &Value) -> f64 {
    if let Some(seconds) = timestamp.as_f64() {
        return seconds * 1_000.0;
    }
    let parsed = timestamp
        .as_str()
        .and_then(|text| text.parse::<jiff::Timestamp>().ok());
    parsed.map_or(0.0, |at| at.as_microsecond() as f64 / 1_000.0)
}

#[test]
fn stays_follow_their_branch() {
    let entered = |id: u64, before: u64, name: &str| {
        json!({"id": id, "previousEventId": before, "timestamp": id as f64, "type": "TaskStateEntered",
            "stateEnteredEventDetails": {"name": name}})
    };
    let exited = |id: u64, before: u64, name: &str| {
        json!({"id": id, "previousEventId": before, "timestamp": id as f64, "type": "TaskStateExited",
            "stateExitedEventDetails": {"name": name}})
    };
    let scheduled =
        json!({"id": 3, "previousEventId": 1, "timestamp": 3.0, "type": "TaskScheduled"});
    let events = [
        entered(1, 0, "A"),
        entered(2, 0, "A"),
        scheduled,
        exited(4, 2, "A"),
        exited(5, 3, "A"),
    ];
    let lengths: Vec<f64> = stays(&events).iter().map(Stay::ms).collect();
    assert_eq!(lengths, [4_000.0, 2_000.0]);
}
