//! Ways that are drawn: for models of which nobody can visit every state.
//!
//! A way is drawn by its number and the model's name, step after step, to its end. It shows what may happen, and never that
//! nothing else does.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use crate::machine::{Action, Machine};
use crate::search::Seen;
use crate::setup::Setup;
use crate::state::State;

/// Steps after which a way counts as going on for ever: the longest that is drawn has 197.
const STEPS_MAX: usize = 2_000;

/// Of so many steps about one goes wrong, as long as something may: so that all of a way has its share of what goes wrong.
const FAULT_EVERY: u64 = 24;

/// Goes so many ways. Its [`Seen::states`] are those that the ways have passed, as often as they did.
pub(crate) fn walks(setup: &Setup, count: u32) -> Seen {
    let (mut machine, first) = Machine::new(setup.clone());
    let mut seen = Seen::default();
    for number in 0..count {
        let mut drawn = DefaultHasher::new();
        (&setup.shards, setup.faults, number).hash(&mut drawn);
        walk(&mut machine, first.clone(), drawn.finish(), &mut seen);
        if seen.violation.is_some() {
            break;
        }
    }
    seen
}

fn walk(machine: &mut Machine, first: State, seed: u64, seen: &mut Seen) {
    let mut state = first;
    let mut way: Vec<(State, Action)> = Vec::new();
    loop {
        seen.states += 1;
        seen.spared += u64::from(machine.has_spared(&state));
        seen.deepest = seen.deepest.max(way.len());
        let (actions, goes_on) = machine.actions(&state);
        let endless = (way.len() > STEPS_MAX).then(|| "this goes on and on".to_owned());
        if let Some(what) = machine.violation(&state, goes_on).or(endless) {
            let lines = way
                .iter()
                .map(|(state, action)| machine.shown(state, action));
            seen.violation = Some((what, lines.collect()));
            return;
        }
        let Some(action) = chosen(&actions, seed, way.len()) else {
            if machine.has_ended(&state) {
                let run = machine.stores.facts(state.store).run;
                *seen.ends.entry(run.as_str()).or_default() += 1;
            }
            return;
        };
        let next = machine.next(&state, &action);
        seen.transitions += 1;
        way.push((state, action));
        state = next;
    }
}

fn chosen(actions: &[Action], seed: u64, step: usize) -> Option<Action> {
    let is_fault = |action: &&Action| matches!(action, Action::Fault(_));
    let (faults, others): (Vec<_>, Vec<_>) = actions.iter().partition(is_fault);
    let wrong = others.is_empty() || draw(seed, step, "whether").is_multiple_of(FAULT_EVERY);
    let among = if wrong && !faults.is_empty() {
        faults
    } else {
        others
    };
    let place = draw(seed, step, "which") % among.len().max(1) as u64;
    among.get(place as usize).map(|action| (*action).clone())
}

fn draw(seed: u64, step: usize, what: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    (seed, step, what).hash(&mut hasher);
    hasher.finish()
}
