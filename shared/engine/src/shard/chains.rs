//! Chain fusion: nodes in single file become one.

use crate::graph::Csr;
use crate::place::Profile;

use super::Clustering;
use super::rules::{Apart, Rules};

/// Fuses every edge whose ends have no other successor and no other predecessor, as far as the rules allow.
///
/// ```text
///   a ──► b ──► c ──► d      (a b) ──► c ──► (d)      where c has further neighbours
///               ▲                      ▲
/// ```
///
/// The quotient stays acyclic: any path that leaves the chain leaves it at its last node.
///
/// # Complexity
///
/// O(nodes + edges).
#[must_use]
pub fn fuse_chains(
    graph: &Csr,
    order: &[u32],
    profiles: &[Profile],
    apart: &Apart,
    rules: &Rules<'_>,
) -> Clustering {
    let mut of = vec![0_u32; graph.len()];
    let mut fused: Vec<Profile> = Vec::new();
    let mut kept_apart = Apart::default();
    for &node in order {
        let profile = &profiles[node as usize];
        let before = match graph.predecessors(node) {
            [only] if graph.successors(*only).len() == 1 => Some(of[*only as usize]),
            _ => None,
        };
        let chain = before.and_then(|chain| {
            let head = &fused[chain as usize];
            let both = rules.joined(head, profile, head.depth, head.chain_ms)?;
            (!apart.clash(node, &kept_apart, chain)).then_some((chain, both))
        });
        let chain = if let Some((chain, both)) = chain {
            fused[chain as usize] = both;
            chain
        } else {
            fused.push(*profile);
            fused.len() as u32 - 1
        };
        kept_apart.absorb(chain, apart, node);
        of[node as usize] = chain;
    }
    Clustering {
        of,
        profiles: fused,
    }
}
