//! `cron(…)` of EventBridge Scheduler: six fields, walked forward through the calendar.

use jiff::civil::{Date, DateTime, Weekday, date};

use super::field::{Form, HOURS, MINUTES, MONTH_DAYS, MONTHS, Numbers, WEEK_DAYS, YEARS, number};

/// Wall times.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Cron {
    minutes: Numbers,
    hours: Numbers,
    days: Days,
    months: Numbers,
    years: Numbers,
}

/// Which days: one of the two fields is `?`.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Days {
    OfMonth(Vec<MonthDay>),
    OfWeek(Vec<WeekDay>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum MonthDay {
    On(Numbers),
    /// `L`.
    Last,
    /// `LW`: the last Monday to Friday.
    LastWorkday,
    /// `15W`: the Monday to Friday that is nearest, within the month.
    Nearest(u16),
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum WeekDay {
    On(Numbers),
    /// `6L`: the last Friday of the month.
    LastOf(u16),
    /// `6#3`: the third Friday of the month.
    Nth(u16, u16),
}

impl Cron {
    /// Reads the six fields; everything that is wrong goes to `wrong`.
    pub(super) fn parse(text: &str, wrong: &mut Vec<String>) -> Option<Self> {
        let fields: Vec<&str> = text.split_ascii_whitespace().collect();
        let &[minutes, hours, month_days, months, week_days, years] = fields.as_slice() else {
            wrong.push(format!(
                "{} fields: six are needed, minutes hours day-of-month month day-of-week year",
                fields.len()
            ));
            return None;
        };
        let before = wrong.len();
        let cron = Self {
            minutes: Numbers::parse(minutes, MINUTES, wrong),
            hours: Numbers::parse(hours, HOURS, wrong),
            months: Numbers::parse(months, MONTHS, wrong),
            years: Numbers::parse(years, YEARS, wrong),
            days: match (month_days, week_days) {
                ("?", "?") => {
                    wrong.push("both days are `?`: one of them must say which".to_owned());
                    return None;
                }
                (days, "?") => Days::OfMonth(of_month(days, wrong)),
                ("?", days) => Days::OfWeek(of_week(days, wrong)),
                (month, week) => {
                    wrong.push(format!(
                        "day of month is `{month}` and day of week is `{week}`: one of them must be `?`"
                    ));
                    of_month(month, wrong);
                    of_week(week, wrong);
                    return None;
                }
            },
        };
        (wrong.len() == before).then_some(cron)
    }

    /// The first wall time after this one.
    ///
    /// # Complexity
    /// At most one step for each day until the last year that the expression names.
    pub(super) fn next_wall(&self, after: DateTime) -> Option<DateTime> {
        let mut day = after.date();
        // The minute after: seconds are always zero.
        let (mut hour, mut minute) = (whole(after.hour()), whole(after.minute()) + 1);
        loop {
            day = self.next_day(day)?;
            if day != after.date() {
                (hour, minute) = (0, 0);
            }
            if let Some((hour, minute)) = self.next_time(hour, minute) {
                return Some(day.at(narrow(hour), narrow(minute), 0, 0));
            }
            day = day.tomorrow().ok()?;
        }
    }

    /// The first matching time of a day from this one on.
    fn next_time(&self, hour: u16, minute: u16) -> Option<(u16, u16)> {
        if self.hours.has(hour)
            && let Some(minute) = self.minutes.at_least(minute)
        {
            return Some((hour, minute));
        }
        let hour = self.hours.at_least(hour + 1)?;
        Some((hour, self.minutes.first()))
    }

    /// The first matching day from this one on.
    fn next_day(&self, from: Date) -> Option<Date> {
        let mut day = from;
        loop {
            let year = u16::try_from(day.year()).ok()?;
            let wanted = self.years.at_least(year)?;
            if wanted > year {
                day = date(i16::try_from(wanted).ok()?, 1, 1);
                continue;
            }
            if !self.months.has(whole(day.month())) {
                day = day.last_of_month().tomorrow().ok()?;
                continue;
            }
            if self.days.has(day) {
                return Some(day);
            }
            day = day.tomorrow().ok()?;
        }
    }
}

impl Days {
    fn has(&self, day: Date) -> bool {
        match self {
            Self::OfMonth(list) => list.iter().any(|on| on.has(day)),
            Self::OfWeek(list) => list.iter().any(|on| on.has(day)),
        }
    }
}

impl MonthDay {
    fn has(&self, day: Date) -> bool {
        match self {
            Self::On(numbers) => numbers.has(whole(day.day())),
            Self::Last => day == day.last_of_month(),
            Self::LastWorkday => day == workday_near(day.last_of_month()),
            Self::Nearest(number) => {
                let last = day.last_of_month().day();
                let wanted = narrow(*number);
                wanted <= last && day == workday_near(date(day.year(), day.month(), wanted))
            }
        }
    }
}

impl WeekDay {
    fn has(&self, day: Date) -> bool {
        let of_week = whole(day.weekday().to_sunday_one_offset());
        match self {
            Self::On(numbers) => numbers.has(of_week),
            Self::LastOf(wanted) => of_week == *wanted && day.day() + 7 > day.last_of_month().day(),
            Self::Nth(wanted, nth) => of_week == *wanted && whole((day.day() - 1) / 7 + 1) == *nth,
        }
    }
}

/// The Monday to Friday nearest to a day, in the same month.
fn workday_near(day: Date) -> Date {
    let moved = match day.weekday() {
        Weekday::Saturday if day.day() == 1 => 2,
        Weekday::Saturday => -1,
        Weekday::Sunday if day == day.last_of_month() => -2,
        Weekday::Sunday => 1,
        _ => 0,
    };
    date(day.year(), day.month(), day.day() + moved)
}

fn of_month(text: &str, wrong: &mut Vec<String>) -> Vec<MonthDay> {
    let parts = text.split(',');
    parts.map(|part| month_day(part, wrong)).collect()
}

fn month_day(part: &str, wrong: &mut Vec<String>) -> MonthDay {
    if part.eq_ignore_ascii_case("L") {
        return MonthDay::Last;
    }
    if part.eq_ignore_ascii_case("LW") {
        return MonthDay::LastWorkday;
    }
    match part.strip_suffix(['W', 'w']) {
        Some(day) => MonthDay::Nearest(taken(day, MONTH_DAYS, wrong)),
        None => MonthDay::On(Numbers::parse(part, MONTH_DAYS, wrong)),
    }
}

fn of_week(text: &str, wrong: &mut Vec<String>) -> Vec<WeekDay> {
    if text.contains('#') && text.contains(',') {
        wrong.push(format!(
            "`{text}` as day of week: `#` must stand alone, make two schedules"
        ));
        return Vec::new();
    }
    text.split(',').map(|part| week_day(part, wrong)).collect()
}

fn week_day(part: &str, wrong: &mut Vec<String>) -> WeekDay {
    // A week ends on Saturday.
    if part.eq_ignore_ascii_case("L") {
        let mut numbers = Vec::new();
        return WeekDay::On(Numbers::parse("SAT", WEEK_DAYS, &mut numbers));
    }
    if let Some((day, nth)) = part.split_once('#') {
        let nth = nth.parse().ok().filter(|n| (1..=5).contains(n));
        if nth.is_none() {
            wrong.push(format!(
                "`{part}` as day of week: after `#` comes 1 to 5, which of the month"
            ));
        }
        return WeekDay::Nth(taken(day, WEEK_DAYS, wrong), nth.unwrap_or(1));
    }
    match part.strip_suffix(['L', 'l']) {
        Some(day) => WeekDay::LastOf(taken(day, WEEK_DAYS, wrong)),
        None => WeekDay::On(Numbers::parse(part, WEEK_DAYS, wrong)),
    }
}

fn taken(text: &str, form: Form, wrong: &mut Vec<String>) -> u16 {
    number(text, form).unwrap_or_else(|why| {
        wrong.push(why);
        form.least
    })
}

/// Parts of dates and times are never negative.
fn whole(part: i8) -> u16 {
    u16::try_from(part).unwrap_or_default()
}

fn narrow(number: u16) -> i8 {
    i8::try_from(number).unwrap_or_default()
}
