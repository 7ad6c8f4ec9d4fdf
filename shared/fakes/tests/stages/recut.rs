//! A workflow whose estimates are far too small is cut finer while it runs: what has finished is kept, the output is the same.

use std::sync::Arc;

use foreshard_engine::report::Report;
use foreshard_fakes::World;
use foreshard_fakes::machine::{Chaos, Fates, Work};
use foreshard_model::ledger::{Event, EventKind};
use foreshard_model::plan::Plan;
use foreshard_model::run::RunState;
use serde_json::{Value, json};

use crate::through::{Story, story_with};

/// A level of a hundred tasks and one of twelve that say that they take 20 ms: lanes for the first, fewer shards than lanes in the
/// second.
fn body() -> Value {
    let level = |name: &str, count: u32, needs: &str| -> Vec<Value> {
        let task = |n| {
            json!({
                "id": format!("{name}{n}"), "type": "step", "kind": "synthetic", "cpu_s": 0.02,
                "needs": [needs],
            })
        };
        (0..count).map(task).collect()
    };
    let ids = |name: &str, count: u32| -> Vec<String> {
        (0..count).map(|n| format!("{name}{n}")).collect()
    };
    let mut tasks = vec![json!({"id": "first", "kind": "synthetic", "cpu_s": 0.02})];
    tasks.extend(level("m", 100, "first"));
    tasks.push(json!({"id": "middle", "kind": "synthetic", "cpu_s": 0.02, "needs": ids("m", 100)}));
    tasks.extend(level("n", 12, "middle"));
    tasks.push(json!({"id": "last", "kind": "synthetic", "cpu_s": 0.02, "needs": ids("n", 12)}));
    let document = json!({
        "foreshard": 1, "name": "levels", "version": "1", "tasks": tasks,
        "outputs": {"last": {"task": "last"}, "one": {"task": "n7"}},
    });
    json!({
        "document": document.to_string(),
        "options": {"shard_tasks_max": 20, "lanes_max": 8, "trace": true},
    })
}

/// Plays it with tasks that take so long.
fn played(chaos: &Chaos, each_ms: u64, seed: u64) -> Story {
    let work = |world: &Arc<World>| Work::new(world, seed, Fates::default()).each_taking(each_ms);
    story_with(chaos, &body(), work, seed)
}

fn recuts(story: &Story) -> Vec<Event> {
    let events = story.caller.world.ledger(&story.run).into_iter();
    events.filter(|e| e.kind == EventKind::Recut).collect()
}

#[test]
fn what_takes_far_longer_than_said_is_cut_finer_and_gives_the_same() {
    let expected = played(&Chaos::none(), 20, 1);
    assert_eq!(expected.violations(), [""; 0]);
    assert_eq!(recuts(&expected), [], "estimates were right");

    let story = played(&Chaos::none(), 10_000, 1);
    assert_eq!(story.violations(), [""; 0]);
    assert_eq!(story.played.run.state, RunState::Succeeded);
    assert_eq!(story.result().outputs, expected.result().outputs);
    // Finished work is kept: every task ran once.
    assert_eq!(story.work.starts().len(), 115);
    assert!(story.work.starts().values().all(|starts| *starts == 1));

    let told = recuts(&story);
    assert!(!told.is_empty(), "never cut again");
    for (place, event) in told.iter().enumerate() {
        let number = |name: &str| event.numbers[name];
        assert_eq!(number("generation"), (place + 1) as f64, "{told:#?}");
        assert_eq!(number("parent"), place as f64);
        assert!(number("shards_after") > number("shards_before"));
        assert!(number("tasks_per_shard_after") < number("tasks_per_shard_before"));
        assert!(number("expected_s") < number("without_s"));
        assert!(
            number("without_s") <= 1_150.0,
            "115 tasks of 10 s: {event:?}"
        );
    }

    // The plan that people see, and the report, tell the same.
    let pointer = story.played.run.plan.clone().unwrap();
    let world = &story.caller.world;
    let plan: Plan = serde_json::from_slice(&world.blob(&pointer.plan.key).unwrap()).unwrap();
    assert_eq!(plan.generation.0 as usize, told.len());
    assert_eq!(plan.parent.map(|g| g.0 as usize), Some(told.len() - 1));
    assert_eq!(plan.shards.len(), pointer.shards as usize);
    let said: Vec<&str> = plan
        .reasons
        .iter()
        .filter(|reason| reason.subject == "recut")
        .map(|reason| reason.because.as_str())
        .collect();
    let heard: Vec<&str> = told.iter().map(|event| event.because.as_str()).collect();
    assert_eq!(said, heard);
    let report = world.blob(&format!("runs/{}/report.json", story.run));
    let report: Report = serde_json::from_slice(&report.unwrap()).unwrap();
    assert_eq!(report.recuts.len(), told.len());
    assert_eq!(report.summary.committed, 115);
    let planned = story.topology.shards.len() as u32;
    let new = report.shards.iter().filter(|s| s.shard.0 >= planned);
    let sizes: Vec<u32> = new.map(|s| s.tasks).collect();
    assert!(
        !sizes.is_empty() && sizes.iter().all(|tasks| *tasks < 20),
        "{sizes:?}"
    );
}

#[test]
fn whatever_breaks_meanwhile_the_output_is_the_same() {
    let expected = played(&Chaos::none(), 20, 1).result().outputs;
    let mut cut = 0;
    for seed in 0..6 {
        let story = played(&Chaos::heavy(), 10_000, seed);
        assert_eq!(story.violations(), [""; 0], "seed {seed}");
        let told = recuts(&story);
        cut += usize::from(!told.is_empty());
        for event in told {
            // The second generation is judged by what was seen, not by it twice; targets in trouble are ten times slower.
            let without_s = event.numbers["without_s"];
            assert!(without_s <= 10.0 * 1_150.0, "seed {seed}: {event:?}");
        }
        if story.played.run.state == RunState::Succeeded {
            assert_eq!(story.result().outputs, expected, "seed {seed}");
        }
    }
    assert!(cut > 0, "no seed was cut again");
}
