//! Sequence cutting: a topological order in as few pieces as the rules allow.

use crate::place::Profile;

use super::Clustering;
use super::atoms::Atoms;
use super::rules::{Apart, Rules};

/// Cuts a topological order into pieces: each takes what comes next until a rule forbids it.
///
/// ```text
///   a b c │ d e f g │ h          edges only go to the right, so the pieces form no cycle
/// ```
///
/// The cheapest sharding and often the slowest: it is what little work wants.
///
/// # Complexity
///
/// O(atoms + edges).
#[must_use]
pub fn cut_sequence(atoms: &Atoms, rules: &Rules<'_>) -> Clustering {
    let mut of = vec![u32::MAX; atoms.profiles.len()];
    let mut ends = vec![(0_u32, 0.0_f64); atoms.profiles.len()];
    let mut pieces: Vec<Profile> = Vec::new();
    let mut apart = Apart::default();
    for &atom in &atoms.order {
        let one = atoms.profiles[atom as usize];
        let piece = (pieces.len() as u32).wrapping_sub(1);
        let (depth, chain_ms) = atoms
            .graph
            .predecessors(atom)
            .iter()
            .filter(|&&p| of[p as usize] == piece)
            .map(|&p| ends[p as usize])
            .fold((0, 0.0_f64), |(d, c), (depth, ms)| {
                (d.max(depth), c.max(ms))
            });
        let joined = pieces
            .last()
            .filter(|_| !atoms.apart.clash(atom, &apart, piece))
            .and_then(|open| rules.joined(open, &one, depth, chain_ms));
        let piece = match (joined, pieces.last_mut()) {
            (Some(both), Some(open)) => {
                *open = both;
                ends[atom as usize] = (depth + one.depth, chain_ms + one.chain_ms);
                piece
            }
            _ => {
                pieces.push(one);
                ends[atom as usize] = (one.depth, one.chain_ms);
                pieces.len() as u32 - 1
            }
        };
        apart.absorb(piece, &atoms.apart, atom);
        of[atom as usize] = piece;
    }
    Clustering {
        of,
        profiles: pieces,
    }
}
