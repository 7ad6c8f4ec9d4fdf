//! Cuts the tasks of one shard into parts of about a given length, such that parts run side by side wherever tasks may.
//!
//! ```text
//!   a ─► b1 … b9 ─► c      is      {a} ─► {b1 b2 b3} {b4 b5 b6} {b7 b8 b9} ─► {c}
//! ```
//! Tasks that nothing connects go into bundles of about the grain. What is connected and longer is taken apart where all of
//! it begins or ends in one place, or else in the middle of its depth, and each side is cut in turn. Every side of such a
//! cut lies wholly before the other, so the parts never need each other in a circle.

use std::collections::BTreeMap;

/// A task: how long it takes, in milliseconds, and the positions of those that it runs after.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Piece {
    pub(super) ms: f64,
    pub(super) after: Vec<usize>,
}

/// Cuts into at most `most` parts of about `grain_ms`, as positions; one part when there is nothing to gain.
///
/// # Complexity
/// O((pieces + edges) · depth).
pub(super) fn parts(pieces: &[Piece], grain_ms: f64, most: usize) -> Vec<Vec<usize>> {
    let whole: Vec<usize> = (0..pieces.len()).collect();
    let mut grain_ms = grain_ms.max(1.0);
    // Each doubling about halves the number of parts.
    for _ in 0..32 {
        let mut cuts = Vec::new();
        divide(pieces, &whole, grain_ms, &mut cuts);
        if cuts.len() <= most {
            return cuts;
        }
        grain_ms *= 2.0;
    }
    vec![whole]
}

fn sum(pieces: &[Piece], some: &[usize]) -> f64 {
    some.iter().map(|&at| pieces[at].ms).sum()
}

/// Adds the parts of some pieces.
fn divide(pieces: &[Piece], some: &[usize], grain_ms: f64, cuts: &mut Vec<Vec<usize>>) {
    let mut short: Vec<Vec<usize>> = Vec::new();
    for connected in components(pieces, some) {
        let long = sum(pieces, &connected) > grain_ms && connected.len() > 1;
        match long.then(|| halves(pieces, &connected)).flatten() {
            Some((before, behind)) => {
                divide(pieces, &before, grain_ms, cuts);
                divide(pieces, &behind, grain_ms, cuts);
            }
            None => short.push(connected),
        }
    }
    bundle(pieces, short, grain_ms, cuts);
}

/// Puts what is independent into bundles of about the same length, as few as the grain allows.
fn bundle(pieces: &[Piece], short: Vec<Vec<usize>>, grain_ms: f64, cuts: &mut Vec<Vec<usize>>) {
    let all_ms: f64 = short.iter().map(|some| sum(pieces, some)).sum();
    let each_ms = all_ms / (all_ms / grain_ms).ceil().max(1.0);
    let mut open: Vec<usize> = Vec::new();
    let mut filled_ms = 0.0;
    for some in short {
        let ms = sum(pieces, &some);
        // Nearer to the wanted length without this one than with it.
        if !open.is_empty() && filled_ms + ms / 2.0 > each_ms {
            open.sort_unstable();
            cuts.push(std::mem::take(&mut open));
            filled_ms = 0.0;
        }
        filled_ms += ms;
        open.extend(some);
    }
    if !open.is_empty() {
        open.sort_unstable();
        cuts.push(open);
    }
}

/// Groups of pieces that are connected among themselves, each in ascending order.
fn components(pieces: &[Piece], some: &[usize]) -> Vec<Vec<usize>> {
    let mut root: Vec<usize> = (0..pieces.len()).collect();
    let inside = membership(pieces, some);
    for &at in some {
        for &other in pieces[at].after.iter().filter(|&&other| inside[other]) {
            let (a, b) = (find(&mut root, at), find(&mut root, other));
            root[a.max(b)] = a.min(b);
        }
    }
    let mut groups: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for &at in some {
        groups.entry(find(&mut root, at)).or_default().push(at);
    }
    groups.into_values().collect()
}

