//! Each limit of AWS: a naive definition breaks it in the simulator, and the control plane does not.

use foreshard_engine::parse::{Library, document};
use foreshard_model::limits::{HISTORY_EVENTS, STATE_PAYLOAD_BYTES};
use foreshard_model::workflow::Workflow;
use foreshard_simulator::{Failed, Scenario, Simulated, mapped, naive, ours, plain};

/// Synthetic tasks `a0`, `a1`, …, of so many milliseconds and MiB, one after the other or all at once.
fn workflow(tasks: usize, cpu_ms: u64, memory_mib: u32, chained: bool) -> Vec<u8> {
    let mut text = String::from("foreshard: 1\nname: limits\nversion: \"1\"\ntasks:\n");
    for at in 0..tasks {
        let cpu_s = cpu_ms as f64 / 1_000.0;
        text.push_str(&format!(
            "  - {{ id: a{at}, kind: synthetic, cpu_s: {cpu_s}, memory_mib: {memory_mib}"
        ));
        if chained && at > 0 {
            text.push_str(&format!(", needs: [a{}]", at - 1));
        }
        text.push_str(" }\n");
    }
    text.into_bytes()
}

fn parsed(text: &[u8]) -> Workflow {
    document(text, &Library::new())
        .expect("a workflow")
        .workflow
}

/// The control plane and the naive definition, in the same world.
fn both(text: Vec<u8>, change: impl FnOnce(&mut Scenario)) -> (Simulated, Simulated) {
    let parsed = parsed(&text);
    let mut scenario = Scenario::of(text, "us-east-1");
    change(&mut scenario);
    let naive = naive(&scenario, &parsed).expect("it is played");
    (ours(&scenario).expect("it ends"), naive)
}

fn fails_with(of: &Simulated, why: &str) {
    assert_eq!(of.status, "failed", "{:?}", of.cause);
    let cause = of.cause.as_deref().unwrap_or_default();
    assert!(cause.contains(why), "{cause}");
}

#[test]
fn the_size_of_a_definition() {
    let (ours, naive) = both(workflow(5_100, 10, 64, true), |_| {});
    fails_with(&naive, "bytes: Step Functions takes 1048576");
    assert_eq!(ours.status, "succeeded", "{:?}", ours.cause);
    assert!(ours.usage.longest_history < HISTORY_EVENTS);
}

#[test]
fn the_history_of_an_execution() {
    let text = workflow(5_100, 10, 64, false);
    let parsed = parsed(&text);
    let scenario = Scenario::of(text, "us-east-1");
    let naive = mapped(&scenario, &parsed).expect("it is played");
    fails_with(&naive, "history events");
    let ours = ours(&scenario).expect("it ends");
    assert_eq!(ours.status, "succeeded", "{:?}", ours.cause);
    assert!(ours.usage.longest_history < HISTORY_EVENTS);
}

#[test]
fn a_round_hands_over_before_its_history_is_full() {
    let text = workflow(200, 10, 64, true);
    let mut scenario = Scenario::of(text, "us-east-1");
    scenario.options.shard_tasks_max = Some(1);
    scenario.options.history_budget = Some(300);
    let ours = ours(&scenario).expect("it ends");
    assert_eq!(ours.status, "succeeded", "{:?}", ours.cause);
    assert!(
        ours.rounds > 1 && ours.usage.longest_history < 600,
        "{ours:?}"
    );
}

#[test]
fn the_payload_of_a_state() {
    let (ours, naive) = both(workflow(500, 200, 64, false), |_| {});
    fails_with(&naive, "States.DataLimitExceeded");
    assert_eq!(ours.status, "succeeded", "{:?}", ours.cause);
    assert!(ours.usage.largest_payload < STATE_PAYLOAD_BYTES / 4);
}

#[test]
fn the_concurrency_of_an_account() {
    let (ours, naive) = both(workflow(2_000, 60_000, 64, false), |_| {});
    fails_with(&naive, "Lambda.TooManyRequestsException");
    assert_eq!(ours.status, "succeeded", "{:?}", ours.cause);
    assert!(ours.usage.concurrency <= 1_000);
}

#[test]
fn the_new_environments_of_a_function() {
    let raised = |scenario: &mut Scenario| {
        scenario.account.concurrency = 5_000;
        scenario.pool.concurrency = 5_000;
        scenario.pool.lanes_max = 4_900;
    };
    let (ours, naive) = both(workflow(2_400, 120_000, 64, false), raised);
    fails_with(&naive, "Lambda.TooManyRequestsException");
    assert_eq!(ours.status, "succeeded", "{:?}", ours.cause);
}

