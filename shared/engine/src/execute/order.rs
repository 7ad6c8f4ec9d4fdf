//! Which tasks of a shard may start now: their predecessors have finished, and CPU and memory are free.

use foreshard_model::output::ShardTask;
use foreshard_model::units::Mib;
use foreshard_model::workflow::TaskKind;

/// Tasks that only wait for somebody else, at once: each holds its input and its answer in memory.
const WAITING: usize = 16;

/// Where a task of the shard stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TaskState {
    /// Not started in this attempt.
    Waiting,
    /// Started.
    Running,
    /// Has its output.
    Finished,
}

/// What a task takes while it runs.
#[derive(Debug, Clone, PartialEq)]
pub struct Demand {
    after: Vec<u32>,
    vcpus: f32,
    memory: Mib,
    waits: bool,
}

/// What the target has.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Capacity {
    /// vCPUs: tasks that compute at once.
    pub vcpus: u32,
    /// Memory that tasks may hold together.
    pub memory: Mib,
}

impl Demand {
    /// What the task takes. One that waits for a function or a server takes neither CPU nor memory of its own.
    #[must_use]
    pub fn of(task: &ShardTask) -> Self {
        let waits = matches!(task.kind, TaskKind::Lambda { .. } | TaskKind::Http(_));
        Self {
            after: task.after.clone(),
            vcpus: if waits { 0.0 } else { task.resources.vcpus },
            memory: if waits { Mib(0) } else { task.resources.memory },
            waits,
        }
    }
}

/// Positions of the tasks to start now, in the order of the shard. A task that is too large for what is free is passed
/// over; when nothing runs the first one starts whatever it asks for.
#[must_use]
pub fn startable(demands: &[Demand], states: &[TaskState], capacity: Capacity) -> Vec<usize> {
    let running = || {
        (0..demands.len())
            .filter(|i| states[*i] == TaskState::Running)
            .map(|i| &demands[i])
    };
    let mut vcpus: f32 = running().map(|d| d.vcpus).sum();
    let mut memory: u64 = running().map(|d| u64::from(d.memory.0)).sum();
    let mut waiting = running().filter(|d| d.waits).count();
    let mut idle = running().next().is_none();
    let mut chosen = Vec::new();
    for (position, demand) in demands.iter().enumerate() {
        if states[position] != TaskState::Waiting || !demand.is_ready(states) {
            continue;
        }
        // Rounding of fractions of a vCPU must not leave one unused.
        let fits = vcpus + demand.vcpus <= capacity.vcpus as f32 + 0.001
            && memory + u64::from(demand.memory.0) <= u64::from(capacity.memory.0)
            && (!demand.waits || waiting < WAITING);
        if !fits && !idle {
            continue;
        }
        idle = false;
        vcpus += demand.vcpus;
        memory += u64::from(demand.memory.0);
        waiting += usize::from(demand.waits);
        chosen.push(position);
    }
    chosen
}

impl Demand {
    fn is_ready(&self, states: &[TaskState]) -> bool {
        let finished = |task: &u32| states.get(*task as usize) == Some(&TaskState::Finished);
        self.after.iter().all(finished)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TARGET: Capacity = Capacity {
        vcpus: 2,
        memory: Mib(1_000),
    };

    fn demand(after: &[u32], vcpus: f32, mib: u32) -> Demand {
        Demand {
            after: after.to_vec(),
            vcpus,
            memory: Mib(mib),
            waits: vcpus == 0.0,
        }
    }

    /// One letter for each task: `w`aiting, `r`unning, `f`inished.
    fn check(demands: &[Demand], states: &str, expected: &[usize]) {
        let states: Vec<_> = states
            .chars()
            .map(|c| match c {
                'r' => TaskState::Running,
                'f' => TaskState::Finished,
                _ => TaskState::Waiting,
            })
            .collect();
        assert_eq!(startable(demands, &states, TARGET), expected);
    }

    #[test]
    fn independent_tasks_fill_the_vcpus_and_never_the_memory_twice() {
        let small = demand(&[], 1.0, 100);
        check(
            &[small.clone(), small.clone(), small.clone()],
            "www",
            &[0, 1],
        );
        check(&[small.clone(), small.clone(), small.clone()], "rww", &[1]);
        check(
            &[demand(&[], 1.0, 600), demand(&[], 1.0, 600), small.clone()],
            "www",
            &[0, 2],
        );
        check(
            &[demand(&[], 1.0, 900), demand(&[], 4.0, 50), small.clone()],
            "www",
            &[0, 2],
        );
        check(&[demand(&[], 8.0, 5_000), small], "ww", &[0]);
    }

    #[test]
    fn predecessors_come_first() {
        let chain = [
            demand(&[], 1.0, 1),
            demand(&[0], 1.0, 1),
            demand(&[0, 1], 1.0, 1),
        ];
        check(&chain, "www", &[0]);
        check(&chain, "fww", &[1]);
        check(&chain, "ffw", &[2]);
        check(&chain, "rww", &[]);
    }

    #[test]
    fn tasks_that_only_wait_take_no_vcpu() {
        let mut tasks = vec![demand(&[], 0.0, 0); 20];
        tasks.push(demand(&[], 1.0, 10));
        let states = vec![TaskState::Waiting; 21];
        let chosen = startable(&tasks, &states, TARGET);
        assert_eq!(chosen.len(), WAITING + 1);
        assert_eq!(chosen.last(), Some(&20));
    }

    proptest! {
        #[test]
        fn every_shard_comes_to_its_end(sizes in prop::collection::vec((0.1f32..4.0, 1u32..2_000), 1..30)) {
            let demands: Vec<_> = sizes
                .iter()
                .enumerate()
                .map(|(i, (vcpus, mib))| {
                    let after: Vec<u32> = (0..u32::try_from(i).unwrap()).filter(|p| (i + *p as usize).is_multiple_of(3)).collect();
                    demand(&after, *vcpus, *mib)
                })
                .collect();
            let mut states = vec![TaskState::Waiting; demands.len()];
            for _ in 0..demands.len() {
                for chosen in startable(&demands, &states, TARGET) {
                    states[chosen] = TaskState::Running;
                }
                let running: Vec<_> = (0..states.len()).filter(|i| states[*i] == TaskState::Running).collect();
                let memory: u32 = running.iter().map(|i| demands[*i].memory.0).sum();
                prop_assert!(memory <= TARGET.memory.0 || running.len() == 1);
                if let Some(first) = running.first() {
                    states[*first] = TaskState::Finished;
                }
            }
            prop_assert!(states.iter().all(|s| *s == TaskState::Finished));
        }
    }
}
