//! What is tried beside the usual: searches around the best, and for runs with an objective more widths and larger tiers.

use super::lanes::LaneRule;
use super::measure::Judged;
use super::rules::Rules;
use super::strategy::Strategy;

/// From one lane to all of them, doubling.
fn widths(lanes: u32, atoms: usize) -> Vec<u32> {
    let widest = lanes.clamp(1, (atoms as u32).max(1));
    let mut widths: Vec<u32> = (0..32)
        .map(|power| 1_u32 << power)
        .take_while(|width| *width < widest)
        .collect();
    widths.push(widest);
    widths
}

/// Bands whose shards run several tasks at once, at the widths of [`further`], for runs with an objective.
#[must_use]
pub fn side_by_side(
    tried: &[Judged],
    lanes: u32,
    atoms: usize,
    rules: &Rules<'_>,
    most: usize,
) -> Vec<Strategy> {
    let threads = threads(rules);
    let widths = widths(lanes, atoms).into_iter().rev();
    let all = widths.flat_map(|lanes| threads.iter().map(move |&at| Strategy::Alike(lanes, at)));
    let new = all.filter(|strategy| tried.iter().all(|judged| judged.strategy != *strategy));
    thinned(&new.collect::<Vec<_>>(), most)
}

/// Numbers of tasks that tiers run at once, above one.
fn threads(rules: &Rules<'_>) -> Vec<u32> {
    let ladders = rules.ladders.iter();
    let mut threads: Vec<u32> = ladders
        .flat_map(|ladder| ladder.rungs().iter().map(|rung| rung.threads))
        .filter(|threads| *threads > 1)
        .collect();
    threads.sort_unstable();
    threads.dedup();
    threads
}

/// Strategies that the usual search has not tried: each family at widths that double from one lane to all of them.
///
/// What is tried must not depend on the objective, or a tighter deadline might miss what a looser one found.
#[must_use]
pub fn further(tried: &[Judged], lanes: u32, atoms: usize, most: usize) -> Vec<Strategy> {
    let widths = widths(lanes, atoms);
    let families = widths.into_iter().rev().flat_map(|lanes| {
        [
            Strategy::Bands(lanes),
            Strategy::Lanes(LaneRule { lanes, slack: 1.0 }),
        ]
    });
    let all: Vec<Strategy> = [Strategy::Sequence, Strategy::Chains, Strategy::Single]
        .into_iter()
        .chain(families)
        .filter(|strategy| tried.iter().all(|judged| judged.strategy != *strategy))
        .collect();
    thinned(&all, most)
}

/// The searches that are tried around the best sharding so far: timetables over about as many lanes as it keeps busy, and
/// partitions into about as many parts as it has shards. They take longer than what finds it, so they are few.
#[must_use]
pub fn deeper(tried: &[Judged], best: usize) -> Vec<Strategy> {
    let Some(best) = tried.get(best) else {
        return Vec::new();
    };
    let about =
        |number: u32, (times, parts): (u32, u32)| (number.saturating_mul(times) / parts).max(1);
    let lanes = [(1, 1), (2, 3), (3, 2)].map(|share| Strategy::Timetable(about(best.lanes, share)));
    let parts = [(1, 1), (3, 4)].map(|share| Strategy::Parts(about(best.shards, share)));
    let mut found = Vec::new();
    for strategy in lanes.into_iter().chain(parts) {
        if !found.contains(&strategy) {
            found.push(strategy);
        }
    }
    found
}

/// Bands whose shards run several tasks at once, over about as many lanes as the best so far keeps busy, and fewer.
#[must_use]
pub fn alike(tried: &[Judged], best: usize, rules: &Rules<'_>) -> Vec<Strategy> {
    let Some(best) = tried.get(best) else {
        return Vec::new();
    };
    let threads = threads(rules);
    let mut found = Vec::new();
    for (times, parts) in [(1, 1), (3, 4), (1, 2), (5, 4), (3, 2)] {
        let lanes = (best.lanes.saturating_mul(times) / parts).max(1);
        for &threads in &threads {
            let strategy = Strategy::Alike(lanes, threads);
            if !found.contains(&strategy) {
                found.push(strategy);
            }
        }
    }
    found
}

/// The strategies that larger tiers are tried on: those that no other beats in both time and cost, at most so many.
#[must_use]
pub fn bases(tried: &[Judged], most: usize) -> Vec<Strategy> {
    let beats = |a: &Judged, b: &Judged| {
        let no_worse = a.makespan_ms <= b.makespan_ms && a.usd <= b.usd;
        no_worse && (a.makespan_ms < b.makespan_ms || a.usd < b.usd)
    };
    let mut best: Vec<&Judged> = tried
        .iter()
        .filter(|judged| !tried.iter().any(|other| beats(other, judged)))
        .collect();
    best.sort_by(|a, b| a.makespan_ms.total_cmp(&b.makespan_ms));
    best.dedup_by(|a, b| a.makespan_ms == b.makespan_ms && a.usd == b.usd);
    let mut strategies: Vec<Strategy> = Vec::new();
    for judged in best {
        if !strategies.contains(&judged.strategy) {
            strategies.push(judged.strategy);
        }
    }
    thinned(&strategies, most)
}

/// At most so many, evenly spaced, both ends among them.
fn thinned(all: &[Strategy], most: usize) -> Vec<Strategy> {
    if all.len() <= most || most < 2 {
        return all.iter().copied().take(most).collect();
    }
    (0..most)
        .map(|at| all[at * (all.len() - 1) / (most - 1)])
        .collect()
}
