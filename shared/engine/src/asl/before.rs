//! The tasks that come before one, as bits: sets of them would be large where thousands of tasks follow each other.

use super::flow::Draft;

const BITS: usize = u64::BITS as usize;

/// A set of tasks.
#[derive(Debug, Default)]
pub(super) struct Before(Vec<u64>);

impl Before {
    /// Adds a task.
    pub(super) fn add(&mut self, task: Draft) {
        let words = task / BITS + 1;
        if self.0.len() < words {
            self.0.resize(words, 0);
        }
        self.0[task / BITS] |= 1 << (task % BITS);
    }

    /// Adds all of another.
    pub(super) fn add_all(&mut self, other: &Self) {
        if self.0.len() < other.0.len() {
            self.0.resize(other.0.len(), 0);
        }
        for (word, more) in self.0.iter_mut().zip(&other.0) {
            *word |= more;
        }
    }

    /// Whether a task is one of them.
    pub(super) fn contains(&self, task: Draft) -> bool {
        let word = self.0.get(task / BITS).copied().unwrap_or(0);
        word >> (task % BITS) & 1 == 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_has_what_was_added_and_nothing_else() {
        let (mut one, mut two) = (Before::default(), Before::default());
        one.add(3);
        two.add(64);
        two.add(200);
        one.add_all(&two);
        let found: Vec<Draft> = (0..300).filter(|task| one.contains(*task)).collect();
        assert_eq!(found, [3, 64, 200]);
        assert!(!two.contains(3));
    }
}
