//! Where a call of dispatch is, and what it knows, by all that it was told.
//!
//! What is not plain from that is found by trying: the process is told something that it may well be told, and asks what it asks then.

use foreshard_model::frontier::{LaneItem, ShardState, Write};
use foreshard_model::ids::{LaneId, Round, ShardId, Step};
use foreshard_model::message::{AnswerKind, DispatchRequest};
use foreshard_model::plan::ShardKind;
use foreshard_model::run::RunState;

use crate::ahead::{Again, At, Known, bare};
use crate::asked::token;
use crate::intern::Interned;
use crate::nodes::{Nodes, changes};
use crate::process::Output;
use crate::tape::{Op, Reply};

/// More lanes than one call wakes ([`foreshard_engine::frontier::WAKE_WIDTH`]).
const WOKEN_MAX: u32 = 3;

impl Nodes {
    /// Where a call is, if it has anything to forget there.
    pub(crate) fn at_of(
        &mut self,
        number: u32,
        asked: &DispatchRequest,
        again: Again,
        replies: &mut Interned<Reply>,
    ) -> Option<At> {
        let node = self.node(number);
        if node.fresh {
            return None;
        }
        if let [only] = *node.pending {
            let known =
                |nodes: &Self, replies: &Interned<Reply>| nodes.known(number, asked, replies);
            match self.ops.at(only) {
                Op::Ready(..) | Op::Answer(_) if asked.park => {
                    return self.parks(number, only, replies);
                }
                Op::Ready(..) => {
                    let last = self.looks_last(number, only, replies);
                    let known = known(self, replies)?;
                    return Some(At::Looks { last, known });
                }
                Op::Parked(..) => return self.wakes(number, only, replies),
                Op::Commit(writes) if completes(writes) => {
                    let (by, known) = (only, known(self, replies)?);
                    return Some(At::Ends { by, known });
                }
                _ => {}
            }
        }
        let settles = self.past(number).is_none_or(|past| past.settles);
        let forgets = again == Again::Never && !asked.park && settles;
        forgets.then(|| self.settles(number, replies))
    }

    /// A call that settles: of its lane it goes by the kind of the answer only, and of its shard as it was by nothing once it has
    /// written it.
    fn settles(&self, number: u32, replies: &Interned<Reply>) -> At {
        let whole = self.whole(number);
        let wrote = whole.iter().any(|(op, reply)| {
            let op = self.ops.at(*op);
            matches!(op, Op::Commit(_)) && changes(op, replies.at(*reply))
        });
        let told = whole.iter().map(|(op, reply)| {
            let Reply::Opening(Ok(opening)) = replies.at(*reply) else {
                return (*op, reply.to_string());
            };
            let mut opening = opening.clone();
            opening.lane = opening.lane.map(bare);
            opening.finished.take_if(|_| wrote);
            (*op, format!("{opening:?}"))
        });
        let mut told: Vec<(u32, String)> = told.collect();
        told.sort_by_key(|(op, _)| *op);
        At::Settles { told }
    }

    /// A call that has stored a token: that the round is over it has seen by what it asks where nothing is ready.
    fn parks(&mut self, number: u32, asks: u32, replies: &mut Interned<Reply>) -> Option<At> {
        let mut stores = self.whole(number).into_iter().filter(|(op, reply)| {
            let op = self.ops.at(*op);
            matches!(op, Op::Commit(_)) && changes(op, replies.at(*reply))
        });
        let (by, _) = stores.next()?;
        let then = match self.ops.at(asks) {
            Op::Ready(..) => self.finding_nothing(number, asks, replies),
            _ => Vec::new(),
        };
        Some(At::Parks { by, asks, then })
    }

    /// What a process asks once it is told that nothing is ready.
    fn finding_nothing(
        &mut self,
        number: u32,
        asks: u32,
        replies: &mut Interned<Reply>,
    ) -> Vec<u32> {
        let nothing = replies.number(Reply::Shards(Ok(Vec::new())));
        let after = self.told_more(number, (asks, nothing), replies);
        self.node(after).pending.clone()
    }

