//! In which order a list schedule takes the tasks.

use super::Instance;

/// A priority: tasks come by descending rank, each after all that it needs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Priority {
    /// Upward rank with mean speeds: HEFT. H. Topcuoglu, S. Hariri, M.-Y. Wu, IEEE TPDS 13 (2002), 260. The number is the
    /// weight of moving data: 1 is the paper's, 0 leaves it out.
    Upward(f64),
    /// Longest path through the task, upward and downward rank together: CPOP, the same paper.
    Through,
    /// Upward rank of the fastest target, level by level: what is wide goes first.
    Level,
}

/// The tasks in the order of a priority.
///
/// # Complexity
///
/// O(edges + tasks · log tasks).
#[must_use]
pub fn sequence(instance: &Instance<'_>, priority: Priority) -> Vec<u32> {
    let upward = match priority {
        Priority::Upward(weight) => ranks(instance, weight),
        Priority::Through | Priority::Level => ranks(instance, 1.0),
    };
    match priority {
        Priority::Upward(_) => sorted(instance, |task| -upward[task as usize]),
        Priority::Through => {
            let downward = downward(instance);
            ready_first(instance, |task| {
                upward[task as usize] + downward[task as usize]
            })
        }
        Priority::Level => {
            let levels = crate::graph::levels(instance.graph, instance.order);
            let longest = upward.iter().copied().fold(1.0, f64::max) * 2.0;
            sorted(instance, |task| {
                f64::from(levels[task as usize]) * longest - upward[task as usize]
            })
        }
    }
}

/// Mean seconds for each second of work.
fn mean_pace(instance: &Instance<'_>) -> f64 {
    let speeds = &instance.network.speeds;
    speeds.iter().map(|speed| 1.0 / speed).sum::<f64>() / speeds.len().max(1) as f64
}

/// Share of the pairs of targets between which data has to move.
fn mean_distance(instance: &Instance<'_>) -> f64 {
    let targets = instance.network.speeds.len().max(1) as f64;
    (targets - 1.0) / targets
}

/// Upward ranks: mean duration of a task, and of the longest path behind it.
pub fn ranks(instance: &Instance<'_>, weight: f64) -> Vec<f64> {
    let pace = mean_pace(instance);
    let moving = weight * mean_distance(instance) / instance.network.bytes_per_s;
    let mut ranks = vec![0.0_f64; instance.work_s.len()];
    for &task in instance.order.iter().rev() {
        let rank = ranks[task as usize] + instance.work_s[task as usize] * pace;
        ranks[task as usize] = rank;
        for (before, bytes) in instance.graph.incoming_bytes(task) {
            let behind = &mut ranks[before as usize];
            *behind = behind.max(rank + bytes as f64 * moving);
        }
    }
    ranks
}

fn downward(instance: &Instance<'_>) -> Vec<f64> {
    let pace = mean_pace(instance);
    let moving = mean_distance(instance) / instance.network.bytes_per_s;
    let mut ranks = vec![0.0_f64; instance.work_s.len()];
    for &task in instance.order {
        ranks[task as usize] = instance
            .graph
            .incoming_bytes(task)
            .map(|(before, bytes)| {
                ranks[before as usize]
                    + instance.work_s[before as usize] * pace
                    + bytes as f64 * moving
            })
            .fold(0.0, f64::max);
    }
    ranks
}

/// By ascending key, equal ones in topological order; keys rise along every edge.
fn sorted(instance: &Instance<'_>, key: impl Fn(u32) -> f64) -> Vec<u32> {
    let mut keyed: Vec<(f64, u32, u32)> = instance
        .order
        .iter()
        .enumerate()
        .map(|(at, &task)| (key(task), at as u32, task))
        .collect();
    keyed.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    keyed.into_iter().map(|(_, _, task)| task).collect()
}

/// The ready task of highest rank, one after the other: for ranks that do not fall along every edge.
fn ready_first(instance: &Instance<'_>, rank: impl Fn(u32) -> f64) -> Vec<u32> {
    let tasks = instance.work_s.len();
    let graph = instance.graph;
    // Positive floats compare as their bits do.
    let keyed = |task: u32| (rank(task).to_bits(), std::cmp::Reverse(task));
    let mut missing: Vec<u32> = (0..tasks as u32)
        .map(|task| graph.predecessors(task).len() as u32)
        .collect();
    let mut ready: std::collections::BinaryHeap<_> = (0..tasks as u32)
        .filter(|&task| missing[task as usize] == 0)
        .map(keyed)
        .collect();
    let mut sequence = Vec::with_capacity(tasks);
    while let Some((_, std::cmp::Reverse(task))) = ready.pop() {
        sequence.push(task);
        for &next in graph.successors(task) {
            missing[next as usize] -= 1;
            if missing[next as usize] == 0 {
                ready.push(keyed(next));
            }
        }
    }
    sequence
}
