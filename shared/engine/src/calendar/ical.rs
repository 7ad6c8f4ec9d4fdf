//! Calendars as iCalendar (RFC 5545): the events of what calendar programs export.

use foreshard_model::problem::Problem;
use jiff::SignedDuration;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::recur::Rule;
use super::when::{Wall, zone};
use super::{Calendar, ENTRIES_MAX, Entry, Event, problem};

/// Most problems that are told.
const PROBLEMS_MAX: usize = 20;

/// One content line: name, parameters, value.
struct Line {
    number: usize,
    name: String,
    parameters: Vec<(String, String)>,
    value: String,
}

/// Reads the events. Of a calendar's properties its zone (`X-WR-TIMEZONE`) is read, of an event `SUMMARY`, `DTSTART`, `DTEND`,
/// `DURATION`, `RRULE`, `EXDATE`, `CATEGORIES` (`HOLIDAY` makes it one), `STATUS` (cancelled ones are left out), and
/// `X-FORESHARD-FACTOR`, `-LANES`, `-REGION`.
pub fn read(text: &str) -> Result<Calendar, Vec<Problem>> {
    let mut problems = Vec::new();
    let mut calendar = Calendar::default();
    let mut event: Option<Vec<Line>> = None;
    let mut inside = 0_usize;
    for line in lines(text) {
        match (line.name.as_str(), line.value.to_ascii_uppercase().as_str()) {
            ("BEGIN", "VEVENT") => event = Some(Vec::new()),
            ("BEGIN", _) if event.is_some() => inside += 1,
            ("END", "VEVENT") => {
                let lines = event.take().unwrap_or_default();
                if calendar.entries.len() == ENTRIES_MAX {
                    let message = format!("there are more than {ENTRIES_MAX} events");
                    problems.push(problem(line.number, &message, ""));
                    break;
                }
                match entry(&lines) {
                    Ok(entry) => calendar.entries.extend(entry),
                    Err((at, why)) => problems.push(problem(at.max(1), &why, "")),
                }
                inside = 0;
            }
            ("END", _) if event.is_some() => inside = inside.saturating_sub(1),
            ("X-WR-TIMEZONE", _) => match zone(&line.value) {
                Some(zone) => calendar.zone = zone,
                None => problems.push(problem(
                    line.number,
                    "X-WR-TIMEZONE is no time zone",
                    "an IANA name",
                )),
            },
            _ => {
                // An alarm inside an event is none of its properties.
                if let (Some(event), 0) = (&mut event, inside) {
                    event.push(line);
                }
            }
        }
    }
    problems.truncate(PROBLEMS_MAX);
    if problems.is_empty() {
        Ok(calendar)
    } else {
        Err(problems)
    }
}

/// An event; none where it is cancelled.
fn entry(lines: &[Line]) -> Result<Option<Entry>, (usize, String)> {
    let get = |name: &str| lines.iter().find(|line| line.name == name);
    let text = |name: &str| get(name).map_or("", |line| line.value.trim());
    if text("STATUS").eq_ignore_ascii_case("CANCELLED") {
        return Ok(None);
    }
    let first = lines.first().map_or(0, |line| line.number);
    let Some(line) = get("DTSTART") else {
        return Err((first, "an event has no DTSTART".to_owned()));
    };
    let start = moment(line)?;
    let usual = if start.whole_day { 86_400 } else { 3_600 };
    let length_s = match (get("DTEND"), get("DURATION")) {
        (Some(end), _) => start.until(&moment(end)?, &TimeZone::UTC).unwrap_or(0),
        (None, Some(line)) => duration(line)?,
        (None, None) => usual,
    };
    if length_s <= 0 {
        return Err((
            line.number,
            "an event's end is not after its start".to_owned(),
        ));
    }
    let rule = get("RRULE").map(|line| Rule::read(&line.value).map_err(|why| (line.number, why)));
    let number = |name: &str, otherwise: f64| match get(name) {
        None => Ok(otherwise),
        Some(line) => {
            let read = line.value.trim().parse().ok();
            let read = read.filter(|n: &f64| n.is_finite() && *n >= 0.0);
            read.ok_or_else(|| (line.number, format!("{name} is no number, 0 or more")))
        }
    };
    let mut without: Vec<Date> = Vec::new();
    for line in lines.iter().filter(|line| line.name == "EXDATE") {
        let dates = line.value.split(',').filter_map(|d| Wall::read(d, None));
        without.extend(dates.map(|wall| wall.date()));
    }
    let summary = text("SUMMARY").replace("\\,", ",").replace("\\;", ";");
    Ok(Some(Entry {
        event: Event {
            name: if summary.is_empty() {
                "event".to_owned()
            } else {
                summary.chars().take(200).collect()
            },
            start_s: 0,
            end_s: 0,
            holiday: text("CATEGORIES").to_ascii_uppercase().contains("HOLIDAY"),
            factor: number("X-FORESHARD-FACTOR", 1.0)?,
            lanes: number("X-FORESHARD-LANES", 0.0)?,
            region: Some(text("X-FORESHARD-REGION"))
                .filter(|r| !r.is_empty())
                .map(str::to_owned),
        },
        start,
        length_s,
        rule: rule.transpose()?,
        without,
    }))
}

