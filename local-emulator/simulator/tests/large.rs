//! A slice of what `make simulate-large` plays: the same seed gives the same bytes, whatever runs beside it.

use std::fmt::Write as _;

use foreshard_engine::parse::{Library, document};
use foreshard_simulator::{Scenario, ours, plain, tracked};

const TASKS: usize = 1_200;
const LAYER: usize = 300;

/// Layers of tasks, each behind three of the layer before.
fn layers() -> Vec<u8> {
    let mut text =
        String::from("{\"foreshard\":1,\"name\":\"layers\",\"version\":\"1\",\"tasks\":[");
    for at in 0..TASKS {
        let comma = if at > 0 { "," } else { "" };
        let cpu_s = 2.0 + (at % 7) as f64;
        let _ = write!(
            text,
            "{comma}{{\"id\":\"t{at}\",\"kind\":\"synthetic\",\"cpu_s\":{cpu_s},\"memory_mib\":64"
        );
        if let Some(before) = (at / LAYER).checked_sub(1) {
            let need = |step: usize| format!("\"t{}\"", before * LAYER + (at + step) % LAYER);
            let needs = [0, 1, 13].map(need);
            let _ = write!(text, ",\"needs\":[{}]", needs.join(","));
        }
        text.push('}');
    }
    text.push_str("]}");
    text.into_bytes()
}

fn scenario(seed: u64) -> Scenario {
    let mut scenario = Scenario::of(layers(), "us-east-1");
    scenario.seed = seed;
    scenario.copies = 2;
    scenario.options.lanes_max = Some(60);
    scenario.options.shard_tasks_max = Some(10);
    scenario
}

/// Everything that is told of two runs in one account.
fn told(seed: u64) -> String {
    let of = ours(&scenario(seed)).expect("it ends");
    assert_eq!(of.status, "succeeded", "{:?}", of.cause);
    assert_eq!(of.tasks as usize, 2 * TASKS);
    let figures = serde_json::to_string(&of).expect("figures");
    format!("{figures}\n{:?}", of.stretches)
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    let first = told(5);
    assert!(first == told(5), "two runs of one seed differ");
    assert!(first != told(6), "two seeds give the same");
}

#[test]
fn so_do_the_peers() {
    let scenario = scenario(5);
    let workflow = document(&scenario.document, &Library::new())
        .expect("a workflow")
        .workflow;
    let told = || {
        let plain = plain(&scenario, &workflow).expect("it is played");
        let tracked = tracked(&scenario, &workflow).expect("it is played");
        assert_eq!(
            (plain.status.as_str(), tracked.status.as_str()),
            ("succeeded", "succeeded")
        );
        format!("{plain:?} {tracked:?}")
    };
    assert!(told() == told(), "two runs of one seed differ");
}
