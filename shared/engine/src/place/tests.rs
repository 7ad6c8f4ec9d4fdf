//! Tiers and the list schedule.

mod documents;
mod spread;

use std::collections::BTreeMap;

use foreshard_model::ids::TargetId;
use foreshard_model::outlook::{Outlook, Promised};
use foreshard_model::target::{Architecture, Pool, Target};
use foreshard_model::units::Mib;
use proptest::prelude::*;

use crate::graph::{Csr, Edge, text};

use super::*;

fn target(memory: u32, labels: &[(&str, &str)]) -> Target {
    Target {
        id: TargetId(format!("f-{memory}-{}", labels.len())),
        region: "us-east-1".to_owned(),
        memory: Mib(memory),
        architecture: Architecture::Arm64,
        limit_ms: 900_000,
        labels: labels
            .iter()
            .map(|&(k, v)| (k.to_owned(), v.to_owned()))
            .collect(),
        speed: 1.0,
    }
}

fn labels(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    target(128, pairs).labels
}

fn ladder(targets: Vec<Target>, require: &[(&str, &str)], prefer: &[(&str, &str)]) -> Ladder {
    let pool = Pool {
        targets,
        lanes_max: 4,
        lane_memory: None,
        concurrency: 100,
        links: Vec::new(),
    };
    let needs = Needs {
        require: labels(require),
        prefer: labels(prefer),
        ..Needs::default()
    };
    Ladder::new(
        &Sites::new(&pool, &Outlook::default(), &Promised::default()),
        &needs,
    )
}

fn aws() -> Ladder {
    let tiers = [128, 256, 512, 1024, 1769, 3538, 5307, 7076, 10_240];
    ladder(
        tiers.into_iter().map(|m| target(m, &[])).collect(),
        &[],
        &[],
    )
}

#[test]
fn a_task_gets_the_smallest_tier_that_holds_it_and_its_worker() {
    let ladder = aws();
    let tier = |memory, vcpus| {
        ladder
            .alone(memory, vcpus, 0)
            .map(|r| ladder.rungs()[r].memory)
    };
    assert_eq!(tier(80, 0.05), Some(128));
    assert_eq!(tier(81, 0.05), Some(256));
    assert_eq!(tier(80, 1.0), Some(1769));
    assert_eq!(tier(10_192, 1.0), Some(10_240));
    assert_eq!(tier(10_193, 1.0), None);
    // More vCPUs than any tier has: the largest, it only runs longer.
    assert_eq!(tier(80, 64.0), Some(10_240));
}

#[test]
fn threads_share_the_memory() {
    let ladder = aws();
    let top = |memories: [u32; 3]| {
        let mut top = [0; TOP_TASKS];
        top[..3].copy_from_slice(&memories);
        top
    };
    let tier = |top: &[u32; TOP_TASKS], width| {
        ladder
            .together(0, top, width)
            .map(|r| ladder.rungs()[r].memory)
    };
    assert_eq!(tier(&top([2_000, 2_000, 2_000]), 1), Some(3_538));
    assert_eq!(tier(&top([2_000, 2_000, 2_000]), 3), Some(7_076));
    assert_eq!(tier(&top([9_000, 9_000, 0]), 2), None);
}

#[test]
fn required_labels_bind_and_preferred_ones_decide() {
    let targets = vec![
        target(512, &[]),
        target(512, &[("disk", "fast")]),
        target(1024, &[("disk", "fast"), ("zone", "a")]),
    ];
    let picked = |require: &[(&str, &str)], prefer: &[(&str, &str)]| -> Vec<usize> {
        let ladder = ladder(targets.clone(), require, prefer);
        ladder.rungs().iter().map(|r| r.target).collect()
    };
    assert_eq!(picked(&[], &[]), [0, 2]);
    assert_eq!(picked(&[], &[("disk", "fast")]), [1, 2]);
    assert_eq!(picked(&[("zone", "a")], &[]), [2]);
    assert_eq!(
        picked(&[("architecture", "arm64"), ("region", "us-east-1")], &[]),
        [0, 2]
    );
    assert_eq!(
        picked(&[("architecture", "x86_64")], &[]),
        Vec::<usize>::new()
    );
}

#[test]
fn a_free_lane_takes_the_first_by_rank() {
    let (_, graph) = text::parse("a b a>c b>c a>d");
    let schedule = list_schedule(&graph, &[10, 20, 5, 30], &[1, 0, 2, 3], 2);
    assert_eq!(schedule.start_us, [0, 0, 20, 10]);
    assert_eq!(schedule.makespan_us, 40);
    assert_eq!(schedule.width, 2);
    let serial = list_schedule(&graph, &[10, 20, 5, 30], &[1, 0, 2, 3], 1);
    assert_eq!(serial.start_us, [20, 0, 30, 35]);
    assert_eq!(serial.makespan_us, 65);
}

#[test]
fn a_hundred_equal_shards_do_not_herd() {
    let graph = Csr::new(100, std::iter::empty());
    let rank: Vec<u32> = (0..100).collect();
    let schedule = list_schedule(&graph, &[1_000; 100], &rank, 10);
    for lane in 0..10 {
        assert_eq!(schedule.lane.iter().filter(|l| **l == lane).count(), 10);
    }
    assert_eq!(schedule.makespan_us, 10_000);
}

proptest! {
    #[test]
    fn lanes_run_one_shard_at_a_time_and_never_early(
        edges in prop::collection::vec((0_u32..40, 0_u32..40), 0..100),
        durations in prop::collection::vec(0_u64..1_000, 40),
        lanes in 1_u32..12,
    ) {
        let edges: Vec<Edge> = edges
            .into_iter()
            .filter(|(a, b)| a != b)
            .map(|(a, b)| Edge { from: a.min(b), to: a.max(b), bytes: 0 })
            .collect();
        let graph = Csr::new(40, edges.iter().copied());
        let rank: Vec<u32> = (0..40).rev().collect();
        let schedule = list_schedule(&graph, &durations, &rank, lanes);
        let end = |s: u32| schedule.start_us[s as usize] + durations[s as usize];
        for edge in &edges {
            prop_assert!(end(edge.from) <= schedule.start_us[edge.to as usize]);
        }
        for a in 0..40_u32 {
            for b in 0..a {
                let apart = end(a) <= schedule.start_us[b as usize] || end(b) <= schedule.start_us[a as usize];
                prop_assert!(schedule.lane[a as usize] != schedule.lane[b as usize] || apart);
            }
        }
        prop_assert_eq!(schedule.makespan_us, (0..40).map(end).max().unwrap());
        prop_assert!(schedule.width <= lanes);
    }
}

#[test]
fn lanes_park_where_they_are_needed_later_and_end_where_they_are_not() {
    let of = |text: &str, lanes: u32| {
        let (names, graph) = text::parse(text);
        let rank: Vec<u32> = (0..names.len() as u32).collect();
        // Times that differ, so that lanes find nothing one after the other.
        let takes: Vec<u64> = (0..names.len() as u64).map(|at| 100 + at).collect();
        list_schedule(&graph, &takes, &rank, lanes).parkings
    };
    assert_eq!(of("a>b b>c", 1), 0);
    // Four lanes end before the join: one does it, and one has stayed.
    assert_eq!(of("a>z b>z c>z d>z e>z f>z", 6), 1);
    // Three of four wait for the fork, one stays behind it.
    assert_eq!(of("a>b a>c a>d a>e", 4), 4);
    // What becomes narrow and wide again needs everybody.
    assert_eq!(of("a>e b>e c>e d>e e>f e>g e>h e>i", 4), 4);
}
