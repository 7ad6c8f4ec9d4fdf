//! Timetables: valid whatever the graph, and the known best on small ones.

use proptest::prelude::*;

use crate::graph::{Csr, Edge, topological_order};

use super::*;

fn network(speeds: &[f64]) -> Network {
    Network {
        speeds: speeds.to_vec(),
        bytes_per_s: 100.0,
    }
}

/// Graph, order and work of edges `(from, to, bytes)`.
struct Case {
    graph: Csr,
    order: Vec<u32>,
    work_s: Vec<f64>,
    network: Network,
}

impl Case {
    fn new(edges: &[(u32, u32, u64)], work_s: &[f64], speeds: &[f64]) -> Self {
        let edge = |&(from, to, bytes): &(u32, u32, u64)| Edge { from, to, bytes };
        let graph = Csr::new(work_s.len(), edges.iter().map(edge));
        Self {
            order: topological_order(&graph).unwrap(),
            graph,
            work_s: work_s.to_vec(),
            network: network(speeds),
        }
    }

    fn instance(&self) -> Instance<'_> {
        Instance {
            graph: &self.graph,
            order: &self.order,
            work_s: &self.work_s,
            network: &self.network,
        }
    }

    fn planned(&self, steps: u64) -> Timetable {
        let instance = self.instance();
        let mut budget = Steps(steps);
        let first = best_list(&instance, &mut budget);
        search(&instance, &first, lower_bound_s(&instance), &mut budget)
    }

    /// What is wrong with a timetable; empty when nothing is.
    fn faults(&self, table: &Timetable) -> Vec<String> {
        let mut faults = Vec::new();
        for task in 0..self.work_s.len() {
            let target = table.target[task] as usize;
            let takes = self.work_s[task] / self.network.speeds[target];
            if (table.finish_s[task] - table.start_s[task] - takes).abs() > 1e-6 {
                faults.push(format!("task {task} does not take {takes}"));
            }
            for (before, bytes) in self.graph.incoming_bytes(task as u32) {
                let away = table.target[before as usize] != table.target[task];
                let moving = if away {
                    bytes as f64 / self.network.bytes_per_s
                } else {
                    0.0
                };
                if table.start_s[task] < table.finish_s[before as usize] + moving - 1e-6 {
                    faults.push(format!("task {task} starts before {before} has arrived"));
                }
            }
            for other in 0..task {
                let apart = table.target[other] != table.target[task]
                    || table.start_s[other] >= table.finish_s[task] - 1e-6
                    || table.start_s[task] >= table.finish_s[other] - 1e-6;
                if !apart {
                    faults.push(format!("tasks {other} and {task} overlap"));
                }
            }
        }
        let last = table.finish_s.iter().copied().fold(0.0, f64::max);
        if (last - table.makespan_s).abs() > 1e-6 {
            faults.push("the makespan is not the last end".to_owned());
        }
        faults
    }
}

#[test]
fn equal_tasks_spread_over_equal_targets() {
    let case = Case::new(&[], &[1.0; 100], &[1.0; 10]);
    let table = case.planned(DEFAULT_STEPS);
    assert_eq!(table.makespan_s, 10.0);
    for target in 0..10 {
        assert_eq!(table.target.iter().filter(|&&t| t == target).count(), 10);
    }
}

#[test]
fn the_search_finds_what_no_list_does() {
    // Longest first gives 3+2+2 and 3+2; the best is 3+3 and 2+2+2.
    let case = Case::new(&[], &[3.0, 3.0, 2.0, 2.0, 2.0], &[1.0, 1.0]);
    let instance = case.instance();
    let first = list(&instance, Priority::Upward(1.0), Choice::EarliestFinish);
    assert_eq!(first.makespan_s, 7.0);
    assert_eq!(case.planned(DEFAULT_STEPS).makespan_s, 6.0);
    assert_eq!(lower_bound_s(&instance), 6.0);
}

#[test]
fn data_that_is_slow_to_move_stays() {
    let case = Case::new(&[(0, 1, 1_000)], &[1.0, 1.0], &[1.0, 1.0]);
    let table = case.planned(DEFAULT_STEPS);
    assert_eq!(table.target[0], table.target[1]);
    assert_eq!(table.makespan_s, 2.0);
}

#[test]
fn a_gap_takes_what_fits() {
    // `2` waits for data that takes 5 s to arrive; `3` comes later in the list, and runs in between.
    let edges = [(0, 2, 500), (1, 2, 500)];
    let case = Case::new(&edges, &[4.0, 4.0, 1.0, 0.5], &[1.0, 1.0]);
    let instance = case.instance();
    let table = list(&instance, Priority::Upward(1.0), Choice::EarliestFinish);
    assert_eq!((table.makespan_s, case.faults(&table)), (10.0, Vec::new()));
    assert_eq!(table.finish_s[3], 4.5);
}

