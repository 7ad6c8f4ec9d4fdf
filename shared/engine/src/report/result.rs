//! Collects the outputs of a run: which manifests to read, which value each output is, and what is too large to stand here.

use std::collections::{BTreeMap, BTreeSet};

use foreshard_model::claim::Claim;
use foreshard_model::ids::{RunId, ShardId};
use foreshard_model::limits::{STATE_PAYLOAD_BYTES, TASK_OUTPUT_BYTES};
use foreshard_model::output::{Located, Manifest, OutputValue};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::mapping::{SelectError, select};

/// A value up to this size stands in the result itself; a larger one has an object of its own.
///
/// What a Step Functions state may carry: whatever follows a run can take such a value on.
pub const INLINE_RESULT_BYTES: usize = STATE_PAYLOAD_BYTES;

/// What the values in a result may come to together: a response of Lambda holds 6 MiB, envelope and escapes included.
pub const INLINE_TOTAL_BYTES: usize = 4 * 1024 * 1024;

/// The collected output of a run: `runs/<run>/result.json`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct RunResult {
    /// The run.
    pub run: RunId,
    /// The outputs by name, here or elsewhere.
    pub outputs: BTreeMap<String, OutputValue>,
    /// Outputs that have no value, and why.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub missing: BTreeMap<String, String>,
}

/// A value to read before the result can be completed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetch {
    /// The output.
    pub name: String,
    /// The value that it is, or is in.
    pub claim: Claim,
    path: Option<String>,
}

/// A value that needs an object of its own.
#[derive(Debug, Clone, PartialEq)]
pub struct Oversized {
    /// The output.
    pub name: String,
    /// Its JSON.
    pub bytes: Vec<u8>,
}

/// Collects outputs from manifests, one at a time: none is kept.
#[derive(Debug, Clone)]
pub struct Collector<'a> {
    outputs: &'a BTreeMap<String, Located>,
    wanted: BTreeMap<ShardId, BTreeSet<&'a str>>,
    result: RunResult,
    fetches: Vec<Fetch>,
    inline_bytes: usize,
}

impl<'a> Collector<'a> {
    /// Begins with what needs no manifest: constants and the run's input.
    #[must_use]
    pub fn new(run: RunId, outputs: &'a BTreeMap<String, Located>) -> Self {
        let mut wanted: BTreeMap<ShardId, BTreeSet<&str>> = BTreeMap::new();
        for (name, located) in outputs {
            if let Located::Task { shard, .. } = located {
                wanted.entry(*shard).or_default().insert(name);
            }
        }
        Self {
            outputs,
            wanted,
            result: RunResult {
                run,
                ..RunResult::default()
            },
            fetches: Vec::new(),
            inline_bytes: 0,
        }
    }

    /// Whether an output is taken from the run's input, so that [`Collector::begin`] needs it.
    #[must_use]
    pub fn wants_input(&self) -> bool {
        self.outputs
            .values()
            .any(|l| matches!(l, Located::Run { .. }))
    }

    /// Takes constants, and values of the run's input; gives those that need an object.
    pub fn begin(&mut self, input: &Value) -> Vec<Oversized> {
        let outputs = self.outputs;
        outputs
            .iter()
            .filter_map(|(name, located)| match located {
                Located::Constant(value) => self.put(name, value.clone()),
                Located::Run { path, default } => {
                    self.pick(name, input, path.as_deref(), default.as_ref())
                }
                Located::Task { .. } => None,
            })
            .collect()
    }

    /// Takes the outputs that the manifest of a shard holds; gives those that need an object.
    pub fn add(&mut self, manifest: &Manifest) -> Vec<Oversized> {
        let names = self.wanted.remove(&manifest.shard).unwrap_or_default();
        names
            .into_iter()
            .filter_map(|name| self.take(name, manifest))
            .collect()
    }

