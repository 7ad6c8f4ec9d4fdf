//! Decides which tasks are upstream of which: a mapping may only take from those.

use super::order::{Lists, Order};

/// A question: is the second upstream of the first?
pub(crate) type Question = (u32, u32);

/// Edges that are followed backwards before a question is left to the wide search. Most mappings reach two or three
/// tasks back.
const NEAR_EDGES: usize = 256;

/// Sources that one pass of the wide search follows: eight words for each task.
const PASS_SOURCES: usize = 512;

/// Distinct distant sources that are followed: 128 passes, a few seconds for a million tasks.
pub(crate) const DISTANT_SOURCES: usize = 65_536;

/// There are more distant sources than [`DISTANT_SOURCES`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TooManyDistant(pub(crate) usize);

/// The questions whose answer is no, by position.
///
/// # Errors
/// Too many distinct tasks are taken from over long distances.
///
/// # Complexity
/// O(questions × 256) for near ones; O(tasks + needs) for each 512 distinct distant sources.
pub(crate) fn refused(
    needs: &Lists,
    order: &Order,
    questions: &[Question],
) -> Result<Vec<usize>, TooManyDistant> {
    let mut near = Near {
        needs,
        levels: &order.levels,
        seen: vec![0; needs.len()],
        round: 0,
        stack: Vec::new(),
    };
    let mut no = Vec::new();
    let mut distant = Vec::new();
    for (index, question) in questions.iter().enumerate() {
        match near.answer(*question) {
            Some(true) => {}
            Some(false) => no.push(index),
            None => distant.push(index),
        }
    }
    let mut sources: Vec<u32> = distant.iter().map(|index| questions[*index].1).collect();
    sources.sort_unstable();
    sources.dedup();
    if sources.len() > DISTANT_SOURCES {
        return Err(TooManyDistant(sources.len()));
    }
    distant.sort_by_key(|index| questions[*index].1);
    let mut rest = distant.as_slice();
    for pass in sources.chunks(PASS_SOURCES) {
        let last = pass.last().copied().unwrap_or(0);
        let count = rest.partition_point(|index| questions[*index].1 <= last);
        let (now, later) = rest.split_at(count);
        no.extend(wide(needs, order, pass, now, questions));
        rest = later;
    }
    no.sort_unstable();
    Ok(no)
}

/// Follows needs backwards, not below the level of what is sought, and not far.
struct Near<'g> {
    needs: &'g Lists,
    levels: &'g [u32],
    /// The round in which a task was last seen.
    seen: Vec<u32>,
    round: u32,
    stack: Vec<u32>,
}

impl Near<'_> {
    fn answer(&mut self, (task, source): Question) -> Option<bool> {
        let level = self.levels[source as usize];
        if self.levels[task as usize] <= level {
            return Some(false);
        }
        if self.needs.get(task).binary_search(&source).is_ok() {
            return Some(true);
        }
        self.round += 1;
        self.stack.clear();
        self.stack.push(task);
        let mut edges = 0;
        while let Some(task) = self.stack.pop() {
            for &need in self.needs.get(task) {
                edges += 1;
                if need == source {
                    return Some(true);
                }
                if edges > NEAR_EDGES {
                    return None;
                }
                let index = need as usize;
                if self.levels[index] > level && self.seen[index] != self.round {
                    self.seen[index] = self.round;
                    self.stack.push(need);
                }
            }
        }
        Some(false)
    }
}

/// Carries a set of up to 512 sources along the order: a task has what its needs have, and its needs.
fn wide(
    needs: &Lists,
    order: &Order,
    sources: &[u32],
    asked: &[usize],
    questions: &[Question],
) -> Vec<usize> {
    const WORDS: usize = PASS_SOURCES / 64;
    let bit = |task: u32| sources.binary_search(&task).ok();
    let mut upstream = vec![[0_u64; WORDS]; needs.len()];
    for &task in &order.tasks {
        let mut mine = [0_u64; WORDS];
        for &need in needs.get(task) {
            for (word, theirs) in mine.iter_mut().zip(&upstream[need as usize]) {
                *word |= theirs;
            }
            if let Some(bit) = bit(need) {
                mine[bit / 64] |= 1 << (bit % 64);
            }
        }
        upstream[task as usize] = mine;
    }
    let is_no = |index: &&usize| {
        let (task, source) = questions[**index];
        bit(source).is_none_or(|bit| upstream[task as usize][bit / 64] & (1 << (bit % 64)) == 0)
    };
    asked.iter().filter(is_no).copied().collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::order::order;
    use super::*;

    #[test]
    fn distant_sources_are_found_through_a_long_chain() {
        let count = 5_000_u32;
        let needs = Lists::of(count as usize, (1..count).map(|n| (n, n - 1)).collect());
        let order = order(&needs).unwrap();
        let mut questions: Vec<Question> = (0..1_200).map(|n| (4_999, n)).collect();
        questions.push((10, 4_000));
        questions.push((10, 10));
        assert_eq!(refused(&needs, &order, &questions), Ok(vec![1_200, 1_201]));
    }

    #[test]
    fn too_many_distant_sources_are_refused_before_the_work() {
        let count = 70_000_u32;
        let needs = Lists::of(count as usize, (1..count).map(|n| (n, n - 1)).collect());
        let order = order(&needs).unwrap();
        let questions: Vec<Question> = (0..count - 300).map(|n| (count - 1, n)).collect();
        assert_eq!(
            refused(&needs, &order, &questions),
            Err(TooManyDistant(69_700))
        );
    }

    proptest! {
        #[test]
        fn near_and_wide_agree_with_the_closure(
            pairs in prop::collection::vec((0_u32..40, 0_u32..40), 0..120),
        ) {
            let pairs: Vec<_> = pairs.into_iter().filter(|(task, need)| need < task).collect();
            let needs = Lists::of(40, pairs);
            let order = order(&needs).unwrap();
            let mut closure = vec![[false; 40]; 40];
            for task in 0..40_u32 {
                for &need in needs.get(task) {
                    let theirs = closure[need as usize];
                    for (mine, theirs) in closure[task as usize].iter_mut().zip(theirs) {
                        *mine |= theirs;
                    }
                    closure[task as usize][need as usize] = true;
                }
            }
            let questions: Vec<Question> =
                (0..40).flat_map(|task| (0..40).map(move |source| (task, source))).collect();
            let expected: Vec<usize> = (0..questions.len())
                .filter(|n| !closure[questions[*n].0 as usize][questions[*n].1 as usize])
                .collect();
            prop_assert_eq!(refused(&needs, &order, &questions), Ok(expected.clone()));
            let all: Vec<u32> = (0..40).collect();
            let asked: Vec<usize> = (0..questions.len()).collect();
            prop_assert_eq!(wide(&needs, &order, &all, &asked, &questions), expected);
        }
    }
}
