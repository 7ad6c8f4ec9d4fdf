//! Clocks that change: what the service documents, to the minute.

use super::next;

/// EventBridge Scheduler: "if a cron expression falls on a non-existent date and time, your schedule invocation is skipped".
#[test]
fn a_wall_time_that_spring_leaves_out_is_skipped() {
    // Berlin goes from 02:00 to 03:00 on 29 March 2026.
    insta::assert_snapshot!(next("cron(30 2 * * ? *)", "Europe/Berlin", "2026-03-27T12:00:00Z", 3), @r"
    2026-03-28T01:30:00Z
    2026-03-30T00:30:00Z
    2026-03-31T00:30:00Z
    ");
    insta::assert_snapshot!(next("cron(0 * * * ? *)", "Europe/Berlin", "2026-03-29T00:00:00Z", 2), @r"
    2026-03-29T01:00:00Z
    2026-03-29T02:00:00Z
    ");
    // Where midnight is left out, a daily midnight is skipped.
    insta::assert_snapshot!(next("cron(0 0 * * ? *)", "America/Santiago", "2026-09-05T12:00:00Z", 1), @"2026-09-07T03:00:00Z");
    let never = super::refused(&super::wanted("at(2026-03-29T02:30:00)", "Europe/Berlin"));
    insta::assert_snapshot!(never, @"FS1063 expression: `at(2026-03-29T02:30:00)` never comes");
}

/// EventBridge Scheduler: "your schedule runs only once and does not repeat its invocation".
#[test]
fn a_wall_time_that_autumn_repeats_is_taken_once() {
    // Berlin goes from 03:00 back to 02:00 on 25 October 2026.
    insta::assert_snapshot!(next("cron(30 2 * * ? *)", "Europe/Berlin", "2026-10-24T12:00:00Z", 2), @r"
    2026-10-25T00:30:00Z
    2026-10-26T01:30:00Z
    ");
    insta::assert_snapshot!(next("cron(0/30 * * * ? *)", "Europe/Berlin", "2026-10-24T23:45:00Z", 4), @r"
    2026-10-25T00:00:00Z
    2026-10-25T00:30:00Z
    2026-10-25T02:00:00Z
    2026-10-25T02:30:00Z
    ");
    // Asked in the middle of the second pass.
    insta::assert_snapshot!(next("cron(0/30 * * * ? *)", "Europe/Berlin", "2026-10-25T01:10:00Z", 1), @"2026-10-25T02:00:00Z");
}

/// A rate knows no clocks.
#[test]
fn a_rate_goes_on_through_both() {
    insta::assert_snapshot!(next("rate(1 hour)", "Europe/Berlin", "2026-03-29T00:30:00Z", 2), @r"
    2026-03-29T01:01:00Z
    2026-03-29T02:01:00Z
    ");
}

#[test]
fn zones_with_odd_offsets_and_clocks_that_change_by_half_an_hour() {
    insta::assert_snapshot!(next("cron(0 6 * * ? *)", "Asia/Kathmandu", "2026-01-01T00:00:00Z", 1), @"2026-01-01T00:15:00Z");
    insta::assert_snapshot!(next("cron(15 2 * * ? *)", "Australia/Lord_Howe", "2026-10-02T12:00:00Z", 2), @r"
    2026-10-02T15:45:00Z
    2026-10-04T15:15:00Z
    ");
}
