//! Strategies on small graphs, and what holds for every strategy on every graph.

mod shared;

use std::collections::BTreeMap;

use foreshard_model::ids::TargetId;
use foreshard_model::outlook::{Outlook, Promised};
use foreshard_model::target::{Architecture, Pool, Target};
use foreshard_model::units::Mib;
use proptest::prelude::{Just, ProptestConfig, any, prop, prop_assert, prop_oneof, proptest};
use proptest::strategy::Strategy as Generate;

use crate::graph::{Edge, text, topological_order};
use crate::place::{Ladder, Needs, Sites, TIME_MARGIN};

use super::bands::cluster_by_bands;
use super::lanes::cluster_by_lanes;
use super::sequence::cut_sequence;
use super::*;

fn pool() -> Pool {
    let targets = [128_u32, 512, 1769, 3538, 10_240]
        .into_iter()
        .map(|memory| Target {
            id: TargetId(format!("f-{memory}")),
            region: "us-east-1".to_owned(),
            memory: Mib(memory),
            architecture: Architecture::Arm64,
            limit_ms: 900_000,
            labels: BTreeMap::new(),
            speed: 1.0,
        })
        .collect();
    Pool {
        targets,
        lanes_max: 4,
        lane_memory: None,
        concurrency: 1_000,
        links: Vec::new(),
    }
}

fn load(ms: f64) -> Load {
    Load {
        ms,
        cpu_ms: ms,
        memory: 100,
        rung: 2,
        class: 0,
        disk_bytes: 0,
        objects: 0,
        priority: 0,
        alone: false,
        ends: false,
    }
}

fn demand(graph: Csr, loads: Vec<Load>) -> Demand {
    let order = topological_order(&graph).unwrap();
    let mut position = vec![0; order.len()];
    for (at, &task) in order.iter().enumerate() {
        position[task as usize] = at as u32;
    }
    let (pool, outlook) = (pool(), Outlook::default());
    let sites = Sites::new(&pool, &outlook, &Promised::default());
    Demand {
        graph: graph.into(),
        sequence: order.clone(),
        order,
        position,
        loads,
        ladders: vec![Ladder::new(&sites, &Needs::default())],
        ..Demand::default()
    }
}

fn rules(demand: &Demand) -> Rules<'_> {
    Rules {
        ladders: &demand.ladders,
        tasks_max: u32::MAX,
        shard_usd: 1.25e-4,
        gb_s_usd: 1.333e-5,
    }
}

/// The shards as text: tasks in order of appearance, shards separated by `|`, ordered by their first task.
fn shown(names: &[String], of: &[u32]) -> String {
    let mut shards: BTreeMap<u32, Vec<&str>> = BTreeMap::new();
    let mut first: BTreeMap<u32, usize> = BTreeMap::new();
    for (task, &shard) in of.iter().enumerate() {
        shards.entry(shard).or_default().push(&names[task]);
        first.entry(shard).or_insert(task);
    }
    let mut order: Vec<_> = first
        .into_iter()
        .map(|(shard, task)| (task, shard))
        .collect();
    order.sort_unstable();
    let shards: Vec<String> = order
        .iter()
        .map(|(_, shard)| shards[shard].join(" "))
        .collect();
    shards.join(" | ")
}

fn check(text: &str, ms: f64, strategy: Strategy) -> String {
    check_with(text, ms, strategy, |_| {})
}

fn check_with(text: &str, ms: f64, strategy: Strategy, change: fn(&mut Demand)) -> String {
    let (names, graph) = text::parse(text);
    let loads = vec![load(ms); names.len()];
    let mut demand = demand(graph, loads);
    change(&mut demand);
    let rules = rules(&demand);
    let annotated = Atoms::of_annotations(&demand, &rules);
    let chains = annotated.with_chains_fused(&rules);
    let shards = strategy.shards(&demand, &chains, &rules);
    shown(&names, &shards.of_task)
}

#[test]
fn chains_are_fused_up_to_forks_and_joins() {
    let shards = check("a>b b>c c>d c>e d>f e>f f>g", 10.0, Strategy::Chains);
    assert_eq!(shards, "a b c | d | e | f g");
}

