//! The graph, text in and text out.

use proptest::prelude::*;

use super::*;

fn order_of(text: &str) -> String {
    let (names, graph) = text::parse(text);
    match topological_order(&graph) {
        Some(order) => order
            .iter()
            .map(|&v| names[v as usize].as_str())
            .collect::<Vec<_>>()
            .join(" "),
        None => "cycle".to_owned(),
    }
}

#[test]
fn every_node_comes_after_what_it_needs() {
    assert_eq!(order_of("a>b a>c b>d c>d"), "a b c d");
    assert_eq!(order_of("c>d a>c b>a solo"), "b solo a c d");
    assert_eq!(order_of("a>b b>c c>a"), "cycle");
    assert_eq!(order_of(""), "");
}

#[test]
fn levels_count_the_longest_path() {
    let (_, graph) = text::parse("a>b b>d a>d solo");
    let order = topological_order(&graph).unwrap();
    assert_eq!(levels(&graph, &order), vec![0, 1, 2, 0]);
}

#[test]
fn the_critical_path_is_the_longest() {
    let (_, graph) = text::parse("a>b a>c b>d c>d");
    let order = topological_order(&graph).unwrap();
    let ms = [10.0, 20.0, 50.0, 5.0];
    assert_eq!(critical_path(&graph, &order, &ms), 65.0);
    assert_eq!(
        upward_ranks(&graph, &order, &ms, 1.0),
        vec![67.0, 26.0, 56.0, 5.0]
    );
}

#[test]
fn neighbours_are_slices() {
    let (_, graph) = text::parse("a>b a>c b>d c>d");
    assert_eq!(graph.successors(0), [1, 2]);
    assert_eq!(graph.predecessors(3), [1, 2]);
    assert_eq!((graph.len(), graph.edge_count()), (4, 4));
    assert!(Csr::default().is_empty());
}

proptest! {
    #[test]
    fn an_order_is_found_exactly_when_edges_go_one_way(
        edges in prop::collection::vec((0_u32..30, 0_u32..30), 0..90)
    ) {
        let forward: Vec<Edge> = edges
            .iter()
            .filter(|(from, to)| from != to)
            .map(|&(a, b)| Edge { from: a.min(b), to: a.max(b), bytes: 1 })
            .collect();
        let graph = Csr::new(30, forward.iter().copied());
        let order = topological_order(&graph).expect("edges to larger numbers form no cycle");
        let mut position = [0; 30];
        for (at, &node) in order.iter().enumerate() {
            position[node as usize] = at;
        }
        for edge in &forward {
            prop_assert!(position[edge.from as usize] < position[edge.to as usize]);
        }
        let incoming: u64 = (0..30).flat_map(|v| graph.incoming_bytes(v)).map(|(_, b)| b).sum();
        prop_assert_eq!(incoming as usize, forward.len());
    }
}

/// A graph of up to 9 nodes, small enough to go along every path of it.
fn small() -> impl Strategy<Value = (Csr, Vec<f64>)> {
    let pairs = prop::collection::vec((0_u32..9, 0_u32..9), 0..24);
    (pairs, prop::collection::vec(1_u32..100, 9)).prop_map(|(pairs, ms)| {
        let forward = pairs.into_iter().filter(|(a, b)| a != b);
        let mut edges: Vec<Edge> = forward
            .map(|(a, b)| Edge {
                from: a.min(b),
                to: a.max(b),
                bytes: 1,
            })
            .collect();
        edges.sort_unstable();
        edges.dedup();
        (
            Csr::new(9, edges.into_iter()),
            ms.into_iter().map(f64::from).collect(),
        )
    })
}

/// Every path that begins with `node`.
fn paths(graph: &Csr, node: u32) -> Vec<Vec<u32>> {
    let mut all = vec![vec![node]];
    for &next in graph.successors(node) {
        for mut path in paths(graph, next) {
            path.insert(0, node);
            all.push(path);
        }
    }
    all
}

proptest! {
    #[test]
    fn ranks_levels_and_critical_path_are_those_of_the_longest_paths((graph, ms) in small()) {
        let order = topological_order(&graph).unwrap();
        let all: Vec<Vec<u32>> = (0..9).flat_map(|node| paths(&graph, node)).collect();
        let long = |path: &Vec<u32>| path.iter().map(|&v| ms[v as usize]).sum::<f64>() + 5.0 * (path.len() - 1) as f64;
        let ranks = upward_ranks(&graph, &order, &ms, 5.0);
        let levels = levels(&graph, &order);
        for node in 0..9_u32 {
            let from = all.iter().filter(|path| path[0] == node).map(long);
            prop_assert_eq!(ranks[node as usize], from.fold(0.0, f64::max));
            let to = all.iter().filter(|path| path.last() == Some(&node)).map(Vec::len);
            prop_assert_eq!(levels[node as usize] as usize, to.max().unwrap() - 1);
        }
        let sums = all.iter().map(|path| path.iter().map(|&v| ms[v as usize]).sum::<f64>());
        prop_assert_eq!(critical_path(&graph, &order, &ms), sums.fold(0.0, f64::max));
    }
}
