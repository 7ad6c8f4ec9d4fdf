//! Holidays and events: read from iCalendar or CSV, and told for any span of time.

mod csv;
mod ical;
mod recur;
mod when;

use foreshard_model::problem::{Problem, Severity};
use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;

use recur::Rule;
use when::Wall;

#[cfg(test)]
mod tests;

/// Code of what is wrong with a calendar.
pub const CODE: &str = "FS2030";
/// Most entries of a calendar: one that has more is no calendar of events but a log of them.
pub const ENTRIES_MAX: usize = 10_000;
/// Most events that one span is told.
const EVENTS_MAX: usize = 100_000;
/// Longest text that is read, in bytes.
pub const BYTES_MAX: usize = 4 << 20;
/// Times before this are counts from an arbitrary start, not dates, and have no weekday: the year 2001, in seconds.
const DATED_FROM_S: i64 = 978_307_200;
/// The holidays that ship: days on which banks of the euro area or the United States are closed, and the days of most orders.
const STARTER: &str = include_str!("starter.csv");

/// Events and holidays in one time zone.
#[derive(Debug, Clone)]
pub struct Calendar {
    zone: TimeZone,
    entries: Vec<Entry>,
}

/// An event as written, with its repetitions.
#[derive(Debug, Clone)]
struct Entry {
    event: Event,
    start: Wall,
    /// From its start to its end.
    length_s: i64,
    rule: Option<Rule>,
    without: Vec<Date>,
}

/// One event at one time.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// What it is called. Events of one name are alike: what one brought is expected of the next.
    pub name: String,
    /// From when: seconds since 1970.
    pub start_s: i64,
    /// Until when, exclusive.
    pub end_s: i64,
    /// A day on which less is worked.
    pub holiday: bool,
    /// What load is multiplied by while it lasts, where that is known beforehand; else 1.
    pub factor: f64,
    /// Concurrency that it takes while it lasts, beside what is measured; else 0.
    pub lanes: f64,
    /// The region that it concerns; all when absent.
    pub region: Option<String>,
}

impl Event {
    /// Whether it says beforehand what it does to load.
    #[must_use]
    pub fn declares(&self) -> bool {
        self.factor != 1.0
    }

    /// Whether a moment falls into it.
    #[must_use]
    pub fn covers(&self, at_s: i64) -> bool {
        self.start_s <= at_s && at_s < self.end_s
    }
}

impl Default for Calendar {
    fn default() -> Self {
        Self {
            zone: TimeZone::UTC,
            entries: Vec::new(),
        }
    }
}

impl Calendar {
    /// Reads iCalendar (RFC 5545) or CSV; which of them, the text says.
    ///
    /// # Errors
    /// Everything that is wrong with it, with its line (FS2030).
    pub fn read(text: &[u8]) -> Result<Self, Vec<Problem>> {
        if text.len() > BYTES_MAX {
            let message = format!("it has {} bytes, more than {BYTES_MAX}", text.len());
            return Err(vec![problem(0, &message, "a calendar of events is small")]);
        }
        let text = String::from_utf8_lossy(text);
        let text = text.trim_start_matches('\u{feff}');
        if text
            .trim_start()
            .get(..15)
            .is_some_and(|t| t.eq_ignore_ascii_case("BEGIN:VCALENDAR"))
        {
            ical::read(text)
        } else {
            csv::read(text)
        }
    }

    /// The holidays that ship with the product: 2025 to 2030.
    #[must_use]
    pub fn starter() -> Self {
        csv::read(STARTER).unwrap_or_default()
    }

    /// Number of entries; a repeated one counts once.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether nothing is in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// This one's entries and another's, in this one's zone.
    #[must_use]
    pub fn with(mut self, other: Self) -> Self {
        self.entries.extend(other.entries);
        self
    }

    /// Only what concerns a region.
    #[must_use]
    pub fn of_region(&self, region: &str) -> Self {
        let concerns = |e: &&Entry| e.event.region.as_deref().is_none_or(|r| r == region);
        Self {
            zone: self.zone.clone(),
            entries: self.entries.iter().filter(concerns).cloned().collect(),
        }
    }

    /// What takes place between two moments, by its start: at most 100,000 events.
    #[must_use]
    pub fn between(&self, from_s: i64, to_s: i64) -> Vec<Event> {
        let mut found = Vec::new();
        for entry in &self.entries {
            entry.between(from_s, to_s, &self.zone, &mut found);
        }
        found.sort_by(|a, b| (a.start_s, &a.name).cmp(&(b.start_s, &b.name)));
        found
    }

    /// For each step whether its day is a workday (0), a weekend (1) or a holiday (2). Times before the year 2001 are no dates:
    /// all their days are alike.
    #[must_use]
    pub fn day_kinds(&self, start_s: i64, step_s: u32, steps: usize) -> Vec<u8> {
        let mut kinds = vec![0; steps];
        if start_s < DATED_FROM_S {
            return kinds;
        }
        let step = i64::from(step_s.max(1));
        let end_s = start_s.saturating_add(step.saturating_mul(steps as i64));
        let holidays = self.between(start_s, end_s);
        let holidays: Vec<&Event> = holidays.iter().filter(|e| e.holiday).collect();
        let mut at = 0;
        while at < steps {
            let at_s = start_s + step * at as i64;
            let Some((date, next_s)) = when::day(at_s, &self.zone) else {
                break;
            };
            let weekend = matches!(date.weekday(), Weekday::Saturday | Weekday::Sunday);
            let last = ((next_s - start_s + step - 1) / step).clamp(at as i64 + 1, steps as i64);
            for (index, kind) in kinds[at..last as usize].iter_mut().enumerate() {
                let moment = at_s + step * index as i64;
                let holiday = holidays.iter().any(|event| event.covers(moment));
                *kind = if holiday { 2 } else { u8::from(weekend) };
            }
            at = last as usize;
        }
        kinds
    }
}

impl Entry {
    fn between(&self, from_s: i64, to_s: i64, zone: &TimeZone, found: &mut Vec<Event>) {
        let mut tell = |wall: &Wall| {
            let Some(start_s) = wall.seconds(zone) else {
                return;
            };
            let end_s = wall.end(self.length_s, zone).unwrap_or(start_s);
            if start_s < to_s && end_s > from_s && found.len() < EVENTS_MAX {
                found.push(Event {
                    start_s,
                    end_s,
                    ..self.event.clone()
                });
            }
        };
        let Some(rule) = &self.rule else {
            tell(&self.start);
            return;
        };
        let first = when::day(from_s.saturating_sub(self.length_s + 86_400 * 2), zone);
        let last = when::day(to_s.saturating_add(86_400 * 2), zone);
        let (Some((first, _)), Some((last, _))) = (first, last) else {
            return;
        };
        for date in rule.dates(self.start.date(), first, last) {
            if !self.without.contains(&date) {
                tell(&self.start.on(date));
            }
        }
    }
}

/// What is wrong on a line; line 0: with the whole.
fn problem(line: usize, message: &str, hint: &str) -> Problem {
    Problem {
        code: CODE.to_owned(),
        severity: Severity::Error,
        path: if line == 0 {
            "calendar".to_owned()
        } else {
            format!("line {line}")
        },
        place: None,
        message: message.to_owned(),
        hint: (!hint.is_empty()).then(|| hint.to_owned()),
    }
}
