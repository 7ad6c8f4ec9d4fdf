//! Reads `cron(…)`, `rate(…)` and `at(…)`, the zone and the window, and says everything that is wrong with them at once.

use foreshard_model::schedule::Timing;
use foreshard_model::units::TimeMs;

use super::cron::Cron;
use super::zone::{Zone, instant};
use super::{Rule, Schedule, Trouble, code};

/// Longest expression. Source: EventBridge Scheduler API reference, `ScheduleExpression`.
const EXPRESSION_BYTES: usize = 256;

/// Milliseconds of a minute: nothing fires more often.
pub(super) const MINUTE_MS: u64 = 60_000;

/// Longest period of a rate, in days: ten years.
const RATE_DAYS: u64 = 3_660;

/// A schedule's timing as somebody wrote it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Wanted<'a> {
    /// `cron(…)`, `rate(…)` or `at(…)`.
    pub expression: &'a str,
    /// IANA name; UTC when absent.
    pub timezone: Option<&'a str>,
    /// RFC 3339.
    pub start: Option<&'a str>,
    /// RFC 3339.
    pub end: Option<&'a str>,
}

/// Understands what was written. A rate without a start counts from the first full minute after `now`.
///
/// # Errors
/// Everything that is wrong with it.
pub fn timing(wanted: &Wanted<'_>, now: TimeMs) -> Result<Timing, Vec<Trouble>> {
    let mut troubles = Vec::new();
    let rule = rule(wanted.expression, &mut troubles);
    let zone = Zone::named(wanted.timezone.unwrap_or("UTC"), &mut troubles);
    let start = moment("start", wanted.start, &mut troubles);
    let end = moment("end", wanted.end, &mut troubles);
    if let (Some(start), Some(end)) = (start, end)
        && end <= start
    {
        troubles.push(Trouble {
            field: "end",
            code: code::WINDOW,
            message: "the end is not after the start".to_owned(),
            hint: "leave one of them out, or give a later end".to_owned(),
        });
    }
    let (Some(rule), Some(zone), true) = (rule, zone, troubles.is_empty()) else {
        return Err(troubles);
    };
    let next_minute = TimeMs(now.0.div_ceil(MINUTE_MS) * MINUTE_MS);
    let timing = Timing {
        expression: wanted.expression.trim().to_owned(),
        timezone: zone.name().to_owned(),
        start,
        end,
        anchor: start.unwrap_or(next_minute),
    };
    let schedule = Schedule {
        rule,
        zone,
        start,
        end,
        anchor: timing.anchor,
    };
    if schedule.next_after(TimeMs(0)).is_none() {
        return Err(vec![Trouble {
            field: "expression",
            code: code::NEVER,
            message: format!("`{}` never comes", timing.expression),
            hint: "look at day, month, year, start and end: no date fits all of them".to_owned(),
        }]);
    }
    Ok(timing)
}

fn moment(field: &'static str, text: Option<&str>, troubles: &mut Vec<Trouble>) -> Option<TimeMs> {
    let text = text?;
    let found = instant(text);
    if found.is_none() {
        let shown: String = text.chars().take(64).collect();
        troubles.push(Trouble {
            field,
            code: code::WINDOW,
            message: format!("`{shown}` is not a moment"),
            hint: "write it as RFC 3339 with an offset, such as `2026-12-01T06:00:00Z`".to_owned(),
        });
    }
    found
}

/// What an expression says; what is wrong goes to `troubles`.
pub(super) fn rule(text: &str, troubles: &mut Vec<Trouble>) -> Option<Rule> {
    let text = text.trim();
    let mut wrong = Vec::new();
    let rule = if text.len() > EXPRESSION_BYTES {
        wrong.push(format!("longer than {EXPRESSION_BYTES} bytes"));
        None
    } else {
        match inside(text) {
            Some(("cron", rest)) => Cron::parse(rest, &mut wrong).map(|c| Rule::Cron(Box::new(c))),
            Some(("rate", rest)) => rate(rest, &mut wrong).map(Rule::Rate),
            Some(("at", rest)) => at(rest, &mut wrong),
            _ => {
                let shown: String = text.chars().take(64).collect();
                wrong.push(format!(
                    "`{shown}` is none of `cron(…)`, `rate(…)`, `at(…)`"
                ));
                None
            }
        }
    };
    troubles.extend(wrong.into_iter().map(|message| Trouble {
        field: "expression",
        code: code::EXPRESSION,
        message,
        hint:
            "such as `cron(0 2 * * ? *)`, `rate(5 minutes)`, `at(2026-12-24T18:00:00)`".to_owned(),
    }));
    rule
}

/// The word before the parentheses, and what is in them.
fn inside(text: &str) -> Option<(&str, &str)> {
    text.strip_suffix(')')?.split_once('(')
}

/// `<number> <unit>`: one of a unit is singular, more are plural, as the service wants it.
fn rate(text: &str, wrong: &mut Vec<String>) -> Option<u64> {
    let words: Vec<&str> = text.split_ascii_whitespace().collect();
    let &[number, unit] = words.as_slice() else {
        wrong.push(format!("`rate({text})`: a number and a unit are needed"));
        return None;
    };
    let number = number.parse::<u64>().ok().filter(|n| *n > 0);
    if number.is_none() {
        wrong.push(format!(
            "`rate({text})`: the number must be whole and above zero"
        ));
    }
    let minutes = match unit.trim_end_matches('s') {
        "minute" => Some(1),
        "hour" => Some(60),
        "day" => Some(24 * 60),
        _ => None,
    };
    if minutes.is_none() {
        wrong.push(format!(
            "`rate({text})`: the unit is minute, minutes, hour, hours, day or days"
        ));
    }
    let (number, minutes) = (number?, minutes?);
    if (number == 1) == unit.ends_with('s') {
        wrong.push(format!(
            "`rate({text})`: 1 goes with the singular, more with the plural"
        ));
        return None;
    }
    let period = number.saturating_mul(minutes);
    if period > RATE_DAYS * 24 * 60 {
        wrong.push(format!("`rate({text})`: at most {RATE_DAYS} days"));
        return None;
    }
    Some(period * MINUTE_MS)
}

/// `yyyy-mm-ddThh:mm:ss`, a wall time of the zone.
fn at(text: &str, wrong: &mut Vec<String>) -> Option<Rule> {
    let form = text.len() == 19 && text.as_bytes().get(10) == Some(&b'T');
    let found = form.then(|| text.parse().ok()).flatten();
    if found.is_none() {
        wrong.push(format!(
            "`at({text})`: a wall time as yyyy-mm-ddThh:mm:ss, without an offset"
        ));
    }
    found.map(Rule::At)
}
