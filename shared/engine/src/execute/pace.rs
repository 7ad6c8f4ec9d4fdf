//! How long the next task will take, and so whether it still fits into the attempt: otherwise the attempt yields.

use std::collections::BTreeMap;

use foreshard_model::output::ShardTask;
use foreshard_model::workflow::TaskKind;

/// What the longest task of the same type took, times this, is expected of the next: half more covers what varies
/// between tasks of one type without giving away much of an attempt.
const OF_SAME_TYPE: f64 = 1.5;

/// The same for a type that was not seen yet, from the longest of any type.
const OF_OTHER_TYPE: f64 = 2.0;

/// What starting a task and storing its output takes on top, at least.
const OVERHEAD_MS: u64 = 250;

/// Longest part of an attempt that is kept for the last checkpoint and the answer.
const MARGIN_MS: u64 = 5_000;

/// Work between two checkpoints, at least, in milliseconds: what a lost worker may cost is then about as much as noticing the
/// loss.
pub const CHECKPOINT_MS: u64 = 1_000;

/// What is kept of an attempt for the last checkpoint and the answer: a tenth, at most [`MARGIN_MS`].
#[must_use]
pub fn margin_ms(attempt_ms: u64) -> u64 {
    (attempt_ms / 10).min(MARGIN_MS)
}

/// What the tasks of this attempt took so far.
#[derive(Debug, Default)]
pub struct Pace {
    longest_of_type: BTreeMap<String, u64>,
    longest: u64,
}

impl Pace {
    /// Takes note of a finished task.
    pub fn record(&mut self, task_type: &str, duration_ms: u64) {
        let of_type = self
            .longest_of_type
            .entry(task_type.to_owned())
            .or_default();
        *of_type = duration_ms.max(*of_type);
        self.longest = self.longest.max(duration_ms);
    }

    /// What the task is expected to take, in milliseconds; never more than its timeout.
    #[must_use]
    pub fn expected_ms(&self, task: &ShardTask) -> u64 {
        let guess = match (&task.kind, self.longest_of_type.get(&task.task_type)) {
            (_, Some(longest)) => *longest as f64 * OF_SAME_TYPE,
            (TaskKind::Synthetic(load), None) => load.cpu_ms * OF_SAME_TYPE,
            (_, None) => self.longest as f64 * OF_OTHER_TYPE,
        };
        (guess as u64 + OVERHEAD_MS).min(task.timeout_ms)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use foreshard_model::units::Mib;
    use foreshard_model::workflow::{CutRules, Effect, Resources};

    use super::*;

    fn handled(task_type: &str, timeout_ms: u64) -> ShardTask {
        ShardTask {
            id: "a".into(),
            task_type: task_type.to_owned(),
            kind: TaskKind::Handler {
                handler: task_type.to_owned(),
            },
            bundle: None,
            after: Vec::new(),
            inputs: BTreeMap::new(),
            files: Vec::new(),
            slice: None,
            parts: Vec::new(),
            writes: Vec::new(),
            resources: Resources {
                memory: Mib(64),
                vcpus: 1.0,
                gpu: None,
                disk: Mib(0),
                network_mbps: 0,
            },
            estimate_ms: 0,
            bound: false,
            instead: Vec::new(),
            timeout_ms,
            effect: Effect::Idempotent,
            cut: CutRules::default(),
        }
    }

    #[test]
    fn the_expectation_follows_what_was_seen() {
        let mut pace = Pace::default();
        let task = handled("collect", 60_000);
        assert_eq!(pace.expected_ms(&task), 250);
        pace.record("other", 10_000);
        assert_eq!(pace.expected_ms(&task), 20_250);
        pace.record(&task.task_type, 2_000);
        pace.record(&task.task_type, 1_000);
        assert_eq!(pace.expected_ms(&task), 3_250);
        pace.record(&task.task_type, 90_000);
        assert_eq!(pace.expected_ms(&task), 60_000);
    }

    #[test]
    fn the_margin_is_a_tenth_and_bounded() {
        assert_eq!(margin_ms(900_000), 5_000);
        assert_eq!(margin_ms(2_000), 200);
    }
}