    /// Whether the lane ends where it finds nothing now.
    fn looks_last(&mut self, number: u32, asks: u32, replies: &mut Interned<Reply>) -> bool {
        let mut then = self.finding_nothing(number, asks, replies).into_iter();
        then.any(|op| matches!(self.ops.at(op), Op::Commit(writes) if ends(writes)))
    }

    /// A call that has its answer: it is told that all are parked, and alive, to see how many it wakes.
    fn wakes(&mut self, number: u32, asks: u32, replies: &mut Interned<Reply>) -> Option<At> {
        let nobody = replies.number(Reply::Lanes(Ok(Vec::new())));
        let after = self.told_more(number, (asks, nobody), replies);
        let Some(Output::Answered(Ok(answer))) = &self.node(after).output else {
            return None;
        };
        let answer = answer.clone();
        let parked = (0..WOKEN_MAX).map(|lane| LaneItem {
            lane: LaneId(lane),
            token: Some(token(Round(0), LaneId(lane), Step(0))),
            ..LaneItem::default()
        });
        let parked = replies.number(Reply::Lanes(Ok(parked.collect())));
        let mut at = self.told_more(number, (asks, parked), replies);
        let mut wanted = 0;
        while let [only] = *self.node(at).pending {
            let reply = match self.ops.at(only) {
                Op::Answer(_) => Reply::Whether(Ok(true)),
                Op::Commit(_) => Reply::Done(Ok(())),
                _ => return None,
            };
            wanted += usize::from(matches!(reply, Reply::Whether(_)));
            let reply = replies.number(reply);
            at = self.told_more(at, (only, reply), replies);
        }
        Some(At::Wakes { answer, wanted })
    }

    /// What a call knows once it has settled: of run and lane the latest that it was told, or has written.
    fn known(
        &self,
        number: u32,
        asked: &DispatchRequest,
        replies: &Interned<Reply>,
    ) -> Option<Known> {
        let whole = self.whole(number);
        let lanes = whole
            .iter()
            .filter_map(|(_, reply)| match replies.at(*reply) {
                Reply::Opening(Ok(opening)) => opening.lane.clone(),
                Reply::Lane(Ok(lane)) => lane.clone(),
                _ => None,
            });
        let mut known = Known {
            run: self.run_known(&whole, replies)?,
            lane: lanes.max_by_key(|lane| lane.version).map(bare),
            readied: 0,
            put_back: false,
        };
        let own: Option<ShardId> = asked.executed().map(|executed| executed.shard);
        for (op, reply) in whole {
            let (op, reply) = (self.ops.at(op), replies.at(reply));
            let Op::Commit(writes) = op else { continue };
            let written = changes(op, reply).then_some(writes);
            for write in written.into_iter().flatten() {
                match write {
                    Write::Shard(item, _) if item.state != ShardState::Ready => {}
                    Write::Shard(item, _) if own == Some(item.id) => {
                        known.put_back = item.not_before.is_some();
                    }
                    Write::Shard(..) => known.readied += 1,
                    Write::Run(..) | Write::Lane(..) => {}
                }
            }
        }
        Some(known)
    }
}

/// Whether this is the one transaction by which the last shard ends the run.
fn completes(writes: &[Write]) -> bool {
    matches!(
        writes,
        [Write::Run(run, _), Write::Shard(item, _)]
            if run.state == RunState::Completing && item.kind == ShardKind::End
    )
}

/// Whether this stores an answer by which a lane ends.
fn ends(writes: &[Write]) -> bool {
    writes.iter().any(|write| match write {
        Write::Lane(item, _) => {
            let answer = item.answer.as_ref();
            answer.is_some_and(|answer| answer.kind == AnswerKind::Done)
        }
        Write::Run(..) | Write::Shard(..) => false,
    })
}
