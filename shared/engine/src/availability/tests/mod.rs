//! Availability: what moves it.

mod deployment;

use foreshard_model::outlook::Step;

use super::*;
use crate::forecast::{Request, Series, forecast};

/// 2026-06-01T00:00:00Z.
const NOW_S: i64 = 1_780_272_000;

fn seen(claimed: f64) -> Seen {
    let rows = vec![Some(claimed); 300];
    let series = Series::of_rows(NOW_S - 300 * 300, 300, &rows);
    Seen {
        quota: Some(1_000),
        kept_free: 100,
        claimed: Some(forecast(&Request {
            series: &series,
            horizon: 288,
            quantiles: &[0.1, 0.25, 0.5, 0.75, 0.9],
            calendar: &Calendar::default(),
            feeds: &[],
        })),
        ..Seen::default()
    }
}

fn known<'a>(regions: &[(&str, Seen)], planned: &'a [Load], calendar: &'a Calendar) -> Known<'a> {
    Known {
        now_s: NOW_S,
        horizon_s: 3_600,
        regions: regions
            .iter()
            .map(|(name, seen)| ((*name).to_owned(), seen.clone()))
            .collect(),
        targets: BTreeMap::new(),
        planned,
        calendar,
    }
}

/// Lanes at a quantile: `0: 700, 600: 500`.
fn lanes(steps: &[Step], quantile: f64) -> String {
    let step = |s: &Step| format!("{}: {:.0}", s.from_s, s.lanes_at(quantile));
    steps.iter().map(step).collect::<Vec<_>>().join(", ")
}

fn outlook(regions: &[(&str, Seen)], planned: &[Load], calendar: &str) -> Availability {
    let calendar = match calendar {
        "" => Calendar::default(),
        text => Calendar::read(text.as_bytes()).unwrap(),
    };
    availability(&known(regions, planned, &calendar))
}

#[test]
fn free_is_the_quota_less_what_is_claimed() {
    let answer = outlook(&[("us-east-1", seen(200.0))], &[], "");
    assert_eq!(
        lanes(&answer.outlook.regions["us-east-1"].free, 0.5),
        "0: 700"
    );
    assert_eq!(answer.reasons[0].numbers["usable"], 900.0);
}

#[test]
fn a_declared_event_moves_the_distribution() {
    let calendar = "name,start,end,lanes,factor,region\nlaunch,2026-06-01T00:10,2026-06-01T00:20,500,,us-east-1\nsale,2026-06-01T00:30,2026-06-01T00:35,,2,\n";
    let regions = [("us-east-1", seen(200.0)), ("eu-west-1", seen(100.0))];
    let answer = outlook(&regions, &[], calendar);
    let free = |name: &str| lanes(&answer.outlook.regions[name].free, 0.5);
    assert_eq!(
        free("us-east-1"),
        "0: 700, 600: 200, 1200: 700, 1800: 500, 2100: 700"
    );
    assert_eq!(free("eu-west-1"), "0: 800, 1800: 700, 2100: 800");
    assert!(
        answer
            .reasons
            .iter()
            .any(|r| r.because.contains("`launch` moves `us-east-1`"))
    );
}

#[test]
fn a_region_with_throttles_loses_free_lanes_and_wins_them_back() {
    let calm = seen(200.0);
    let minutes = vec![
        Minute {
            calls: 80.0,
            throttled: 20.0
        };
        10
    ];
    let throttled = Seen {
        minutes,
        ..calm.clone()
    };
    let answer = outlook(&[("a", calm), ("b", throttled)], &[], "");
    let (a, b) = (
        &answer.outlook.regions["a"].free,
        &answer.outlook.regions["b"].free,
    );
    assert_eq!(b[0].lanes_at(0.5), (a[0].lanes_at(0.5) * 0.8).floor());
    // It is less certain: the lower the quantile, the more is lost.
    assert!(b[0].lanes_at(0.1) < 0.4 * a[0].lanes_at(0.1));
    let last = b.last().unwrap();
    assert!(last.from_s >= 3_000 && last.lanes_at(0.5) > 0.99 * a[0].lanes_at(0.5));
    assert!(
        answer
            .reasons
            .iter()
            .any(|r| r.because.contains("`b` throttles calls"))
    );
}

#[test]
fn planned_runs_and_failures_count() {
    let wave = Load {
        name: "nightly".to_owned(),
        place: "a".to_owned(),
        from_s: NOW_S + 600,
        until_s: NOW_S + 1_200,
        lanes: 300.0,
    };
    let failing = Seen {
        failures: 6.0,
        running_h: 2.0,
        ..seen(200.0)
    };
    let answer = outlook(&[("a", failing)], &[wave], "");
    let expected = &answer.outlook.regions["a"];
    assert_eq!(lanes(&expected.free, 0.5), "0: 700, 600: 400, 1200: 700");
    assert_eq!(expected.failures_per_h, 2.0);
}

#[test]
fn what_is_claimed_beyond_the_quota_leaves_nothing() {
    let answer = outlook(&[("a", seen(2_000.0)), ("b", Seen::default())], &[], "");
    assert_eq!(lanes(&answer.outlook.regions["a"].free, 0.9), "0: 0");
    // Of what no quota is known, nothing is said.
    assert!(answer.outlook.regions["b"].free.is_empty());
}
