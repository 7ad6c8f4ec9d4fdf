//! Models that are searched side by side, as many at once as there are cores.

use std::collections::BTreeSet;
use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use crate::search::{Seen, search};
use crate::setup::Setup;
use crate::sizes::Size;

/// States after which a search is given up: about 9 GB of them, beside what was computed once.
pub(crate) const STATES_MAX: u64 = 800_000_000;

/// A model that has taken so many seconds of CPU time is told of by itself.
const LONG_S: f64 = 60.0;

/// What was seen of a size so far.
#[derive(Default)]
struct Sum {
    models: usize,
    states: u64,
    transitions: u64,
    deepest: usize,
    cpu_s: f64,
}

impl Sum {
    fn add(&mut self, seen: &Seen, cpu_s: f64) {
        self.models += 1;
        self.states += seen.states;
        self.transitions += seen.transitions;
        self.deepest = seen.deepest.max(self.deepest);
        self.cpu_s += cpu_s;
    }

    fn line(&self, what: &str) -> String {
        format!(
            "{what:64} {:3} models {:>11} states {:>11} steps, {:>3} deep, {:>7.1} CPU-s",
            self.models, self.states, self.transitions, self.deepest, self.cpu_s
        )
    }
}

/// Visits every state of every model of these sizes, and tells of each size once it is through: how runs have ended.
pub(crate) fn exhaust(sizes: &[Size], tell: impl Fn(&str) + Sync) -> BTreeSet<&'static str> {
    let models: Vec<(usize, &Setup)> = sizes
        .iter()
        .enumerate()
        .flat_map(|(place, size)| size.setups.iter().map(move |setup| (place, setup)))
        .collect();
    let sums = sizes.iter().map(|_| Sum::default()).collect::<Vec<_>>();
    let told = Mutex::new((sums, BTreeSet::new()));
    let next = AtomicUsize::new(0);
    let search_on = || {
        while let Some((place, setup)) = models.get(next.fetch_add(1, Ordering::Relaxed)) {
            let begun_s = cpu_s();
            let seen = searched(setup);
            let cpu_s = cpu_s() - begun_s;
            let mut told = told.lock().unwrap_or_else(PoisonError::into_inner);
            let (sums, ends) = &mut *told;
            if cpu_s > LONG_S {
                let mut alone = Sum::default();
                alone.add(&seen, cpu_s);
                tell(&alone.line(&format!("  {}", setup.shards)));
            }
            sums[*place].add(&seen, cpu_s);
            if sums[*place].models == sizes[*place].setups.len() {
                tell(&sums[*place].line(sizes[*place].what));
            }
            ends.extend(seen.ends.into_keys());
        }
    };
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    thread::scope(|scope| {
        for _ in 0..cores.min(models.len()) {
            scope.spawn(search_on);
        }
    });
    let (_, ends) = told.into_inner().unwrap_or_else(PoisonError::into_inner);
    ends
}

/// What is seen of a model, in which nothing is wrong.
fn searched(setup: &Setup) -> Seen {
    let seen = search(setup, STATES_MAX);
    if let Some((what, way)) = &seen.violation {
        panic!("{setup:?}: {what}\n{}", way.join("\n"));
    }
    assert!(!seen.cut_short, "{setup:?}: more than {STATES_MAX} states");
    seen
}

/// CPU time of this thread so far, in seconds: user and system, fields 14 and 15 of its `stat`.
fn cpu_s() -> f64 {
    let stat = std::fs::read_to_string("/proc/thread-self/stat").unwrap_or_default();
    let fields = stat.rsplit(')').next().unwrap_or_default();
    let ticks = fields.split_whitespace().skip(11).take(2);
    let ticks: u64 = ticks.filter_map(|t| t.parse::<u64>().ok()).sum();
    ticks as f64 / 100.0
}
