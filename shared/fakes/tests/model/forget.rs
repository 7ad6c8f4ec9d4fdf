//! What a process forgets: two that ask the same, and will go by the same, are at one place.
//!
//! A process is known by all that it was told, since it is begun anew with that. A sweep goes through three parts, and what it
//! takes from one into the next is hardly anything: so it is put at the place of a sweep that has found nothing to do before.

use foreshard_model::frontier::{Live, ShardItem, ShardState, Write};
use foreshard_model::run::RunItem;
use foreshard_stages::ports::Page;

use crate::intern::Interned;
use crate::nodes::Nodes;
use crate::process::Input;
use crate::tape::{Op, Reply};

/// Requests after which a sweep is given up for one that cannot be led to the same place.
const LED_MAX: usize = 64;

/// The part of a sweep.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// It is about to release a shard, or has released the last.
    Releases,
    /// It is about to look at what runs.
    Expires,
    /// It wakes lanes.
    Wakes,
    /// It is about to look at the round.
    Round,
}

/// What a process reads of which it makes little, if anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Look {
    /// What changes nothing that it does: what it counts, or tells the ledger.
    Idle,
    /// How a round is, or what its shards are, by the run of this version, which is what it writes if it writes anything.
    AtRound {
        round: Option<u32>,
        version: u64,
    },
    Other,
}

impl Nodes {
    /// The place of a process that does the same from here on, and was told less.
    ///
    /// A sweep releases what is unreleased, expires what has run too long, wakes lanes, and looks at the round. Of a part that is
    /// over it keeps the run as it knows it, by which it knows the plan, and figures for its answer, to which nobody listens.
    pub(crate) fn forgetful(&mut self, number: u32, replies: &mut Interned<Reply>) -> u32 {
        if !matches!(*self.input_of(number), Input::Sweep { .. }) {
            return number;
        }
        let Some(part) = self.part(number) else {
            return number;
        };
        self.led(number, part, &[], replies).unwrap_or(number)
    }

    /// The place of a sweep that has counted the first shard that it was to release, and goes on with the rest of them.
    pub(crate) fn counted(
        &mut self,
        from: u32,
        number: u32,
        replies: &mut Interned<Reply>,
    ) -> Option<u32> {
        let rest = self.unreleased(from, replies)?.get(1..)?.to_vec();
        self.led(number, Part::Releases, &rest, replies)
    }

