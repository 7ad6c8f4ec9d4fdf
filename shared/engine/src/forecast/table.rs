//! Tables of time and value as people export them: CSV, one line a sample, read line by line.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// Numbers from here on are seconds since 1970 (September 2001); smaller ones count steps.
const SECONDS_FROM: f64 = 1e9;
/// And from here on milliseconds.
const MILLIS_FROM: f64 = 1e12;

/// The columns of a table, from its first line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Columns {
    /// Position of the value; the time is the first column.
    pub value: usize,
    /// Whether the first line is a sample already.
    pub headless: bool,
}

/// Finds a column by its name, or takes the second.
///
/// # Errors
/// A name that the first line does not have, with those that it has.
pub fn columns(first: &str, name: Option<&str>) -> Result<Columns, String> {
    let names: Vec<&str> = first
        .split(',')
        .map(|n| n.trim().trim_matches('"'))
        .collect();
    let headless = names.len() < 2 || time(names[0], 1).is_some();
    let value = match name {
        None => Some(1),
        Some(name) => names.iter().position(|n| n.eq_ignore_ascii_case(name)),
    };
    let value = value.filter(|at| *at < names.len()).ok_or_else(|| {
        let shown: Vec<&str> = names.iter().take(20).copied().collect();
        format!(
            "there is no column `{}`; there are {}",
            name.unwrap_or("of values"),
            shown.join(", ")
        )
    })?;
    Ok(Columns { value, headless })
}

/// One line as time in seconds and value; no value where it is empty or no number. None for a line without a time.
///
/// Times are `2026-11-28T12:00:00Z`, `2026-11-28 12:00:00` (UTC), seconds or milliseconds since 1970, or numbers of steps.
#[must_use]
pub fn sample(line: &str, columns: Columns, step_s: u32) -> Option<(i64, Option<f64>)> {
    let mut fields = line.split(',').map(|f| f.trim().trim_matches('"'));
    let at_s = time(fields.next()?, step_s)?;
    let value = fields.nth(columns.value.checked_sub(1)?);
    Some((at_s, value.and_then(|v| v.parse().ok())))
}

fn time(text: &str, step_s: u32) -> Option<i64> {
    if let Ok(number) = text.parse::<f64>() {
        let seconds = match number {
            n if !n.is_finite() || n.abs() > 1e15 => return None,
            n if n >= MILLIS_FROM => n / 1000.0,
            n if n >= SECONDS_FROM => n,
            n => n * f64::from(step_s),
        };
        return Some(seconds.floor() as i64);
    }
    if let Ok(instant) = text.parse::<Timestamp>() {
        return Some(instant.as_second());
    }
    let wall: DateTime = text.parse().ok()?;
    Some(TimeZone::UTC.to_timestamp(wall).ok()?.as_second())
}
