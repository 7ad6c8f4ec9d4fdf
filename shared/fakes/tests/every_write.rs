//! Breaks each write of a run in turn, by each kind of fault: whichever it is, the run ends as it should.

use std::rc::Rc;
use std::sync::Arc;

use foreshard_fakes::machine::{Chaos, Ending, Machine, Played, Wish, Work, executes, violations};
use foreshard_fakes::{Fault, World, build};
use foreshard_model::frontier::ShardItem;
use foreshard_model::ids::{Attempt, ShardId, TaskId};
use foreshard_model::plan::ShardKind;
use foreshard_model::run::RunState;
use foreshard_model::topology::Topology;
use foreshard_model::units::Mib;
use foreshard_model::workflow::OnFailure;

/// Virtual hours after which a run counts as stuck.
const HOURS: u64 = 48;

struct Scene {
    topology: Topology,
    work: fn(Work) -> Work,
    begin: fn(&World, &Topology),
    wishes: &'static [(u64, Wish)],
    ends: Vec<RunState>,
}

impl Scene {
    fn new(edges: &str, ends: RunState) -> Self {
        let mut topology = build::topology(edges);
        for node in &mut topology.shards {
            node.tasks *= 2;
            node.retries = 3;
        }
        Self {
            topology,
            work: |work| work,
            begin: |_, _| {},
            wishes: &[],
            ends: vec![ends],
        }
    }

    /// Plays it, with one fault at the `nth` write.
    fn play(&self, nth: u64, fault: Fault) -> (Arc<World>, Rc<Work>, Played) {
        let world = Arc::new(World::new());
        let work = Work::new(&world, 7, Default::default()).taking(400);
        let work = Rc::new((self.work)(work));
        let mut machine = Machine::new(&world, 7, &Chaos::none(), executes(&work));
        machine.admit(&self.topology, |run| run.options.trace = true);
        (self.begin)(&world, &self.topology);
        for (at, wish) in self.wishes {
            machine.wish(&self.topology.run, *at, *wish);
        }
        world.faults(|f| f.arm(nth, fault));
        let played = machine.play(&self.topology.run, HOURS);
        (world, work, played)
    }
}

/// Breaks every write in turn until none is hit, and says how many were.
fn break_each(name: &str, scene: &Scene) -> u64 {
    let mut broken = 0;
    for fault in Fault::ALL {
        for nth in 0.. {
            let (world, work, played) = scene.play(nth, fault);
            let mut wrong = violations(&world, &scene.topology, &work, &played);
            if !scene.ends.contains(&played.run.state) {
                wrong.push(format!(
                    "ended {:?}, not {:?}",
                    played.run.state, scene.ends
                ));
            }
            let hits = world.faults(|f| f.hits().clone());
            assert!(
                wrong.is_empty(),
                "{name}, {fault:?} at write {nth} ({:?}): {wrong:#?}\n{:?}",
                hits.keys().collect::<Vec<_>>(),
                played.counts,
            );
            // Beyond the last write; what the scene itself calls for (lost workers) is counted there too.
            if hits.keys().all(|(_, hit)| *hit != fault) {
                break;
            }
            broken += 1;
        }
    }
    assert!(broken > 6 * 20, "{name}: only {broken} writes were broken");
    broken
}

#[test]
fn a_diamond() {
    break_each(
        "diamond",
        &Scene::new("a>b a>c b>d c>d", RunState::Succeeded),
    );
}

#[test]
fn relays_and_a_fan() {
    let edges = "a>~x ~x>b ~x>c ~x>d b>~y c>~y d>~y ~y>e";
    let mut scene = Scene::new(edges, RunState::Succeeded);
    scene.topology.partitions = 3;
    scene.topology.lanes = 3;
    break_each("relays", &scene);
}

#[test]
fn rounds_that_hand_over() {
    let mut scene = Scene::new("a>b>c>d>e x>y", RunState::Succeeded);
    scene.topology.lane_events = 36;
    break_each("rounds", &scene);
}

#[test]
fn attempts_that_fail_by_every_cause() {
    let mut scene = Scene::new("a>b>c>d>e>f", RunState::Succeeded);
    scene.work = |work| {
        work.ending(ShardId(0), 1, Ending::Failed)
            .ending(ShardId(1), 1, Ending::Throttled)
            .ending(ShardId(2), 1, Ending::Lost)
            .ending(ShardId(3), 1, Ending::Timeout)
            .ending(ShardId(4), 1, Ending::Yielded)
            .ending(ShardId(5), 1, Ending::Late)
    };
    break_each("causes", &scene);
}

