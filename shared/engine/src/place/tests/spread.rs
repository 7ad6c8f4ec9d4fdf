//! Placement over several targets: no herding, no target beyond its room, no shard where it must not be.

use std::collections::BTreeMap;

use foreshard_model::ids::TargetId;
use foreshard_model::outlook::{Expected, Hold, Outlook, Promised, Step};
use foreshard_model::target::{Architecture, Pool, Target};
use foreshard_model::units::Mib;
use proptest::prelude::*;

use crate::graph::{Csr, Edge, topological_order};

use super::super::*;

const REGIONS: [&str; 4] = ["us-east-1", "eu-west-1", "ap-south-1", "sa-east-1"];

fn target(region: &str, memory: u32, speed: f64) -> Target {
    Target {
        id: TargetId(format!("{region}-{memory}")),
        region: region.to_owned(),
        memory: Mib(memory),
        architecture: Architecture::Arm64,
        limit_ms: 900_000,
        labels: BTreeMap::new(),
        speed,
    }
}

fn pool(targets: Vec<Target>) -> Pool {
    Pool {
        targets,
        lanes_max: 1_000,
        lane_memory: None,
        concurrency: 1_000,
        links: Vec::new(),
    }
}

fn free(steps: &[(u64, u32)]) -> Expected {
    let steps = steps.iter().map(|&(from_s, lanes)| Step {
        from_s,
        lanes: BTreeMap::from([("0.5".to_owned(), f64::from(lanes))]),
    });
    Expected {
        free: steps.collect(),
        failures_per_h: 0.0,
    }
}

fn load(ms: f64, class: u32) -> Profile {
    Profile::of(&Load {
        ms,
        cpu_ms: ms,
        memory: 100,
        rung: 0,
        class,
        disk_bytes: 0,
        objects: 0,
        priority: 0,
        alone: false,
        ends: false,
    })
}

/// Shards without edges, placed by every rule; how many each target has.
fn counts(pool: &Pool, outlook: &Outlook, ms: &[f64]) -> Vec<(Placement, Vec<usize>)> {
    let sites = Sites::new(pool, outlook, &Promised::default());
    let graph = Csr::new(ms.len(), std::iter::empty());
    let ladders = [Ladder::new(&sites, &Needs::default())];
    let profiles: Vec<Profile> = ms.iter().map(|&ms| load(ms, 0)).collect();
    let order: Vec<u32> = (0..ms.len() as u32).collect();
    let shards = Shards {
        graph: &graph,
        order: &order,
        profiles: &profiles,
        ladders: &ladders,
        lying: &[],
        lanes: 1_000,
        sites: &sites,
    };
    let remaining = remaining_ms(&shards);
    [Rule::Earliest, Rule::LookAhead, Rule::Thrift]
        .map(|rule| {
            let placement = place(&shards, &order, rule, &remaining);
            let mut counts = vec![0; pool.targets.len()];
            for &choice in &placement.choice {
                counts[ladders[0].choice(0, choice).target] += 1;
            }
            (placement, counts)
        })
        .into()
}

#[test]
fn a_hundred_equal_shards_spread_over_equal_targets() {
    let pool = pool(REGIONS.map(|region| target(region, 1_769, 1.0)).into());
    for (placement, counts) in counts(&pool, &Outlook::default(), &[10_000.0; 100]) {
        assert_eq!(counts, [25; 4]);
        assert_eq!(placement.schedule.makespan_us, 10_150_000);
    }
}

