//! The fault switch: what happens at the n-th write, and how often each fault has hit each write, or after which it came.

use std::collections::{BTreeMap, BTreeSet};

use foreshard_stages::ports::{PortError, PortResult};

use crate::seeded::Seeded;

/// What goes wrong: at a write ([`Fault::ALL`]), or around the writes ([`Fault::AROUND`]).
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
    /// A call is held up before it acts: what its stage read before is old by then.
    HeldUp,
    /// What was read has changed before the reader gets it.
    StaleRead,
    /// Dispatch is invoked twice.
    Repeated,
    /// The answer of dispatch never arrives.
    LostAnswer,
    /// A wake-up never arrives.
    LostWake,
    /// A lane vanishes.
    LostLane,
    /// An execution ends before its last state.
    LostExecution,
    /// The clock of a stage is wrong.
    ClockSkew,
    /// The service refuses an attempt for want of concurrency.
    Throttled,
    /// A worker dies, or its time is up, in the middle of a shard.
    WorkerLost,
    /// An attempt ends after its deadline, when another one has taken over.
    StaleAttempt,
    /// The target is many times slower than the others.
    SlowTarget,
    /// The target fails a good part of its attempts.
    FailingTarget,
    /// Every target of the region is slow or refuses, for some minutes.
    DegradedRegion,
}

impl Fault {
    /// Those that hit a write.
    pub const ALL: [Self; 6] = [
        Self::CrashBefore,
        Self::CrashAfter,
        Self::FailBefore,
        Self::FailAfter,
        Self::Conflict,
        Self::Duplicate,
    ];

    /// Those around the writes; each is counted after the write that came last.
    pub const AROUND: [Self; 14] = [
        Self::HeldUp,
        Self::StaleRead,
        Self::Repeated,
        Self::LostAnswer,
        Self::LostWake,
        Self::LostLane,
        Self::LostExecution,
        Self::ClockSkew,
        Self::Throttled,
        Self::WorkerLost,
        Self::StaleAttempt,
        Self::SlowTarget,
        Self::FailingTarget,
        Self::DegradedRegion,
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
    last: String,
    armed: BTreeMap<u64, Fault>,
    armed_reads: BTreeSet<u64>,
    hits: BTreeMap<(String, Fault), u64>,
    current: u64,
    dead: BTreeSet<u64>,
    random: Option<Random>,
}

/// Writes that hardly any run makes, and how much more often they are hit, so that every fault meets them: a resumed run in which
/// one shard only waits again.
const RARE: [(&str, u64); 1] = [("commit shard waiting", 60)];

/// Faults by chance, each kind with a generator of its own: how often in a million writes.
#[derive(Debug)]
struct Random {
    kinds: Vec<(Fault, Seeded)>,
    per_million: u64,
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

    /// Breaks about `per_mille` of a thousand writes, by each of `kinds` as often; the seed says which.
    pub fn set_random(&mut self, seed: u64, per_mille: u32, kinds: &[Fault]) {
        let named = kinds.iter().map(|kind| {
            let purpose = format!("{kind:?} at a write");
            (*kind, Seeded::new(seed, &purpose))
        });
        self.random = Some(Random {
            kinds: named.collect(),
            per_million: 1_000 * u64::from(per_mille) / (kinds.len() as u64).max(1),
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

    /// Which invocation makes the calls now.
    #[must_use]
    pub fn current(&self) -> u64 {
        self.current
    }

    /// Counts a fault that does not hit a write itself: after the write that came last.
    pub fn note(&mut self, fault: Fault) {
        *self.hits.entry((self.last.clone(), fault)).or_default() += 1;
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
        name.clone_into(&mut self.last);
        let Some(fault) = self.armed.remove(&nth).or_else(|| self.by_chance(name)) else {
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
            _ => Ok(Verdict::Apply),
        }
    }

    fn by_chance(&mut self, name: &str) -> Option<Fault> {
        let random = self.random.as_mut()?;
        let rare = RARE.iter().find(|(rare, _)| *rare == name);
        let most = random.per_million * rare.map_or(1, |(_, times)| *times);
        let hit =
            |(kind, draws): &mut (Fault, Seeded)| (draws.below(1_000_000) < most).then_some(*kind);
        // Each generator draws at each write, so that leaving one kind out does not move the others.
        random.kinds.iter_mut().fold(None, |first, kind| {
            let hit = hit(kind);
            first.or(hit)
        })
    }

    fn alive(&self) -> PortResult<()> {
        if self.dead.contains(&self.current) {
            return Err(PortError::Unavailable("the stage has crashed".to_owned()));
        }
        Ok(())
    }
}
