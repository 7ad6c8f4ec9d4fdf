//! A listing of runs, narrowed and in pages.

use foreshard_model::run::RunState;
use foreshard_stages::submit::ApiResponse;
use serde_json::json;

use crate::caller::{CHAIN, Caller, refused, run_of};

/// Six runs, a second apart: of `chain` and `other` in turn; the third has failed, the fifth has succeeded.
fn caller() -> (Caller, Vec<String>) {
    let caller = Caller::new();
    let mut runs = Vec::new();
    for number in 0..6 {
        let name = if number % 2 == 0 { "chain" } else { "other" };
        let document = CHAIN.replace("chain", name);
        let run = run_of(&caller.submit(&format!("{number}"), &document));
        let state = match number {
            2 => RunState::Failed,
            4 => RunState::Succeeded,
            _ => RunState::Running,
        };
        let mut item = caller.world.run_item(&run).unwrap();
        item.state = state;
        caller.world.put_run(item);
        runs.push(run.to_string());
        caller.world.advance(1_000);
    }
    (caller, runs)
}

fn numbers(answer: &ApiResponse, runs: &[String]) -> Vec<usize> {
    let value = answer.value();
    let listed = value["runs"].as_array().unwrap().iter();
    let number = |run: &serde_json::Value| runs.iter().position(|r| run["run"] == *r);
    // Runs that came later have no number.
    listed
        .map(|run| number(run).unwrap_or(usize::MAX))
        .collect()
}

#[test]
fn runs_are_chosen_by_state_workflow_and_time() {
    let (caller, runs) = caller();
    let begun = caller.get("/runs?limit=100").value()["runs"][5]["accepted_at"]
        .as_u64()
        .unwrap();
    let mut table = String::new();
    for query in [
        "".to_owned(),
        "limit=2".to_owned(),
        "state=failed".to_owned(),
        "state=failed,succeeded".to_owned(),
        "workflow=other".to_owned(),
        "workflow=chain&state=running".to_owned(),
        "workflow=none".to_owned(),
        format!("since={}", begun + 3_000),
        format!("until={}", begun + 3_000),
        format!("since={}&until={}&workflow=other", begun + 1, begun + 4_000),
    ] {
        let shown = query.replace(&begun.to_string()[..9], "…");
        let answer = caller.get(&format!("/runs?{query}"));
        table += &format!("{shown}: {:?}\n", numbers(&answer, &runs));
    }
    insta::assert_snapshot!(table, @r"
    : [5, 4, 3, 2, 1, 0]
    limit=2: [5, 4]
    state=failed: [2]
    state=failed,succeeded: [4, 2]
    workflow=other: [5, 3, 1]
    workflow=chain&state=running: [0]
    workflow=none: []
    since=…3000: [5, 4, 3]
    until=…3000: [2, 1, 0]
    since=…0001&until=…4000&workflow=other: [3, 1]
    ");
}

#[test]
fn the_run_of_a_key_is_found_by_its_owner_alone() {
    let (caller, runs) = caller();
    let found =
        |caller: &Caller, query: &str| numbers(&caller.get(&format!("/runs?{query}")), &runs);
    assert_eq!(found(&caller, "key=2"), [2]);
    assert_eq!(found(&caller, "key=2&state=failed&workflow=chain"), [2]);
    assert_eq!(found(&caller, "key=2&state=running"), [0_usize; 0]);
    assert_eq!(found(&caller, "key=2&since=99999999999999"), [0_usize; 0]);
    assert_eq!(found(&caller, "key=nobodys"), [0_usize; 0]);
    let stranger = Caller::of("210987654321", &caller.world);
    assert_eq!(found(&stranger, "key=2"), [0_usize; 0]);
    let long = caller.get(&format!("/runs?key={}", "k".repeat(300)));
    let told = refused(&long);
    assert!(told.starts_with("400 FS"), "{told}");
    assert!(told.contains("`key`"), "{told}");
}

#[test]
fn pages_are_stable_while_runs_come_and_hold_each_run_once() {
    let (caller, runs) = caller();
    for query in [
        "limit=1",
        "limit=2",
        "limit=4",
        "limit=1&workflow=chain",
        "limit=1&state=failed",
    ] {
        let mut whole = numbers(&caller.get(&format!("/runs?{query}&limit=100")), &runs);
        let (mut seen, mut after) = (Vec::new(), String::new());
        loop {
            let answer = caller.get(&format!("/runs?{query}&after={after}"));
            seen.extend(numbers(&answer, &runs));
            // A run that is accepted now is before the first page, not in a later one.
            caller.submit("late", CHAIN);
            match answer.value()["next"].as_str() {
                Some(next) => after = next.to_owned(),
                None => break,
            }
        }
        seen.retain(|number| *number < runs.len());
        whole.retain(|number| *number < runs.len());
        assert_eq!(seen, whole, "{query}");
    }
}

#[test]
fn a_question_that_makes_no_sense_is_refused() {
    let caller = Caller::new();
    let mut table = String::new();
    for query in [
        "state=done",
        "state=",
        "since=yesterday",
        "until=-1",
        "limit=0",
        "after=x",
        "after=cnVucw",
    ] {
        let answer = caller.get(&format!("/runs?{query}"));
        table += &format!("{}\n", refused(&answer));
    }
    insta::assert_snapshot!(table, @r"
    400 FS3006 `state` is `done`: one or more of accepted, running, completing, failing, cancelling, pausing, paused, succeeded, failed, cancelled, separated by commas
    400 FS3006 `state` is ``: one or more of accepted, running, completing, failing, cancelling, pausing, paused, succeeded, failed, cancelled, separated by commas
    400 FS3006 `since` is `yesterday`: a whole number
    400 FS3006 `until` is `-1`: a whole number
    400 FS3006 `limit` is `0`: a number from 1 on
    400 FS3006 `after` is not what an answer gave as `next`
    400 FS3006 `after` is not what an answer gave as `next`
    ");
    assert_eq!(caller.get("/runs").value(), json!({"runs": []}));
}
