//! The shard graphs that are checked: every one of a size.

use std::collections::BTreeSet;

/// Every DAG of so many shards, one of each shape, as text: 1, 2, 6 and 31 of one to four shards (OEIS A003087).
pub(crate) fn all(shards: usize) -> Vec<String> {
    let pairs: Vec<(usize, usize)> = (0..shards)
        .flat_map(|to| (0..to).map(move |from| (from, to)))
        .collect();
    let orders = orders(shards);
    let mut shapes = BTreeSet::new();
    let mut found = Vec::new();
    for chosen in 0_u32..1 << pairs.len() {
        let edges = pairs.iter().enumerate();
        let edges = edges.filter(|(bit, _)| chosen >> bit & 1 == 1);
        let edges: Vec<(usize, usize)> = edges.map(|(_, edge)| *edge).collect();
        let shape = orders.iter().map(|order| {
            let renamed = edges.iter().map(|(from, to)| (order[*from], order[*to]));
            renamed.collect::<BTreeSet<_>>()
        });
        if shapes.insert(shape.min().unwrap_or_default()) {
            found.push(text(shards, &edges));
        }
    }
    found
}

/// Ten graphs of six shards, by name: as [`build::topology`](foreshard_fakes::build::topology) takes them, `~` is a relay.
pub(crate) const SIX: [(&str, &str); 10] = [
    ("chain", "a>b>c>d>e>f"),
    ("two chains", "a>b>c d>e>f"),
    ("fork", "a>b a>c a>d a>e a>f"),
    ("join", "a>f b>f c>f d>f e>f"),
    ("diamond", "a>b a>c a>d a>e b>f c>f d>f e>f"),
    ("hourglass", "a>c b>c c>d d>e d>f"),
    ("ladder", "a>b c>d e>f a>c>e b>d>f"),
    ("butterfly", "a>c a>d b>c b>d c>e c>f d>e d>f"),
    ("tree", "a>b a>c b>d b>e c>f"),
    ("relay", "a>~r b>~r ~r>c ~r>d c>e d>e"),
];

/// Every order of the numbers below.
pub(crate) fn orders(count: usize) -> Vec<Vec<usize>> {
    if count == 0 {
        return vec![Vec::new()];
    }
    let shorter = orders(count - 1);
    let longer = shorter.iter().flat_map(|order| {
        (0..count).map(|place| {
            let mut order = order.clone();
            order.insert(place, count - 1);
            order
        })
    });
    longer.collect()
}

fn text(shards: usize, edges: &[(usize, usize)]) -> String {
    let name = |shard: usize| char::from(b'a' + shard as u8).to_string();
    let alone = (0..shards).map(name);
    let pairs = edges
        .iter()
        .map(|(from, to)| format!("{}>{}", name(*from), name(*to)));
    alone.chain(pairs).collect::<Vec<_>>().join(" ")
}
