//! The run protocol end to end over the world in memory: random plans, lanes in seeded order, everything going wrong.
//!
//! A seed that fails prints the command that repeats it: `FORESHARD_SEED=<seed> cargo test -p foreshard-fakes --test
//! protocol one_seed`. More seeds: `make prove SEEDS=100000`, or `FORESHARD_SEEDS`, from `FORESHARD_FIRST_SEED` on.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use foreshard_fakes::machine::{
    Chaos, Fates, Machine, Played, Trouble, Wish, Work, executes, violations,
};
use foreshard_fakes::{Fault, Seeded, World, build, random};
use foreshard_model::run::RunState;
use foreshard_model::topology::Topology;

/// Virtual hours after which a run counts as stuck: lost wake-ups cost an hour each.
const HOURS: u64 = 24 * 14;

/// Seeds from which on every fault must have hit every write.
const MANY: u64 = 50_000;

/// How often each fault has hit each write, or came after it.
type Hits = BTreeMap<(String, Fault), u64>;

struct Case {
    topology: Topology,
    chaos: Chaos,
    fates: Fates,
    trouble: Trouble,
    task_ms: u64,
    wishes: Vec<(u64, Wish)>,
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// What a seed stands for: attempts fail in half of them, everything else goes wrong in half of them.
fn case(seed: u64) -> Case {
    let mut draws = Seeded::new(seed, "case");
    let topology = random::topology(seed, [6, 24, 80][draws.place(3)]);
    let fates = match draws.below(2) {
        0 => Fates::default(),
        _ => Fates {
            failed: 40,
            lost: 40,
            throttled: 60,
            timeout: 20,
            unavailable: 30,
            yielded: 100,
            late: 30,
        },
    };
    let chaos = match draws.below(2) {
        0 => Chaos::none(),
        _ => Chaos::heavy(),
    };
    let trouble = match chaos == Chaos::none() {
        true => Trouble::default(),
        false => Trouble::drawn(seed, &topology.targets),
    };
    let mut wishes = Vec::new();
    if draws.hits(300) {
        let at = draws.below(30_000);
        let wish = [Wish::Cancel, Wish::Pause][draws.place(2)];
        wishes.push((at, wish));
        if draws.hits(800) {
            wishes.push((at + 1 + draws.below(120_000), Wish::Resume));
        }
    }
    for _ in 0..[0, 0, 1, 3][draws.place(4)] {
        wishes.push((draws.below(60_000), Wish::Recut(draws.draw())));
    }
    Case {
        topology,
        chaos,
        fates,
        trouble,
        task_ms: [3_000, 300, 60][draws.place(3)],
        wishes,
    }
}

fn play(seed: u64) -> (Arc<World>, Case, Rc<Work>, Played) {
    let case = case(seed);
    let world = Arc::new(World::new());
    let work = Work::new(&world, seed, case.fates);
    let work = work.taking(case.task_ms).meeting(case.trouble.clone());
    let work = Rc::new(work);
    let mut machine = Machine::new(&world, seed, &case.chaos, executes(&work));
    machine.admit(&case.topology, |run| run.options.trace = true);
    let run = case.topology.run.clone();
    for (at, wish) in &case.wishes {
        machine.wish(&run, *at, *wish);
    }
    let played = machine.play(&run, HOURS);
    (world, case, work, played)
}

/// The ledger and the items, when one seed is looked at.
fn story(world: &World, topology: &Topology) -> String {
    let mut lines = Vec::new();
    if std::env::var("FORESHARD_SEED").is_err() {
        return String::new();
    }
    for event in world.ledger(&topology.run) {
        let (at, shard) = (event.at.since(build::START), event.shard.map(|s| s.0));
        let (kind, lane, because) = (event.kind, event.lane, event.because);
        lines.push(format!("{at:9} {kind:?} {shard:?} {lane:?} {because}"));
    }
    for item in world.shard_items(&topology.run) {
        let needs = topology.node(item.id).map(|n| n.predecessors);
        lines.push(format!("{needs:?} needed: {item:?}"));
    }
    for lane in world.lane_items(&topology.run) {
        lines.push(format!("{lane:?}"));
    }
    lines.join("\n")
}

/// The writes of a played seed by name, and what hit them.
struct Seen {
    writes: BTreeMap<String, u64>,
    hits: Hits,
}

fn check(seed: u64) -> (Played, Seen) {
    let (world, case, work, played) = play(seed);
    let mut wrong = violations(&world, &case.topology, &work, &played);
    let cancelled = case.wishes.iter().any(|(_, w)| *w == Wish::Cancel);
    let paused = case.wishes.iter().any(|(_, w)| *w == Wish::Pause);
    match played.run.state {
        RunState::Cancelled if !cancelled => wrong.push("cancelled by nobody".to_owned()),
        RunState::Paused if !paused => wrong.push("paused by nobody".to_owned()),
        _ => {}
    }
    if case.chaos == Chaos::none() {
        // Without faults a parked lane is woken at once. Only a shard that has backed off, or an end that the owner
        // wished for, may wait for the sweep.
        let at_once = case.fates == Fates::default() && case.wishes.is_empty();
        let longest = if at_once { 1_000 } else { 62_000 };
        let idle_ms = played.counts.idle_while_ready_ms;
        if idle_ms > longest {
            wrong.push(format!("a lane slept {idle_ms} ms while there was work"));
        }
    }
    assert!(
        wrong.is_empty(),
        "seed {seed}: {wrong:#?}\nended {:?} after {} s: {:?}\ncause {:?}\nrepeat: FORESHARD_SEED={seed} cargo test -p foreshard-fakes --test protocol one_seed -- --nocapture\n{}",
        played.run.state,
        played.took_ms / 1_000,
        played.counts,
        played.run.cause,
        story(&world, &case.topology),
    );
    let seen = world.faults(|f| Seen {
        writes: f.by_name().clone(),
        hits: f.hits().clone(),
    });
    (played, seen)
}

/// A row for each write, a column for each fault.
fn table(writes: &BTreeMap<String, u64>, hits: &Hits, faults: &[Fault]) -> String {
    let mut text = format!("{:52} {:>10}", "", "writes");
    for fault in faults {
        text += &format!(" {:>14}", format!("{fault:?}"));
    }
    for (name, count) in writes {
        text += &format!("\n{name:52} {count:>10}");
        for fault in faults {
            let hit = hits.get(&(name.clone(), *fault)).unwrap_or(&0);
            text += &format!(" {hit:>14}");
        }
    }
    text
}

/// Pairs of a fault and a write that never met.
fn never(writes: &BTreeMap<String, u64>, hits: &Hits, faults: &[Fault]) -> Vec<String> {
    let pairs = writes
        .keys()
        .flat_map(|name| faults.iter().map(move |fault| (name, *fault)));
    let missed = pairs.filter(|(name, fault)| !hits.contains_key(&((*name).clone(), *fault)));
    missed
        .map(|(name, fault)| format!("{fault:?} at `{name}`"))
        .collect()
}

/// CPU time of this process so far, in seconds: user and system, fields 14 and 15 of `/proc/self/stat`.
fn cpu_s() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rsplit(')').next().unwrap_or_default();
    let ticks = fields.split_whitespace().skip(11).take(2);
    let ticks: u64 = ticks.filter_map(|t| t.parse::<u64>().ok()).sum();
    ticks as f64 / 100.0
}

