//! Time zones and instants: wall times become instants as EventBridge Scheduler does it when clocks change.

use foreshard_model::units::TimeMs;
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, TimeZone, TimeZoneDatabase};

use super::{Trouble, code};

/// Longest text that is looked up as a zone: the longest IANA name has 32 characters.
const NAME_BYTES: usize = 64;

/// A time zone by its IANA name.
#[derive(Debug, Clone)]
pub(super) struct Zone {
    tz: TimeZone,
}

impl Zone {
    /// Looks a name up in the zones that are in the binary.
    pub(super) fn named(name: &str, troubles: &mut Vec<Trouble>) -> Option<Self> {
        let known = (name.len() <= NAME_BYTES)
            .then(|| TimeZoneDatabase::bundled().get(name).ok())
            .flatten();
        if known.is_none() {
            let shown: String = name.chars().take(NAME_BYTES).collect();
            troubles.push(Trouble {
                field: "timezone",
                code: code::ZONE,
                message: format!("`{shown}` is not a time zone"),
                hint: "give an IANA name, such as `UTC`, `Europe/Berlin`, `America/New_York`"
                    .to_owned(),
            });
        }
        known.map(|tz| Self { tz })
    }

    /// The name as IANA writes it.
    pub(super) fn name(&self) -> &str {
        self.tz.iana_name().unwrap_or("UTC")
    }

    /// The instant of a wall time; `None` when the clocks skip it. Of a repeated one, the first.
    pub(super) fn instant(&self, wall: DateTime) -> Option<TimeMs> {
        let offset = match self.tz.to_ambiguous_timestamp(wall).offset() {
            AmbiguousOffset::Unambiguous { offset } => offset,
            AmbiguousOffset::Gap { .. } => return None,
            AmbiguousOffset::Fold { before, .. } => before,
        };
        millis(offset.to_timestamp(wall).ok()?)
    }

    /// The wall time of an instant.
    pub(super) fn wall(&self, at: TimeMs) -> Option<DateTime> {
        Some(self.tz.to_datetime(timestamp(at)?))
    }
}

/// Reads an instant of RFC 3339, such as `2026-03-29T01:30:00Z` or with an offset.
#[must_use]
pub fn instant(text: &str) -> Option<TimeMs> {
    millis(text.parse().ok()?)
}

/// An instant as RFC 3339 in UTC, to the second where it has no fraction.
#[must_use]
pub fn rfc3339(at: TimeMs) -> String {
    timestamp(at).map_or_else(|| at.to_string(), |stamp| stamp.to_string())
}

pub(super) fn timestamp(at: TimeMs) -> Option<Timestamp> {
    Timestamp::from_millisecond(i64::try_from(at.0).ok()?).ok()
}

fn millis(stamp: Timestamp) -> Option<TimeMs> {
    u64::try_from(stamp.as_millisecond()).ok().map(TimeMs)
}