#[test]
fn the_target_that_looks_best_takes_what_it_has_room_for() {
    let mut targets: Vec<Target> = REGIONS.map(|region| target(region, 1_769, 1.0)).into();
    targets[2].speed = 4.0;
    let pool = pool(targets);
    let outlook = Outlook {
        regions: BTreeMap::from([(REGIONS[2].to_owned(), free(&[(0, 2)]))]),
        ..Outlook::default()
    };
    for (placement, counts) in counts(&pool, &outlook, &[10_000.0; 100]) {
        // Two lanes, each three times as fast as the rest with what a shard costs beside: three in a row end before one
        // elsewhere.
        assert_eq!(counts[2], 6, "{counts:?}");
        assert!(counts.iter().all(|&count| count < 40), "{counts:?}");
        assert_eq!(placement.schedule.makespan_us, 10_150_000);
    }
}

#[test]
fn a_lane_that_is_promised_is_not_taken_before_it_is_free() {
    let pool = pool(vec![target(REGIONS[0], 1_769, 1.0)]);
    let promised = Promised {
        holds: vec![Hold {
            run: "r-other".into(),
            region: REGIONS[0].to_owned(),
            lanes: 999,
            from_ms: 0,
            until_ms: 60_000,
        }],
    };
    let outlook = Outlook::default();
    let sites = Sites::new(&pool, &outlook, &promised);
    let steps: Vec<(u64, u32)> = sites.yards[0].room.steps().collect();
    assert_eq!(steps, [(0, 1), (60_000_000, 1_000)]);
    assert_eq!(sites.yards[0].room.earliest(0, 10), 0);
    let mut room = sites.yards[0].room.clone();
    room.take(0, 30_000_000);
    assert_eq!(room.earliest(0, 30_000_000), 30_000_000);
    room.take(30_000_000, 30_000_000);
    assert_eq!(room.earliest(0, 1), 60_000_000);
}

#[test]
fn gaps_are_used() {
    let mut room = Room::new([(0, 1)]);
    for (start, takes) in [(0, 10), (30, 10), (50, 10)] {
        assert_eq!(room.earliest(start, takes), start);
        room.take(start, takes);
    }
    assert_eq!(room.earliest(0, 20), 10);
    assert_eq!(room.earliest(0, 21), 60);
    assert_eq!(room.earliest(0, 10), 10);
    room.take(10, 20);
    assert_eq!(room.earliest(0, 10), 40);
    assert_eq!(room.free_at(45), 1);
    assert_eq!(room.free_at(55), 0);
}

#[test]
fn what_is_placed_first_leaves_data_where_its_successor_runs() {
    // The fast target is an ocean away from the data: a small task goes there, one with much to read stays.
    let pool = pool(vec![
        target(REGIONS[0], 1_769, 1.0),
        target(REGIONS[1], 1_769, 1.2),
    ]);
    let outlook = Outlook::default();
    let sites = Sites::new(&pool, &outlook, &Promised::default());
    let ladders = [Ladder::new(&sites, &Needs::default())];
    let graph = Csr::new(2, std::iter::empty());
    let profiles = [load(10_000.0, 0), load(10_000.0, 0)];
    let lying = [(0, 1_000), (1, 4_000_000_000)].map(|(reader, bytes)| Lying {
        reader,
        region: 0,
        bytes,
    });
    let shards = Shards {
        graph: &graph,
        order: &[0, 1],
        profiles: &profiles,
        ladders: &ladders,
        lying: &lying,
        lanes: 10,
        sites: &sites,
    };
    let placed = place(&shards, &[0, 1], Rule::Earliest, &[]);
    assert_eq!(placed.choice, [1, 0]);
    assert!(placed.moved_usd > 0.0);
}

#[derive(Debug, Clone)]
struct Case {
    pool: Pool,
    outlook: Outlook,
    promised: Promised,
    edges: Vec<Edge>,
    shards: Vec<(f64, u32)>,
    lanes: u32,
}

fn steps() -> impl Strategy<Value = Vec<(u64, u32)>> {
    prop::collection::btree_map(0_u64..60, 0_u32..12, 1..5)
        .prop_map(|steps| steps.into_iter().collect())
}