#[test]
fn a_cut_after_a_task_ends_its_shard() {
    let cut = |demand: &mut Demand| demand.loads[1].ends = true;
    let all = [
        Strategy::Chains,
        Strategy::Sequence,
        Strategy::Bands(1),
        Strategy::Lanes(LaneRule {
            lanes: 1,
            slack: 1.0,
        }),
    ];
    for strategy in all {
        let shards = check_with("a>b b>c c>d", 10.0, strategy, cut);
        assert_eq!(shards, "a b | c d", "{strategy}");
    }
}

#[test]
fn a_once_task_stays_alone() {
    let once = |demand: &mut Demand| demand.loads[1].alone = true;
    let shards = check_with("a>b b>c c>d", 10.0, Strategy::Sequence, once);
    assert_eq!(shards, "a | b | c d");
}

#[test]
fn tasks_kept_together_bring_what_lies_between() {
    let together = |demand: &mut Demand| demand.together = vec![vec![0, 3]];
    let shards = check_with("a>b a>c b>d c>d d>e d>f", 10.0, Strategy::Single, together);
    assert_eq!(shards, "a b c d | e | f");
}

#[test]
fn groups_that_would_wait_for_each_other_are_merged_or_torn() {
    let crossed = |demand: &mut Demand| demand.together = vec![vec![0, 3], vec![1, 2]];
    // a>b and c>d: {a d} and {b c} would each wait for the other.
    let shards = check_with("a>b c>d", 10.0, Strategy::Single, crossed);
    assert_eq!(shards, "a b c d");
}

#[test]
fn a_group_that_cannot_be_honoured_is_reported() {
    let (_, graph) = text::parse("a>b b>c");
    let mut demand = demand(graph, vec![load(10.0); 3]);
    demand.together = vec![vec![0, 2]];
    demand.loads[1].alone = true;
    let atoms = Atoms::of_annotations(&demand, &rules(&demand));
    assert_eq!(atoms.torn, [0]);
    assert_eq!(atoms.profiles.len(), 3);
}

#[test]
fn tasks_kept_apart_never_share_a_shard() {
    let apart = |demand: &mut Demand| demand.apart = Apart::new([(0, 7), (2, 7)].into_iter());
    assert_eq!(
        check_with("a>b b>c c>d", 10.0, Strategy::Sequence, apart),
        "a b | c d"
    );
    assert_eq!(
        check_with("a>b b>c c>d", 10.0, Strategy::Chains, apart),
        "a b | c d"
    );
}

#[test]
fn independent_pieces_become_one_shard_each() {
    let shards = check(
        "a>b a>c b>d c>d e>f e>g f>h g>h d>z h>z",
        1_000.0,
        Strategy::Bands(2),
    );
    assert_eq!(shards, "a b c d | e f g h | z");
}

#[test]
fn a_timetable_puts_what_a_lane_runs_in_sequence_into_one_shard() {
    let change = |demand: &mut Demand| {
        for (task, ms) in [(0, 3_000.0), (1, 2_000.0), (2, 1_000.0)] {
            demand.loads[task].ms = ms;
        }
    };
    let shards = check_with("a b c", 0.0, Strategy::Timetable(2), change);
    assert_eq!(shards, "a | b c");
}

#[test]
fn parts_keep_together_what_exchanges_much() {
    let (names, graph) = text::parse("a>c b>d c>e d>e");
    let heavy = [(0, 2), (1, 3)].map(|(from, to)| Edge {
        from,
        to,
        bytes: 1_000_000,
    });
    let light = [(2, 4), (3, 4)].map(|(from, to)| Edge { from, to, bytes: 1 });
    let bytes = Csr::new(graph.len(), heavy.into_iter().chain(light));
    let demand = demand(bytes, vec![load(1_000.0); names.len()]);
    let rules = rules(&demand);
    let atoms = Atoms::of_annotations(&demand, &rules);
    let shards = Strategy::Parts(2).shards(&demand, &atoms, &rules);
    let of = |name: &str| shards.of_task[names.iter().position(|n| n == name).unwrap()];
    assert!(
        of("a") == of("c") && of("b") == of("d"),
        "{:?}",
        shards.of_task
    );
}

#[test]
fn siblings_are_packed_into_a_shard_for_each_lane() {
    let text: String = (0..1_000).map(|i| format!("root>t{i} t{i}>end ")).collect();
    let (names, graph) = text::parse(&text);
    let mut loads = vec![load(500.0); names.len()];
    loads[0].ms = 5_000.0;
    let demand = demand(graph, loads);
    let rules = rules(&demand);
    let annotated = Atoms::of_annotations(&demand, &rules);
    for strategy in [
        Strategy::Bands(4),
        Strategy::Lanes(LaneRule {
            lanes: 4,
            slack: 1.0,
        }),
    ] {
        let shards = strategy.shards(&demand, &annotated, &rules);
        assert!(
            (5..=12).contains(&shards.profiles.len()),
            "{strategy}: {}",
            shards.profiles.len()
        );
    }
}

