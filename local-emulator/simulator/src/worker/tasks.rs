//! What a task really takes: its estimate, times what its document does not know.

use foreshard_engine::place::UNKNOWN_TASK_MS;
use foreshard_fakes::Seeded;
use foreshard_model::ids::TaskId;
use foreshard_model::workflow::TaskKind;

use crate::parameters::TASK_SPREAD;
use crate::random;

/// How what happens differs from what was estimated. The same task takes the same on either side.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Reality {
    pub(crate) seed: u64,
    /// Factor on every processor time.
    pub(crate) slower: f64,
    /// Factor on every memory.
    pub(crate) larger: f64,
}

impl Reality {
    /// How long this task takes, as a factor of its estimate.
    pub(crate) fn factor(&self, task: &TaskId) -> f64 {
        let mut draws = Seeded::new(self.seed, &format!("task {task}"));
        self.slower * random::draw(&mut draws, TASK_SPREAD)
    }

    /// Its memory, in MiB.
    pub(crate) fn memory_mib(&self, mib: u32) -> u32 {
        (f64::from(mib) * self.larger).ceil() as u32
    }
}

/// Estimated processor time of a task on one vCPU, in milliseconds; for one that waits for somebody else, its duration.
pub(crate) fn task_ms(kind: &TaskKind, estimate_ms: Option<u64>) -> f64 {
    match (kind, estimate_ms) {
        (TaskKind::Synthetic(load), _) => load.cpu_ms,
        (_, Some(ms)) => ms as f64,
        (_, None) => UNKNOWN_TASK_MS,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_takes_the_same_wherever_it_runs() {
        let reality = Reality {
            seed: 3,
            slower: 2.0,
            larger: 1.5,
        };
        let factor = reality.factor(&"a".into());
        assert_eq!(factor, reality.factor(&"a".into()));
        assert_ne!(factor, reality.factor(&"b".into()));
        assert!((1.8..3.0).contains(&factor), "{factor}");
        assert_eq!(reality.memory_mib(100), 150);
    }
}
