//! The clock of the machine as the stages' [`Clock`].

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use foreshard_model::units::TimeMs;
use foreshard_stages::ports::Clock;

/// The system's clock, UTC.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

#[async_trait]
impl Clock for SystemClock {
    fn now(&self) -> TimeMs {
        let since = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        TimeMs(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
    }

    async fn pause(&self, ms: u64) {
        tokio::time::sleep(Duration::from_millis(ms)).await;
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
