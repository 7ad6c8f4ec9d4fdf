//! What events mean for a schedule: text in, text out.

use foreshard_model::run::RunState;
use foreshard_model::schedule::{Firing, Outcome, Overlap, REMEMBERED, ScheduleItem};

use super::super::{Due, Schedule, decided, due, look_at, missed, overlapping};
use super::{at, lines, understood};

/// An hourly schedule made at 10:30 on 1 January.
fn hourly() -> (ScheduleItem, Schedule) {
    let (timing, schedule) = understood("cron(0 * * * ? *)", "UTC");
    let item = ScheduleItem {
        name: "hourly".to_owned(),
        version: 1,
        timing,
        since: at("2026-01-01T10:30:00Z"),
        ..ScheduleItem::default()
    };
    (item, schedule)
}

fn time(hour: &str) -> foreshard_model::units::TimeMs {
    at(&format!("2026-01-01T{hour}Z"))
}

fn started(hour: &str) -> Firing {
    Firing {
        time: time(hour),
        decided_at: time(hour),
        outcome: Outcome::Started {
            run: format!("r-{hour}").into(),
            because: "the event for it arrived".to_owned(),
        },
    }
}

fn asked(item: &ScheduleItem, schedule: &Schedule, stated: Option<&str>, now: &str) -> String {
    let due = due(item, schedule, stated.map(time), time(now));
    let mut text = due.because.clone();
    for (word, times) in [
        ("again", &due.again),
        ("fire", &due.fire),
        ("missed", &due.missed),
    ] {
        if !times.is_empty() {
            text = format!("{text} {word} {}", lines(times));
        }
    }
    text.replace('\n', " ")
        .replace("2026-01-01T", "")
        .trim()
        .to_owned()
}

#[test]
fn an_event_fires_its_time_once_however_it_comes() {
    let (item, schedule) = hourly();
    let ask = |item: &ScheduleItem, stated, now| asked(item, &schedule, stated, now);
    assert_eq!(ask(&item, Some("11:00:00"), "11:00:01"), "fire 11:00:00Z");
    assert_eq!(ask(&item, None, "11:00:40"), "fire 11:00:00Z");
    assert_eq!(ask(&item, Some("11:00:30"), "11:40:00"), "fire 11:00:00Z");
    assert_eq!(
        ask(&item, Some("11:20:00"), "11:20:00"),
        "the event stands for no scheduled time"
    );
    let after = decided(&item, &[started("11:00:00")], time("11:00:01"));
    assert_eq!((after.version, after.last), (2, Some(time("11:00:00"))));
    assert_eq!(
        ask(&after, Some("11:00:00"), "11:30:00"),
        "decided before: started: the event for it arrived"
    );
    let open = Firing {
        outcome: Outcome::Starting {
            run: "r-1".into(),
            because: "the event for it arrived".to_owned(),
        },
        ..started("11:00:00")
    };
    let after = decided(&item, &[open], time("11:00:01"));
    assert_eq!(look_at(&after, &schedule), Some(time("11:00:00")));
    assert_eq!(
        ask(&after, None, "11:05:00"),
        "decided before: starting: the event for it arrived again 11:00:00Z"
    );
    assert_eq!(
        ask(&after, None, "12:00:00"),
        "again 11:00:00Z fire 12:00:00Z"
    );
}

#[test]
fn what_is_before_it_or_while_it_is_paused_is_nothing() {
    let (item, schedule) = hourly();
    assert_eq!(
        asked(&item, &schedule, None, "10:31:00"),
        "the scheduled time was before the schedule was made, changed or resumed"
    );
    let paused = ScheduleItem {
        paused: true,
        ..item
    };
    assert_eq!(
        asked(&paused, &schedule, Some("11:00:00"), "11:00:00"),
        "the schedule is paused"
    );
    assert!(missed(&paused, &schedule, time("20:00:00")).is_empty());
    assert_eq!(look_at(&paused, &schedule), None);
}

