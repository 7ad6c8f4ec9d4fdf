//! `list`: the caller's runs, narrowed as asked.

use foreshard_aws::client::RunFilter;
use foreshard_model::units::TimeMs;
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};

use crate::args::{Arguments, Format, List};
use crate::deployment::client;
use crate::exit::{CliError, Exit};
use crate::render::runs::table;
use crate::render::{data, json};

/// Lists runs, newest first.
///
/// # Errors
/// A time that is none, a refusal, or no answer.
pub async fn list(arguments: &Arguments, wanted: &List) -> Result<Exit, CliError> {
    let now = Timestamp::now();
    let moment = |text: &Option<String>| text.as_deref().map(|t| moment(t, now)).transpose();
    let filter = RunFilter {
        state: wanted.status.clone(),
        workflow: wanted.workflow.clone(),
        since: moment(&wanted.since)?,
        until: moment(&wanted.until)?,
        key: None,
    };
    let client = client(arguments).await?;
    let (mut runs, mut after) = (Vec::new(), None);
    while runs.len() < wanted.limit {
        let left = wanted.limit - runs.len();
        let page = client.runs(&filter, left, after.as_deref()).await?;
        runs.extend(page.runs);
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    if arguments.format == Format::Json {
        json(&runs);
    } else {
        data(&table(&runs));
    }
    Ok(Exit::Success)
}

/// A day (its beginning, UTC), a moment (RFC 3339), or a time before `now`.
fn moment(text: &str, now: Timestamp) -> Result<TimeMs, CliError> {
    let day = |day: Date| Some(day.at(0, 0, 0, 0).in_tz("UTC").ok()?.timestamp());
    let ago = |ago: SignedDuration| now.checked_sub(ago).ok();
    let at = (text
        .parse::<Date>()
        .ok()
        .filter(|_| !text.contains(['T', 't'])))
    .and_then(day)
    .or_else(|| text.parse::<Timestamp>().ok())
    .or_else(|| text.parse::<SignedDuration>().ok().and_then(ago));
    let ms = at.and_then(|at| u64::try_from(at.as_millisecond()).ok());
    ms.map(TimeMs).ok_or_else(|| {
        CliError::Argument(format!(
            "`{text}` is not a time: `2026-11-21`, `2026-11-21T08:00:00Z`, or as long ago as `36h`"
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str) -> String {
        let now = Timestamp::from_millisecond(1_700_000_000_000).unwrap();
        match moment(text, now) {
            Ok(at) => at.to_string(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn times_are_days_moments_or_so_long_ago() {
        assert_eq!(check("1970-01-02"), "86400000 ms");
        assert_eq!(check("1970-01-01T00:00:01.5Z"), "1500 ms");
        assert_eq!(check("1970-01-01T01:00:00+01:00"), "0 ms");
        assert_eq!(check("36h"), "1699870400000 ms");
        assert_eq!(check("90m"), "1699994600000 ms");
        for bad in ["yesterday", "", "1969-12-31", "12"] {
            assert!(check(bad).contains("is not a time"), "{bad}");
        }
    }
}
