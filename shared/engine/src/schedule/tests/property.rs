//! What holds for every expression; and the same times as an independent reader of crontabs finds.

use croner::parser::{CronParser, Seconds, Year};
use foreshard_model::units::TimeMs;
use jiff::civil::DateTime;
use proptest::prelude::*;
use proptest::sample::select;

use super::super::{Schedule, Wanted, timing};
use super::{at, wanted};

const ZONES: &[&str] = &[
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "America/St_Johns",
    "Pacific/Apia",
    "Africa/Casablanca",
];

fn field(least: u16, most: u16) -> impl Strategy<Value = String> {
    let number = move || least..=most;
    prop_oneof![
        3 => Just("*".to_owned()),
        4 => number().prop_map(|n| n.to_string()),
        2 => (number(), number()).prop_map(|(a, b)| format!("{}-{}", a.min(b), a.max(b))),
        2 => (number(), number(), 1..=most).prop_map(|(a, b, s)| format!("{}-{}/{s}", a.min(b), a.max(b))),
        1 => (1..=most).prop_map(|s| format!("*/{s}")),
        2 => proptest::collection::vec(number(), 2..5).prop_map(|list| {
            let texts: Vec<String> = list.iter().map(ToString::to_string).collect();
            texts.join(",")
        }),
    ]
}

fn days() -> impl Strategy<Value = (String, String)> {
    prop_oneof![
        field(1, 31).prop_map(|day| (day, "?".to_owned())),
        Just(("L".to_owned(), "?".to_owned())),
        (1..=28u16).prop_map(|n| (format!("{n}W"), "?".to_owned())),
        (1..=7u16).prop_map(|n| ("?".to_owned(), n.to_string())),
        (1..=7u16, 1..=5u16).prop_map(|(n, k)| ("?".to_owned(), format!("{n}#{k}"))),
        (1..=7u16).prop_map(|n| ("?".to_owned(), format!("{n}L"))),
    ]
}

fn cron() -> impl Strategy<Value = String> {
    (field(0, 59), field(0, 23), days(), field(1, 12)).prop_map(
        |(minutes, hours, (day, week), months)| {
            format!("{minutes} {hours} {day} {months} {week} *")
        },
    )
}

fn expression() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => cron().prop_map(|fields| format!("cron({fields})")),
        1 => (2..5_000u32).prop_map(|n| format!("rate({n} minutes)")),
        1 => (2..100u32).prop_map(|n| format!("rate({n} hours)")),
    ]
}

/// Between 2025 and 2029.
fn moment() -> impl Strategy<Value = TimeMs> {
    (1_735_689_600_000..1_861_920_000_000u64).prop_map(TimeMs)
}

fn understood(expression: &str, zone: &str) -> Option<Schedule> {
    let timing = timing(&wanted(expression, zone), at("2025-01-01T00:00:00Z")).ok()?;
    Schedule::of(&timing).ok()
}

/// The same fields for croner: it has no `?`, and counts days of the week from 0 unless told otherwise.
fn crontab(fields: &str) -> croner::Cron {
    CronParser::builder()
        .seconds(Seconds::Disallowed)
        .year(Year::Disallowed)
        .alternative_weekdays(true)
        .dom_and_dow(true)
        .build()
        .parse(&fields.trim_end_matches(" *").replace('?', "*"))
        .unwrap_or_else(|error| panic!("`{fields}`: {error}"))
}

proptest! {
    #[test]
    fn croner_finds_the_same_wall_times(fields in cron(), from in moment()) {
        let Some(schedule) = understood(&format!("cron({fields})"), "UTC") else {
            return Ok(());
        };
        let theirs = crontab(&fields);
        let stamp = |at: TimeMs| jiff::Timestamp::from_millisecond(at.0 as i64).unwrap();
        let mut after = stamp(from).to_zoned(jiff::tz::TimeZone::UTC);
        for ours in schedule.upcoming(from, 5) {
            let Ok(next) = theirs.find_next_occurrence(&after, false) else { break };
            prop_assert_eq!(stamp(ours), next.timestamp(), "cron({})", fields);
            after = next;
        }
    }

    #[test]
    fn times_ascend_and_looking_back_finds_what_looking_forward_did(
        expression in expression(), zone in select(ZONES), from in moment(),
    ) {
        let Some(schedule) = understood(&expression, zone) else { return Ok(()) };
        let times = schedule.upcoming(from, 30);
        prop_assert!(times.windows(2).all(|pair| pair[0] < pair[1]));
        let Some(last) = times.last().copied() else { return Ok(()) };
        prop_assert!(times[0] > from);
        prop_assert_eq!(&schedule.between(from, last, 100), &times);
        prop_assert_eq!(&schedule.latest(from, last, 7), &times[times.len().saturating_sub(7)..]);
        // An event that states its time stands for it; one that does not, for the last.
        for time in &times {
            prop_assert_eq!(schedule.stands_for(Some(*time), TimeMs(u64::MAX / 2)), Some(*time));
            prop_assert_eq!(schedule.stands_for(None, TimeMs(time.0 + 59_999)), Some(*time));
        }
    }

    #[test]
    fn no_wall_time_comes_twice(fields in cron(), zone in select(ZONES), from in moment()) {
        let Some(schedule) = understood(&format!("cron({fields})"), zone) else { return Ok(()) };
        let tz = jiff::tz::TimeZoneDatabase::bundled().get(zone).unwrap();
        let wall = |at: &TimeMs| tz.to_datetime(jiff::Timestamp::from_millisecond(at.0 as i64).unwrap());
        let walls: Vec<DateTime> = schedule.upcoming(from, 100).iter().map(wall).collect();
        prop_assert!(walls.windows(2).all(|pair| pair[0] < pair[1]), "{:?}", walls);
    }

    #[test]
    fn no_text_is_understood_by_accident(text in "\\PC{0,60}", zone in "\\PC{0,20}", moment in "\\PC{0,20}") {
        let wanted = Wanted {
            expression: &text,
            timezone: Some(&zone),
            start: Some(&moment),
            end: Some(&moment),
        };
        let troubles = timing(&wanted, TimeMs(0)).unwrap_err();
        prop_assert!(troubles.iter().all(|t| !t.message.is_empty() && !t.hint.is_empty()));
    }

    #[test]
    fn nothing_in_parentheses_breaks_it(text in "[0-9*?/,LW#A-Z -]{0,40}") {
        for word in ["cron", "rate", "at"] {
            let _ = timing(&wanted(&format!("{word}({text})"), "UTC"), TimeMs(0));
        }
    }
}