#[test]
fn a_large_task_is_not_joined_by_many_small_ones_that_would_pay_for_its_memory() {
    let (names, graph) = text::parse("big>a big>b");
    let mut loads = vec![load(100_000.0); 3];
    (loads[0].memory, loads[0].rung) = (9_000, 4);
    let demand = demand(graph, loads);
    let rules = rules(&demand);
    let atoms = Atoms::of_annotations(&demand, &rules);
    assert_eq!(shown(&names, &cut_sequence(&atoms, &rules).of), "big | a b");
}

#[test]
fn a_shard_is_as_large_as_what_its_threads_run_at_once() {
    let (_, graph) = text::parse("a b c d");
    let mut loads = vec![load(1_000.0); 4];
    for load in &mut loads {
        (load.memory, load.rung) = (1_740, 3);
    }
    let demand = demand(graph, loads);
    let profiles = cut_sequence(
        &Atoms::of_annotations(&demand, &rules(&demand)),
        &rules(&demand),
    )
    .profiles;
    // Two threads of 3,538 MiB would hold 2 x 1,740 MiB and the worker: 3,528.
    assert_eq!(profiles.len(), 1);
    assert_eq!((profiles[0].tasks, profiles[0].rung), (4, 3));
    assert_eq!(profiles[0].ms(&demand.ladders[0]), 2_500.0);
}

#[test]
fn nothing_is_planned_beyond_the_limit_of_its_target() {
    let text: String = (0..40).map(|i| format!("t{i}>t{} ", i + 1)).collect();
    let (_, graph) = text::parse(&text);
    let demand = demand(graph, vec![load(60_000.0); 41]);
    let rules = rules(&demand);
    let shards = cut_sequence(&Atoms::of_annotations(&demand, &rules), &rules);
    for profile in &shards.profiles {
        assert!(rules.ms(profile) * TIME_MARGIN <= 900_000.0);
    }
    assert_eq!(shards.profiles.len(), 5);
}

/// A random graph of one of the shapes that workflows have.
pub(crate) fn any_graph() -> impl Generate<Value = Vec<(u32, u32)>> {
    let size = 1_u32..60;
    (0_u8..7, size, any::<u64>()).prop_map(|(shape, size, seed)| shaped(shape, size, seed))
}

/// Edges from lower to higher numbers: layered, fork-join, series-parallel, random order, star, chain, disconnected.
pub(crate) fn shaped(shape: u8, size: u32, seed: u64) -> Vec<(u32, u32)> {
    let mut state = seed | 1;
    let mut next = move |below: u32| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 33) as u32 % below.max(1)
    };
    let mut edges = vec![(size - 1, size - 1)];
    for to in 1..size {
        match shape {
            0 => {
                let layer = (to / 8) * 8;
                if layer > 0 {
                    edges.extend((0..1 + next(3)).map(|_| (layer - 1 - next(8.min(layer)), to)));
                }
            }
            1 => edges.push((if to == size - 1 { 0 } else { (to - 1) / 9 * 9 }, to)),
            2 => edges.push((to / 2, to)),
            3 => edges.extend((0..next(4)).map(|_| (next(to), to))),
            4 => edges.push((0, to)),
            5 => edges.push((to - 1, to)),
            _ => {
                if next(3) == 0 {
                    edges.push((to - 1, to));
                }
            }
        }
    }
    edges.retain(|(from, to)| from < to);
    edges.sort_unstable();
    edges.dedup();
    edges.push((size - 1, size - 1));
    edges
}