fn moment(line: &Line) -> Result<Wall, (usize, String)> {
    let named = line.parameters.iter().find(|(name, _)| name == "TZID");
    let own = match named {
        None => None,
        Some((_, name)) => Some(zone(name).ok_or_else(|| {
            let name: String = name.chars().take(40).collect();
            (line.number, format!("`{name}` is no time zone (TZID)"))
        })?),
    };
    let shown: String = line.value.chars().take(40).collect();
    Wall::read(&line.value, own)
        .ok_or_else(|| (line.number, format!("`{shown}` is no time ({})", line.name)))
}

fn duration(line: &Line) -> Result<i64, (usize, String)> {
    let wrong = || {
        (
            line.number,
            "DURATION is not such as PT2H, P1D, P2W".to_owned(),
        )
    };
    let value = line.value.trim().trim_start_matches('+');
    // Days and weeks have a fixed length here.
    let (days, rest) = match value
        .strip_prefix('P')
        .and_then(|v| v.split_once(['D', 'W']))
    {
        Some((number, rest)) if !number.contains('T') => {
            let each = if value.contains('W') { 7 } else { 1 };
            let number: i64 = number.parse().map_err(|_| wrong())?;
            (
                number.checked_mul(each * 86_400).ok_or_else(wrong)?,
                format!("P{rest}"),
            )
        }
        _ => (0, value.to_owned()),
    };
    if rest == "P" {
        return Ok(days);
    }
    let time: SignedDuration = rest.parse().map_err(|_| wrong())?;
    days.checked_add(time.as_secs()).ok_or_else(wrong)
}

/// Content lines, unfolded: a line that begins with a space or tab goes on with the one before.
fn lines(text: &str) -> Vec<Line> {
    let mut whole: Vec<(usize, String)> = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let line = line.trim_end_matches('\r');
        match (line.strip_prefix([' ', '\t']), whole.last_mut()) {
            (Some(rest), Some((_, last))) => last.push_str(rest),
            _ => whole.push((number + 1, line.to_owned())),
        }
    }
    whole
        .into_iter()
        .filter_map(|(number, line)| content(number, &line))
        .collect()
}

fn content(number: usize, line: &str) -> Option<Line> {
    let mut quoted = false;
    let colon = line.find(|letter| {
        quoted ^= letter == '"';
        letter == ':' && !quoted
    })?;
    let mut head = line[..colon].split(';');
    let name = head.next()?.to_ascii_uppercase();
    let parameters = head
        .filter_map(|part| part.split_once('='))
        .map(|(name, value)| {
            (
                name.to_ascii_uppercase(),
                value.trim_matches('"').to_owned(),
            )
        })
        .collect();
    Some(Line {
        number,
        name,
        parameters,
        value: line[colon + 1..].to_owned(),
    })
}
