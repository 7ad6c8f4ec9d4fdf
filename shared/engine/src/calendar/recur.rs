//! Repetitions: the rules of RFC 5545 that calendars of holidays and batch windows use.

use jiff::civil::{Date, Weekday};

/// Days that a rule is followed at most: 60 years.
const DAYS_MAX: usize = 21_915;

/// How often.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Frequency {
    Daily,
    Weekly,
    Monthly,
    Yearly,
}

/// A repetition.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    frequency: Frequency,
    interval: i32,
    count: Option<usize>,
    until: Option<Date>,
    /// Weekdays, each with which of the month: 0 every, 4 the fourth, -1 the last.
    days: Vec<(i32, Weekday)>,
    months: Vec<i8>,
    month_days: Vec<i8>,
}

impl Rule {
    /// Reads `FREQ=YEARLY;BYMONTH=11;BYDAY=4TH` and the like.
    ///
    /// # Errors
    /// What it has that is not followed.
    pub fn read(text: &str) -> Result<Self, String> {
        let mut rule = Self {
            frequency: Frequency::Yearly,
            interval: 1,
            count: None,
            until: None,
            days: Vec::new(),
            months: Vec::new(),
            month_days: Vec::new(),
        };
        let mut frequent = false;
        for part in text.split(';').filter(|p| !p.is_empty()) {
            let (name, value) = part
                .split_once('=')
                .ok_or_else(|| format!("`{part}` has no value"))?;
            let wrong = || format!("`{part}` is not followed");
            match name.to_ascii_uppercase().as_str() {
                "FREQ" => {
                    rule.frequency = frequency(value).ok_or_else(wrong)?;
                    frequent = true;
                }
                "INTERVAL" => {
                    rule.interval = value.parse().ok().filter(|n| *n > 0).ok_or_else(wrong)?
                }
                "COUNT" => rule.count = Some(value.parse().map_err(|_| wrong())?),
                "UNTIL" => {
                    rule.until = Some(
                        value
                            .get(..8)
                            .and_then(|d| d.parse().ok())
                            .or_else(|| value.get(..10)?.parse().ok())
                            .ok_or_else(wrong)?,
                    )
                }
                "BYDAY" => rule.days = list(value, weekday).ok_or_else(wrong)?,
                "BYMONTH" => {
                    rule.months = list(value, |m| m.parse().ok().filter(|m| (1..=12).contains(m)))
                        .ok_or_else(wrong)?
                }
                "BYMONTHDAY" => {
                    rule.month_days = list(value, |d| {
                        d.parse().ok().filter(|d| *d != 0 && (-31..=31).contains(d))
                    })
                    .ok_or_else(wrong)?
                }
                "WKST" if value.eq_ignore_ascii_case("MO") => {}
                _ => return Err(wrong()),
            }
        }
        let numbered = rule.days.iter().any(|(which, _)| *which != 0);
        let monthly = rule.frequency == Frequency::Monthly
            || rule.frequency == Frequency::Yearly && !rule.months.is_empty();
        if !frequent {
            return Err(format!("`{text}` has no FREQ"));
        }
        if numbered && !monthly {
            return Err("a numbered BYDAY is followed within months only".to_owned());
        }
        Ok(rule)
    }

    /// The dates from `first` to `last` that a start repeats on.
    pub fn dates(&self, start: Date, first: Date, last: Date) -> Vec<Date> {
        // What is counted, is counted from its start.
        let from = if self.count.is_some() {
            start
        } else {
            start.max(first)
        };
        let end = self.until.map_or(last, |until| until.min(last));
        let mut found = Vec::new();
        let mut met = 0;
        for date in from.series(jiff::Span::new().days(1)).take(DAYS_MAX) {
            if date > end || self.count.is_some_and(|count| met >= count) {
                break;
            }
            if self.meets(start, date) {
                met += 1;
                if date >= first {
                    found.push(date);
                }
            }
        }
        found
    }

    fn meets(&self, start: Date, date: Date) -> bool {
        let months = |d: Date| i32::from(d.year()) * 12 + i32::from(d.month());
        let apart = match self.frequency {
            Frequency::Daily => days(date) - days(start),
            Frequency::Weekly => (days(date) + 3).div_euclid(7) - (days(start) + 3).div_euclid(7),
            Frequency::Monthly => months(date) - months(start),
            Frequency::Yearly => i32::from(date.year()) - i32::from(start.year()),
        };
        let in_month = match (self.frequency, self.months.is_empty()) {
            (Frequency::Yearly, true) if self.month_days.is_empty() && self.days.is_empty() => {
                date.month() == start.month()
            }
            (_, true) => true,
            (_, false) => self.months.contains(&date.month()),
        };
        apart % self.interval == 0 && in_month && self.on_day(start, date)
    }

    fn on_day(&self, start: Date, date: Date) -> bool {
        let length = i32::from(date.days_in_month());
        let day = i32::from(date.day());
        let on_month_day = |wanted: &i8| {
            let wanted = i32::from(*wanted);
            wanted == day || wanted == day - length - 1
        };
        let on_weekday = |&(which, weekday): &(i32, Weekday)| {
            let forward = (day - 1) / 7 + 1;
            let backward = -((length - day) / 7 + 1);
            weekday == date.weekday() && (which == 0 || which == forward || which == backward)
        };
        let by_day = self.days.is_empty() || self.days.iter().any(on_weekday);
        let by_month_day = self.month_days.is_empty() || self.month_days.iter().any(on_month_day);
        let implied = match self.frequency {
            _ if !self.days.is_empty() || !self.month_days.is_empty() => true,
            Frequency::Daily => true,
            Frequency::Weekly => date.weekday() == start.weekday(),
            Frequency::Monthly | Frequency::Yearly => date.day() == start.day(),
        };
        by_day && by_month_day && implied
    }
}

/// Days since 1970.
fn days(date: Date) -> i32 {
    let epoch = jiff::civil::date(1970, 1, 1);
    date.since((jiff::Unit::Day, epoch))
        .map_or(0, |span| span.get_days())
}

fn frequency(value: &str) -> Option<Frequency> {
    Some(match value.to_ascii_uppercase().as_str() {
        "DAILY" => Frequency::Daily,
        "WEEKLY" => Frequency::Weekly,
        "MONTHLY" => Frequency::Monthly,
        "YEARLY" => Frequency::Yearly,
        _ => return None,
    })
}

fn list<T>(value: &str, one: impl Fn(&str) -> Option<T>) -> Option<Vec<T>> {
    value.split(',').map(|item| one(item.trim())).collect()
}

/// `MO`, `4TH`, `-1SU`.
fn weekday(text: &str) -> Option<(i32, Weekday)> {
    let at = text.len().checked_sub(2)?;
    let (number, name) = (text.get(..at)?, text.get(at..)?);
    let which = if number.is_empty() {
        0
    } else {
        number.parse().ok().filter(|n| *n != 0)?
    };
    let weekday = match name.to_ascii_uppercase().as_str() {
        "MO" => Weekday::Monday,
        "TU" => Weekday::Tuesday,
        "WE" => Weekday::Wednesday,
        "TH" => Weekday::Thursday,
        "FR" => Weekday::Friday,
        "SA" => Weekday::Saturday,
        "SU" => Weekday::Sunday,
        _ => return None,
    };
    Some((which, weekday))
}
