//! Orders tasks so that each comes after all that it needs, and finds the cycles where that is impossible.

/// A position as the compact tables keep it: a workflow has at most a million tasks, a document fewer than 2³² names.
pub(crate) fn position(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
}

/// For each task, others: what it needs, or who needs it. Compact and sorted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Lists {
    starts: Vec<u32>,
    items: Vec<u32>,
}

impl Lists {
    /// Lists of `count` tasks from pairs of a task and another, in any order; repeats count once.
    ///
    /// # Complexity
    /// O(count + pairs log pairs).
    pub(crate) fn of(count: usize, mut pairs: Vec<(u32, u32)>) -> Self {
        pairs.sort_unstable();
        pairs.dedup();
        let mut starts = vec![0_u32; count + 1];
        for (task, _) in &pairs {
            starts[*task as usize + 1] += 1;
        }
        for index in 0..count {
            starts[index + 1] += starts[index];
        }
        Self {
            starts,
            items: pairs.into_iter().map(|(_, other)| other).collect(),
        }
    }

    /// How many tasks there are.
    pub(crate) fn len(&self) -> usize {
        self.starts.len().saturating_sub(1)
    }

    /// The others of one task, ascending.
    pub(crate) fn get(&self, task: u32) -> &[u32] {
        let index = task as usize;
        &self.items[self.starts[index] as usize..self.starts[index + 1] as usize]
    }

    /// The lists the other way round.
    pub(crate) fn reversed(&self) -> Self {
        let mut starts = vec![0_u32; self.starts.len()];
        for item in &self.items {
            starts[*item as usize + 1] += 1;
        }
        for index in 0..self.len() {
            starts[index + 1] += starts[index];
        }
        let mut next = starts.clone();
        let mut items = vec![0_u32; self.items.len()];
        for task in 0..self.len() {
            let task = position(task);
            for item in self.get(task) {
                let place = &mut next[*item as usize];
                items[*place as usize] = task;
                *place += 1;
            }
        }
        Self { starts, items }
    }
}

/// An order in which each task comes after all that it needs.
#[derive(Debug, Clone, Default)]
pub(crate) struct Order {
    /// The tasks in that order.
    pub(crate) tasks: Vec<u32>,
    /// For each task: how many tasks are on the longest way to it.
    pub(crate) levels: Vec<u32>,
}

/// Orders tasks by `needs`.
///
/// # Errors
/// Some cycles, each as the tasks in the order in which they would run, first the one that comes first in the document.
/// There are cycles exactly when at least one is given.
///
/// # Complexity
/// O(tasks + needs). Kahn, "Topological sorting of large networks", CACM 1962.
pub(crate) fn order(needs: &Lists) -> Result<Order, Vec<Vec<u32>>> {
    let (order, missing) = peel(needs, &needs.reversed());
    if order.tasks.len() == needs.len() {
        Ok(order)
    } else {
        Err(cycles(needs, &missing))
    }
}

/// Takes away whatever needs nothing, then what needs nothing more, and so on. What that leaves still misses something.
fn peel(needs: &Lists, followers: &Lists) -> (Order, Vec<u32>) {
    let count = needs.len();
    let all = 0..position(count);
    let mut missing: Vec<u32> = all
        .clone()
        .map(|task| position(needs.get(task).len()))
        .collect();
    let mut levels = vec![0_u32; count];
    let mut tasks: Vec<u32> = all.filter(|task| missing[*task as usize] == 0).collect();
    let mut next = 0;
    while let Some(&task) = tasks.get(next) {
        next += 1;
        for &follower in followers.get(task) {
            let index = follower as usize;
            levels[index] = levels[index].max(levels[task as usize] + 1);
            missing[index] -= 1;
            if missing[index] == 0 {
                tasks.push(follower);
            }
        }
    }
    (Order { tasks, levels }, missing)
}

/// The tasks that are on a cycle, or between two: every cycle is among them, and nothing outside can be on one.
pub(crate) fn entangled(needs: &Lists) -> Vec<bool> {
    let followers = needs.reversed();
    let (_, waiting) = peel(needs, &followers);
    let (_, awaited) = peel(&followers, needs);
    let both = waiting.iter().zip(&awaited);
    both.map(|(waiting, awaited)| *waiting > 0 && *awaited > 0)
        .collect()
}

/// Most cycles that are named: who mends ten sees the next ten.
const CYCLES: usize = 10;