fn random_demand(edges: &[(u32, u32)], marks: &[(u8, u16)]) -> Demand {
    let size = edges.iter().map(|e| e.1).max().unwrap_or(0) + 1;
    let edges: Vec<Edge> = edges
        .iter()
        .filter(|(from, to)| from != to)
        .map(|&(from, to)| Edge {
            from,
            to,
            bytes: u64::from(from) * 1_000_000,
        })
        .collect();
    let mark = |task: u32| marks[task as usize % marks.len()];
    let loads = (0..size)
        .map(|task| {
            let (kind, ms) = mark(task);
            Load {
                memory: if kind % 16 == 1 { 3_000 } else { 100 },
                rung: if kind % 16 == 1 { 3 } else { 2 },
                alone: kind % 16 == 2,
                ends: kind % 16 == 3,
                ..load(f64::from(ms))
            }
        })
        .collect();
    let mut demand = demand(Csr::new(size as usize, edges.iter().copied()), loads);
    let marked = |wanted: u8| (0..size).filter(move |&task| mark(task).0 % 16 == wanted);
    demand.apart = Apart::new(marked(4).map(|task| (task, task % 3)));
    demand.together = vec![marked(5).take(3).collect(), marked(6).take(4).collect()];
    demand.together.retain(|group| group.len() > 1);
    demand
}

fn assert_sound(demand: &Demand, rules: &Rules<'_>, of: &[u32], profiles: &[Profile], name: &str) {
    let quotient = contract(&demand.graph, of, profiles.len());
    assert!(
        topological_order(&quotient).is_some(),
        "{name}: the quotient has a cycle"
    );
    let mut tasks = vec![Vec::new(); profiles.len()];
    for (task, &shard) in of.iter().enumerate() {
        tasks[shard as usize].push(task as u32);
    }
    for (shard, tasks) in tasks.iter().enumerate() {
        assert_eq!(
            tasks.len(),
            profiles[shard].tasks as usize,
            "{name}: shard {shard}"
        );
        assert!(tasks.len() <= rules.tasks_max as usize, "{name}");
        let loads = || tasks.iter().map(|&t| &demand.loads[t as usize]);
        assert!(
            tasks.len() == 1 || loads().all(|l| !l.alone),
            "{name}: once"
        );
        let rung = &demand.ladders[0].rungs()[profiles[shard].rung];
        assert!(
            loads().all(|l| l.memory + 48 <= rung.memory),
            "{name}: memory"
        );
        assert!(
            tasks.len() == 1 || rules.ms(&profiles[shard]) * TIME_MARGIN <= rung.limit_ms as f64
        );
        for &task in tasks {
            let load = &demand.loads[task as usize];
            let follows = |t: &u32| of[*t as usize] == shard as u32;
            assert!(
                !load.ends || !demand.graph.successors(task).iter().any(follows),
                "{name}: cut"
            );
            for &other in tasks {
                assert!(
                    task == other || !demand.apart.clash(task, &demand.apart, other),
                    "{name}: apart"
                );
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn every_strategy_is_sound_on_every_graph(
        edges in any_graph(),
        marks in prop::collection::vec((0_u8..32, 1_u16..60_000), 1..40),
        lanes in 1_u32..9,
        most in prop_oneof![Just(u32::MAX), 1_u32..6],
    ) {
        let demand = random_demand(&edges, &marks);
        let rules = Rules { tasks_max: most, ..rules(&demand) };
        let annotated = Atoms::of_annotations(&demand, &rules);
        let chains = annotated.with_chains_fused(&rules);
        let rule = LaneRule { lanes, slack: 1.0 };
        for strategy in [
            Strategy::Single,
            Strategy::Chains,
            Strategy::Sequence,
            Strategy::Bands(lanes),
            Strategy::Lanes(rule),
            Strategy::Lanes(LaneRule { lanes, slack: 3.0 }),
            Strategy::Alike(lanes, 2),
            Strategy::Timetable(lanes),
            Strategy::Parts(lanes),
        ] {
            let shards = strategy.shards(&demand, &chains, &rules);
            assert_sound(&demand, &rules, &shards.of_task, &shards.profiles, &strategy.to_string());
            for (group, wanted) in demand.together.iter().enumerate() {
                let first = shards.of_task[wanted[0] as usize];
                let kept = wanted.iter().all(|&t| shards.of_task[t as usize] == first);
                prop_assert!(kept || shards.torn.contains(&group));
            }
        }
        // The pure clusterings, too, before shards in single file are fused.
        for clustering in [
            cluster_by_bands(&annotated, &rules, lanes),
            cluster_by_lanes(&annotated, &rules, rule),
            cut_sequence(&annotated, &rules),
        ] {
            let coarser = annotated.coarser(clustering);
            assert_sound(&demand, &rules, &coarser.of_task, &coarser.profiles, "clustering");
        }
    }
}
