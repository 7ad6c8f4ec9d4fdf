//! The order of the states of one machine: each after all that lead to it, and the steps that lead back.

use std::collections::{BTreeMap, BTreeSet};

use super::definition::State;

/// The states that can be reached, in order, and the steps that lead back to where they came from.
pub(super) struct Order<'a> {
    pub(super) states: Vec<&'a str>,
    pub(super) back: BTreeSet<(&'a str, &'a str)>,
}

/// Orders states by depth-first search from the first.
///
/// # Complexity
/// O(states + transitions); no recursion, so that a long chain is no deep stack.
pub(super) fn order<'a>(states: &'a BTreeMap<String, State>, start: &'a str) -> Order<'a> {
    let targets = |name: &str| -> Vec<&'a str> {
        let state = states.get(name);
        state.map(State::targets).unwrap_or_default()
    };
    let mut order = Order {
        states: Vec::new(),
        back: BTreeSet::new(),
    };
    let mut seen = BTreeSet::from([start]);
    let mut open = BTreeSet::from([start]);
    let mut stack = vec![(start, targets(start).into_iter())];
    while let Some((name, left)) = stack.last_mut() {
        let name = *name;
        match left.next() {
            Some(next) if open.contains(next) => {
                order.back.insert((name, next));
            }
            Some(next) if states.contains_key(next) && seen.insert(next) => {
                open.insert(next);
                stack.push((next, targets(next).into_iter()));
            }
            Some(_) => {}
            None => {
                open.remove(name);
                order.states.push(name);
                stack.pop();
            }
        }
    }
    order.states.reverse();
    order
}
