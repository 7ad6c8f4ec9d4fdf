//! Scheduled times: after an instant, between two, and the one that an event stands for.

use std::collections::VecDeque;

use foreshard_model::schedule::LATENESS_MS;
use foreshard_model::units::TimeMs;

use super::expression::MINUTE_MS;
use super::{Rule, Schedule};

/// How far a stated time may be from the one that is meant, in milliseconds: the service keeps to the minute.
const PRECISION_MS: u64 = MINUTE_MS;

impl Schedule {
    /// The first scheduled time after an instant, within start and end.
    #[must_use]
    pub fn next_after(&self, after: TimeMs) -> Option<TimeMs> {
        let before_start = self.start.map(|start| TimeMs(start.0.saturating_sub(1)));
        let after = before_start.map_or(after, |before| after.max(before));
        let next = match &self.rule {
            Rule::Rate(period) => self.next_of_rate(*period, after),
            Rule::At(wall) => self.zone.instant(*wall).filter(|at| *at > after),
            Rule::Cron(cron) => {
                let mut wall = self.zone.wall(after)?;
                loop {
                    wall = cron.next_wall(wall)?;
                    match self.zone.instant(wall) {
                        // The clocks skip it, or it is the first pass of an hour that is now repeated.
                        None => {}
                        Some(at) if at <= after => {}
                        Some(at) => break Some(at),
                    }
                }
            }
        };
        next.filter(|at| self.end.is_none_or(|end| *at <= end))
    }

    fn next_of_rate(&self, period: u64, after: TimeMs) -> Option<TimeMs> {
        let Some(gone) = after.0.checked_sub(self.anchor.0) else {
            return Some(self.anchor);
        };
        let count = gone / period + 1;
        let at = count.checked_mul(period)?.checked_add(self.anchor.0)?;
        Some(TimeMs(at))
    }

    /// The next scheduled times after an instant.
    #[must_use]
    pub fn upcoming(&self, after: TimeMs, count: usize) -> Vec<TimeMs> {
        std::iter::successors(self.next_after(after), |at| self.next_after(*at))
            .take(count)
            .collect()
    }

    /// The scheduled times after `from` and up to `to`, the first `limit` of them.
    #[must_use]
    pub fn between(&self, from: TimeMs, to: TimeMs, limit: usize) -> Vec<TimeMs> {
        let all = std::iter::successors(self.next_after(from), |at| self.next_after(*at));
        all.take_while(|at| *at <= to).take(limit).collect()
    }

    /// The last scheduled times after `from` and up to `to`, at most `limit`, the oldest first.
    ///
    /// # Complexity
    /// O(limit) steps: it looks back twice as far until there are enough.
    #[must_use]
    pub fn latest(&self, from: TimeMs, to: TimeMs, limit: usize) -> Vec<TimeMs> {
        let mut back = MINUTE_MS * 64;
        loop {
            let begin = from.max(TimeMs(to.0.saturating_sub(back)));
            let mut kept = VecDeque::with_capacity(limit);
            for at in self.between(begin, to, usize::MAX) {
                if kept.len() == limit {
                    kept.pop_front();
                }
                kept.push_back(at);
            }
            if begin <= from || kept.len() == limit {
                return kept.into();
            }
            back = back.saturating_mul(2);
        }
    }

    /// The scheduled time that an event stands for. `stated` is what the service says; without it, it is the last one
    /// up to `now`, at most [`LATENESS_MS`] ago. `None`: the event stands for none of this schedule's times.
    #[must_use]
    pub fn stands_for(&self, stated: Option<TimeMs>, now: TimeMs) -> Option<TimeMs> {
        let (at, back) = match (stated, &self.rule) {
            // A rate is counted by whoever delivers: each of its events stands for one of our periods.
            (Some(at), Rule::Rate(period)) => (at, *period),
            (Some(at), _) => (at, PRECISION_MS),
            (None, _) => (now, LATENESS_MS),
        };
        let from = TimeMs(at.0.saturating_sub(back));
        self.latest(from, at, 1).first().copied()
    }
}