#[test]
fn the_transitions_of_a_small_region() {
    let text = workflow(2_000, 50, 64, false);
    let parsed = parsed(&text);
    let scenario = Scenario::of(text, "eu-central-1");
    let (ours, plain) = (
        ours(&scenario).expect("it ends"),
        plain(&scenario, &parsed).expect("it is played"),
    );
    assert!(
        plain.throttled.step_functions > 1_000,
        "{:?}",
        plain.throttled
    );
    assert_eq!(ours.throttled.step_functions, 0);
    assert!(ours.transitions < plain.transitions);
}

#[test]
fn the_duration_of_an_invocation() {
    let text = workflow(2, 1_000_000, 64, true);
    let parsed = parsed(&text);
    let scenario = Scenario::of(text, "us-east-1");
    fails_with(
        &naive(&scenario, &parsed).expect("it is played"),
        "Sandbox.Timedout",
    );
    // What cannot be cut is refused before anything is spent.
    let Err(Failed::Refused(why)) = ours(&scenario) else {
        panic!("it must be refused");
    };
    assert!(why.contains("FS2008"), "{why}");
}

#[test]
fn what_takes_longer_than_expected_yields_in_time() {
    let (ours, naive) = both(workflow(6, 200_000, 64, true), |s| s.slower = 2.0);
    assert_eq!(naive.status, "succeeded");
    assert_eq!(ours.status, "succeeded", "{:?}", ours.cause);
    assert!(ours.attempts > ours.shards, "{} attempts", ours.attempts);
}

#[test]
fn the_memory_of_a_function() {
    let (ours, naive) = both(workflow(4, 1_000, 1_500, true), |s| s.larger = 2.0);
    fails_with(&naive, "Runtime.ExitError");
    assert_eq!(ours.status, "succeeded", "{:?}", ours.cause);
    assert!(ours.attempts > ours.shards);
}

#[test]
fn the_branches_of_a_map() {
    let wide = |tasks| {
        let mut scenario = Scenario::of(workflow(tasks, 60_000, 64, false), "us-east-1");
        scenario.options.shard_tasks_max = Some(10);
        ours(&scenario).expect("it ends")
    };
    // Up to forty lanes are branches of one history; more are children with a history each.
    let (few, many) = (wide(150), wide(1_000));
    assert!((2..=40).contains(&few.lanes), "{} lanes", few.lanes);
    assert_eq!(few.usage.executions, 1);
    assert!(many.lanes > 40, "{} lanes", many.lanes);
    assert_eq!(many.usage.executions, 1 + u64::from(many.lanes));
    assert!(many.usage.longest_history < few.usage.longest_history);
}

#[test]
fn the_starts_of_executions() {
    let wide = |starts: (f64, f64)| {
        let mut scenario = Scenario::of(workflow(1_000, 60_000, 64, false), "us-east-1");
        scenario.options.shard_tasks_max = Some(10);
        scenario.account.starts = starts;
        ours(&scenario).expect("it ends")
    };
    let (many, few) = (wide((1_300.0, 300.0)), wide((10.0, 5.0)));
    // Starts beyond the bucket are held back, not lost.
    assert_eq!(few.status, "succeeded", "{:?}", few.cause);
    assert!(few.throttled.step_functions >= u64::from(few.lanes) - 10);
    assert!(few.makespan_s > many.makespan_s);
}

#[test]
fn the_units_of_a_partition_key() {
    let text = workflow(2_000, 5_000, 64, false);
    let run = |partition_writes_per_s| {
        let mut scenario = Scenario::of(text.clone(), "us-east-1");
        scenario.options.shard_tasks_max = Some(1);
        scenario.account.partition_writes_per_s = partition_writes_per_s;
        ours(&scenario).expect("it ends")
    };
    // What is throttled is repeated: a tenth of the units makes the run slower, and loses nothing.
    let (whole, tenth) = (run(1_000), run(100));
    assert_eq!(whole.status, "succeeded", "{:?}", whole.cause);
    assert_eq!(tenth.status, "succeeded", "{:?}", tenth.cause);
    assert!(tenth.throttled.dynamodb > whole.throttled.dynamodb);
    assert!(tenth.makespan_s > whole.makespan_s);
}

#[test]
fn the_same_seed_gives_the_same_run_to_the_byte() {
    let text = workflow(60, 3_000, 64, false);
    let run = |seed: u64| {
        let scenario = Scenario {
            seed,
            ..Scenario::of(text.clone(), "us-east-1")
        };
        let ours = ours(&scenario).expect("it ends");
        (serde_json::to_string(&ours).expect("JSON"), ours.stretches)
    };
    assert_eq!(run(1), run(1));
    assert_ne!(run(1), run(2));
}
