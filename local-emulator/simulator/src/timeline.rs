//! The virtual clock and who sleeps until when. A sleep that is dropped is forgotten, so timeouts cost nothing afterwards.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use foreshard_model::units::TimeMs;

/// The clock of one world; cheap to clone.
#[derive(Clone)]
pub(crate) struct Timeline(Arc<Mutex<Inner>>);

struct Inner {
    now: TimeMs,
    sleeps: u64,
    sleepers: BTreeMap<(TimeMs, u64), Waker>,
}

impl Timeline {
    pub(crate) fn new(now: TimeMs) -> Self {
        Self(Arc::new(Mutex::new(Inner {
            now,
            sleeps: 0,
            sleepers: BTreeMap::new(),
        })))
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn now(&self) -> TimeMs {
        self.lock().now
    }

    /// Sleeps some virtual milliseconds.
    pub(crate) fn sleep(&self, ms: u64) -> Sleep {
        self.sleep_until(self.now().plus(ms))
    }

    pub(crate) fn sleep_until(&self, at: TimeMs) -> Sleep {
        Sleep {
            timeline: self.clone(),
            at,
            place: None,
        }
    }

    /// The output of a future if it comes within so many milliseconds; otherwise the future is dropped.
    pub(crate) async fn within<T>(&self, ms: u64, future: impl Future<Output = T>) -> Option<T> {
        let mut future = pin!(future);
        let mut late = pin!(self.sleep(ms));
        std::future::poll_fn(|context| {
            if let Poll::Ready(output) = future.as_mut().poll(context) {
                return Poll::Ready(Some(output));
            }
            late.as_mut().poll(context).map(|()| None)
        })
        .await
    }

    /// When the next sleeper wakes.
    pub(crate) fn next(&self) -> Option<TimeMs> {
        self.lock().sleepers.keys().next().map(|(at, _)| *at)
    }

    /// Moves on to this moment and wakes whoever slept until then, in the order in which they went to sleep.
    pub(crate) fn advance(&self, at: TimeMs) {
        let due = {
            let mut inner = self.lock();
            inner.now = inner.now.max(at);
            let later = inner.sleepers.split_off(&(at, u64::MAX));
            std::mem::replace(&mut inner.sleepers, later)
        };
        due.into_values().for_each(Waker::wake);
    }
}

/// A sleep.
pub(crate) struct Sleep {
    timeline: Timeline,
    at: TimeMs,
    place: Option<u64>,
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let timeline = self.timeline.clone();
        let mut inner = timeline.lock();
        if inner.now >= self.at {
            if let Some(place) = self.place.take() {
                inner.sleepers.remove(&(self.at, place));
            }
            return Poll::Ready(());
        }
        let place = match self.place {
            Some(place) => place,
            None => {
                inner.sleeps += 1;
                inner.sleeps
            }
        };
        self.place = Some(place);
        inner
            .sleepers
            .insert((self.at, place), context.waker().clone());
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if let Some(place) = self.place.take() {
            self.timeline.lock().sleepers.remove(&(self.at, place));
        }
    }
}
