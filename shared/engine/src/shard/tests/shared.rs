//! Shards whose tasks run side by side, and the changes that local search tries.

use super::super::changes::{Change, Labels};
use super::super::packed::pack;
use super::*;

#[test]
fn tasks_side_by_side_take_what_the_workers_order_gives() {
    let (_, graph) = text::parse("a b c d>e");
    let mut loads = vec![load(1_000.0); 5];
    for load in &mut loads {
        (load.memory, load.rung) = (1_740, 3);
    }
    let demand = demand(graph, loads);
    let rules = rules(&demand);
    let atoms = Atoms::of_annotations(&demand, &rules);
    let mut shards = atoms.coarser(cut_sequence(&atoms, &rules));
    assert_eq!(shards.profiles.len(), 1);
    // The bound: two in single file, and half of the other three.
    assert_eq!(rules.ms(&shards.profiles[0]), 3_500.0);
    pack(&demand, &mut shards, &rules);
    // Three in single file at best; two threads seldom end together.
    let packed_ms = rules.ms(&shards.profiles[0]);
    assert!((3_000.0..3_100.0).contains(&packed_ms), "{packed_ms}");
}

/// Labels after one change, and the threads of each.
fn changed(text: &str, change: Change) -> (Vec<u32>, Vec<u32>) {
    let (names, graph) = text::parse(text);
    let half = names.len() as u32 / 2;
    let demand = demand(graph, vec![load(10.0); names.len()]);
    let atoms = Atoms::of_annotations(&demand, &rules(&demand));
    let labels = Labels {
        of: (0..half * 2).map(|atom| atom / half).collect(),
        threads: vec![1, 2],
    };
    let members = Members::new(&labels.of, 2, &atoms.order);
    let after = labels.with(&[change], &atoms, &members);
    (after.of, after.threads)
}

#[test]
fn a_split_parts_what_is_independent_or_the_second_half() {
    let text = "a>b c>d e>f f>g g>h";
    assert_eq!(changed(text, Change::Split(0)).0[0..4], [0, 0, 2, 2]);
    let (of, threads) = changed(text, Change::Split(1));
    assert_eq!(of[4..], [1, 1, 2, 2]);
    assert_eq!(threads, [1, 2, 2]);
}

#[test]
fn merged_shards_keep_the_larger_tier_and_paired_ones_have_the_threads_of_both() {
    let text = "a b c d";
    assert_eq!(changed(text, Change::Merge(0, 1)), (vec![0; 4], vec![2, 2]));
    assert_eq!(changed(text, Change::Pair(0, 1)), (vec![0; 4], vec![3, 2]));
    let (of, _) = changed(text, Change::Shift(0, 1));
    assert_eq!(of, [1, 0, 1, 1]);
    assert_eq!(changed(text, Change::Threads(0, 4)).1, [4, 2]);
}
