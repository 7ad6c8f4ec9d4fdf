//! The fault switch: what happens at the n-th write, and how often each fault has hit each write.

use std::collections::{BTreeMap, BTreeSet};

use foreshard_stages::ports::{PortError, PortResult};

use crate::seeded::Seeded;

/// What goes wrong at a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// The stage dies before the write: nothing of it happens, nor anything after.
    CrashBefore,
    /// The stage dies after the write: nothing after it happens.
    CrashAfter,
    /// The service refuses with an error; the stage lives.
    FailBefore,
    /// The write is applied, but the answer is an error.
    FailAfter,
    /// Somebody else wrote first, as the service says; nothing is applied.
    Conflict,
    /// A retry below the stage applies the write twice; it sees what the second application answers.
    Duplicate,
}

impl Fault {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::CrashBefore,
        Self::CrashAfter,
        Self::FailBefore,
        Self::FailAfter,
        Self::Conflict,
        Self::Duplicate,
    ];
}

/// What the switch decides about one write.
pub(crate) enum Verdict {
    Apply,
    Twice,
    ApplyThen(PortError),
}

/// Counts writes and breaks the armed ones.
#[derive(Debug, Default)]
pub struct Faults {
    writes: u64,
    reads: u64,
    names: BTreeMap<String, u64>,
    armed: BTreeMap<u64, Fault>,
    armed_reads: BTreeSet<u64>,
    hits: BTreeMap<(String, Fault), u64>,
    current: u64,
    dead: BTreeSet<u64>,
    random: Option<Random>,
}

/// Faults by chance.
#[derive(Debug)]
struct Random {
    draws: Seeded,
    per_mille: u32,
    kinds: Vec<Fault>,
}

impl Faults {
    /// Breaks the `nth` write from now, counted from 0, whatever its name.
    pub fn arm(&mut self, nth: u64, fault: Fault) {
        self.armed.insert(self.writes + nth, fault);
    }

    /// Fails the `nth` read from now, counted from 0.
    pub fn arm_read(&mut self, nth: u64) {
        self.armed_reads.insert(self.reads + nth);
    }

    /// Breaks `per_mille` of a thousand writes, each time by one of `kinds`; the seed says which.
    pub fn set_random(&mut self, seed: u64, per_mille: u32, kinds: &[Fault]) {
        self.random = Some(Random {
            draws: Seeded::new(seed, "faults"),
            per_mille,
            kinds: kinds.to_vec(),
        });
    }

    /// Takes back everything that is armed.
    pub fn disarm(&mut self) {
        self.random = None;
        self.armed.clear();
        self.armed_reads.clear();
    }

    /// Says which invocation makes the calls that follow: a crash ends this one only.
    pub fn enter(&mut self, invocation: u64) {
        self.current = invocation;
    }

    /// Whether the invocation has crashed.
    #[must_use]
    pub fn is_dead(&self, invocation: u64) -> bool {
        self.dead.contains(&invocation)
    }

    /// Whether the invocation that makes the calls now has crashed.
    #[must_use]
    pub fn has_crashed(&self) -> bool {
        self.dead.contains(&self.current)
    }

    /// Lets crashed invocations act again: what follows is a new process.
    pub fn revive(&mut self) {
        self.dead.clear();
    }

    /// Writes so far.
    #[must_use]
    pub fn writes(&self) -> u64 {
        self.writes
    }

    /// Reads so far.
    #[must_use]
    pub fn reads(&self) -> u64 {
        self.reads
    }

    /// Writes so far by name: the port's method, and for a commit what it writes.
    #[must_use]
    pub fn by_name(&self) -> &BTreeMap<String, u64> {
        &self.names
    }

    /// How often each fault has hit each write.
    #[must_use]
    pub fn hits(&self) -> &BTreeMap<(String, Fault), u64> {
        &self.hits
    }

    pub(crate) fn read(&mut self) -> PortResult<()> {
        self.alive()?;
        let nth = self.reads;
        self.reads += 1;
        if self.armed_reads.remove(&nth) {
            return Err(PortError::Unavailable("injected at a read".to_owned()));
        }
        Ok(())
    }

    pub(crate) fn write(&mut self, name: &str) -> PortResult<Verdict> {
        self.alive()?;
        let nth = self.writes;
        self.writes += 1;
        *self.names.entry(name.to_owned()).or_default() += 1;
        let Some(fault) = self.armed.remove(&nth).or_else(|| self.by_chance()) else {
            return Ok(Verdict::Apply);
        };
        *self.hits.entry((name.to_owned(), fault)).or_default() += 1;
        let error = PortError::Unavailable(format!("injected {fault:?} at `{name}`"));
        match fault {
            Fault::CrashBefore => {
                self.dead.insert(self.current);
                Err(error)
            }
            Fault::CrashAfter => {
                self.dead.insert(self.current);
                Ok(Verdict::ApplyThen(error))
            }
            Fault::FailBefore => Err(error),
            Fault::FailAfter => Ok(Verdict::ApplyThen(error)),
            Fault::Conflict => Err(PortError::Conflict(format!("injected at `{name}`"))),
            Fault::Duplicate => Ok(Verdict::Twice),
        }
    }

    fn by_chance(&mut self) -> Option<Fault> {
        let random = self.random.as_mut()?;
        if !random.draws.hits(random.per_mille) {
            return None;
        }
        let place = random.draws.place(random.kinds.len());
        random.kinds.get(place).copied()
    }

    fn alive(&self) -> PortResult<()> {
        if self.dead.contains(&self.current) {
            return Err(PortError::Unavailable("the stage has crashed".to_owned()));
        }
        Ok(())
    }
}
