//! Runs many futures on one thread in an order that a seed determines, in virtual time.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

use foreshard_model::units::TimeMs;
use foreshard_stages::ports::Clock as _;

use crate::seeded::Seeded;
use crate::world::World;

type Job = Pin<Box<dyn Future<Output = ()>>>;
type ReadySet = Arc<Mutex<BTreeSet<u64>>>;

/// Why the executor stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stopped {
    /// Nothing is left to do.
    Idle,
    /// Something waits for what nobody will do.
    Stuck,
    /// Virtual time is up.
    Late,
}

/// Whoever looks on.
pub trait Watch {
    /// Before each step, with the number of futures under way: true stops the executor.
    fn stops(&mut self, jobs: usize) -> bool;
    /// Nothing can happen for some milliseconds: the clock is about to move on.
    fn rests(&mut self, ms: u64);
}

/// Gives the executor more to do; cheap to clone.
#[derive(Clone, Default)]
pub struct Spawner {
    jobs: Rc<RefCell<Vec<Job>>>,
}

/// The result of a spawned future, some day.
pub struct Joined<T>(Rc<RefCell<Join<T>>>);

struct Join<T> {
    value: Option<T>,
    waker: Option<Waker>,
}

impl<T> Future for Joined<T> {
    type Output = T;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        let mut join = self.0.borrow_mut();
        if let Some(value) = join.value.take() {
            return Poll::Ready(value);
        }
        join.waker = Some(context.waker().clone());
        Poll::Pending
    }
}

impl Spawner {
    /// Runs the future beside the others.
    pub fn spawn<T: 'static>(&self, future: impl Future<Output = T> + 'static) -> Joined<T> {
        let join = Rc::new(RefCell::new(Join {
            value: None,
            waker: None,
        }));
        let theirs = Rc::clone(&join);
        self.jobs.borrow_mut().push(Box::pin(async move {
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

struct Ready {
    id: u64,
    set: ReadySet,
}

impl Wake for Ready {
    fn wake(self: Arc<Self>) {
        let mut set = self.set.lock().unwrap_or_else(PoisonError::into_inner);
        set.insert(self.id);
    }
}

/// One thread, one seed, one virtual clock: that of the world.
pub struct Executor {
    world: Arc<World>,
    jobs: BTreeMap<u64, Job>,
    ready: ReadySet,
    spawner: Spawner,
    order: Seeded,
    next: u64,
}

impl Executor {
    /// An executor over this world.
    #[must_use]
    pub fn new(world: Arc<World>, seed: u64) -> Self {
        Self {
            world,
            jobs: BTreeMap::new(),
            ready: ReadySet::default(),
            spawner: Spawner::default(),
            order: Seeded::new(seed, "order"),
            next: 1,
        }
    }

    /// Where to give it work.
    #[must_use]
    pub fn spawner(&self) -> Spawner {
        self.spawner.clone()
    }

    /// Runs until nothing is left, everything waits in vain, `end` has come, or the watch stops it.
    pub fn run(&mut self, end: TimeMs, watch: &mut impl Watch) -> Stopped {
        loop {
            self.take_up();
            if watch.stops(self.jobs.len()) {
                return Stopped::Idle;
            }
            if let Some(id) = self.draw() {
                self.poll(id);
                continue;
            }
            if self.jobs.is_empty() {
                return Stopped::Idle;
            }
            match self.world.next_sleeper() {
                None => return Stopped::Stuck,
                Some(at) if at > end => return Stopped::Late,
                Some(at) => {
                    watch.rests(at.since(self.world.now()));
                    self.world.wake_sleepers(at);
                }
            }
        }
    }

    fn take_up(&mut self) {
        let jobs: Vec<Job> = self.spawner.jobs.borrow_mut().drain(..).collect();
        for job in jobs {
            let id = self.next;
            self.next += 1;
            self.jobs.insert(id, job);
            let mut ready = self.ready.lock().unwrap_or_else(PoisonError::into_inner);
            ready.insert(id);
        }
    }

    fn draw(&mut self) -> Option<u64> {
        let mut ready = self.ready.lock().unwrap_or_else(PoisonError::into_inner);
        let place = self.order.place(ready.len());
        let id = ready.iter().nth(place).copied()?;
        ready.remove(&id);
        Some(id)
    }

    fn poll(&mut self, id: u64) {
        let Some(job) = self.jobs.get_mut(&id) else {
            return;
        };
        let waker = Waker::from(Arc::new(Ready {
            id,
            set: Arc::clone(&self.ready),
        }));
        self.world.faults(|f| f.enter(id));
        if job
            .as_mut()
            .poll(&mut Context::from_waker(&waker))
            .is_ready()
        {
            self.jobs.remove(&id);
        }
    }
}