/// Whom a piece stands for.
fn find(root: &mut [usize], mut at: usize) -> usize {
    while root[at] != at {
        root[at] = root[root[at]];
        at = root[at];
    }
    at
}

fn membership(pieces: &[Piece], some: &[usize]) -> Vec<bool> {
    let mut inside = vec![false; pieces.len()];
    some.iter().for_each(|&at| inside[at] = true);
    inside
}

/// What runs first and what runs after it, every edge from the one to the other; `None` where all is one level.
fn halves(pieces: &[Piece], some: &[usize]) -> Option<(Vec<usize>, Vec<usize>)> {
    let inside = membership(pieces, some);
    let mut depth = vec![0usize; pieces.len()];
    // Positions are in execution order, so whoever comes before is known.
    for &at in some {
        let before = pieces[at].after.iter().filter(|&&other| inside[other]);
        depth[at] = before.map(|&other| depth[other] + 1).max().unwrap_or(0);
    }
    let deepest = some.iter().map(|&at| depth[at]).max()?;
    if deepest == 0 {
        return None;
    }
    let at_depth = |level: usize| some.iter().filter(|&&at| depth[at] == level).count();
    let level = if at_depth(0) == 1 && some.len() > deepest + 1 {
        1
    } else if at_depth(deepest) == 1 && some.len() > deepest + 1 {
        deepest
    } else {
        middle(pieces, some, &depth, deepest)
    };
    let (behind, before) = some.iter().partition(|&&at| depth[at] >= level);
    Some((before, behind))
}

/// The level that cuts the work most evenly.
fn middle(pieces: &[Piece], some: &[usize], depth: &[usize], deepest: usize) -> usize {
    let half_ms = sum(pieces, some) / 2.0;
    let mut of_level = vec![0.0; deepest + 1];
    some.iter()
        .for_each(|&at| of_level[depth[at]] += pieces[at].ms);
    let mut before_ms = 0.0;
    let mut best = (f64::INFINITY, 1);
    for level in 1..=deepest {
        before_ms += of_level[level - 1];
        let off_ms: f64 = before_ms - half_ms;
        if off_ms.abs() < best.0 {
            best = (off_ms.abs(), level);
        }
    }
    best.1
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pieces of 10 ms from edges such as `0>1 0>2`, `count` of them.
    fn cut(count: usize, edges: &str, grain_ms: f64, most: usize) -> String {
        let mut pieces = vec![
            Piece {
                ms: 10.0,
                ..Piece::default()
            };
            count
        ];
        for edge in edges.split_whitespace() {
            let (from, to) = edge.split_once('>').unwrap();
            let (from, to): (usize, usize) = (from.parse().unwrap(), to.parse().unwrap());
            pieces[to].after.push(from);
        }
        format!("{:?}", parts(&pieces, grain_ms, most))
    }

    #[test]
    fn what_is_independent_goes_into_bundles() {
        assert_eq!(cut(6, "", 20.0, 9), "[[0, 1], [2, 3], [4, 5]]");
        assert_eq!(cut(6, "", 20.0, 2), "[[0, 1, 2], [3, 4, 5]]");
        assert_eq!(cut(4, "", 100.0, 9), "[[0, 1, 2, 3]]");
        assert_eq!(cut(6, "0>3 1>4 2>5", 20.0, 9), "[[0, 3], [1, 4], [2, 5]]");
        assert_eq!(cut(0, "", 10.0, 9), "[]");
    }

    #[test]
    fn a_fork_that_joins_again_is_taken_apart_at_both_ends() {
        let edges = "0>1 0>2 0>3 0>4 1>5 2>5 3>5 4>5";
        assert_eq!(cut(6, edges, 20.0, 9), "[[0], [1, 2], [3, 4], [5]]");
    }

    #[test]
    fn single_file_is_cut_in_the_middle() {
        assert_eq!(cut(4, "0>1 1>2 2>3", 20.0, 9), "[[0, 1], [2, 3]]");
        assert_eq!(cut(1, "", 1.0, 9), "[[0]]");
    }
}