fn cases() -> impl Strategy<Value = Case> {
    let targets = prop::collection::vec(
        (
            0_usize..4,
            prop_oneof![Just(512_u32), Just(1_769)],
            0.5_f64..2.0,
            any::<bool>(),
        ),
        1..7,
    );
    let outlook = (
        prop::collection::vec(prop::option::of(steps()), 4),
        prop::collection::vec(prop::option::weighted(0.2, steps()), 7),
    );
    let holds = prop::collection::vec((0_usize..4, 1_u32..8, 0_u64..20_000, 1_u64..40_000), 0..4);
    let edges = prop::collection::vec((0_u32..40, 0_u32..40, 0_u64..1_000_000_000), 0..80);
    let shards = prop::collection::vec((10.0_f64..20_000.0, 0_u32..3), 40);
    (targets, outlook, holds, edges, shards, 1_u32..40).prop_map(
        |(targets, (regions, own), holds, edges, shards, lanes)| {
            let mut all = vec![target(REGIONS[0], 1_769, 1.0)];
            for (at, (region, memory, speed, x86)) in targets.into_iter().enumerate() {
                let mut one = target(REGIONS[region], memory, speed);
                one.id = TargetId(format!("t{at}"));
                if x86 {
                    one.architecture = Architecture::X86_64;
                }
                all.push(one);
            }
            let outlook = Outlook {
                regions: REGIONS
                    .iter()
                    .zip(regions)
                    .filter_map(|(region, steps)| Some(((*region).to_owned(), free(&steps?))))
                    .collect(),
                targets: all
                    .iter()
                    .zip(own)
                    .filter_map(|(target, steps)| Some((target.id.clone(), free(&steps?))))
                    .collect(),
                data: BTreeMap::new(),
            };
            let holds = holds
                .into_iter()
                .map(|(region, lanes, from_ms, takes)| Hold {
                    run: "r-other".into(),
                    region: REGIONS[region].to_owned(),
                    lanes,
                    from_ms,
                    until_ms: from_ms + takes,
                });
            Case {
                pool: pool(all),
                outlook,
                promised: Promised {
                    holds: holds.collect(),
                },
                edges: edges
                    .into_iter()
                    .filter(|(a, b, _)| a != b)
                    .map(|(a, b, bytes)| Edge {
                        from: a.min(b),
                        to: a.max(b),
                        bytes,
                    })
                    .collect(),
                shards,
                lanes,
            }
        },
    )
}

/// Requirements of the classes of a case: none, a region, an architecture.
fn needs(class: u32) -> Needs {
    let require = match class {
        0 => BTreeMap::new(),
        1 => BTreeMap::from([("region".to_owned(), REGIONS[0].to_owned())]),
        _ => BTreeMap::from([("architecture".to_owned(), "arm64".to_owned())]),
    };
    Needs {
        require,
        ..Needs::default()
    }
}

/// Lanes that are free by what the case says, read anew: those of the step, less what is held.
fn left(case: &Case, target: &Target, at_us: u64) -> i64 {
    let own = case.outlook.targets.get(&target.id);
    let steps = own.or(case.outlook.regions.get(&target.region));
    let steps = steps.map_or(&[][..], |expected| &expected.free);
    let step = steps
        .iter()
        .rev()
        .find(|step| step.from_s * 1_000_000 <= at_us);
    let whole = step
        .or(steps.first())
        .map_or(1_000.0, |step| step.lanes["0.5"]) as i64;
    let holds = case.promised.holds.iter().filter(|hold| {
        own.is_none()
            && hold.region == target.region
            && (hold.from_ms * 1_000..hold.until_ms * 1_000).contains(&at_us)
    });
    (whole - holds.map(|hold| i64::from(hold.lanes)).sum::<i64>()).max(0)
}

