//! Provisioned environments of one alias: they come late and all at once, and are paid from the call on in whole five minutes, and
//! for their init.

use foreshard_model::units::TimeMs;

use crate::parameters::{PROVISION_BILLED_MS, PROVISION_PER_MINUTE, PROVISION_PREPARES_MS};

/// What was asked for, what of it is there, and what it has cost.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Provisioned {
    asked: u32,
    asked_at: TimeMs,
    /// What is of use until all that was asked for is there.
    before: u32,
    all_from: TimeMs,
    busy: u32,
    /// What is paid for: so many since when, the latest at the end.
    layers: Vec<(u32, TimeMs)>,
    /// Of what was given back: environments times milliseconds.
    paid: u64,
    /// Milliseconds of init of all that were started.
    inits_ms: u64,
}

fn whole(ms: u64) -> u64 {
    ms.max(1).div_ceil(PROVISION_BILLED_MS) * PROVISION_BILLED_MS
}

impl Provisioned {
    /// What was asked for last.
    pub(crate) fn asked(&self) -> u32 {
        self.asked
    }

    /// When that was.
    pub(crate) fn asked_at(&self) -> TimeMs {
        self.asked_at
    }

    /// When all of it is there.
    pub(crate) fn all_from(&self) -> TimeMs {
        self.all_from
    }

    /// Those in use.
    pub(crate) fn busy(&self) -> u32 {
        self.busy
    }

    /// Of the account's concurrency: those that are in use and those that wait for it.
    pub(crate) fn held(&self) -> u32 {
        self.asked.max(self.busy)
    }

    /// Those that are there.
    pub(crate) fn ready(&self, now: TimeMs) -> u32 {
        if self.all_from <= now {
            self.asked
        } else {
            self.before
        }
    }

    /// The share of those that are there which is in use.
    pub(crate) fn utilization(&self, now: TimeMs) -> f64 {
        match self.ready(now) {
            0 => 0.0,
            ready => (f64::from(self.busy) / f64::from(ready)).min(1.0),
        }
    }

    /// Takes one for an invocation, if there is one.
    pub(crate) fn take(&mut self, now: TimeMs) -> bool {
        let free = self.busy < self.ready(now);
        self.busy += u32::from(free);
        free
    }

    /// An invocation has ended.
    pub(crate) fn give(&mut self) {
        self.busy = self.busy.saturating_sub(1);
    }

    /// Asks for so many in place of those before: more take their time, and those that were there stay of use; fewer are given
    /// back at once, the latest first, and what runs in them ends.
    pub(crate) fn ask(&mut self, count: u32, now: TimeMs) {
        let ready = self.ready(now);
        if let Some(more) = count.checked_sub(self.asked).filter(|more| *more > 0) {
            let grows_ms = (u64::from(more) * 60_000).div_ceil(PROVISION_PER_MINUTE);
            self.before = ready;
            self.all_from = now.plus(PROVISION_PREPARES_MS + grows_ms);
            self.layers.push((more, now));
        }
        let mut fewer = self.asked.saturating_sub(count);
        while let Some((many, since)) = self.layers.pop() {
            let back = fewer.min(many);
            self.paid += u64::from(back) * whole(now.since(since)) * u64::from(back > 0);
            fewer -= back;
            if many > back {
                self.layers.push((many - back, since));
                break;
            }
        }
        self.before = self.before.min(count);
        self.asked = count;
        self.asked_at = now;
    }

    /// Environments have been started, whose init took so many milliseconds in all. It is charged whether or not they are ever used.
    /// Source: Lambda, "Configuring provisioned concurrency for a function".
    pub(crate) fn started(&mut self, inits_ms: u64) {
        self.inits_ms += inits_ms;
    }

    /// Milliseconds of init that are paid for.
    pub(crate) fn inits_ms(&self) -> u64 {
        self.inits_ms
    }

    /// What is there is paid for from this moment on: it was provisioned, and started, for something else before.
    pub(crate) fn pay_from(&mut self, at: TimeMs) {
        self.inits_ms = 0;
        self.layers.iter_mut().for_each(|(_, since)| *since = at);
    }

    /// What is paid for up to this moment, were everything given back now: environments times milliseconds.
    pub(crate) fn paid(&self, now: TimeMs) -> u64 {
        let open = self.layers.iter();
        let open = open.map(|(many, since)| u64::from(*many) * whole(now.since(*since)));
        self.paid + open.sum::<u64>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: u64 = 60_000;

    #[test]
    fn more_come_late_and_the_others_stay_of_use() {
        let mut of = Provisioned::default();
        of.ask(10, TimeMs(0));
        assert_eq!(of.ready(TimeMs(90_099)), 0);
        assert_eq!(of.ready(TimeMs(90_100)), 10);
        of.ask(310, TimeMs(5 * MINUTE));
        assert_eq!(of.ready(TimeMs(6 * MINUTE)), 10);
        assert_eq!(of.ready(TimeMs(7 * MINUTE)), 310);
        of.ask(4, TimeMs(8 * MINUTE));
        assert_eq!(of.ready(TimeMs(8 * MINUTE)), 4);
    }

    #[test]
    fn each_is_paid_in_whole_five_minutes_from_the_call_on() {
        let mut of = Provisioned::default();
        of.ask(2, TimeMs(0));
        assert_eq!(of.paid(TimeMs(0)), 2 * 5 * MINUTE);
        assert_eq!(of.paid(TimeMs(5 * MINUTE + 1)), 2 * 10 * MINUTE);
        of.ask(5, TimeMs(6 * MINUTE));
        // Two of the three that came last are given back after a minute: five are paid.
        of.ask(3, TimeMs(7 * MINUTE));
        assert_eq!(of.paid(TimeMs(12 * MINUTE)), (2 * 15 + 2 * 5 + 10) * MINUTE);
        of.ask(0, TimeMs(12 * MINUTE));
        assert_eq!(of.paid(TimeMs(60 * MINUTE)), (2 * 15 + 2 * 5 + 10) * MINUTE);
    }
}
