//! Which strategies are tried, and with how many lanes: as wide as is affordable in money, found by bisection.

use super::lanes::LaneRule;
use super::strategy::Strategy;

/// A family of strategies that differ in the number of lanes.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Family {
    Bands,
    Lanes(f64),
}

impl Family {
    fn with(self, lanes: u32) -> Strategy {
        match self {
            Self::Bands => Strategy::Bands(lanes),
            Self::Lanes(slack) => Strategy::Lanes(LaneRule { lanes, slack }),
        }
    }
}

/// Proposes strategies one after the other, learning from whether each was affordable.
///
/// First the two main families at the width that is expected to be affordable, then as few shards as fit, then each family in
/// turns: wider while it is affordable, between the two where it is not. What hardly ever wins comes last.
#[derive(Debug, Clone)]
pub struct Search {
    fixed: Vec<Strategy>,
    probes: Vec<Probe>,
    turn: usize,
}

#[derive(Debug, Clone)]
struct Probe {
    family: Family,
    /// The width to begin with.
    first: u32,
    /// All lanes.
    most: u32,
    /// The widest that was affordable.
    affordable: u32,
    /// The narrowest that was too dear.
    dear: Option<u32>,
    /// Widths to try when even all lanes are affordable; from the back.
    further: Vec<u32>,
    tried: Vec<u32>,
}

/// A bisection ends when the two widths differ by less than this.
const CLOSE: f64 = 1.15;

impl Search {
    /// For so many lanes and atoms, of which about `expected` lanes are affordable.
    #[must_use]
    pub fn new(lanes: u32, atoms: usize, expected: u32) -> Self {
        let atoms = (atoms as u32).max(1);
        let most = lanes.clamp(1, atoms);
        let further: Vec<u32> = [(4, 1), (1, 4), (3, 2), (3, 1), (3, 4), (1, 2), (2, 1)]
            .into_iter()
            .map(|(times, parts)| (most.saturating_mul(times) / parts).clamp(1, atoms))
            .collect();
        let families = [Family::Bands, Family::Lanes(1.0), Family::Lanes(1.3)];
        Self {
            fixed: vec![Strategy::Single, Strategy::Chains, Strategy::Sequence],
            probes: families
                .into_iter()
                .map(|family| Probe {
                    family,
                    first: expected.clamp(1, most),
                    most,
                    affordable: 1,
                    dear: None,
                    further: further.clone(),
                    tried: Vec::new(),
                })
                .collect(),
            turn: 0,
        }
    }

    /// The next strategy to try; `None` when there is none left.
    pub fn propose(&mut self) -> Option<Strategy> {
        let families = self.probes.len();
        if self.turn >= 2 && self.fixed.last() == Some(&Strategy::Sequence) {
            return self.fixed.pop();
        }
        for _ in 0..families {
            let at = self.turn % families;
            self.turn += 1;
            if let Some(width) = self.probes[at].propose() {
                return Some(self.probes[at].family.with(width));
            }
        }
        self.fixed.pop()
    }

    /// Whether a proposed strategy was affordable.
    pub fn learn(&mut self, strategy: Strategy, affordable: bool) {
        for probe in &mut self.probes {
            if let Some(&width) = probe.tried.last()
                && probe.family.with(width) == strategy
            {
                probe.learn(width, affordable);
            }
        }
    }
}

impl Probe {
    fn propose(&mut self) -> Option<u32> {
        let width = match (self.dear, self.tried.last()) {
            (_, None) => self.first,
            (Some(dear), _) if f64::from(dear) > f64::from(self.affordable) * CLOSE => {
                let middle = (f64::from(dear) * f64::from(self.affordable)).sqrt();
                (middle.round() as u32).clamp(self.affordable, dear - 1)
            }
            (Some(_), _) => return None,
            (None, Some(&last)) if last < self.most && !self.tried.contains(&self.most) => {
                last.saturating_mul(2).min(self.most)
            }
            (None, _) => loop {
                let width = self.further.pop()?;
                if !self.tried.contains(&width) {
                    break width;
                }
            },
        };
        if self.tried.contains(&width) {
            return None;
        }
        self.tried.push(width);
        Some(width)
    }

    fn learn(&mut self, width: u32, affordable: bool) {
        if affordable {
            self.affordable = self.affordable.max(width);
        } else {
            self.dear = Some(self.dear.map_or(width, |dear| dear.min(width)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is proposed when everything up to `limit` lanes is affordable.
    fn widths(lanes: u32, expected: u32, limit: u32) -> Vec<u32> {
        let mut search = Search::new(lanes, 10_000, expected);
        let mut seen = Vec::new();
        while let Some(strategy) = search.propose() {
            if let Strategy::Bands(width) = strategy {
                seen.push(width);
                search.learn(strategy, width <= limit);
            } else {
                search.learn(strategy, true);
            }
        }
        seen
    }

    #[test]
    fn all_lanes_come_first_and_neighbours_follow() {
        assert_eq!(widths(4, 100, u32::MAX), [4, 8, 2, 3, 12, 6, 1, 16]);
    }

    #[test]
    fn what_is_expected_comes_first_and_is_doubled() {
        assert_eq!(widths(1_000, 300, u32::MAX)[..4], [300, 600, 1_000, 2_000]);
    }

    #[test]
    fn what_is_too_dear_is_bisected() {
        let widths = widths(1_000, 1_000, 50);
        assert_eq!(widths[..3], [1_000, 32, 179]);
        let best = widths.iter().filter(|w| **w <= 50).max().unwrap();
        assert!((43..=50).contains(best), "{widths:?}");
    }

    #[test]
    fn one_lane_still_proposes_something() {
        assert_eq!(widths(1, 1, 10), [1, 2, 3, 4]);
    }
}
