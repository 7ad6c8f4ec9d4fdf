//! Graphs as text for tests: `a>b a>c b>d c>d`, `solo`; nodes are numbered in order of appearance.

use super::{Csr, Edge};

/// Names by number, and the graph.
pub(crate) fn parse(text: &str) -> (Vec<String>, Csr) {
    let mut names: Vec<String> = Vec::new();
    let mut number = |name: &str| -> u32 {
        let at = names.iter().position(|n| n == name).unwrap_or_else(|| {
            names.push(name.to_owned());
            names.len() - 1
        });
        at as u32
    };
    let mut edges = Vec::new();
    for word in text.split_whitespace() {
        match word.split_once('>') {
            Some((from, to)) => edges.push(Edge {
                from: number(from),
                to: number(to),
                bytes: 0,
            }),
            None => {
                number(word);
            }
        }
    }
    let graph = Csr::new(names.len(), edges.iter().copied());
    (names, graph)
}
