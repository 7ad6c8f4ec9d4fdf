//! Climbing: where few shardings can be tried, what is tried next is a neighbour of the best so far.

use super::lanes::LaneRule;
use super::measure::Judged;
use super::rules::Rules;
use super::strategy::Strategy;
use super::tiers::Tiers;

/// One way to make shards, and the tiers that they run on.
type Way = (Strategy, Tiers);

/// Widths that are tried, as shares of the best's: nearer ones first.
const WIDTHS: [(u32, u32); 4] = [(3, 2), (2, 3), (2, 1), (1, 2)];

/// Proposes neighbours of the best sharding so far: more and fewer tasks at once, on as many lanes and on fewer, then wider and
/// narrower ones.
///
/// ```text
///                        bands over 60 lanes, 2 tasks at once
///                                       │
///   6, 3 or 1 at once  ·  of 2 tasks  ·  20 lanes and 6 at once  ·  over 90, 40, 120, 30 lanes  ·  5 or 4 at once
/// ```
///
/// Where a neighbour is better than the best, its own neighbours come next. Nothing is proposed twice, so it ends.
#[derive(Debug, Clone)]
pub struct Climb {
    /// Numbers of tasks that tiers run at once, ascending from 1.
    threads: Vec<u32>,
    /// Lanes beyond which more of them make no difference.
    widest: u32,
    known: Vec<Way>,
}

impl Climb {
    /// For so many atoms, knowing what was tried already.
    #[must_use]
    pub fn new(tried: &[Judged], atoms: usize, rules: &Rules<'_>) -> Self {
        let ladders = rules.ladders.iter();
        let rungs = ladders.flat_map(|ladder| ladder.rungs().iter().map(|rung| rung.threads));
        let mut threads: Vec<u32> = rungs.chain([1]).collect();
        threads.sort_unstable();
        threads.dedup();
        let known = tried.iter().filter(|judged| !judged.polished);
        let known = known.map(|judged| (judged.strategy, judged.tiers));
        Self {
            threads,
            widest: (atoms as u32).max(1),
            known: known.collect(),
        }
    }

    /// The next neighbour of the best that is not known; `None` when all of them are.
    pub fn propose(&mut self, best: &Judged) -> Option<Way> {
        let neighbours = self.neighbours(&Place::of(best));
        let new = neighbours.into_iter().find(|w| !self.known.contains(w))?;
        self.known.push(new);
        Some(new)
    }

    /// All neighbours, the most promising first.
    fn neighbours(&self, at: &Place) -> Vec<Way> {
        let lanes = |times: u32, parts: u32| {
            let lanes = u64::from(at.lanes) * u64::from(times) / u64::from(parts);
            (lanes.min(u64::from(self.widest)) as u32).max(1)
        };
        let most = self.threads.last().copied().unwrap_or(1);
        let more = self.threads.iter().copied().find(|&t| t > at.threads);
        let less = self.threads.iter().copied().rfind(|&t| t < at.threads);
        let further = [Some(most), more, less].into_iter().flatten();
        let mut found: Vec<Way> = further.map(|t| at.kind.way(at.lanes, t)).collect();
        let shared = if at.threads > 1 { at.threads } else { most };
        found.push(at.kind.other().way(at.lanes, shared));
        for threads in more.into_iter().chain([most]) {
            // As many tasks side by side as before, fewer of them alone.
            let fewer = lanes(at.threads, threads);
            found.push(at.kind.way(fewer, threads));
            found.push(at.kind.other().way(fewer, threads));
        }
        let widths = WIDTHS.into_iter();
        found.extend(widths.map(|(times, parts)| at.kind.way(lanes(times, parts), at.threads)));
        let threads = self.threads.iter().rev();
        found.extend(threads.map(|&threads| at.kind.way(at.lanes, threads)));
        found
    }
}

/// How the best is made, as far as it can be varied.
struct Place {
    kind: Kind,
    lanes: u32,
    threads: u32,
}

#[derive(Clone, Copy)]
enum Kind {
    Bands,
    /// Bands whose shards take tasks that are about as long.
    Alike,
    Lanes {
        slack: f64,
    },
    /// As many lanes as there are: other widths are tried as bands.
    Fixed {
        strategy: Strategy,
        lanes: u32,
    },
}

