//! Visits every state that can be reached, depth first, and gives the way to the first in which something is wrong.
//!
//! No state may be reached again from itself: so every way ends, and the states without a way on are all that a run can come
//! to.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use foldhash::fast::FixedState;

use crate::known::{Known, Mark};
use crate::machine::{Action, Machine};
use crate::setup::Setup;
use crate::state::State;

/// What a search has seen.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) states: u64,
    pub(crate) transitions: u64,
    pub(crate) deepest: usize,
    /// States in which runs had ended, by how.
    pub(crate) ends: BTreeMap<&'static str, u64>,
    /// How runs and their shards had ended in them.
    pub(crate) finals: BTreeSet<String>,
    /// States in which a lane had ended although the run went on, and nothing had gone wrong.
    pub(crate) spared: u64,
    /// The search was ended before it had seen everything.
    pub(crate) cut_short: bool,
    /// What is wrong, and the way to it.
    pub(crate) violation: Option<(String, Vec<String>)>,
}

struct Frame {
    state: State,
    mark: Mark,
    actions: Vec<Action>,
    next: usize,
}

/// The states that lead to the one that is looked at, with it.
#[derive(Default)]
struct Way {
    frames: Vec<Frame>,
    marks: HashSet<Mark, FixedState>,
}

impl Way {
    fn push(&mut self, state: State, mark: Mark, actions: Vec<Action>) {
        self.marks.insert(mark);
        self.frames.push(Frame {
            state,
            mark,
            actions,
            next: 0,
        });
    }

    fn pop(&mut self) {
        if let Some(frame) = self.frames.pop() {
            self.marks.remove(&frame.mark);
        }
    }
}

/// Visits all states, or the first `most` of them.
pub(crate) fn search(setup: &Setup, most: u64) -> Seen {
    let (mut machine, first) = Machine::new(setup.clone());
    let mut seen = Seen::default();
    let mut known = Known::new();
    let mut way = Way::default();
    let mark = Mark::of(&first);
    known.insert(mark);
    visit(&mut machine, (first, mark), &mut way, &mut seen);
    while seen.violation.is_none() {
        seen.deepest = seen.deepest.max(way.frames.len());
        let Some(frame) = way.frames.last_mut() else {
            break;
        };
        let Some(action) = frame.actions.get(frame.next) else {
            way.pop();
            continue;
        };
        frame.next += 1;
        let state = onward(&mut machine, &frame.state, action, |_, _, _| ());
        seen.transitions += 1;
        let mark = Mark::of(&state);
        if known.insert(mark) {
            if seen.states >= most {
                seen.cut_short = true;
                break;
            }
            visit(&mut machine, (state, mark), &mut way, &mut seen);
        } else if way.marks.contains(&mark) {
            let told = told(&mut machine, &way);
            seen.violation = Some(("this can go on for ever".to_owned(), told));
        }
    }
    seen
}

/// Steps after which a state is looked at although there was no choice since the last: a cycle is found by its states.
const STRAIGHT_MAX: usize = 1_000;

/// The state after an action, and after all that only one thing can follow: those in between are passed by, and not known.
fn onward(
    machine: &mut Machine,
    from: &State,
    action: &Action,
    mut passes: impl FnMut(&Machine, &State, &Action),
) -> State {
    passes(machine, from, action);
    let mut state = machine.next(from, action);
    for _ in 0..STRAIGHT_MAX {
        let Some(only) = machine.only_way(&state) else {
            break;
        };
        passes(machine, &state, &only);
        state = machine.next(&state, &only);
    }
    state
}

fn visit(machine: &mut Machine, (state, mark): (State, Mark), way: &mut Way, seen: &mut Seen) {
    let (actions, goes_on) = machine.actions(&state);
    seen.states += 1;
    seen.spared += u64::from(machine.has_spared(&state));
    if machine.has_ended(&state) {
        let run = machine.stores.facts(state.store).run;
        *seen.ends.entry(run.as_str()).or_default() += 1;
        seen.finals.insert(machine.stores.end(state.store));
    }
    let violation = machine.violation(&state, goes_on);
    way.push(state, mark, actions);
    if let Some(what) = violation {
        seen.violation = Some((what, told(machine, way)));
    }
}

/// The way so far: what happened, and what the items are in the end.
fn told(machine: &mut Machine, way: &Way) -> Vec<String> {
    let mut lines = Vec::new();
    for frame in &way.frames {
        let taken = frame
            .next
            .checked_sub(1)
            .and_then(|place| frame.actions.get(place));
        if let Some(action) = taken {
            let show = |machine: &Machine, state: &State, action: &Action| {
                lines.push(machine.shown(state, action));
            };
            onward(machine, &frame.state, action, show);
        }
    }
    if let Some(last) = way.frames.last() {
        lines.push(machine.items_shown(last.state.store));
        lines.push(format!(
            "  {:?} {:?}",
            last.state.stage, last.state.branches
        ));
    }
    lines
}
