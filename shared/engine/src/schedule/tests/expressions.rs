//! What expressions mean, and what is said of those that mean nothing.

use super::{Wanted, next, refused, wanted};

fn cron(fields: &str, count: usize) -> String {
    next(
        &format!("cron({fields})"),
        "UTC",
        "2026-01-01T00:00:30Z",
        count,
    )
}

#[test]
fn the_examples_of_the_service() {
    // EventBridge Scheduler, "Cron-based schedules".
    insta::assert_snapshot!(cron("15 10 * * ? *", 2), @r"
    2026-01-01T10:15:00Z
    2026-01-02T10:15:00Z
    ");
    insta::assert_snapshot!(cron("0 18 ? * MON-FRI *", 3), @r"
    2026-01-01T18:00:00Z
    2026-01-02T18:00:00Z
    2026-01-05T18:00:00Z
    ");
    insta::assert_snapshot!(cron("0/10 * ? * MON-FRI *", 2), @r"
    2026-01-01T00:10:00Z
    2026-01-01T00:20:00Z
    ");
    insta::assert_snapshot!(cron("15 10 ? * 6L 2026-2027", 2), @r"
    2026-01-30T10:15:00Z
    2026-02-27T10:15:00Z
    ");
    insta::assert_snapshot!(cron("0 9 ? * 2#1 *", 2), @r"
    2026-01-05T09:00:00Z
    2026-02-02T09:00:00Z
    ");
}

#[test]
fn the_ends_of_months_and_the_days_near_them() {
    insta::assert_snapshot!(cron("0 0 L * ? *", 3), @r"
    2026-01-31T00:00:00Z
    2026-02-28T00:00:00Z
    2026-03-31T00:00:00Z
    ");
    // 31 January 2026 is a Saturday, 28 February too.
    insta::assert_snapshot!(cron("0 0 LW * ? *", 3), @r"
    2026-01-30T00:00:00Z
    2026-02-27T00:00:00Z
    2026-03-31T00:00:00Z
    ");
    // 1 February and 1 March 2026 are Sundays: the nearest workday of the month is the 2nd.
    insta::assert_snapshot!(cron("0 0 1W * ? *", 3), @r"
    2026-02-02T00:00:00Z
    2026-03-02T00:00:00Z
    2026-04-01T00:00:00Z
    ");
    // A Saturday at the beginning goes forward, a Sunday at the end back.
    insta::assert_snapshot!(cron("0 0 1W 8 ? 2026", 1), @"2026-08-03T00:00:00Z");
    insta::assert_snapshot!(cron("0 0 31W 5 ? 2026", 1), @"2026-05-29T00:00:00Z");
    insta::assert_snapshot!(cron("0 12 29 FEB ? *", 2), @r"
    2028-02-29T12:00:00Z
    2032-02-29T12:00:00Z
    ");
    insta::assert_snapshot!(cron("0 0 ? * L *", 2), @r"
    2026-01-03T00:00:00Z
    2026-01-10T00:00:00Z
    ");
    insta::assert_snapshot!(cron("0 0 ? * 1#5 *", 2), @r"
    2026-03-29T00:00:00Z
    2026-05-31T00:00:00Z
    ");
}

#[test]
fn rates_count_from_the_first_full_minute_or_from_the_start() {
    insta::assert_snapshot!(next("rate(5 minutes)", "UTC", "2026-01-01T00:00:30Z", 3), @r"
    2026-01-01T00:01:00Z
    2026-01-01T00:06:00Z
    2026-01-01T00:11:00Z
    ");
    insta::assert_snapshot!(next("rate(1 day)", "UTC", "2026-02-01T00:01:00Z", 1), @"2026-02-02T00:01:00Z");
}

#[test]
fn once_is_once() {
    insta::assert_snapshot!(
        next("at(2026-07-01T12:30:15)", "Europe/Berlin", "2026-01-01T00:00:00Z", 3),
        @"2026-07-01T10:30:15Z"
    );
    assert_eq!(
        next("at(2026-07-01T12:30:15)", "UTC", "2026-07-01T12:30:15Z", 1),
        ""
    );
}

#[test]
fn everything_that_is_wrong_is_said_at_once() {
    let all = Wanted {
        expression: "cron(60 24 32 13 8 1969)",
        timezone: Some("Mars/Olympus"),
        start: Some("tomorrow"),
        end: Some("2026-01-01"),
    };
    insta::assert_snapshot!(refused(&all), @r"
    FS1060 expression: `60` as minutes: 0 to 59
    FS1060 expression: `24` as hours: 0 to 23
    FS1060 expression: `13` as month: 1 to 12 or JAN to DEC
    FS1060 expression: `1969` as year: 1970 to 2199
    FS1060 expression: day of month is `32` and day of week is `8`: one of them must be `?`
    FS1060 expression: `32` as day of month: 1 to 31
    FS1060 expression: `8` as day of week: 1 to 7 or SUN to SAT
    FS1061 timezone: `Mars/Olympus` is not a time zone
    FS1062 start: `tomorrow` is not a moment
    FS1062 end: `2026-01-01` is not a moment
    ");
}

/// What is said of each expression, indented below it.
fn said(expressions: &[&str]) -> String {
    let mut table = String::new();
    for expression in expressions {
        table += &format!(
            "{expression}\n    {}\n",
            refused(&wanted(expression, "UTC")).replace('\n', "\n    ")
        );
    }
    table
}

#[test]
fn wall_times_that_mean_nothing_are_refused() {
    let table = said(&[
        "every day",
        "",
        "cron(* * * * *)",
        "cron(* * ? * ? *)",
        "cron(*/0 * * * ? *)",
        "cron(5-1 * * * ? *)",
        "cron(0 0 ? * MON#6 *)",
        "cron(0 0 ? * 2#1,3#1 *)",
        "cron(0 0 ? * */2 *)",
        "cron(0 0 W * ? *)",
        "cron(1,,2 * * * ? *)",
        "cron(-1 * * * ? *)",
        "cron(0 0 30 2 ? *)",
        "cron(0 0 1 1 ? 2199",
    ]);
    insta::assert_snapshot!(table, @r"
    every day
        FS1060 expression: `every day` is none of `cron(…)`, `rate(…)`, `at(…)`

        FS1060 expression: `` is none of `cron(…)`, `rate(…)`, `at(…)`
    cron(* * * * *)
        FS1060 expression: 5 fields: six are needed, minutes hours day-of-month month day-of-week year
    cron(* * ? * ? *)
        FS1060 expression: both days are `?`: one of them must say which
    cron(*/0 * * * ? *)
        FS1060 expression: `/0` as minutes: a step from 1 to 59
    cron(5-1 * * * ? *)
        FS1060 expression: `5-1` as minutes: the range ends before it begins, write two
    cron(0 0 ? * MON#6 *)
        FS1060 expression: `MON#6` as day of week: after `#` comes 1 to 5, which of the month
    cron(0 0 ? * 2#1,3#1 *)
        FS1060 expression: `2#1,3#1` as day of week: `#` must stand alone, make two schedules
    cron(0 0 ? * */2 *)
        FS1060 expression: `*/2` as day of week: steps are not for it, name the days
    cron(0 0 W * ? *)
        FS1060 expression: `` as day of month: 1 to 31
    cron(1,,2 * * * ? *)
        FS1060 expression: `` as minutes: 0 to 59
    cron(-1 * * * ? *)
        FS1060 expression: `` as minutes: 0 to 59
    cron(0 0 30 2 ? *)
        FS1063 expression: `cron(0 0 30 2 ? *)` never comes
    cron(0 0 1 1 ? 2199
        FS1060 expression: `cron(0 0 1 1 ? 2199` is none of `cron(…)`, `rate(…)`, `at(…)`
    ");
}

#[test]
fn rates_and_moments_that_mean_nothing_are_refused() {
    let table = said(&[
        "rate(5)",
        "rate(0 minutes)",
        "rate(1 minutes)",
        "rate(2 hour)",
        "rate(3 weeks)",
        "rate(99999999999999999999 days)",
        "at(2026-07-01)",
        "at(2026-07-01T00:00:00Z)",
        "at(2026-02-30T00:00:00)",
    ]);
    insta::assert_snapshot!(table, @r"
    rate(5)
        FS1060 expression: `rate(5)`: a number and a unit are needed
    rate(0 minutes)
        FS1060 expression: `rate(0 minutes)`: the number must be whole and above zero
    rate(1 minutes)
        FS1060 expression: `rate(1 minutes)`: 1 goes with the singular, more with the plural
    rate(2 hour)
        FS1060 expression: `rate(2 hour)`: 1 goes with the singular, more with the plural
    rate(3 weeks)
        FS1060 expression: `rate(3 weeks)`: the unit is minute, minutes, hour, hours, day or days
    rate(99999999999999999999 days)
        FS1060 expression: `rate(99999999999999999999 days)`: the number must be whole and above zero
    at(2026-07-01)
        FS1060 expression: `at(2026-07-01)`: a wall time as yyyy-mm-ddThh:mm:ss, without an offset
    at(2026-07-01T00:00:00Z)
        FS1060 expression: `at(2026-07-01T00:00:00Z)`: a wall time as yyyy-mm-ddThh:mm:ss, without an offset
    at(2026-02-30T00:00:00)
        FS1060 expression: `at(2026-02-30T00:00:00)`: a wall time as yyyy-mm-ddThh:mm:ss, without an offset
    ");
}

#[test]
fn a_window_keeps_what_is_in_it() {
    let window = |start, end| Wanted {
        start,
        end,
        ..wanted("cron(0 * * * ? *)", "UTC")
    };
    let times = |wanted: &Wanted<'_>| {
        let timing = super::timing(wanted, super::at("2026-01-01T00:00:30Z")).unwrap();
        let schedule = super::Schedule::of(&timing).unwrap();
        super::lines(&schedule.upcoming(super::at("2026-01-01T00:00:00Z"), 3))
    };
    let both = window(
        Some("2026-01-05T06:00:00Z"),
        Some("2026-01-05T08:00:00+01:00"),
    );
    insta::assert_snapshot!(times(&both), @r"
    2026-01-05T06:00:00Z
    2026-01-05T07:00:00Z
    ");
    let backwards = window(Some("2026-01-05T06:00:00Z"), Some("2026-01-05T06:00:00Z"));
    insta::assert_snapshot!(refused(&backwards), @"FS1062 end: the end is not after the start");
    let empty = window(Some("2026-01-05T06:01:00Z"), Some("2026-01-05T06:59:00Z"));
    insta::assert_snapshot!(refused(&empty), @"FS1063 expression: `cron(0 * * * ? *)` never comes");
}
