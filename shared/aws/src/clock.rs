//! The clock of the machine as the stages' [`Clock`].

use std::time::{SystemTime, UNIX_EPOCH};

use foreshard_model::units::TimeMs;
use foreshard_stages::ports::Clock;

/// The system's clock, UTC.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> TimeMs {
        let since = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        TimeMs(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_later_than_this_line_was_written() {
        assert!(SystemClock.now() > TimeMs(1_700_000_000_000));
    }
}