#[test]
fn a_shard_that_needs_more_memory() {
    let mut scene = Scene::new("a>b a>c", RunState::Succeeded);
    scene.work = |work| work.needing(ShardId(1), Mib(500));
    break_each("memory", &scene);
    let (world, _, _) = scene.play(u64::MAX, Fault::Conflict);
    let items = world.shard_items(&scene.topology.run);
    let seen: Vec<String> = items
        .iter()
        .take(3)
        .map(|i| format!("{} attempt {} on {}", i.id, i.attempt, i.tier))
        .collect();
    // The neighbours ran once: nothing else is repeated.
    assert_eq!(seen[0], "0 attempt 1 on 128 MiB");
    assert!(seen[1].ends_with("on 512 MiB"), "{seen:?}");
    assert_eq!(seen[2], "2 attempt 1 on 128 MiB");
}

#[test]
fn a_failure_that_stops_the_run() {
    let mut scene = Scene::new("a>b>c x>y>z", RunState::Failed);
    scene.topology.shards[1].retries = 0;
    scene.work = |work| {
        (1..9).fold(work, |w, attempt| {
            w.ending(ShardId(1), attempt, Ending::Failed)
        })
    };
    break_each("stop", &scene);
}

#[test]
fn a_failure_that_leaves_the_rest_running() {
    let mut scene = Scene::new("a>b>c b>~r ~r>d x>y>z y>d", RunState::Failed);
    scene.topology.on_failure = OnFailure::Continue;
    scene.topology.shards[1].retries = 0;
    scene.work = |work| {
        (1..9).fold(work, |w, attempt| {
            w.ending(ShardId(1), attempt, Ending::Failed)
        })
    };
    break_each("continue", &scene);
    let (world, _, _) = scene.play(u64::MAX, Fault::Conflict);
    let states: Vec<String> = world
        .shard_items(&scene.topology.run)
        .iter()
        .map(|item| {
            let node = scene.topology.node(item.id);
            let name = node.map_or("", |n| n.first_task.as_str());
            format!("{name} {:?}", item.state)
        })
        .collect();
    let seen = states.join(", ");
    assert_eq!(
        seen,
        "a Done, b Failed, c Skipped, ~r Skipped, d Skipped, x Done, y Done, z Done, END Skipped"
    );
}

#[test]
fn a_task_that_must_not_run_twice() {
    let mut scene = Scene::new("a>b>c", RunState::Failed);
    scene.topology.shards[1].once = true;
    scene.work = |work| work.ending(ShardId(1), 1, Ending::Lost);
    // A worker that dies before it has set its marker has not started the task: that one may run.
    scene.ends.push(RunState::Succeeded);
    break_each("once", &scene);
}

#[test]
fn cut_again_while_lanes_work() {
    let mut scene = Scene::new("a>b a>c b>d c>d", RunState::Succeeded);
    for node in &mut scene.topology.shards {
        node.tasks *= 2;
    }
    scene.wishes = &[(300, Wish::Recut(1)), (1_500, Wish::Recut(4))];
    break_each("cut again", &scene);
    let (world, _, played) = scene.play(u64::MAX, Fault::Conflict);
    let plan = played.run.plan.unwrap();
    assert!(plan.generation.0 > 0);
    assert!(world.shard_items(&scene.topology.run).len() > scene.topology.shards.len());
}

#[test]
fn cut_again_after_a_checkpoint() {
    let mut scene = Scene::new("a>b b>c", RunState::Succeeded);
    for node in &mut scene.topology.shards {
        node.tasks *= 2;
    }
    // The first attempt has yielded after one of four tasks.
    scene.begin = |world, topology| {
        let run = &topology.run;
        let manifest = build::manifest(run, ShardId(0), Attempt(1), &["a/0"]);
        let bytes = serde_json::to_vec(&manifest).unwrap();
        let progress = build::stored(world, &format!("runs/{run}/shards/0/1/0/first"), &bytes);
        let items = world.shard_items(run);
        world.put_shard(ShardItem {
            attempt: Attempt(1),
            progress: Some(progress),
            ..items[0].clone()
        });
    };
    scene.wishes = &[(0, Wish::Recut(1))];
    break_each("checkpoint", &scene);
    let (world, work, _) = scene.play(u64::MAX, Fault::Conflict);
    let items = world.shard_items(&scene.topology.run);
    assert_eq!(items[0].kind, ShardKind::Relay);
    assert!(items[0].output.is_some(), "what was finished is its output");
    let starts = work.starts();
    assert_eq!(starts.get(&TaskId::from("a/0")), None);
    assert_eq!(starts.get(&TaskId::from("a/1")), Some(&1));
}

#[test]
fn cancelled_and_resumed() {
    let mut scene = Scene::new("a>b>c x>y>z", RunState::Succeeded);
    scene.wishes = &[(500, Wish::Cancel), (20_000, Wish::Resume)];
    break_each("cancel and resume", &scene);
}

#[test]
fn failed_and_resumed() {
    let mut scene = Scene::new("a>b>c x>y>z c>e z>e", RunState::Succeeded);
    scene.topology.on_failure = OnFailure::Continue;
    scene.topology.shards[1].retries = 0;
    scene.work = |work| work.ending(ShardId(1), 1, Ending::Failed);
    scene.wishes = &[(600_000, Wish::Resume)];
    break_each("fail and resume", &scene);
}
