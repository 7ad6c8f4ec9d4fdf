//! Moments as calendars write them: dates, wall times in a zone, instants.

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::{TimeZone, TimeZoneDatabase};
use jiff::{Timestamp, ToSpan as _};

/// Longest text that is looked up as a zone.
const ZONE_BYTES: usize = 64;

/// A start as written.
#[derive(Debug, Clone)]
pub struct Wall {
    at: DateTime,
    /// Its own zone; that of the calendar when absent.
    zone: Option<TimeZone>,
    /// A whole day: its length is of days, whatever the clocks do.
    pub whole_day: bool,
}

impl Wall {
    /// A whole day in the calendar's zone.
    pub fn of_day(date: Date) -> Self {
        Self {
            at: date.to_datetime(Time::midnight()),
            zone: None,
            whole_day: true,
        }
    }

    /// A time of day.
    pub fn of_time(at: DateTime, zone: Option<TimeZone>) -> Self {
        Self {
            at,
            zone,
            whole_day: false,
        }
    }

    /// Reads `2026-12-24`, `2026-12-24T18:00[:00]`, with `Z` or an offset; and the same without separators, as iCalendar has them.
    pub fn read(text: &str, zone: Option<TimeZone>) -> Option<Self> {
        let text = text.trim();
        if !text.is_ascii() || text.len() > 40 {
            return None;
        }
        if let Ok(instant) = text.parse::<Timestamp>() {
            let at = TimeZone::UTC.to_datetime(instant);
            return Some(Self::of_time(at, Some(TimeZone::UTC)));
        }
        if let Some(wall) = text.strip_suffix('Z') {
            return Some(Self::of_time(wall.parse().ok()?, Some(TimeZone::UTC)));
        }
        if text.contains(['T', ' ']) {
            return Some(Self::of_time(text.parse().ok()?, zone));
        }
        Some(Self::of_day(text.parse().ok()?))
    }

    /// Its date.
    pub fn date(&self) -> Date {
        self.at.date()
    }

    /// The same time of another day.
    pub fn on(&self, date: Date) -> Self {
        Self {
            at: date.to_datetime(self.at.time()),
            ..self.clone()
        }
    }

    /// Seconds since 1970; a wall time that the clocks skip is an hour later, of a repeated one the first.
    pub fn seconds(&self, calendar: &TimeZone) -> Option<i64> {
        seconds(self.at, self.zone.as_ref().unwrap_or(calendar))
    }

    /// Its end after so many seconds; of whole days, so many days.
    pub fn end(&self, length_s: i64, calendar: &TimeZone) -> Option<i64> {
        if !self.whole_day {
            return self.seconds(calendar)?.checked_add(length_s);
        }
        let end = self.at.checked_add((length_s / 86_400).days()).ok()?;
        seconds(end, self.zone.as_ref().unwrap_or(calendar))
    }

    /// From here to another, in seconds; between whole days, so many days of 86,400 s.
    pub fn until(&self, end: &Self, calendar: &TimeZone) -> Option<i64> {
        if self.whole_day && end.whole_day {
            let days = end
                .at
                .date()
                .since((jiff::Unit::Day, self.at.date()))
                .ok()?;
            return Some(i64::from(days.get_days()) * 86_400);
        }
        end.seconds(calendar)?.checked_sub(self.seconds(calendar)?)
    }
}

fn seconds(at: DateTime, zone: &TimeZone) -> Option<i64> {
    let zoned = zone.to_ambiguous_zoned(at).compatible().ok()?;
    Some(zoned.timestamp().as_second())
}

/// The day of a moment in a zone, and when the next begins.
pub fn day(at_s: i64, zone: &TimeZone) -> Option<(Date, i64)> {
    let date = zone.to_datetime(Timestamp::from_second(at_s).ok()?).date();
    let next = date.tomorrow().ok()?.to_datetime(Time::midnight());
    Some((date, seconds(next, zone)?.max(at_s + 1)))
}

/// A zone by its IANA name.
pub fn zone(name: &str) -> Option<TimeZone> {
    if name.len() > ZONE_BYTES {
        return None;
    }
    TimeZoneDatabase::bundled().get(name).ok()
}