    fn take(&mut self, name: &str, manifest: &Manifest) -> Option<Oversized> {
        let Some(Located::Task { task, path, .. }) = self.outputs.get(name) else {
            return None;
        };
        match manifest.tasks.get(task).map(|output| &output.value) {
            None => {
                self.miss(name, format!("task `{task}` has left no output"));
                None
            }
            Some(OutputValue::Inline(value)) => self.pick(name, value, path.as_deref(), None),
            Some(OutputValue::Stored(claim)) => {
                self.stored(name, claim, path.clone());
                None
            }
        }
    }

    /// A value that is elsewhere: read when it is small or a path leads into it, otherwise named.
    fn stored(&mut self, name: &str, claim: &Claim, path: Option<String>) {
        let bytes = usize::try_from(claim.bytes).unwrap_or(usize::MAX);
        let fits = bytes <= INLINE_RESULT_BYTES && self.inline_bytes + bytes <= INLINE_TOTAL_BYTES;
        if path.is_some() && bytes > TASK_OUTPUT_BYTES {
            self.miss(
                name,
                format!("a path cannot lead into {bytes} bytes, more than {TASK_OUTPUT_BYTES}"),
            );
        } else if fits || path.is_some() {
            self.fetches.push(Fetch {
                name: name.to_owned(),
                claim: claim.clone(),
                path,
            });
        } else {
            self.result
                .outputs
                .insert(name.to_owned(), OutputValue::Stored(claim.clone()));
        }
    }

    /// The values to read now; each goes to [`Collector::fetched`].
    pub fn fetches(&mut self) -> Vec<Fetch> {
        std::mem::take(&mut self.fetches)
    }

    /// Takes a value that was read; gives it back when it needs an object that it does not have yet.
    pub fn fetched(&mut self, fetch: &Fetch, bytes: &[u8]) -> Option<Oversized> {
        match serde_json::from_slice::<Value>(bytes) {
            Err(e) => {
                self.miss(&fetch.name, format!("its value is not JSON: {e}"));
                None
            }
            Ok(value) => {
                let over = self.pick(&fetch.name, &value, fetch.path.as_deref(), None)?;
                if fetch.path.is_some() {
                    return Some(over);
                }
                self.place(&fetch.name, fetch.claim.clone());
                None
            }
        }
    }

    /// Notes that a value could not be read.
    pub fn lost(&mut self, fetch: &Fetch, why: &str) {
        self.miss(&fetch.name, why.to_owned());
    }

    /// Names the object that an oversized value was put into.
    pub fn place(&mut self, name: &str, claim: Claim) {
        self.result
            .outputs
            .insert(name.to_owned(), OutputValue::Stored(claim));
    }

    fn pick(
        &mut self,
        name: &str,
        value: &Value,
        path: Option<&str>,
        default: Option<&Value>,
    ) -> Option<Oversized> {
        let picked = path.map_or_else(|| Ok(value.clone()), |path| select(value, path));
        match (picked, default) {
            (Ok(value), _) => self.put(name, value),
            (Err(SelectError::Nothing { .. }), Some(value)) => self.put(name, value.clone()),
            (Err(e), _) => {
                self.miss(name, e.to_string());
                None
            }
        }
    }

    fn put(&mut self, name: &str, value: Value) -> Option<Oversized> {
        let bytes = value.to_string().into_bytes();
        if bytes.len() > INLINE_RESULT_BYTES || self.inline_bytes + bytes.len() > INLINE_TOTAL_BYTES
        {
            return Some(Oversized {
                name: name.to_owned(),
                bytes,
            });
        }
        self.inline_bytes += bytes.len();
        self.result
            .outputs
            .insert(name.to_owned(), OutputValue::Inline(value));
        None
    }

    fn miss(&mut self, name: &str, why: String) {
        self.result.missing.insert(name.to_owned(), why);
    }

    /// The result; outputs whose shard never gave a manifest are missing.
    #[must_use]
    pub fn finish(mut self) -> RunResult {
        for (shard, names) in std::mem::take(&mut self.wanted) {
            for name in names {
                self.miss(name, format!("shard {shard} has left no output"));
            }
        }
        self.result
    }
}