/// When anything about room changes.
fn changes(case: &Case) -> Vec<u64> {
    let expected = case
        .outlook
        .regions
        .values()
        .chain(case.outlook.targets.values());
    let steps = expected
        .flat_map(|expected| &expected.free)
        .map(|step| step.from_s * 1_000_000);
    let holds = case.promised.holds.iter();
    let holds = holds.flat_map(|hold| [hold.from_ms * 1_000, hold.until_ms * 1_000]);
    steps.chain(holds).collect()
}

/// As [`left`], and in the stretch that never ends at least one.
fn room_of(case: &Case, target: &Target, at_us: u64) -> i64 {
    let now = left(case, target, at_us);
    let mut later = changes(case).into_iter().filter(|change| *change > at_us);
    match later.all(|change| left(case, target, change) == now) {
        true => now.max(1),
        false => now,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn every_placement_is_sound(case in cases(), rule in 0_usize..3) {
        let sites = Sites::new(&case.pool, &case.outlook, &case.promised);
        let graph = Csr::new(case.shards.len(), case.edges.iter().copied());
        let order = topological_order(&graph).unwrap();
        let ladders: Vec<Ladder> = (0..3).map(|class| Ladder::new(&sites, &needs(class))).collect();
        let rung_of = |class: u32| {
            let rungs = ladders[class as usize].rungs();
            rungs.iter().position(|rung| rung.memory >= 148).unwrap()
        };
        let profiles: Vec<Profile> = case.shards.iter().map(|&(ms, class)| {
            Profile { rung: rung_of(class), ..load(ms, class) }
        }).collect();
        let rank: Vec<u32> = (0..40).rev().collect();
        let shards = Shards {
            graph: &graph, order: &order, profiles: &profiles, ladders: &ladders,
            lying: &[], lanes: case.lanes, sites: &sites,
        };
        let remaining = remaining_ms(&shards);
        let rule = [Rule::Earliest, Rule::LookAhead, Rule::Thrift][rule];
        let placed = place(&shards, &rank, rule, &remaining);
        prop_assert!(placed == place(&shards, &rank, rule, &remaining), "the same input gave another placement");
        let start = &placed.schedule.start_us;
        let end = |s: usize| start[s] + (placed.duration_ms[s] * 1_000.0) as u64;
        let on: Vec<&Target> = (0..40).map(|s| {
            let rung = ladders[profiles[s].class as usize].choice(profiles[s].rung, placed.choice[s]);
            &case.pool.targets[rung.target]
        }).collect();
        prop_assert_eq!(start.len(), 40);
        for edge in &case.edges {
            prop_assert!(end(edge.from as usize) <= start[edge.to as usize]);
        }
        for (s, target) in on.iter().enumerate() {
            prop_assert!(target.memory.0 >= 148);
            match profiles[s].class {
                1 => prop_assert_eq!(target.region.as_str(), REGIONS[0]),
                2 => prop_assert_eq!(target.architecture, Architecture::Arm64),
                _ => {}
            }
            let alone = 150.0 + case.shards[s].0 / target.speed;
            prop_assert!(placed.duration_ms[s] >= alone - 1e-6);
        }
        // Use only rises when a shard starts; room only falls where a step or a hold begins.
        for at in start.iter().copied().chain(changes(&case)) {
            let running: Vec<usize> = (0..40).filter(|&s| start[s] <= at && at < end(s)).collect();
            prop_assert!(running.len() <= case.lanes as usize);
            for &s in &running {
                let own = case.outlook.targets.contains_key(&on[s].id);
                let sharing = running.iter().filter(|&&other| match own {
                    true => on[other].id == on[s].id,
                    false => on[other].region == on[s].region
                        && !case.outlook.targets.contains_key(&on[other].id),
                });
                let (used, room) = (sharing.count() as i64, room_of(&case, on[s], at));
                prop_assert!(used <= room, "{used} of {room} lanes of {} at {at}", on[s].id);
            }
        }
        let lanes = placed.schedule.lane.iter().max().unwrap() + 1;
        prop_assert_eq!(lanes, placed.schedule.width);
    }
}