#[test]
fn one_seed() {
    let seed = number("FORESHARD_SEED").unwrap_or(1);
    let (played, _) = check(seed);
    println!("{:?} {:?}", played.run.state, played.counts);
}

#[test]
fn every_seed_ends_with_each_task_committed_once_or_with_a_cause() {
    let seeds = number("FORESHARD_SEEDS").unwrap_or(400);
    let first = number("FORESHARD_FIRST_SEED").unwrap_or(0);
    let mut states: BTreeMap<&str, u32> = BTreeMap::new();
    let mut writes: BTreeMap<String, u64> = BTreeMap::new();
    let mut hits = Hits::new();
    for seed in first..first + seeds {
        let (played, seen) = check(seed);
        *states.entry(played.run.state.as_str()).or_default() += 1;
        for (key, count) in seen.hits {
            *hits.entry(key).or_default() += count;
        }
        for (name, count) in seen.writes {
            *writes.entry(name).or_default() += count;
        }
        let played = seed + 1 - first;
        if played.is_multiple_of(1_000) {
            println!("{played} of {seeds} seeds, {:.0} CPU-s", cpu_s());
        }
    }
    println!(
        "{seeds} seeds from {first} on: {states:?}, {:.0} CPU-s",
        cpu_s()
    );
    println!(
        "hits at each write:\n{}",
        table(&writes, &hits, &Fault::ALL)
    );
    for faults in Fault::AROUND.chunks(7) {
        println!("hits after each write:\n{}", table(&writes, &hits, faults));
    }
    let missed = never(&writes, &hits, &Fault::ALL);
    println!("never met: {missed:?}");
    assert!(seeds < MANY || missed.is_empty(), "never met: {missed:?}");
    for fault in Fault::ALL.iter().chain(&Fault::AROUND) {
        let any = hits.keys().any(|(_, hit)| hit == fault);
        assert!(any, "{fault:?} never came");
    }
    for state in ["succeeded", "failed", "cancelled"] {
        assert!(
            states.contains_key(state),
            "no seed ended {state}: {states:?}"
        );
    }
}

#[test]
fn a_seed_plays_the_same_twice() {
    for seed in [3, 8, 21] {
        let (one, _, _, first) = play(seed);
        let (two, _, _, second) = play(seed);
        assert_eq!(first.counts, second.counts);
        assert_eq!(one.changes(), two.changes());
        assert_eq!(one.ledger(&build::run_id()), two.ledger(&build::run_id()));
    }
}