/// Cycles among the tasks that could not be ordered: depth first, without recursion. Cycles that share a task with one
/// already found are left out.
fn cycles(needs: &Lists, missing: &[u32]) -> Vec<Vec<u32>> {
    #[derive(Clone, Copy, PartialEq)]
    enum Color {
        New,
        Open,
        Closed,
    }
    let mut colors: Vec<Color> = missing
        .iter()
        .map(|left| if *left > 0 { Color::New } else { Color::Closed })
        .collect();
    let mut named = vec![false; missing.len()];
    let mut found = Vec::new();
    for root in 0..position(missing.len()) {
        if colors[root as usize] != Color::New {
            continue;
        }
        let mut path: Vec<(u32, usize)> = vec![(root, 0)];
        colors[root as usize] = Color::Open;
        while let Some((task, next)) = path.last_mut() {
            let Some(&need) = needs.get(*task).get(*next) else {
                colors[*task as usize] = Color::Closed;
                path.pop();
                continue;
            };
            *next += 1;
            match colors[need as usize] {
                Color::Closed => {}
                Color::New => {
                    colors[need as usize] = Color::Open;
                    path.push((need, 0));
                }
                Color::Open => {
                    let start = path.iter().position(|(t, _)| *t == need).unwrap_or(0);
                    let mut cycle: Vec<u32> = path[start..].iter().map(|(t, _)| *t).collect();
                    if cycle.iter().any(|task| named[*task as usize]) {
                        continue;
                    }
                    cycle.reverse();
                    let first = cycle.iter().enumerate().min_by_key(|(_, task)| **task);
                    let first = first.map_or(0, |(index, _)| index);
                    cycle.rotate_left(first);
                    for task in &cycle {
                        named[*task as usize] = true;
                    }
                    found.push(cycle);
                    if found.len() == CYCLES {
                        return found;
                    }
                }
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// `"b>a"`: b needs a.
    fn lists(text: &str) -> Lists {
        let index = |name: &str| u32::from(name.as_bytes()[0] - b'a');
        let pairs = text
            .split_whitespace()
            .map(|pair| pair.split_once('>').unwrap())
            .map(|(task, need)| (index(task), index(need)))
            .collect();
        Lists::of(6, pairs)
    }

    fn shown(text: &str) -> String {
        let name = |task: &u32| char::from(b'a' + u8::try_from(*task).unwrap()).to_string();
        let join = |tasks: &Vec<u32>| tasks.iter().map(name).collect::<String>();
        match order(&lists(text)) {
            Ok(order) => join(&order.tasks),
            Err(cycles) => cycles.iter().map(join).collect::<Vec<_>>().join(" "),
        }
    }

    #[test]
    fn tasks_come_after_what_they_need_and_cycles_are_named() {
        insta::assert_snapshot!(shown("a>b b>c d>c"), @"cefbda");
        insta::assert_snapshot!(shown("a>a"), @"a");
        insta::assert_snapshot!(shown("b>a c>b a>c d>c"), @"abc");
        insta::assert_snapshot!(shown("a>b b>a c>d d>e e>c f>e"), @"ab ced");
        insta::assert_snapshot!(shown("b>c c>b d>b d>e e>d"), @"bc de");
    }

    #[test]
    fn what_only_follows_a_cycle_is_not_entangled() {
        let flags = entangled(&lists("b>a a>b c>b a>d"));
        assert_eq!(flags, [true, true, false, false, false, false]);
    }

    #[test]
    fn a_long_chain_needs_no_stack() {
        let ring = |count: u32| (0..count).map(|n| (n, (n + 1) % count)).collect();
        let cycles = order(&Lists::of(300_000, ring(300_000))).unwrap_err();
        assert_eq!((cycles.len(), cycles[0].len()), (1, 300_000));
    }

    proptest! {
        #[test]
        fn an_order_or_a_true_cycle(pairs in prop::collection::vec((0_u32..12, 0_u32..12), 0..30)) {
            let needs = Lists::of(12, pairs.clone());
            match order(&needs) {
                Ok(order) => {
                    let mut place = [0; 12];
                    for (index, task) in order.tasks.iter().enumerate() {
                        place[*task as usize] = index;
                    }
                    for (task, need) in pairs {
                        prop_assert!(place[need as usize] < place[task as usize]);
                        prop_assert!(order.levels[need as usize] < order.levels[task as usize]);
                    }
                }
                Err(cycles) => {
                    prop_assert!(!cycles.is_empty());
                    for cycle in cycles {
                        for (index, task) in cycle.iter().enumerate() {
                            let after = cycle[(index + 1) % cycle.len()];
                            prop_assert!(needs.get(after).contains(task));
                        }
                    }
                }
            }
        }
    }
}