    /// What a sweep was told to be unreleased.
    fn unreleased<'a>(&self, number: u32, replies: &'a Interned<Reply>) -> Option<&'a [ShardItem]> {
        let mut told = self.exchanges(number).iter();
        let unreleased = |op: u32| matches!(self.ops.at(op), Op::Live(_, Live::Unreleased, _));
        let (_, reply) = told.find(|(op, _)| unreleased(*op))?;
        match replies.at(*reply) {
            Reply::Shards(Ok(items)) => Some(items),
            _ => None,
        }
    }

    /// What a place reads of which it makes little, if anything.
    pub(crate) fn look(&mut self, number: u32, replies: &mut Interned<Reply>) -> Look {
        if let Some(look) = self.looks.get(&number) {
            return *look;
        }
        let look = match self.counts(number, replies) || self.only_tells(number) {
            true => Look::Idle,
            false => self.at_round(number, replies).unwrap_or(Look::Other),
        };
        self.looks.insert(number, look);
        look
    }

    /// A sweep that is about to see how the round is.
    fn at_round(&self, number: u32, replies: &Interned<Reply>) -> Option<Look> {
        let node = self.node(number);
        let [only] = *node.pending else { return None };
        let told = self.exchanges(number);
        let mut asked = [only].into_iter().chain(told.iter().map(|(op, _)| *op));
        let looks = matches!(self.ops.at(only), Op::IsOpen(_) | Op::ShardsOf(..));
        let of_round = looks && asked.any(|op| matches!(self.ops.at(op), Op::IsOpen(_)));
        if !of_round || !matches!(self.inputs.at(node.input), Input::Sweep { .. }) {
            return None;
        }
        let round = match self.ops.at(only) {
            Op::IsOpen(round) => Some(round.0),
            _ => None,
        };
        let version = self.run_known(told, replies)?.version;
        Some(Look::AtRound { round, version })
    }

    /// Whether a process reads for others' information only: a lane that repeats its answer the shard, for the ledger; and a sweep all
    /// shards, to see whether to cut again what takes longer than estimated, as nothing does here.
    fn only_tells(&self, number: u32) -> bool {
        let node = self.node(number);
        let [only] = *node.pending else { return false };
        let told = |is: fn(&Op) -> bool| {
            let mut told = self.exchanges(number).iter();
            told.any(|(op, _)| is(self.ops.at(*op)))
        };
        match (self.inputs.at(node.input), self.ops.at(only)) {
            (Input::Dispatch(_), Op::Shard(_)) => told(|op| matches!(op, Op::Ready(..))),
            (Input::Sweep { .. }, Op::ShardsOf(..)) => !told(|op| matches!(op, Op::IsOpen(_))),
            _ => false,
        }
    }

    /// Whether a sweep only counts by the shard that it is about to read: it reads each that it was to release once more, to see
    /// whether it is released. Then it goes on with the same whatever it is told, and not by reading the shard again.
    pub(crate) fn counts(&mut self, number: u32, replies: &mut Interned<Reply>) -> bool {
        let node = self.node(number);
        let [only] = *node.pending else { return false };
        let Op::Shard(id) = *self.ops.at(only) else {
            return false;
        };
        let sweeps = matches!(self.inputs.at(node.input), Input::Sweep { .. });
        let mut told = self.exchanges(number).iter();
        let expires = told.any(|(op, _)| self.is_of_expiry(*op));
        let first = self
            .unreleased(number, replies)
            .and_then(|items| items.first());
        if !sweeps || expires || first.is_none_or(|item| item.id != id) {
            return false;
        }
        let [one, other] = [true, false].map(|released| {
            let item = ShardItem {
                id,
                state: ShardState::Done,
                released,
                ..ShardItem::default()
            };
            let reply = replies.number(Reply::Shard(Ok(Some(item))));
            let after = self.told_more(number, (only, reply), replies);
            self.node(after)
        });
        one.pending == other.pending && one.pending != node.pending
    }

    fn is_of_expiry(&self, op: u32) -> bool {
        matches!(self.ops.at(op), Op::Live(_, Live::Running, _))
    }

    /// The part that a sweep is in, where it has nothing of an earlier one to go by.
    pub(crate) fn part(&self, number: u32) -> Option<Part> {
        let [only] = *self.node(number).pending else {
            return None;
        };
        match self.ops.at(only) {
            Op::IsOpen(_) => Some(Part::Round),
            Op::Live(_, Live::Running, _) => Some(Part::Expires),
            op if wakes(op) => Some(Part::Wakes),
            _ => None,
        }
    }

    /// Leads a sweep that begins with the run as this one knows it, and finds nothing before this part, to the same request.
    fn led(
        &mut self,
        number: u32,
        part: Part,
        unreleased: &[ShardItem],
        replies: &mut Interned<Reply>,
    ) -> Option<u32> {
        let aim = self.node(number);
        let told = self.exchanges(number).to_vec();
        let run = self.run_known(&told, replies)?;
        let mut left = told;
        left.retain(|(op, _)| part == Part::Wakes && wakes(self.ops.at(*op)));
        let mut at = self.root_of(aim.input, replies);
        for _ in 0..LED_MAX {
            let node = self.node(at);
            if left.is_empty() && node.pending == aim.pending {
                return Some(at);
            }
            let [only] = *node.pending else { return None };
            let reply = match left.iter().position(|(op, _)| *op == only) {
                Some(place) => left.remove(place).1,
                None => replies.number(match self.ops.at(only) {
                    Op::Live(_, Live::Unreleased, _) => Reply::Shards(Ok(unreleased.to_vec())),
                    op => nothing(op, &run)?,
                }),
            };
            at = self.told_more(at, (only, reply), replies);
        }
        None
    }

    /// The run's item as a process knows it: the latest that it was told, or has written.
    pub(crate) fn run_known(
        &self,
        told: &[(u32, u32)],
        replies: &Interned<Reply>,
    ) -> Option<RunItem> {
        let known =
            told.iter()
                .filter_map(|(op, reply)| match (self.ops.at(*op), replies.at(*reply)) {
                    (Op::Run, Reply::Run(Ok(run))) => run.clone(),
                    (Op::Opening(..), Reply::Opening(Ok(opening))) => opening.run.clone(),
                    (Op::Commit(writes), Reply::Done(Ok(()))) => {
                        writes.iter().find_map(|w| match w {
                            Write::Run(item, _) => Some((**item).clone()),
                            Write::Shard(..) | Write::Lane(..) => None,
                        })
                    }
                    _ => None,
                });
        known.max_by_key(|run| run.version)
    }
}

/// Whether a sweep asks this where it wakes lanes, and nowhere else.
fn wakes(op: &Op) -> bool {
    match op {
        Op::Live(_, Live::Ready, _) | Op::Parked(..) | Op::Answer(_) => true,
        Op::Commit(writes) => matches!(writes.as_slice(), [Write::Lane(..)]),
        _ => false,
    }
}

/// What a sweep is told where there is nothing for it to do.
fn nothing(op: &Op, run: &RunItem) -> Option<Reply> {
    match op {
        Op::Run => Some(Reply::Run(Ok(Some(run.clone())))),
        Op::Live(..) => Some(Reply::Shards(Ok(Vec::new()))),
        Op::Parked(..) => Some(Reply::Lanes(Ok(Vec::new()))),
        Op::ShardsOf(..) => Some(Reply::Page(Ok(Page {
            items: Vec::new(),
            next: None,
        }))),
        _ => None,
    }
}
