//! Schedules that fire, forecasts and pre-warming beside them, and the peer whose provisioned concurrency follows a target.

use foreshard_engine::parse::{Library, document};
use foreshard_simulator::{Failed, Recurring, Scenario, Simulated, Trouble, ours, tracked};

/// Thirty tasks side by side, four minutes each.
fn wide() -> Vec<u8> {
    let mut text = String::from("foreshard: 1\nname: wide\nversion: \"1\"\ntasks:\n");
    for at in 0..30 {
        text.push_str(&format!(
            "  - {{ id: a{at}, kind: synthetic, cpu_s: 240 }}\n"
        ));
    }
    text.into_bytes()
}

fn hourly(change: impl FnOnce(&mut Scenario)) -> Scenario {
    let mut scenario = Scenario::of(wide(), "us-east-1");
    scenario.options.shard_tasks_max = Some(1);
    scenario.options.lanes_max = Some(30);
    scenario.recurring = Some(Recurring {
        expression: "rate(1 hour)".to_owned(),
        times: 3,
    });
    change(&mut scenario);
    scenario
}

fn played(scenario: &Scenario) -> Simulated {
    let of = ours(scenario).expect("it ends");
    assert_eq!(of.status, "succeeded", "{:?}", of.cause);
    assert_eq!(of.runs.len(), 3);
    of
}

#[test]
fn a_schedule_fires_at_its_times_and_every_run_starts_cold() {
    let of = played(&hourly(|_| {}));
    for (at, run) in of.runs.iter().enumerate() {
        let due_s = 3_600.0 * at as f64;
        let late_s = run.begun_s - due_s;
        assert!(
            (0.0..3_700.0).contains(&late_s),
            "run {at} begins at {} s",
            run.begun_s
        );
        assert!(run.cold_starts >= 30, "{run:?}");
        assert_eq!(run.status, "succeeded");
    }
    let apart = of.runs[2].begun_s - of.runs[1].begun_s;
    assert!((3_500.0..3_700.0).contains(&apart), "{apart} s");
    assert_eq!((of.usage.provisions, of.usage.waiting_gb_s), (0, 0.0));
}

#[test]
fn a_wave_that_is_foreseen_finds_its_environments() {
    let none = played(&hourly(|_| {}));
    let warmed = played(&hourly(|scenario| scenario.prewarm = Some(0.005)));
    // Nothing is known of the first run.
    assert!(warmed.runs[0].cold_starts >= 30, "{:?}", warmed.runs[0]);
    for at in 1..3 {
        let (cold, warm) = (none.runs[at].cold_starts, warmed.runs[at].cold_starts);
        assert!(
            cold >= 30 && warm <= 3,
            "run {at}: {cold} without, {warm} with"
        );
    }
    assert!(
        warmed.usage.provisions >= 2,
        "{:?}",
        warmed.usage.provisions
    );
    assert!(warmed.usage.waiting_gb_s > 0.0 && warmed.usage.provisioned_gb_s > 0.0);
}

#[test]
fn where_a_cold_start_is_worth_nothing_none_waits() {
    let (free, idle) = (
        played(&hourly(|_| {})),
        played(&hourly(|of| of.prewarm = Some(0.0))),
    );
    // The first hour among them, when one wave is all that a forecast has seen.
    for at in 0..3 {
        let (free, idle) = (free.runs[at].cost_usd, idle.runs[at].cost_usd);
        assert!(idle <= 1.02 * free, "run {at}: {idle} of {free}");
    }
}

/// Four minutes of every twenty fill two steps of five, in each of which thirty were in use at once.
#[test]
fn short_waves_are_not_taken_for_whole_steps() {
    let often = |prewarm: Option<f64>| {
        let scenario = hourly(|of| {
            of.prewarm = prewarm;
            of.recurring = Some(Recurring {
                expression: "rate(20 minutes)".to_owned(),
                times: 78,
            });
        });
        ours(&scenario).expect("it ends").runs
    };
    let (free, idle) = (often(None), often(Some(0.0)));
    // A day has been seen after 72 of them.
    for (at, (free, idle)) in free.iter().zip(&idle).enumerate() {
        let (free, idle) = (free.cost_usd, idle.cost_usd);
        assert!(idle <= 1.02 * free, "run {at}: {idle} of {free}");
    }
    assert_eq!(idle.len(), 78);
}

#[test]
fn lost_minutes_and_old_forecasts_harm_no_run() {
    let mut trouble = Trouble::default();
    for word in ["unseen=300", "stale=0+7200", "skewed=200"] {
        trouble.add(word).expect("a trouble");
    }
    let of = played(&hourly(|scenario| {
        scenario.prewarm = Some(1.0);
        scenario.trouble = trouble;
    }));
    assert!(of.struck.0["stale_forecast"] >= 20, "{:?}", of.struck);
    assert!(of.struck.0["clock_skew"] > 0, "{:?}", of.struck);
}

#[test]
fn target_tracking_comes_late_and_is_paid_while_it_waits() {
    let scenario = hourly(|_| {});
    let workflow = document(&scenario.document, &Library::new())
        .expect("a workflow")
        .workflow;
    let of = tracked(&scenario, &workflow).expect("it is played");
    assert_eq!(of.status, "succeeded", "{:?}", of.cause);
    // Four minutes above the target: three of them and what CloudWatch is behind have passed when more are asked for.
    assert!(of.usage.provisions > 0, "the alarm was raised");
    assert!(of.runs[0].cold_starts >= 29, "{:?}", of.runs[0]);
    assert!(of.usage.waiting_gb_s > 0.0);
}

#[test]
fn what_is_no_schedule_is_refused() {
    let scenario = hourly(|scenario| {
        scenario.recurring = Some(Recurring {
            expression: "each hour".to_owned(),
            times: 3,
        });
    });
    assert!(matches!(ours(&scenario), Err(Failed::Refused(_))));
}
