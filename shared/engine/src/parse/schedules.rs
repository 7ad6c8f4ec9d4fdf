//! The schedules that a document declares: read, understood, and everything that is wrong with them reported.

use foreshard_model::schedule::{Declared, Overlap};
use foreshard_model::units::TimeMs;

use super::code::Code;
use super::decode::{Entries, Given, Json, Marked};
use super::forms::ScheduleName;
use super::problems::{At, Mark, Step, Trouble};
use super::record::{record, words};
use crate::schedule::{Wanted, code, timing};

/// Schedules of one document.
const SCHEDULES: usize = 32;

record! {
    /// When the workflow runs by itself.
    closed struct ScheduleFields {
        /// `cron(…)`, `rate(…)` or `at(…)`, as Amazon EventBridge Scheduler writes them: `cron(0 2 * * ? *)`,
        /// `rate(5 minutes)`, `at(2026-12-24T18:00:00)`.
        #[schemars(extend("pattern" = r"^\s*(cron|rate|at)\(.*\)\s*$", "maxLength" = 256))]
        required "expression" expression: Marked<String>,
        /// IANA name of the time zone of `cron` and `at`; `UTC` when nothing is said.
        optional "timezone" timezone: Given<Marked<String>>,
        /// Nothing fires before it; RFC 3339, in quotes: "2026-12-01T00:00:00Z".
        #[schemars(extend("format" = "date-time"))]
        optional "start" start: Given<Marked<String>>,
        /// Nothing fires after it; RFC 3339, in quotes.
        #[schemars(extend("format" = "date-time"))]
        optional "end" end: Given<Marked<String>>,
        /// What happens while the run of an earlier time has not ended: `allow` (the new one starts beside it) or `skip`.
        optional "overlap" overlap: Overlap,
        /// Whether times that were missed get their runs at the next one; `false` when nothing is said.
        optional "catch_up" catch_up: Given<bool>,
        /// Input of its runs; an object gets the member `scheduled_time`, unless it has one.
        optional "input" input: Given<Json>,
    }
}

words! { Overlap:
    "allow" => Self::Allow,
    "skip" => Self::Skip,
}

/// The schedules of a document.
pub(crate) fn schedules(
    entries: Entries<ScheduleName, ScheduleFields>,
    at: &mut At<'_>,
) -> Vec<Declared> {
    at.within(Step::Field("schedules"), |at| {
        if let Some((name, _)) = entries.0.get(SCHEDULES) {
            let message = format!("more than {SCHEDULES} schedules");
            at.report(Trouble::new(Code::OutOfRange, name.mark, message));
        }
        let entries = entries.0.into_iter().take(SCHEDULES);
        entries
            .map(|(name, fields)| {
                let key = name.value.0;
                at.within(Step::Key(key.clone()), |at| declared(key, fields, at))
            })
            .collect()
    })
}

fn declared(name: String, fields: ScheduleFields, at: &mut At<'_>) -> Declared {
    let mark = fields.expression.mark;
    let (timezone, zone_mark) = marked(fields.timezone);
    let (start, start_mark) = marked(fields.start);
    let (end, end_mark) = marked(fields.end);
    // One that is missing, or no text, has been reported.
    if mark != Mark::default() && !fields.expression.value.is_empty() {
        let wanted = Wanted {
            expression: &fields.expression.value,
            timezone: timezone.as_deref(),
            start: start.as_deref(),
            end: end.as_deref(),
        };
        // What it says does not depend on when it is read.
        for trouble in timing(&wanted, TimeMs(0)).err().unwrap_or_default() {
            let place = match trouble.field {
                "timezone" => zone_mark,
                "start" => start_mark,
                "end" => end_mark,
                _ => mark,
            };
            at.within(Step::Field(trouble.field), |at| {
                at.report(
                    Trouble::new(of(trouble.code), place, trouble.message).hint(trouble.hint),
                );
            });
        }
    }
    Declared {
        name,
        expression: fields.expression.value,
        timezone,
        start,
        end,
        overlap: fields.overlap,
        catch_up: fields.catch_up.0.unwrap_or(false),
        input: fields.input.0.map(|json| json.0),
    }
}

fn marked(given: Given<Marked<String>>) -> (Option<String>, Mark) {
    match given.0 {
        Some(marked) => (Some(marked.value), marked.mark),
        None => (None, Mark::default()),
    }
}

fn of(text: &str) -> Code {
    match text {
        code::ZONE => Code::Zone,
        code::WINDOW => Code::Window,
        code::NEVER => Code::Never,
        _ => Code::Expression,
    }
}