#[test]
fn nothing_to_do_takes_no_time() {
    assert_eq!(
        Case::new(&[], &[], &[1.0])
            .planned(DEFAULT_STEPS)
            .makespan_s,
        0.0
    );
}

/// Graphs of every shape: layered, fork and join, stars, chains, disconnected, random order, one task.
fn shaped() -> impl proptest::strategy::Strategy<Value = (Vec<(u32, u32, u64)>, usize)> {
    let any = prop::collection::vec((0_u32..30, 0_u32..30, 0_u64..500), 0..80).prop_map(|edges| {
        let forward = edges.into_iter().filter(|(a, b, _)| a != b);
        let mut once = std::collections::BTreeMap::new();
        for (a, b, bytes) in forward {
            once.insert((a.min(b), a.max(b)), bytes);
        }
        let edges = once.into_iter().map(|((a, b), bytes)| (a, b, bytes));
        (edges.collect::<Vec<_>>(), 30)
    });
    let layered = (1_u32..6, 1_u32..6).prop_map(|(layers, width)| {
        let mut edges = Vec::new();
        for to in width..layers * width {
            let above = (to / width - 1) * width;
            edges.extend((0..width).map(|at| (above + at, to, u64::from(to) * 7 % 90)));
        }
        (edges, (layers * width) as usize)
    });
    let fork_join = (1_u32..20).prop_map(|wide| {
        let out = (1..=wide).map(|at| (0, at, 50));
        let back = (1..=wide).map(|at| (at, wide + 1, 70));
        (out.chain(back).collect::<Vec<_>>(), wide as usize + 2)
    });
    let chain = (1_u32..30).prop_map(|long| {
        (
            (1..long).map(|at| (at - 1, at, 30)).collect::<Vec<_>>(),
            long as usize,
        )
    });
    let loose = (1_usize..30).prop_map(|tasks| (Vec::new(), tasks));
    prop_oneof![any, layered, fork_join, chain, loose]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn every_timetable_is_valid(
        (edges, tasks) in shaped(),
        work in prop::collection::vec(0.1_f64..9.0, 36),
        speeds in prop::collection::vec(prop_oneof![Just(1.0), Just(2.0), Just(4.0)], 1..5),
    ) {
        let case = Case::new(&edges, &work[..tasks], &speeds);
        let instance = case.instance();
        let bound = lower_bound_s(&instance);
        for priority in [Priority::Upward(1.0), Priority::Through, Priority::Level] {
            for choice in [Choice::EarliestFinish, Choice::LookAhead] {
                let table = list(&instance, priority, choice);
                prop_assert_eq!(case.faults(&table), Vec::<String>::new());
                prop_assert!(table.makespan_s >= bound - 1e-6);
            }
        }
        let heft = list(&instance, Priority::Upward(1.0), Choice::EarliestFinish);
        let found = case.planned(60_000);
        prop_assert_eq!(case.faults(&found), Vec::<String>::new());
        prop_assert!(found.makespan_s >= bound - 1e-6);
        prop_assert!(found.makespan_s <= heft.makespan_s);
        prop_assert_eq!(case.planned(60_000), found);
    }

    #[test]
    fn shards_of_a_timetable_run_one_after_the_other(
        (edges, tasks) in shaped(),
        work in prop::collection::vec(0.1_f64..9.0, 36),
    ) {
        let case = Case::new(&edges, &work[..tasks], &[1.0, 1.0, 2.0]);
        let instance = case.instance();
        let table = list(&instance, Priority::Upward(1.0), Choice::EarliestFinish);
        let sharded = clusters(&instance, &table, 0.0, DEFAULT_LOOKS);
        prop_assert!(sharded.makespan_s <= table.makespan_s * 1.05 + 1e-6);
        let mut takes = vec![0.0; sharded.target.len()];
        for task in 0..tasks {
            let shard = sharded.of[task] as usize;
            prop_assert_eq!(sharded.target[shard], table.target[task]);
            takes[shard] += instance.on(task as u32, sharded.target[shard] as usize);
            for (before, bytes) in case.graph.incoming_bytes(task as u32) {
                let from = sharded.of[before as usize] as usize;
                let away = sharded.target[from] != sharded.target[shard];
                let moving = if away { instance.moving(bytes) } else { 0.0 };
                let arrives = sharded.finish_s[from] + moving;
                prop_assert!(from == shard || sharded.start_s[shard] >= arrives - 1e-6);
            }
        }
        for (one, takes) in takes.into_iter().enumerate() {
            prop_assert!((sharded.finish_s[one] - sharded.start_s[one] - takes).abs() < 1e-6);
            for other in 0..one {
                let apart = sharded.target[one] != sharded.target[other]
                    || sharded.start_s[one] >= sharded.finish_s[other] - 1e-6
                    || sharded.start_s[other] >= sharded.finish_s[one] - 1e-6;
                prop_assert!(apart);
            }
        }
    }
}
