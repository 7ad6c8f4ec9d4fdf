//! Sequence cutting: a topological order in as few pieces as the rules allow.

use super::Clustering;
use super::atoms::Atoms;
use super::growing::{Growing, NONE};
use super::rules::Rules;

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
    let mut growing = Growing::new(atoms, rules);
    let mut piece = NONE;
    for &atom in &atoms.order {
        piece = growing.put(atom, piece);
    }
    growing.clustering()
}
