//! Pools and outlooks as people write them, and what is said when they are wrong; what other runs hold.

use foreshard_model::problem::Problem;
use foreshard_model::run::{PlanPointer, RunItem, RunState};
use foreshard_model::units::TimeMs;

use super::super::*;

const POOL: &str = "
targets:
  - {id: a, region: us-east-1, memory: 1769}
  - {id: b, region: eu-west-1, memory: 1769, architecture: x86_64, speed: 1.5, labels: {disk: fast}}
links:
  - {from: us-east-1, to: eu-west-1, mb_per_s: 40, latency_ms: 70}
concurrency: 50
";

fn told<T>(read: Result<T, Vec<Problem>>) -> String {
    let lines = read.err().unwrap_or_default();
    let lines: Vec<String> = lines.iter().map(ToString::to_string).collect();
    lines.join("\n")
}

#[test]
fn a_pool_has_defaults() {
    let pool = read_pool(POOL.as_bytes()).unwrap();
    assert_eq!(pool.targets.len(), 2);
    assert_eq!((pool.concurrency, pool.lanes_max), (50, 1_000));
    assert_eq!(
        (pool.targets[0].limit_ms, pool.targets[0].speed),
        (900_000, 1.0)
    );
    assert_eq!(pool.links[0].latency_ms, 70.0);
}

#[test]
fn everything_that_is_wrong_with_a_pool_is_said_at_once() {
    let text = "
targets:
  - {id: a, region: us-east-1, memory: 0, speed: 0}
  - {id: a, region: us-east-1, memory: 512, colour: red}
  - {region: us-east-1, memory: 512}
links:
  - {from: us-east-1, to: eu-west-1, mb_per_s: 0, latency_ms: 70}
concurrency: 0
size: 3
";
    insta::assert_snapshot!(told(read_pool(text.as_bytes())), @r#"
    FS2015 `pool`: `size` is not known here (hint: one of targets, lanes_max, lane_memory, concurrency, links)
    FS2015 `targets[1]`: `colour` is not known here (hint: one of id, region, memory, architecture, limit_ms, labels, speed)
    FS2015 `targets[2]`: missing field `id` (hint: see docs/cli.md)
    FS2015 `concurrency`: `concurrency` 0 and `lanes_max` 1000 leave no lane (hint: 1 or more)
    FS2015 `targets[0].memory`: 0 MiB hold nothing (hint: 128 or more)
    FS2015 `targets[0].speed`: `0` is no speed (hint: a number above 0; 1 is usual)
    FS2015 `targets[1].id`: `a` is there twice (hint: each target once)
    FS2015 `links[0]`: 0 MB/s after 70 ms is no link (hint: `mb_per_s` above 0, `latency_ms` 0 or more)
    "#);
    insta::assert_snapshot!(told(read_pool(b"[1]")), @r"FS2015 `pool`: it is not an object (hint: see docs/cli.md)");
}

#[test]
fn everything_that_is_wrong_with_an_outlook_is_said_at_once() {
    let pool = read_pool(POOL.as_bytes()).unwrap();
    let good = "
regions:
  us-east-1: {free: [{from_s: 0, lanes: {\"0.1\": 2, \"0.5\": 10}}, {from_s: 600, lanes: {\"0.5\": 40}}]}
targets:
  b: {failures_per_h: 2}
data: {\"*\": eu-west-1}
";
    let outlook = read_outlook(good.as_bytes(), &pool).unwrap();
    assert_eq!(outlook.regions["us-east-1"].free[0].lanes_at(0.3), 6.0);
    let bad = "
regions:
  mars: {failures_per_h: -1}
  us-east-1: {free: [{from_s: 5, lanes: {\"0.5\": 10, \"0.9\": 2}}, {from_s: 5, lanes: {\"2\": 1}}, {from_s: 9, lanes: {}}]}
targets:
  c: {fails: 2}
data: [1]
";
    insta::assert_snapshot!(told(read_outlook(bad.as_bytes(), &pool)), @r#"
    FS2016 `regions.mars`: the pool has no region `mars` (hint: one of eu-west-1, us-east-1)
    FS2016 `regions.mars.failures_per_h`: `-1` is no rate (hint: 0 or more, an hour)
    FS2016 `regions.us-east-1.free[0].lanes`: lanes do not rise with their quantiles from 0 on (hint: at least one quantile, such as {"0.1": 20, "0.5": 80})
    FS2016 `regions.us-east-1.free[1].from_s`: 5 s do not come after the step before (hint: steps ascend)
    FS2016 `regions.us-east-1.free[1].lanes`: `2` is no quantile (hint: above 0 and below 1, such as "0.5")
    FS2016 `regions.us-east-1.free[2].lanes`: lanes do not rise with their quantiles from 0 on (hint: at least one quantile, such as {"0.1": 20, "0.5": 80})
    FS2016 `targets.c`: the pool has no target `c` (hint: one of a, b)
    FS2016 `targets.c`: unknown field `fails`, expected `free` or `failures_per_h` (hint: see docs/cli.md)
    FS2016 `data`: invalid type: sequence, expected a map (hint: see docs/cli.md)
    "#);
}

#[test]
fn active_runs_hold_their_lanes_until_they_are_expected_to_end() {
    let run = |state, lanes, expected_ms| RunItem {
        run: format!("r-{lanes}").as_str().into(),
        state,
        planned_at: Some(TimeMs(100_000)),
        plan: Some(PlanPointer {
            lanes,
            expected_ms,
            ..PlanPointer::default()
        }),
        ..RunItem::default()
    };
    let two = RunItem {
        plan: Some(PlanPointer {
            lanes: 9,
            expected_ms: Some(300_000),
            lanes_of: [("eu".to_owned(), 4), ("us".to_owned(), 5)].into(),
            ..PlanPointer::default()
        }),
        ..run(RunState::Running, 9, None)
    };
    let runs = [
        run(RunState::Running, 1, Some(200_000)),
        run(RunState::Running, 2, Some(10_000)),
        run(RunState::Pausing, 3, None),
        run(RunState::Succeeded, 4, Some(200_000)),
        run(RunState::Completing, 5, Some(200_000)),
        RunItem {
            plan: None,
            ..run(RunState::Accepted, 6, None)
        },
        two,
    ];
    let promised = promised(&runs, "home", TimeMs(150_000));
    let lines = promised.holds.iter().map(|hold| {
        format!(
            "{} holds {} in {} for {} ms",
            hold.run, hold.lanes, hold.region, hold.until_ms
        )
    });
    insta::assert_snapshot!(lines.collect::<Vec<_>>().join("\n"), @r#"
    r-1 holds 1 in home for 150000 ms
    r-2 holds 2 in home for 60000 ms
    r-3 holds 3 in home for 900000 ms
    r-9 holds 4 in eu for 250000 ms
    r-9 holds 5 in us for 250000 ms
    "#);
}
