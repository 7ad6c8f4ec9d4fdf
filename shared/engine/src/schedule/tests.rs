//! Expressions in, scheduled times out.

mod changes;
mod decisions;
mod expressions;
mod property;

use foreshard_model::schedule::Timing;
use foreshard_model::units::TimeMs;

use super::{Schedule, Wanted, instant, rfc3339, timing};

/// A moment, or the test is wrong.
fn at(text: &str) -> TimeMs {
    instant(text).unwrap_or_else(|| panic!("`{text}` is no moment"))
}

fn wanted<'a>(expression: &'a str, zone: &'a str) -> Wanted<'a> {
    Wanted {
        expression,
        timezone: Some(zone),
        ..Wanted::default()
    }
}

fn understood(expression: &str, zone: &str) -> (Timing, Schedule) {
    let timing = timing(&wanted(expression, zone), at("2026-01-01T00:00:30Z")).unwrap();
    let schedule = Schedule::of(&timing).unwrap();
    (timing, schedule)
}

/// The next `count` times after a moment, one a line, in UTC.
fn next(expression: &str, zone: &str, after: &str, count: usize) -> String {
    let (_, schedule) = understood(expression, zone);
    lines(&schedule.upcoming(at(after), count))
}

fn lines(times: &[TimeMs]) -> String {
    let texts: Vec<String> = times.iter().map(|at| rfc3339(*at)).collect();
    texts.join("\n")
}

/// Everything that is wrong, one a line.
fn refused(wanted: &Wanted<'_>) -> String {
    let troubles = timing(wanted, at("2026-01-01T00:00:30Z")).unwrap_err();
    let texts: Vec<String> = troubles
        .iter()
        .map(|t| format!("{} {}: {}", t.code, t.field, t.message))
        .collect();
    texts.join("\n")
}
