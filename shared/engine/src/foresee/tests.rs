//! What is expected from what was measured: silence, recurring load, admitted runs, claims of others, what is strange.

use std::collections::{BTreeMap, BTreeSet};

use foreshard_model::forecast::{Quantity, StoredForecast};
use foreshard_model::ids::ShardId;
use foreshard_model::outlook::{Flag, StoredOutlook};
use foreshard_model::plan::{PlannedShard, ShardKind};
use foreshard_model::target::{Pool, Target};
use foreshard_model::units::TimeMs;

use crate::calendar::Calendar;
use crate::forecast::InFlight;

use super::{
    Foreseen, Foresight, HORIZON, Measured, MeasuredRegion, Points, STEP_S, foresee, strange,
};

const NOW_S: i64 = 1_764_288_000;
const DAYS: i64 = 6;

struct Scene {
    pool: Pool,
    functions: BTreeMap<String, Measured>,
    region: MeasuredRegion,
}

/// `value(step of the day)` of some days up to now, where it is any.
fn daily(value: impl Fn(i64) -> Option<f64>) -> Points {
    let steps = DAYS * 288;
    (0..steps)
        .filter_map(|n| {
            let at = NOW_S - (steps - n) * i64::from(STEP_S);
            Some((at, value(at.div_euclid(300).rem_euclid(288))?))
        })
        .collect()
}

impl Scene {
    /// One function that is busy for an hour of each day, in a region where others always have ten in use.
    fn new() -> Self {
        let pool = Pool::default_on_aws("eu-west-1");
        let wave = |step: i64| (100..112).contains(&step).then_some(40.0);
        let measured = Measured {
            busy: daily(wave),
            calls: daily(wave),
            duration_ms: daily(|step| wave(step).map(|n| n * 2_000.0)),
            ..Measured::default()
        };
        let region = MeasuredRegion {
            busy: daily(|step| Some(10.0 + wave(step).unwrap_or(0.0))),
            ..MeasuredRegion::default()
        };
        let id = pool.targets[4].id.0.clone();
        Self {
            functions: BTreeMap::from([(id, measured)]),
            pool,
            region,
        }
    }

    fn target(&self) -> &str {
        self.pool.targets[4].id.as_str()
    }

    fn foreseen(&self, runs: &[InFlight<'_>]) -> Foreseen {
        foresee(&Foresight {
            now: TimeMs(NOW_S as u64 * 1_000),
            measured_until_s: NOW_S,
            pool: &self.pool,
            functions: &self.functions,
            region: &self.region,
            runs,
            calendar: &Calendar::default(),
        })
    }
}

fn of<'f>(foreseen: &'f Foreseen, place: &str, quantity: Quantity) -> &'f StoredForecast {
    let mut all = foreseen.forecasts.iter();
    all.find(|f| f.place == place && f.quantity == quantity)
        .expect("it is forecast")
}

/// The step of the horizon at which a step of the day begins.
fn ahead(step_of_day: i64) -> usize {
    let now = NOW_S.div_euclid(300).rem_euclid(288);
    (step_of_day - now).rem_euclid(288) as usize
}

#[test]
fn silence_is_zero_where_others_were_told_of_and_unknown_where_nobody_was() {
    let scene = Scene::new();
    let foreseen = scene.foreseen(&[]);
    let forecast = of(&foreseen, scene.target(), Quantity::Concurrency);
    assert_eq!(forecast.forecast.steps(), HORIZON);
    let at = |step, q| forecast.at(ahead(step), q).unwrap();
    assert!(at(200, 0.9) < 1.0, "it rests: {}", at(200, 0.9));
    assert!(at(105, 0.9) > 30.0, "its hour comes: {}", at(105, 0.9));
    let mut silent = Scene::new();
    silent.region = MeasuredRegion::default();
    let foreseen = silent.foreseen(&[]);
    let forecast = of(&foreseen, silent.target(), Quantity::Concurrency);
    assert!(
        forecast.rows < 100,
        "only its own hours are known: {}",
        forecast.rows
    );
}

#[test]
fn how_long_environments_are_busy_is_told_beside_the_most_at_once() {
    let mut scene = Scene::new();
    let target = scene.target().to_owned();
    let busy = |scene: &Scene| {
        let foreseen = scene.foreseen(&[]);
        let share = of(&foreseen, &target, Quantity::Concurrency).busy;
        assert_eq!(of(&foreseen, "eu-west-1", Quantity::Claimed).busy, None);
        share
    };
    let lasts = |duration_ms: f64| {
        let wave = move |step: i64| (100..112).contains(&step).then_some(40.0 * duration_ms);
        daily(wave)
    };
    for (duration_ms, share) in [
        (75_000.0, Some(0.25)),
        (300_000.0, Some(1.0)),
        (600_000.0, Some(1.0)),
        (0.0, None),
    ] {
        scene.functions.get_mut(&target).unwrap().duration_ms = lasts(duration_ms);
        assert_eq!(busy(&scene), share, "{duration_ms} ms");
    }
    let measured = scene.functions.get_mut(&target).unwrap();
    measured.duration_ms = Points::new();
    assert_eq!(busy(&scene), None);
}