#[test]
fn missed_times_are_recorded_or_caught_up_on() {
    let (item, schedule) = hourly();
    let item = decided(&item, &[started("11:00:00")], time("11:00:01"));
    let now = Some("15:00:00");
    assert_eq!(
        asked(&item, &schedule, now, "15:00:01"),
        "fire 15:00:00Z missed 12:00:00Z 13:00:00Z 14:00:00Z"
    );
    assert_eq!(
        lines(&missed(&item, &schedule, time("13:30:00"))),
        "2026-01-01T12:00:00Z\n2026-01-01T13:00:00Z"
    );
    let catching_up = ScheduleItem {
        catch_up: true,
        ..item.clone()
    };
    assert_eq!(
        asked(&catching_up, &schedule, now, "15:00:01"),
        "fire 12:00:00Z 13:00:00Z 14:00:00Z 15:00:00Z"
    );
    // A missed time whose event comes after all gets its run.
    let lost = Firing {
        outcome: Outcome::Missed {
            because: "nothing came".to_owned(),
        },
        ..started("12:00:00")
    };
    let item = decided(&item, &[lost, started("13:00:00")], time("13:00:00"));
    assert_eq!(
        asked(&item, &schedule, Some("12:00:00"), "13:10:00"),
        "fire 12:00:00Z"
    );
}

#[test]
fn what_nobody_came_for_within_an_hour_is_missed() {
    let (timing, schedule) = understood("cron(0 11 * * ? *)", "UTC");
    let (item, _) = hourly();
    let item = ScheduleItem { timing, ..item };
    assert_eq!(asked(&item, &schedule, None, "11:50:00"), "fire 11:00:00Z");
    assert_eq!(
        asked(&item, &schedule, None, "12:01:00"),
        "missed 11:00:00Z"
    );
    // A service that says which time it is for is believed however late it is.
    assert_eq!(
        asked(&item, &schedule, Some("11:00:00"), "19:00:00"),
        "fire 11:00:00Z"
    );
    assert_eq!(look_at(&item, &schedule), Some(time("11:00:00")));
}

#[test]
fn a_year_of_missed_minutes_is_no_work() {
    let (mut item, _) = hourly();
    let (timing, schedule) = understood("rate(1 minute)", "UTC");
    item.timing = timing;
    item.catch_up = true;
    let Due { fire, .. } = due(&item, &schedule, None, at("2027-01-01T00:00:00Z"));
    assert_eq!(fire.len(), REMEMBERED);
    assert_eq!(
        missed(&item, &schedule, at("2027-01-01T00:00:00Z")).len(),
        REMEMBERED
    );
}

#[test]
fn only_the_last_decisions_are_remembered() {
    let (item, _) = hourly();
    let firings: Vec<Firing> = (0..40)
        .map(|n| Firing {
            time: foreshard_model::units::TimeMs(item.since.0 + n),
            ..started("11:00:00")
        })
        .collect();
    let after = decided(&item, &firings, time("12:00:00"));
    assert_eq!(after.recent.len(), REMEMBERED);
    assert_eq!(after.last, Some(after.recent[REMEMBERED - 1].time));
    // The same decision again changes nothing but the version.
    let again = decided(&after, &after.recent.clone(), time("12:00:00"));
    assert_eq!(again.recent, after.recent);
}

#[test]
fn a_run_that_goes_on_holds_off_the_next() {
    let first = started("11:00:00");
    let why = |overlap, state| overlapping(overlap, Some((&first, state)));
    assert_eq!(
        why(Overlap::Skip, RunState::Running).unwrap(),
        "run `r-11:00:00` of 2026-01-01T11:00:00Z is running"
    );
    assert_eq!(why(Overlap::Skip, RunState::Failed), None);
    assert_eq!(why(Overlap::Allow, RunState::Running), None);
    assert_eq!(overlapping(Overlap::Skip, None), None);
}
