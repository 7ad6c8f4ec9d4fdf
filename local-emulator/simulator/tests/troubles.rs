//! What goes wrong with targets costs time and money, and no run: each kind strikes, and the run ends well all the same.

use foreshard_simulator::{Scenario, Simulated, Trouble, ours};

/// Forty tasks of twenty seconds behind one, and one behind them.
fn workflow() -> Vec<u8> {
    let mut text = String::from("foreshard: 1\nname: troubles\nversion: \"1\"\ntasks:\n");
    let task = |id: &str, needs: &str| {
        format!(
            "  - {{ id: {id}, kind: synthetic, cpu_s: 20, memory_mib: 64, needs: [{needs}] }}\n"
        )
    };
    text.push_str("  - { id: first, kind: synthetic, cpu_s: 5, memory_mib: 64 }\n");
    let middle: Vec<String> = (0..40).map(|at| format!("m{at}")).collect();
    middle
        .iter()
        .for_each(|id| text.push_str(&task(id, "first")));
    text.push_str(&task("last", &middle.join(", ")));
    text.into_bytes()
}

fn simulated(words: &[&str]) -> Simulated {
    let mut trouble = Trouble::default();
    for word in words {
        trouble.add(word).expect("a trouble");
    }
    let mut scenario = Scenario {
        trouble,
        ..Scenario::of(workflow(), "us-east-1")
    };
    // Many short shards on the tier that the troubles are named after, so that chance has something to strike.
    scenario.options.shard_tasks_max = Some(2);
    scenario
        .pool
        .targets
        .retain(|target| target.memory.0 <= 1_769);
    ours(&scenario).expect("it ends")
}

/// The run ends well under this trouble, which has struck.
fn survives(word: &str, kind: &str) -> Simulated {
    let troubled = simulated(&[word]);
    assert_eq!(troubled.status, "succeeded", "{:?}", troubled.cause);
    assert!(troubled.struck.0[kind] > 0, "{:?}", troubled.struck);
    troubled
}

#[test]
fn a_slow_target() {
    let troubled = survives("slow=1769x4", "slow_target");
    assert!(troubled.makespan_s > simulated(&[]).makespan_s);
}

#[test]
fn a_target_that_fails() {
    let troubled = survives("failing=1769x300", "failing_target");
    assert!(troubled.attempts > troubled.shards);
}

#[test]
fn a_degraded_region() {
    survives("degraded=5+60", "degraded_region");
}

#[test]
fn throttling() {
    let troubled = survives("throttled=400", "throttled");
    assert!(troubled.throttled.lambda > 0);
}

#[test]
fn workers_that_are_lost_on_the_way() {
    let troubled = survives("lost=300", "lost_worker");
    assert!(troubled.attempts > troubled.shards);
}

#[test]
fn everything_at_once() {
    let words = [
        "slow=1769x2",
        "failing=1769x100",
        "degraded=20+60",
        "throttled=100",
        "lost=50",
    ];
    let troubled = simulated(&words);
    assert_eq!(troubled.status, "succeeded", "{:?}", troubled.cause);
    assert_eq!(troubled.struck.0.len(), 5, "{:?}", troubled.struck);
}
