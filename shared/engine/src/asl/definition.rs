//! The States Language as it is written: machines and states, with every field that a version of it has.

use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

/// A state machine, a branch of a Parallel, or the processor of a Map.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Machine {
    pub(super) comment: Option<String>,
    pub(super) query_language: Option<String>,
    pub(super) start_at: String,
    /// In the order of the definition.
    pub(super) states: Map<String, Value>,
    pub(super) timeout_seconds: Option<u64>,
    pub(super) processor_config: Option<Map<String, Value>>,
}

impl Machine {
    /// Whether each of a Map's elements is an execution of its own.
    pub(super) fn is_apart(&self) -> bool {
        let config = self.processor_config.as_ref();
        config
            .and_then(|config| config.get("Mode"))
            .is_some_and(|mode| mode == "DISTRIBUTED")
    }
}

/// A field that may be `null`, which is not the same as absent.
type Nullable = Option<Value>;

fn nullable<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Nullable, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

/// One state.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct State {
    #[serde(rename = "Type")]
    pub(super) kind: String,
    pub(super) query_language: Option<String>,
    pub(super) next: Option<String>,
    #[serde(default, deserialize_with = "nullable")]
    pub(super) input_path: Nullable,
    #[serde(default, deserialize_with = "nullable")]
    pub(super) output_path: Nullable,
    #[serde(default, deserialize_with = "nullable")]
    pub(super) result_path: Nullable,
    #[serde(default, deserialize_with = "nullable")]
    pub(super) parameters: Nullable,
    #[serde(default, deserialize_with = "nullable")]
    pub(super) result_selector: Nullable,
    #[serde(default, deserialize_with = "nullable")]
    pub(super) result: Nullable,
    pub(super) resource: Option<String>,
    #[serde(default)]
    pub(super) retry: Vec<Retrier>,
    #[serde(default)]
    pub(super) catch: Vec<Catcher>,
    pub(super) timeout_seconds: Option<u64>,
    #[serde(default)]
    pub(super) branches: Vec<Machine>,
    #[serde(alias = "Iterator")]
    pub(super) item_processor: Option<Machine>,
    pub(super) items_path: Option<String>,
    pub(super) item_selector: Option<Value>,
    pub(super) max_concurrency: Option<usize>,
    #[serde(default)]
    pub(super) choices: Vec<Value>,
    pub(super) default: Option<String>,
    pub(super) seconds: Option<u64>,
    pub(super) seconds_path: Option<String>,
    pub(super) error: Option<String>,
    pub(super) error_path: Option<String>,
    pub(super) cause: Option<String>,
    pub(super) cause_path: Option<String>,
    /// Fields that mean nothing to the result.
    #[serde(rename = "Comment")]
    pub(super) _comment: Option<Value>,
    #[serde(rename = "Label")]
    pub(super) _label: Option<Value>,
    #[serde(rename = "End")]
    pub(super) _end: Option<Value>,
    /// Every other field: what is in here has no equivalent.
    #[serde(flatten)]
    pub(super) other: Map<String, Value>,
}

/// When to repeat.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Retrier {
    pub(super) error_equals: Vec<String>,
    #[serde(default = "one")]
    pub(super) interval_seconds: u64,
    #[serde(default = "three")]
    pub(super) max_attempts: u32,
    #[serde(default = "two")]
    pub(super) backoff_rate: f64,
    pub(super) max_delay_seconds: Option<u64>,
}

fn one() -> u64 {
    1
}

fn three() -> u32 {
    3
}

fn two() -> f64 {
    2.0
}

/// Where to go on after an error.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Catcher {
    pub(super) error_equals: Vec<String>,
    pub(super) next: String,
    #[serde(default, deserialize_with = "nullable")]
    pub(super) result_path: Nullable,
}

impl State {
    /// Where the state may go, in the order in which it says so.
    pub(super) fn targets(&self) -> Vec<&str> {
        let rules = self.choices.iter().filter_map(|rule| rule["Next"].as_str());
        let catchers = self.catch.iter().map(|catcher| catcher.next.as_str());
        let next = self.next.iter().chain(&self.default).map(String::as_str);
        rules.chain(next).chain(catchers).collect()
    }
}
