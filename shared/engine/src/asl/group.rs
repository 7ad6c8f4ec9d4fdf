//! Parallel and Map states: machines within the machine, side by side.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::code::Code;
use super::definition::{Machine, State};
use super::emit::TASKS_MAX;
use super::flow::{Draft, Flow, Guard};
use super::level::{Here, Importer, Place, Steps};
use super::symbol;
use super::{Hinted as _, problem};
use crate::expression::path::Path;
use crate::expression::{Expression, Scope, evaluate};

/// Fields of a Map that take its elements from elsewhere, in batches, or let some of them fail.
const OF_SOURCES: [&str; 6] = [
    "ItemReader",
    "ItemBatcher",
    "ResultWriter",
    "ToleratedFailureCount",
    "ToleratedFailurePercentage",
    "ToleratedFailurePercentagePath",
];

/// The elements of a Map.
struct Elements {
    /// Each with the condition that there is one, where that is only known when it runs.
    each: Vec<(Expression, Guard)>,
    /// What comes before all of them.
    after: BTreeSet<Draft>,
    /// The list itself, where its length is only known when it runs.
    open: Option<Expression>,
}

impl Importer<'_> {
    /// Imports a Parallel.
    pub(super) fn parallel(&mut self, here: &Here<'_>, flow: Flow) -> Steps {
        self.group_errors(here);
        let state = here.state;
        let input = self.taken(here, &state.input_path, &flow.value);
        let input = match &state.parameters {
            Some(template) => self.template(template, here.sight(&input)),
            None => input,
        };
        let entry = self.settle(
            here,
            Flow {
                value: input,
                ..flow.clone()
            },
        );
        let mut ends = Vec::new();
        for (index, branch) in state.branches.iter().enumerate() {
            let place = Place {
                path: format!("{}/{index}/", here.path),
                ids: format!("{}.{index}.", here.id),
                item: here.place.item.clone(),
                apart: here.place.apart,
            };
            ends.push(self.level(branch, &place, entry.clone()));
        }
        let Some(ends) = ends.into_iter().collect::<Option<Vec<Flow>>>() else {
            // A branch that can only fail fails the run.
            return Steps::new();
        };
        let result = symbol::list(ends.iter().map(|end| end.value.clone()).collect());
        let guards = ends
            .iter()
            .map(|end| (entry.guard.clone(), end.guard.clone()));
        let mut after: BTreeSet<Draft> = ends.iter().flat_map(|end| end.after.clone()).collect();
        let guard = self.all_done(here, &flow.guard, guards.collect(), &mut after);
        self.gathered(here, flow, result, guard, after)
    }

    /// Imports a Map.
    pub(super) fn map(&mut self, here: &Here<'_>, flow: Flow) -> Steps {
        self.group_errors(here);
        let state = here.state;
        let Some(machine) = &state.item_processor else {
            self.refuse(
                Code::NotADefinition,
                &here.path,
                "it has no `ItemProcessor`",
            );
            return self.beyond(here, flow);
        };
        let input = self.taken(here, &state.input_path, &flow.value);
        let items = match &state.items_path {
            Some(path) => self.computed(path, here.sight(&input)),
            None => input.clone(),
        };
        let Some(elements) = self.elements(here, items, &flow) else {
            let value = symbol::refused();
            let entry = Flow {
                value: value.clone(),
                ..flow.clone()
            };
            self.level(machine, &inside(here, 0, value), entry);
            return self.beyond(here, flow);
        };
        let mut ends: Vec<Flow> = Vec::new();
        for (index, (item, guard)) in elements.each.iter().enumerate() {
            if self.drafts.len() > TASKS_MAX {
                break;
            }
            let place = inside(here, index, item.clone());
            let sight = super::payload::Sight {
                item: Some((item, index)),
                ..here.sight(&input)
            };
            let value = match state.item_selector.as_ref().or(state.parameters.as_ref()) {
                Some(template) => self.template(template, sight),
                None => item.clone(),
            };
            let mut after = elements.after.clone();
            if let Some(before) = state
                .max_concurrency
                .filter(|n| *n > 0)
                .and_then(|n| index.checked_sub(n))
            {
                // No more at once than it says: each waits for the one so many places before it.
                after.extend(ends[before].after.iter().copied());
            }
            let entry = Flow {
                value,
                guard: guard.clone(),
                after,
            };
            match self.level(machine, &place, entry) {
                Some(end) => ends.push(end),
                None => return Steps::new(),
            }
        }
        self.mapped(here, flow, &elements, &ends)
    }

    fn mapped(&mut self, here: &Here<'_>, flow: Flow, elements: &Elements, ends: &[Flow]) -> Steps {
        let results = ends.iter().zip(&elements.each).map(|(end, (_, guard))| {
            let there = elements
                .open
                .as_ref()
                .and_then(|_| self.drafts.condition(guard));
            match there {
                None => end.value.clone(),
                Some(there) => Expression::If(
                    Box::new(there),
                    Box::new(end.value.clone()),
                    Box::new(Expression::Value(Value::Null)),
                ),
            }
        });
        let mut result = symbol::list(results.collect());
        if let Some(list) = &elements.open {
            let length = Expression::Call("States.ArrayLength".to_owned(), vec![list.clone()]);
            result = Expression::Call("first".to_owned(), vec![result, length]);
        }
        let guards = ends.iter().zip(&elements.each);
        let guards = guards.map(|(end, (_, guard))| (guard.clone(), end.guard.clone()));
        let mut after: BTreeSet<Draft> = ends.iter().flat_map(|end| end.after.clone()).collect();
        after.extend(elements.after.iter().copied());
        let guard = self.all_done(here, &flow.guard, guards.collect(), &mut after);
        self.gathered(here, flow, result, guard, after)
    }

    /// The elements of a list: known, as many as the sample has, or at most so many.
    fn elements(&mut self, here: &Here<'_>, items: Expression, flow: &Flow) -> Option<Elements> {
        if !here.state.sources().is_empty() || symbol::is_refused(&items) {
            return None;
        }
        let known = match &items {
            Expression::Value(Value::Array(values)) => {
                Some(values.iter().cloned().map(Expression::Value).collect())
            }
            Expression::List(parts) => Some(parts.clone()),
            _ => None,
        };
        if let Some(known) = known {
            let each = known.into_iter().map(|item| (item, flow.guard.clone()));
            return Some(Elements {
                each: each.collect(),
                after: flow.after.clone(),
                open: None,
            });
        }
        if let Some(length) = self.sampled(&items) {
            let checked = vec![items, Expression::value(length)];
            let checked = Expression::Call("exactly".to_owned(), checked);
            let task = self.compose(here, "items", checked, &flow.guard, &flow.after);
            let list = self.drafts.output_of(task);
            let each = (0..length).map(|index| (element(&list, index), flow.guard.clone()));
            return Some(Elements {
                each: each.collect(),
                after: BTreeSet::from([task]),
                open: None,
            });
        }
        let Some(most) = self.options.map_items else {
            let message = "its list is only known when it runs";
            let hint = "give a sample of the input (--input FILE) when the list is in it, or the most elements that there are (--map-items N)";
            self.find(problem(Code::MapLength, &here.path, message).with_hint(hint));
            return None;
        };
        let checked = vec![items, Expression::value(most)];
        let checked = Expression::Call("at_most".to_owned(), checked);
        let task = self.compose(here, "items", checked, &flow.guard, &flow.after);
        let list = self.drafts.output_of(task);
        let length = Expression::Call("States.ArrayLength".to_owned(), vec![list.clone()]);
        let there = (0..most).map(|index| {
            let length = Box::new(length.clone());
            let test = Expression::Test(
                "NumericGreaterThan".to_owned(),
                length,
                Box::new(Expression::value(index)),
            );
            (index.to_string(), test)
        });
        let there = symbol::object(there.collect());
        let count = self.compose(here, "count", there, &flow.guard, &BTreeSet::from([task]));
        // It is the way on when there is no element that is never all of the ways: no two elements exclude each other.
        let ways = (0..most).map(|index| index.to_string());
        self.choices
            .add(count, flow.guard.clone(), ways.chain(["(all)".to_owned()]));
        let each = (0..most).map(|index| {
            let guard = Some(BTreeSet::from([(count, index.to_string())]));
            (element(&list, index), guard)
        });
        Some(Elements {
            each: each.collect(),
            after: BTreeSet::from([count]),
            open: Some(list),
        })
    }

    /// How long the list is in the sample of the run's input, when it is a part of that alone.
    fn sampled(&self, items: &Expression) -> Option<usize> {
        let sample = self.options.input.as_ref()?;
        let inputs = Map::from_iter([(symbol::RUN.to_owned(), sample.clone())]);
        let scope = Scope {
            inputs: &inputs,
            run: "",
        };
        evaluate(items, scope).ok()?.as_array().map(Vec::len)
    }

    /// The condition under which a group is done: that of the group, unless one of its members may end elsewhere.
    fn all_done(
        &mut self,
        here: &Here<'_>,
        guard: &Guard,
        members: Vec<(Guard, Guard)>,
        after: &mut BTreeSet<Draft>,
    ) -> Guard {
        let changed: Vec<(Guard, Guard)> = members
            .into_iter()
            .filter(|(entry, exit)| entry != exit)
            .collect();
        if changed.is_empty() {
            return guard.clone();
        }
        let conditions = changed.iter().map(|(entry, exit)| {
            let done = self
                .drafts
                .condition(exit)
                .unwrap_or_else(|| Expression::value(true));
            match self.drafts.condition(entry) {
                Some(there) if entry != guard => {
                    Expression::Or(vec![Expression::Not(Box::new(there)), done])
                }
                _ => done,
            }
        });
        let done = symbol::object(vec![(
            "done".to_owned(),
            Expression::And(conditions.collect()),
        )]);
        let task = self.compose(here, "done", done, guard, after);
        // It has another way: a member that has failed, and the run with it.
        let ways = ["done".to_owned(), "failed".to_owned()];
        self.choices.add(task, guard.clone(), ways);
        *after = BTreeSet::from([task]);
        Some(BTreeSet::from([(task, "done".to_owned())]))
    }

    fn gathered(
        &mut self,
        here: &Here<'_>,
        flow: Flow,
        result: Expression,
        guard: Guard,
        after: BTreeSet<Draft>,
    ) -> Steps {
        let result = match &here.state.result_selector {
            Some(template) => {
                let results = self.settle(
                    here,
                    Flow {
                        value: result,
                        guard: guard.clone(),
                        after: after.clone(),
                    },
                );
                self.template(template, here.sight(&results.value))
            }
            None => result,
        };
        let value = self.placed(here, &flow.value, result);
        let flow = self.settle(
            here,
            Flow {
                value,
                guard,
                after,
            },
        );
        here.onward(flow)
    }

    /// Retry and Catch of a group: its branches are stopped wherever they are, which tasks are not.
    fn group_errors(&mut self, here: &Here<'_>) {
        let state = here.state;
        if state.retry.iter().any(|retrier| retrier.max_attempts > 0) {
            let message = "it is repeated as a whole after an error, which tasks are one by one";
            self.refuse(Code::Group, &here.path, message);
        }
        if !state.catch.is_empty() {
            let message = "an error in it is caught as a whole: its branches would be stopped wherever they are";
            self.refuse(Code::Group, &here.path, message);
        }
    }
}

/// Where the states of an element lie.
fn inside(here: &Here<'_>, index: usize, item: Expression) -> Place {
    Place {
        path: format!("{}/", here.path),
        ids: format!("{}.{index}.", here.id),
        item: Some((item, index)),
        apart: here.place.apart
            || here
                .state
                .item_processor
                .as_ref()
                .is_some_and(Machine::is_apart),
    }
}

fn element(list: &Expression, index: usize) -> Expression {
    symbol::part(
        list,
        &Path::parse(&format!("$[{index}]")).unwrap_or_default(),
    )
}

impl State {
    /// Fields that say where a Map's elements come from, where it has them.
    pub(super) fn sources(&self) -> Vec<&str> {
        let sources = OF_SOURCES
            .iter()
            .filter(|field| self.other.contains_key(**field));
        sources.copied().collect()
    }
}
