//! Points in time as texts: the profile of RFC 3339 that the States Language compares.

/// Seconds since the epoch and nanoseconds of a timestamp such as `2016-03-14T01:59:00Z`; `None` when the text is none:
/// `T` and `Z` are capital, and there is a zone.
pub(super) fn instant(text: &str) -> Option<(i64, u32)> {
    let (date, time) = text.split_once('T')?;
    let [year, month, day] = numbers::<3>(date, '-', [4, 2, 2])?;
    let (clock, offset) = match time.strip_suffix('Z') {
        Some(clock) => (clock, 0),
        None => {
            let at = time.rfind(['+', '-'])?;
            let [hours, minutes] = numbers::<2>(&time[at + 1..], ':', [2, 2])?;
            let seconds = (hours * 60 + minutes) * 60;
            let east = time.as_bytes()[at] == b'+';
            (&time[..at], if east { seconds } else { -seconds })
        }
    };
    let (whole, fraction) = clock.split_once('.').unwrap_or((clock, "0"));
    let [hour, minute, second] = numbers::<3>(whole, ':', [2, 2, 2])?;
    let in_range = (1..=12).contains(&month)
        && (1..=31).contains(&day)
        && hour <= 23
        && minute <= 59
        && second <= 60;
    if !in_range || fraction.is_empty() || !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let nanos: u32 = format!("{fraction:0<9}")[..9].parse().ok()?;
    let seconds = days(year, month, day) * 86_400 + (hour * 60 + minute) * 60 + second - offset;
    Some((seconds, nanos))
}

/// Numbers of fixed lengths between separators.
fn numbers<const N: usize>(text: &str, separator: char, lengths: [usize; N]) -> Option<[i64; N]> {
    let mut out = [0; N];
    let mut parts = text.split(separator);
    for (place, length) in out.iter_mut().zip(lengths) {
        let part = parts.next()?;
        let digits = part.len() == length && part.bytes().all(|b| b.is_ascii_digit());
        *place = digits.then(|| part.parse().ok())??;
    }
    parts.next().is_none().then_some(out)
}

/// Days from 1970-01-01 in the Gregorian calendar, by the count of days since the first of March of year 0.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}
