//! What flows from state to state: a value, the condition under which it does, and the tasks that came before.

use std::collections::{BTreeMap, BTreeSet};

use crate::expression::Expression;

/// A task among the drafts.
pub(super) type Draft = usize;

/// Ways that choices took: one of them must have been taken. `None`: in any case.
pub(super) type Guard = Option<BTreeSet<Way>>;

/// A choice's task and one of its ways.
pub(super) type Way = (Draft, String);

/// What arrives at a state.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Flow {
    pub(super) value: Expression,
    pub(super) guard: Guard,
    pub(super) after: BTreeSet<Draft>,
}

/// What is known of the choices: under which condition each is made, and all of its ways.
#[derive(Debug, Default)]
pub(super) struct Choices(BTreeMap<Draft, (Guard, BTreeSet<String>)>);

impl Choices {
    /// Notes a choice.
    pub(super) fn add(
        &mut self,
        task: Draft,
        guard: Guard,
        ways: impl IntoIterator<Item = String>,
    ) {
        self.0.insert(task, (guard, ways.into_iter().collect()));
    }

    /// The condition that one of two holds; where all ways of a choice come together again, the condition of the choice.
    pub(super) fn either(&self, left: &Guard, right: &Guard) -> Guard {
        let (Some(left), Some(right)) = (left, right) else {
            return None;
        };
        let mut ways: BTreeSet<Way> = left.union(right).cloned().collect();
        while let Some((task, (guard, all))) =
            self.0.iter().rev().find(|(task, (_, all))| {
                all.iter().all(|way| ways.contains(&(**task, way.clone())))
            })
        {
            ways.retain(|(other, way)| other != task || !all.contains(way));
            match guard {
                None => return None,
                Some(outer) => ways.extend(outer.iter().cloned()),
            }
        }
        Some(ways)
    }
}

/// A condition as an expression over the outputs of the choices; `None` when it always holds.
pub(super) fn condition(guard: &Guard, id: impl Fn(Draft) -> String) -> Option<Expression> {
    let ways = guard.as_ref()?.iter();
    let mut chosen: Vec<Expression> = ways
        .map(|(task, way)| Expression::Chosen(Box::new(Expression::input(id(*task))), way.clone()))
        .collect();
    Some(match chosen.len() {
        1 => chosen.remove(0),
        _ => Expression::Or(chosen),
    })
}
