//! One field of a cron expression: numbers, names, ranges, lists and steps, as a set of numbers.

/// What a field may hold.
#[derive(Debug, Clone, Copy)]
pub(super) struct Form {
    pub(super) name: &'static str,
    pub(super) least: u16,
    pub(super) most: u16,
    pub(super) names: &'static [&'static str],
    /// Whether `/` may be used.
    pub(super) steps: bool,
}

/// Source of the ranges: EventBridge Scheduler, "Cron-based schedules".
pub(super) const MINUTES: Form = Form {
    name: "minutes",
    least: 0,
    most: 59,
    names: &[],
    steps: true,
};
pub(super) const HOURS: Form = Form {
    name: "hours",
    most: 23,
    ..MINUTES
};
pub(super) const MONTH_DAYS: Form = Form {
    name: "day of month",
    least: 1,
    most: 31,
    ..MINUTES
};
pub(super) const MONTHS: Form = Form {
    name: "month",
    least: 1,
    most: 12,
    names: &[
        "JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC",
    ],
    steps: true,
};
/// Sunday is 1; `/` is not for days of the week.
pub(super) const WEEK_DAYS: Form = Form {
    name: "day of week",
    least: 1,
    most: 7,
    names: &["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"],
    steps: false,
};
pub(super) const YEARS: Form = Form {
    name: "year",
    least: 1970,
    most: 2199,
    ..MINUTES
};

/// A set of numbers of a field, ascending.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Numbers(Vec<u16>);

impl Numbers {
    /// Reads a field; what is wrong goes to `wrong`.
    pub(super) fn parse(text: &str, form: Form, wrong: &mut Vec<String>) -> Self {
        let mut out = Self::default();
        for part in text.split(',') {
            match range(part, form) {
                Ok((from, to, step)) => out.0.extend((from..=to).step_by(usize::from(step))),
                Err(why) => wrong.push(why),
            }
        }
        out.0.sort_unstable();
        out.0.dedup();
        out
    }

    pub(super) fn has(&self, number: u16) -> bool {
        self.0.binary_search(&number).is_ok()
    }

    /// The first one that is not below `number`.
    pub(super) fn at_least(&self, number: u16) -> Option<u16> {
        let place = self.0.partition_point(|n| *n < number);
        self.0.get(place).copied()
    }

    pub(super) fn first(&self) -> u16 {
        self.0.first().copied().unwrap_or_default()
    }
}

/// One part of a list: first, last, step.
fn range(part: &str, form: Form) -> Result<(u16, u16, u16), String> {
    let (base, step) = match part.split_once('/') {
        Some(_) if !form.steps => {
            return Err(format!(
                "`{part}` as {}: steps are not for it, name the days",
                form.name
            ));
        }
        Some((base, step)) => (base, Some(self::step(step, form)?)),
        None => (part, None),
    };
    let (from, to) = if base == "*" {
        (form.least, form.most)
    } else if let Some((from, to)) = base.split_once('-') {
        (number(from, form)?, number(to, form)?)
    } else {
        let from = number(base, form)?;
        (from, if step.is_some() { form.most } else { from })
    };
    if from > to {
        return Err(format!(
            "`{base}` as {}: the range ends before it begins, write two",
            form.name
        ));
    }
    Ok((from, to, step.unwrap_or(1)))
}

fn step(text: &str, form: Form) -> Result<u16, String> {
    let step = text.parse().ok().filter(|n| (1..=form.most).contains(n));
    step.ok_or_else(|| format!("`/{text}` as {}: a step from 1 to {}", form.name, form.most))
}

/// A number or a name of the field.
pub(super) fn number(text: &str, form: Form) -> Result<u16, String> {
    let named = form.names.iter().zip(form.least..);
    let named = named
        .filter(|(name, _)| name.eq_ignore_ascii_case(text))
        .map(|(_, n)| n)
        .next();
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let number = named.or_else(|| digits.then(|| text.parse().ok()).flatten());
    number
        .filter(|n| (form.least..=form.most).contains(n))
        .ok_or_else(|| {
            let names = match form.names {
                [first, .., last] => format!(" or {first} to {last}"),
                _ => String::new(),
            };
            format!(
                "`{text}` as {}: {} to {}{names}",
                form.name, form.least, form.most
            )
        })
}