impl Place {
    fn of(best: &Judged) -> Self {
        let (kind, lanes) = match best.strategy {
            Strategy::Bands(lanes) => (Kind::Bands, lanes),
            Strategy::Alike(lanes, _) => (Kind::Alike, lanes),
            Strategy::Lanes(LaneRule { lanes, slack }) => (Kind::Lanes { slack }, lanes),
            strategy => {
                let lanes = best.lanes;
                (Kind::Fixed { strategy, lanes }, lanes)
            }
        };
        let threads = match (best.strategy, best.tiers) {
            (Strategy::Alike(_, threads), _) | (_, Tiers::Parallel(threads)) => threads,
            _ => 1,
        };
        Self {
            kind,
            lanes,
            threads,
        }
    }
}

impl Kind {
    /// This kind over so many lanes, each running so many tasks at once.
    fn way(self, lanes: u32, threads: u32) -> Way {
        let strategy = match self {
            Self::Alike if threads > 1 => {
                return (Strategy::Alike(lanes, threads), Tiers::Smallest);
            }
            Self::Lanes { slack } => Strategy::Lanes(LaneRule { lanes, slack }),
            Self::Fixed {
                strategy,
                lanes: own,
            } if own == lanes => strategy,
            Self::Bands | Self::Alike | Self::Fixed { .. } => Strategy::Bands(lanes),
        };
        let tiers = if threads > 1 {
            Tiers::Parallel(threads)
        } else {
            Tiers::Smallest
        };
        (strategy, tiers)
    }

    /// The kind that shares threads in another way.
    fn other(self) -> Self {
        match self {
            Self::Alike => Self::Bands,
            Self::Bands | Self::Lanes { .. } | Self::Fixed { .. } => Self::Alike,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(strategy: Strategy, tiers: Tiers) -> Judged {
        Judged {
            strategy,
            tiers,
            polished: false,
            shards: 40,
            lanes: 12,
            memory_mib: 1_769,
            makespan_ms: 1_000.0,
            judged_ms: 1_000.0,
            usd: 1.0,
            orchestration_usd: 0.1,
            energy_kwh: 0.0,
            moved_bytes: 0,
            transitions: 100.0,
        }
    }

    fn climb() -> Climb {
        Climb {
            threads: vec![1, 2, 3, 6],
            widest: 100,
            known: Vec::new(),
        }
    }

    /// Names of all that is proposed while the best stays the best.
    fn proposed(strategy: Strategy, tiers: Tiers) -> Vec<String> {
        let best = judged(strategy, tiers);
        let mut climb = climb();
        climb.known.push((strategy, tiers));
        let ways = std::iter::from_fn(|| climb.propose(&best));
        ways.map(|(strategy, tiers)| format!("{strategy}{tiers}"))
            .collect()
    }

    #[test]
    fn more_tasks_at_once_come_first_and_other_widths_follow() {
        let proposed = proposed(Strategy::Bands(60), Tiers::Parallel(2));
        insta::assert_snapshot!(proposed.join("\n"), @"
        bands of levels over 60 lanes, 6 tasks at once
        bands of levels over 60 lanes, 3 tasks at once
        bands of levels over 60 lanes
        bands of levels over 60 lanes of 2 tasks
        bands of levels over 40 lanes, 3 tasks at once
        bands of levels over 40 lanes of 3 tasks
        bands of levels over 20 lanes, 6 tasks at once
        bands of levels over 20 lanes of 6 tasks
        bands of levels over 90 lanes, 2 tasks at once
        bands of levels over 40 lanes, 2 tasks at once
        bands of levels over 100 lanes, 2 tasks at once
        bands of levels over 30 lanes, 2 tasks at once
        ");
    }

    #[test]
    fn what_has_no_width_is_varied_as_bands() {
        let proposed = proposed(Strategy::Sequence, Tiers::Smallest);
        insta::assert_snapshot!(proposed.join("\n"), @"
        as few shards as fit, 6 tasks at once
        as few shards as fit, 2 tasks at once
        bands of levels over 12 lanes of 6 tasks
        bands of levels over 6 lanes, 2 tasks at once
        bands of levels over 6 lanes of 2 tasks
        bands of levels over 2 lanes, 6 tasks at once
        bands of levels over 2 lanes of 6 tasks
        bands of levels over 18 lanes
        bands of levels over 8 lanes
        bands of levels over 24 lanes
        bands of levels over 6 lanes
        as few shards as fit, 3 tasks at once
        ");
    }

    #[test]
    fn nothing_is_proposed_twice_wherever_the_climb_goes() {
        let mut climb = climb();
        let mut at = judged(Strategy::Bands(7), Tiers::Smallest);
        let mut seen = Vec::new();
        while let Some((strategy, tiers)) = climb.propose(&at) {
            assert!(!seen.contains(&(strategy, tiers)), "{strategy}{tiers}");
            seen.push((strategy, tiers));
            at = judged(strategy, tiers);
        }
        assert!(seen.len() > 10, "{seen:?}");
    }
}
