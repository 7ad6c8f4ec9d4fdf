//! Partitions: text in, text out, and what holds on every graph.

use proptest::prelude::*;

use crate::graph::{Csr, Edge, text, topological_order};

use super::*;

fn cut(text: &str, parts: u32) -> Vec<String> {
    let (names, graph) = text::parse(text);
    let order = topological_order(&graph).unwrap();
    let found = partition(&graph, &order, &vec![1.0; names.len()], parts);
    let inside = |part: u32| -> String {
        let mine = names.iter().zip(&found.of).filter(|(_, of)| **of == part);
        mine.map(|(name, _)| name.as_str())
            .collect::<Vec<_>>()
            .join(" ")
    };
    (0..parts).map(inside).collect()
}

#[test]
fn chains_are_not_torn() {
    let mut found = cut("a>b b>c x>y y>z", 2);
    found.sort();
    // No bytes move along these edges: weight decides, and each part has three of the six.
    assert!(
        found.iter().all(|part| part.split(' ').count() == 3),
        "{found:?}"
    );
}

#[test]
fn bytes_decide_where_weight_leaves_a_choice() {
    // Two chains of three: cutting neither costs nothing.
    let edges = [(0, 1), (1, 2), (3, 4), (4, 5)].map(|(from, to)| Edge {
        from,
        to,
        bytes: 100,
    });
    let graph = Csr::new(6, edges.iter().copied());
    let found = partition(&graph, &[0, 3, 1, 4, 2, 5], &[1.0; 6], 2);
    assert_eq!((found.cut_bytes, found.imbalance), (0, 1.0));
    assert_eq!(found.of[0], found.of[2]);
    assert_eq!(found.of[3], found.of[5]);
}

#[test]
fn one_part_and_no_task_are_partitions_too() {
    assert_eq!(cut("a>b", 1), ["a b"]);
    let none = partition(&Csr::new(0, std::iter::empty()), &[], &[], 4);
    assert_eq!((none.of.len(), none.cut_bytes), (0, 0));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn no_edge_leads_to_a_lower_part(
        edges in prop::collection::vec((0_u32..40, 0_u32..40, 0_u64..1000), 0..120),
        weight in prop::collection::vec(0.1_f64..10.0, 40),
        parts in 1_u32..9,
    ) {
        let mut once = std::collections::BTreeMap::new();
        for (a, b, bytes) in edges.into_iter().filter(|(a, b, _)| a != b) {
            once.insert((a.min(b), a.max(b)), bytes);
        }
        let edges: Vec<Edge> = once.iter().map(|(&(from, to), &bytes)| Edge { from, to, bytes }).collect();
        let graph = Csr::new(40, edges.iter().copied());
        let order = topological_order(&graph).unwrap();
        let found = partition(&graph, &order, &weight, parts);
        prop_assert!(found.of.iter().all(|&part| part < parts));
        let mut bytes = 0;
        for edge in &edges {
            let (from, to) = (found.of[edge.from as usize], found.of[edge.to as usize]);
            prop_assert!(from <= to);
            bytes += if from == to { 0 } else { edge.bytes };
        }
        prop_assert_eq!(bytes, found.cut_bytes);
        prop_assert_eq!(partition(&graph, &order, &weight, parts), found);
    }
}
