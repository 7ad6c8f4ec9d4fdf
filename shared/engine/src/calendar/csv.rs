//! Calendars as CSV: a row for each event, named columns in any order.

use jiff::tz::TimeZone;

use foreshard_model::problem::Problem;

use super::recur::Rule;
use super::when::Wall;
use super::{Calendar, ENTRIES_MAX, Entry, Event, problem};

/// The columns; only `name` and `start` are needed.
const COLUMNS: [&str; 8] = [
    "name", "start", "end", "kind", "factor", "lanes", "region", "repeat",
];
/// Most problems that are told.
const PROBLEMS_MAX: usize = 20;

/// Reads a calendar. A date without an end is a day, a time without one an hour; the end of dates is the last day, inclusive.
pub fn read(text: &str) -> Result<Calendar, Vec<Problem>> {
    let mut lines = text.lines().enumerate().filter(|(_, line)| {
        let line = line.trim();
        !line.is_empty() && !line.starts_with('#')
    });
    let hint = "the first line names the columns: name,start,end,kind,factor,lanes,region,repeat";
    let Some((number, header)) = lines.next() else {
        return Err(vec![problem(0, "it is empty", hint)]);
    };
    let header: Vec<String> = fields(header)
        .iter()
        .map(|f| f.to_ascii_lowercase())
        .collect();
    let mut problems: Vec<Problem> = header
        .iter()
        .filter(|name| !COLUMNS.contains(&name.as_str()))
        .map(|name| problem(number + 1, &format!("`{}` is no column", shown(name)), hint))
        .collect();
    for needed in ["name", "start"] {
        if !header.iter().any(|name| name == needed) {
            problems.push(problem(
                number + 1,
                &format!("there is no column `{needed}`"),
                hint,
            ));
        }
    }
    let mut entries = Vec::new();
    if problems.is_empty() {
        for (number, line) in lines {
            if entries.len() == ENTRIES_MAX {
                problems.push(problem(
                    number + 1,
                    &format!("there are more than {ENTRIES_MAX} entries"),
                    "",
                ));
                break;
            }
            match entry(&header, &fields(line)) {
                Ok(entry) => entries.push(entry),
                Err((message, hint)) => problems.push(problem(number + 1, &message, hint)),
            }
        }
    }
    problems.truncate(PROBLEMS_MAX);
    if problems.is_empty() {
        Ok(Calendar {
            zone: TimeZone::UTC,
            entries,
        })
    } else {
        Err(problems)
    }
}

fn entry(header: &[String], fields: &[String]) -> Result<Entry, (String, &'static str)> {
    let get = |name: &str| {
        let at = header.iter().position(|column| column == name);
        at.and_then(|at| fields.get(at)).map_or("", |f| f.trim())
    };
    let moment = |name: &'static str| {
        let text = get(name);
        let hint = "such as 2026-12-24, 2026-12-24T18:00, 2026-12-24T18:00:00Z";
        let read = (!text.is_empty()).then(|| Wall::read(text, None));
        match read {
            Some(None) => Err((format!("`{}` is no time ({name})", shown(text)), hint)),
            other => Ok(other.flatten()),
        }
    };
    let number = |name: &'static str, otherwise: f64| match get(name) {
        "" => Ok(otherwise),
        text => text
            .parse()
            .ok()
            .filter(|n: &f64| n.is_finite() && *n >= 0.0)
            .ok_or_else(|| {
                (
                    format!("`{}` is no {name}", shown(text)),
                    "a number, 0 or more",
                )
            }),
    };
    if get("name").is_empty() {
        return Err(("it has no name".to_owned(), "events of one name are alike"));
    }
    let Some(start) = moment("start")? else {
        return Err(("it has no start".to_owned(), "such as 2026-12-24"));
    };
    let end = moment("end")?;
    let length_s = length(&start, end.as_ref());
    if length_s <= 0 {
        return Err(("its end is not after its start".to_owned(), ""));
    }
    let holiday = match get("kind") {
        "" | "event" => false,
        "holiday" => true,
        other => return Err((format!("`{}` is no kind", shown(other)), "holiday or event")),
    };
    let rule = match get("repeat") {
        "" => None,
        text => Some(Rule::read(text).map_err(|why| (why, "such as FREQ=WEEKLY;BYDAY=MO"))?),
    };
    Ok(Entry {
        event: Event {
            name: get("name").chars().take(200).collect(),
            start_s: 0,
            end_s: 0,
            holiday,
            factor: number("factor", 1.0)?,
            lanes: number("lanes", 0.0)?,
            region: Some(get("region"))
                .filter(|r| !r.is_empty())
                .map(str::to_owned),
        },
        start,
        length_s,
        rule,
        without: Vec::new(),
    })
}

/// From start to end: of dates the end is inclusive; without one a day, or an hour.
fn length(start: &Wall, end: Option<&Wall>) -> i64 {
    let until = end.map(|end| start.until(end, &TimeZone::UTC).unwrap_or(0));
    match (until, end) {
        (Some(days), Some(end)) if start.whole_day && end.whole_day => days + 86_400,
        (Some(until), _) => until,
        (None, _) if start.whole_day => 86_400,
        (None, _) => 3_600,
    }
}

/// The start of what somebody wrote.
fn shown(text: &str) -> String {
    text.chars().take(40).collect()
}

/// The fields of a line; in double quotes a field may hold commas, and two double quotes are one.
fn fields(line: &str) -> Vec<String> {
    let mut all = vec![String::new()];
    let mut quoted = false;
    let mut letters = line.trim().chars().peekable();
    while let Some(letter) = letters.next() {
        let Some(last) = all.last_mut() else { break };
        match letter {
            '"' if quoted && letters.peek() == Some(&'"') => {
                letters.next();
                last.push('"');
            }
            '"' => quoted = !quoted,
            ',' if !quoted => all.push(String::new()),
            other => last.push(other),
        }
    }
    all
}