#[test]
fn the_deployments_own_load_is_none_of_the_others() {
    let scene = Scene::new();
    let foreseen = scene.foreseen(&[]);
    let claimed = of(&foreseen, "eu-west-1", Quantity::Claimed);
    let at_wave = claimed.at(ahead(105), 0.5).unwrap();
    assert!((at_wave - 10.0).abs() < 1.0, "{at_wave}");
    let free = &foreseen.outlook.outlook.regions["eu-west-1"].free;
    let lanes = free[0].lanes_at(0.5);
    assert!(
        (880.0..=900.0).contains(&lanes),
        "1,000 less 100 and 10: {lanes}"
    );
}

#[test]
fn admitted_runs_are_expected_beside_what_recurs() {
    let scene = Scene::new();
    let shard = |id| PlannedShard {
        id: ShardId(id),
        kind: ShardKind::Work,
        tasks: Vec::new(),
        predecessors: Vec::new(),
        target: Some(scene.target().to_owned()),
        lane: None,
        start_ms: 0,
        duration_ms: 600_000,
        upward_rank_ms: 0,
        reason: String::new(),
    };
    let shards: Vec<PlannedShard> = (0..70).map(shard).collect();
    let (settled, running) = (BTreeSet::new(), BTreeMap::new());
    let soon = InFlight {
        run: "r-1",
        start_s: NOW_S + 3_600,
        shards: &shards,
        settled: &settled,
        running: &running,
    };
    let foreseen = scene.foreseen(&[soon]);
    let forecast = of(&foreseen, scene.target(), Quantity::Concurrency);
    let at = |step: usize| forecast.known[step];
    assert_eq!((at(11), at(12), at(13), at(14)), (0.0, 70.0, 70.0, 0.0));
    assert_eq!(forecast.at(12, 0.5), Some(70.0));
}

#[test]
fn an_outburst_of_errors_is_flagged_and_quiet_days_are_not() {
    let mut scene = Scene::new();
    let target = scene.target().to_owned();
    let measured = scene.functions.get_mut(&target).unwrap();
    measured.calls = daily(|_| Some(20.0));
    measured.errors = daily(|step| (step % 50 == 7).then_some(1.0));
    assert_eq!(scene.foreseen(&[]).outlook.flags, []);
    let measured = scene.functions.get_mut(&target).unwrap();
    let newest = NOW_S - i64::from(STEP_S);
    measured.errors.retain(|(at, _)| *at < newest);
    measured.errors.push((newest, 20.0));
    let outlook = scene.foreseen(&[]).outlook;
    let flag = outlook.flags.first().expect("it is strange");
    assert_eq!(
        (flag.place.as_str(), flag.series.as_str()),
        (target.as_str(), "errors")
    );
    assert_eq!(flag.at.0, newest as u64 * 1_000);
    let expected = &outlook.outlook.targets[&target.as_str().into()];
    assert!(expected.failures_per_h > 0.5, "{expected:?}");
}

#[test]
fn a_deployment_of_which_nothing_was_measured_has_an_outlook_all_the_same() {
    let mut scene = Scene::new();
    scene.functions.clear();
    scene.region = MeasuredRegion::default();
    let foreseen = scene.foreseen(&[]);
    assert_eq!(foreseen.forecasts.len(), 1);
    let free = &foreseen.outlook.outlook.regions["eu-west-1"].free;
    assert_eq!(free[0].lanes_at(0.1), 900.0);
    assert_eq!(foreseen.outlook.flags, []);
}

#[test]
fn what_is_free_is_of_what_the_account_has_and_a_small_one_keeps_a_tenth() {
    let mut scene = Scene::new();
    scene.functions.clear();
    scene.region = MeasuredRegion::default();
    for (concurrency, lanes) in [(5_000, 4_900.0), (1_000, 900.0), (300, 270.0), (10, 9.0)] {
        scene.pool.concurrency = concurrency;
        let outlook = scene.foreseen(&[]).outlook.outlook;
        assert_eq!(outlook.regions["eu-west-1"].free[0].lanes_at(0.1), lanes);
    }
}

#[test]
fn a_flag_concerns_those_on_its_target_or_in_its_region_for_a_while() {
    let pool = Pool::default_on_aws("eu-west-1");
    let flag = |place: &str, score| Flag {
        place: place.to_owned(),
        at: TimeMs(1_000_000),
        score,
        ..Flag::default()
    };
    let stored = StoredOutlook {
        flags: vec![
            flag("eu-west-1", 0.1),
            flag(pool.targets[2].id.as_str(), 0.3),
            flag("us-east-1", 0.9),
        ],
        ..StoredOutlook::default()
    };
    let of = |targets: &[Target], now: u64| {
        let found = strange(&stored, targets, TimeMs(now));
        found.map(|flag| flag.score)
    };
    assert_eq!(of(&pool.targets, 1_500_000), Some(0.3));
    assert_eq!(of(&pool.targets[..2], 1_500_000), Some(0.1));
    assert_eq!(of(&[], 1_500_000), None);
    assert_eq!(of(&pool.targets, 9_000_000), None, "that is long ago");
}
