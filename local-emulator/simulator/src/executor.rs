//! Runs futures on one thread, first woken first polled, and moves the virtual clock on when nobody can act.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

use foreshard_model::units::TimeMs;

use crate::timeline::Timeline;

type Job = Pin<Box<dyn Future<Output = ()>>>;
type Queue = Arc<Mutex<VecDeque<usize>>>;

/// Why the executor stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stopped {
    /// What was to be waited for has happened.
    Finished,
    /// Everybody waits for what nobody will do.
    Stuck,
    /// Virtual time is up.
    Late,
}

/// Gives the executor more to do; cheap to clone.
#[derive(Clone, Default)]
pub(crate) struct Spawner(Rc<RefCell<Vec<Job>>>);

/// The result of a spawned future, some day.
pub(crate) struct Joined<T>(Rc<RefCell<Join<T>>>);

struct Join<T> {
    value: Option<T>,
    waker: Option<Waker>,
}

impl<T> Future for Joined<T> {
    type Output = T;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        let mut join = self.0.borrow_mut();
        match join.value.take() {
            Some(value) => Poll::Ready(value),
            None => {
                join.waker = Some(context.waker().clone());
                Poll::Pending
            }
        }
    }
}

impl Spawner {
    /// Runs the future beside the others, whether or not its result is waited for.
    pub(crate) fn spawn<T: 'static>(&self, future: impl Future<Output = T> + 'static) -> Joined<T> {
        let join = Rc::new(RefCell::new(Join {
            value: None,
            waker: None,
        }));
        let theirs = Rc::clone(&join);
        self.0.borrow_mut().push(Box::pin(async move {
            let value = future.await;
            let mut join = theirs.borrow_mut();
            join.value = Some(value);
            if let Some(waker) = join.waker.take() {
                waker.wake();
            }
        }));
        Joined(join)
    }
}

/// Puts its job into the queue, once.
struct Ready {
    job: usize,
    queued: AtomicBool,
    queue: Queue,
}

impl Wake for Ready {
    fn wake(self: Arc<Self>) {
        if !self.queued.swap(true, Ordering::Relaxed) {
            let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
            queue.push_back(self.job);
        }
    }
}

struct Slot {
    job: Job,
    ready: Arc<Ready>,
    waker: Waker,
}

/// One thread, one queue, one clock.
pub(crate) struct Executor {
    timeline: Timeline,
    slots: Vec<Option<Slot>>,
    free: Vec<usize>,
    queue: Queue,
    spawner: Spawner,
}

impl Executor {
    pub(crate) fn new(timeline: &Timeline) -> Self {
        Self {
            timeline: timeline.clone(),
            slots: Vec::new(),
            free: Vec::new(),
            queue: Queue::default(),
            spawner: Spawner::default(),
        }
    }

    pub(crate) fn spawner(&self) -> Spawner {
        self.spawner.clone()
    }

    /// Runs until `finished` says so, which is asked whenever the clock would move on; at most until `end`.
    pub(crate) fn run(&mut self, end: TimeMs, mut finished: impl FnMut() -> bool) -> Stopped {
        loop {
            self.take_up();
            if let Some(job) = self.next() {
                self.poll(job);
                continue;
            }
            if finished() {
                return Stopped::Finished;
            }
            // What `finished` has started comes first.
            if !self.spawner.0.borrow().is_empty() {
                continue;
            }
            match self.timeline.next() {
                None => return Stopped::Stuck,
                Some(at) if at > end => return Stopped::Late,
                Some(at) => self.timeline.advance(at),
            }
        }
    }

    fn next(&self) -> Option<usize> {
        let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        queue.pop_front()
    }

    fn take_up(&mut self) {
        let jobs = std::mem::take(&mut *self.spawner.0.borrow_mut());
        for job in jobs {
            let place = self.free.pop().unwrap_or_else(|| {
                self.slots.push(None);
                self.slots.len() - 1
            });
            let ready = Arc::new(Ready {
                job: place,
                queued: AtomicBool::new(false),
                queue: Arc::clone(&self.queue),
            });
            let waker = Waker::from(Arc::clone(&ready));
            waker.wake_by_ref();
            self.slots[place] = Some(Slot { job, ready, waker });
        }
    }

    fn poll(&mut self, place: usize) {
        let Some(slot) = self.slots.get_mut(place).and_then(Option::as_mut) else {
            return;
        };
        slot.ready.queued.store(false, Ordering::Relaxed);
        let polled = slot
            .job
            .as_mut()
            .poll(&mut Context::from_waker(&slot.waker));
        if polled.is_ready() {
            // A waker of it may still be in the queue: that place then polls whoever has it, which is harmless.
            self.slots[place] = None;
            self.free.push(place);
        }
    }
}
