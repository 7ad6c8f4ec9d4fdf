//! Annealing of parts: nodes move where edges let them, for fewer bytes between parts of allowed weight.

use crate::dice::Dice;

use super::coarse::Level;

/// What a whole part of overweight costs, in shares of all bytes: no cut is worth it.
const OVERWEIGHT: f64 = 4.0;
/// Share of all bytes that is accepted as a loss at the start, for a graph of one edge; falls with the number of edges.
const HOT: f64 = 2.0;
/// The end's temperature in that of the start.
const COLD: f64 = 1e-4;

/// The rules of one annealing.
#[derive(Debug, Clone, Copy)]
pub struct Annealing {
    /// Number of parts.
    pub parts: u32,
    /// Weight that a part may have.
    pub limit: f64,
    /// Mean weight of a part.
    pub mean: f64,
    /// Moves to try.
    pub moves: usize,
    /// Of the dice.
    pub seed: u64,
    /// How hot it begins: 1 forgets where it began.
    pub heat: f64,
}

/// Parts, with what they weigh and cut.
#[derive(Debug, Clone)]
pub struct State {
    /// Part of each node.
    pub of: Vec<u32>,
    /// Weight of each part.
    pub weight: Vec<f64>,
    /// Bytes between parts.
    pub cut: u64,
}

impl State {
    /// Weighs and counts.
    pub fn new(level: &Level, of: &[u32], parts: u32) -> Self {
        let mut weight = vec![0.0; parts as usize];
        let mut cut = 0_u64;
        for (node, &part) in of.iter().enumerate() {
            weight[part as usize] += level.weight[node];
            for &(next, bytes) in &level.after[node] {
                if of[next as usize] != part {
                    cut = cut.saturating_add(bytes);
                }
            }
        }
        Self {
            of: of.to_vec(),
            weight,
            cut,
        }
    }

    /// Weight above the limit, all parts together.
    pub fn overweight(&self, limit: f64) -> f64 {
        self.weight.iter().map(|&w| over(w, limit)).sum()
    }

    /// Weight of the heaviest part.
    pub fn heaviest(weight: &[f64], of: &[u32], parts: u32) -> f64 {
        let mut sums = vec![0.0_f64; parts as usize];
        for (&part, &weight) in of.iter().zip(weight) {
            sums[part as usize] += weight;
        }
        sums.into_iter().fold(0.0, f64::max)
    }
}

/// Weight above the limit; what adding in another order leaves is none.
fn over(weight: f64, limit: f64) -> f64 {
    let over = weight - limit;
    if over > limit * 1e-9 { over } else { 0.0 }
}

impl Annealing {
    /// Improves parts; the best seen is answered, by overweight first and by bytes then.
    pub fn improve(&self, level: &Level, of: Vec<u32>) -> Vec<u32> {
        let mut now = State::new(level, &of, self.parts);
        let nodes = level.weight.len();
        let edges = level.graph.edge_count().max(1);
        let bytes: f64 = level.after.iter().flatten().map(|&(_, b)| b as f64).sum();
        let scale = 1.0 / bytes.max(1.0);
        let mut best = (now.overweight(self.limit), now.cut, now.of.clone());
        if nodes == 0 || self.parts < 2 {
            return best.2;
        }
        let mut dice = Dice::new(self.seed);
        let hottest = HOT * self.heat / edges as f64;
        let cooling = COLD.powf(1.0 / self.moves.max(1) as f64);
        let mut temperature = hottest;
        let mut overweight = best.0;
        for _ in 0..self.moves {
            temperature *= cooling;
            let node = dice.below(nodes);
            let Some(part) = self.proposed(level, &now, node, &mut dice) else {
                continue;
            };
            let (cut, heavier) = self.difference(level, &now, node, part);
            let worse =
                cut as f64 * scale + OVERWEIGHT * heavier / self.mean.max(f64::MIN_POSITIVE);
            if worse > 0.0 && dice.share() >= (-worse / temperature).exp() {
                continue;
            }
            let old = now.of[node] as usize;
            now.weight[old] -= level.weight[node];
            now.weight[part as usize] += level.weight[node];
            now.of[node] = part;
            now.cut = now.cut.saturating_add_signed(cut);
            overweight += heavier;
            if (overweight < best.0 - self.limit * 1e-9)
                || (overweight <= best.0 + self.limit * 1e-9 && now.cut < best.1)
            {
                overweight = now.overweight(self.limit);
                best.0 = overweight;
                best.1 = now.cut;
                best.2.clone_from(&now.of);
            }
        }
        best.2
    }

    /// A part where the node may go: not below what it waits for, not above what waits for it.
    fn proposed(&self, level: &Level, now: &State, node: usize, dice: &mut Dice) -> Option<u32> {
        let before = level.graph.predecessors(node as u32);
        let after = &level.after[node];
        let low = before.iter().map(|&p| now.of[p as usize]).max();
        let high = after.iter().map(|&(s, _)| now.of[s as usize]).min();
        let (low, high) = (low.unwrap_or(0), high.unwrap_or(self.parts - 1));
        if low >= high {
            return None;
        }
        let neighbours = before.len() + after.len();
        let pick = dice.below(neighbours * 2);
        let part = if pick < before.len() {
            now.of[before[pick] as usize]
        } else if pick < neighbours {
            now.of[after[pick - before.len()].0 as usize]
        } else {
            low + dice.below((high - low + 1) as usize) as u32
        };
        let part = part.clamp(low, high);
        (part != now.of[node]).then_some(part)
    }

    /// What a move changes: bytes cut, and overweight.
    fn difference(&self, level: &Level, now: &State, node: usize, part: u32) -> (i64, f64) {
        let old = now.of[node];
        let mut cut = 0_i64;
        let mut count = |other: u32, bytes: u64| {
            let at = now.of[other as usize];
            let bytes = i64::try_from(bytes).unwrap_or(i64::MAX);
            if at == old {
                cut = cut.saturating_add(bytes);
            } else if at == part {
                cut = cut.saturating_sub(bytes);
            }
        };
        for (before, bytes) in level.graph.incoming_bytes(node as u32) {
            count(before, bytes);
        }
        for &(next, bytes) in &level.after[node] {
            count(next, bytes);
        }
        let moved = level.weight[node];
        let (from, to) = (now.weight[old as usize], now.weight[part as usize]);
        let heavier = over(to + moved, self.limit) - over(to, self.limit)
            + over(from - moved, self.limit)
            - over(from, self.limit);
        (cut, heavier)
    }
}
