//! Other numbers for lanes and shards, and what items, requests and replies are with them.

use std::rc::Rc;

use foreshard_model::claim::Claim;
use foreshard_model::frontier::{Arrival, Checkpoint, LaneItem, ShardItem, Write};
use foreshard_model::ids::{Attempt, LaneId, ShardId};
use foreshard_model::message::{Answer, DispatchRequest, ExecuteRequest, Finished, Next, Outcome};
use foreshard_stages::ports::{Opening, Page};

use crate::process::{Ground, Input};
use crate::tape::{Op, Reply};
use crate::worker;

/// The new number of each lane and of each shard.
#[derive(Clone)]
pub(crate) struct Places {
    pub(crate) lanes: Rc<[u32]>,
    /// By the old number.
    pub(crate) shards: Rc<[ShardId]>,
    pub(crate) ground: Rc<Ground>,
}

impl Places {
    pub(crate) fn input(&self, input: &Input) -> Input {
        match input {
            Input::Dispatch(asked) => Input::Dispatch(DispatchRequest {
                lane: self.lane(asked.lane),
                next: asked.next.as_ref().map(|next| Next {
                    answer: self.answer(&next.answer),
                }),
                finished: asked.finished.as_ref().map(|how| self.finished(how)),
                token: asked.token.as_ref().map(|text| self.token(text)),
                ..asked.clone()
            }),
            Input::Work(asked, ending) => Input::Work(self.request(asked), *ending),
            other => other.clone(),
        }
    }

    pub(crate) fn op(&self, op: &Op) -> Op {
        match op {
            Op::Shard(id) => Op::Shard(self.shard(*id)),
            Op::Shards(ids) => Op::Shards(ids.iter().map(|id| self.shard(*id)).collect()),
            Op::Lane(of) => Op::Lane(self.lane(*of)),
            Op::Opening(of, finished) => {
                Op::Opening(self.lane(*of), finished.map(|id| self.shard(id)))
            }
            Op::Answer(text) => Op::Answer(self.token(text)),
            Op::Arrive(arrival) => Op::Arrive(Arrival {
                successor: self.shard(arrival.successor),
                predecessor: self.shard(arrival.predecessor),
                ..arrival.clone()
            }),
            Op::Checkpoint(checkpoint) => Op::Checkpoint(Checkpoint {
                shard: self.shard(checkpoint.shard),
                ..checkpoint.clone()
            }),
            Op::Commit(writes) => {
                Op::Commit(writes.iter().map(|write| self.write(write)).collect())
            }
            other => other.clone(),
        }
    }

    fn write(&self, write: &Write) -> Write {
        match write {
            Write::Lane(item, expect) => Write::Lane(Box::new(self.lane_item(item)), *expect),
            Write::Shard(item, expect) => Write::Shard(Box::new(self.shard_item(item)), *expect),
            Write::Run(..) => write.clone(),
        }
    }

    /// `None` where it left a choice among lanes.
    pub(crate) fn reply(&self, reply: &Reply) -> Option<Reply> {
        let of_lane = |item: &LaneItem| self.lane_item(item);
        let of_shard = |item: &ShardItem| self.shard_item(item);
        Some(match reply {
            Reply::Lane(Ok(item)) => Reply::Lane(Ok(item.as_ref().map(of_lane))),
            Reply::Lanes(Ok(items)) if items.len() > 1 && !self.lanes.is_sorted() => return None,
            Reply::Lanes(Ok(items)) => Reply::Lanes(Ok(items.iter().map(of_lane).collect())),
            Reply::Opening(Ok(opening)) => Reply::Opening(Ok(Opening {
                lane: opening.lane.as_ref().map(of_lane),
                finished: opening.finished.as_ref().map(of_shard),
                ..opening.clone()
            })),
            Reply::Shard(Ok(item)) => Reply::Shard(Ok(item.as_ref().map(of_shard))),
            Reply::Shards(Ok(items)) => Reply::Shards(Ok(items.iter().map(of_shard).collect())),
            Reply::Arrived(Ok(item)) => Reply::Arrived(Ok(of_shard(item))),
            Reply::Page(Ok(page)) => {
                let mut items: Vec<ShardItem> = page.items.iter().map(of_shard).collect();
                // A page has them in the order of their numbers.
                items.sort_by_key(|item| item.id);
                let next = page.next.clone();
                Reply::Page(Ok(Page { items, next }))
            }
            other => other.clone(),
        })
    }

    /// The shard at its new place, with those that have arrived at theirs, and the lane that runs it.
    pub(crate) fn shard_item(&self, item: &ShardItem) -> ShardItem {
        let id = self.shard(item.id);
        ShardItem {
            id,
            // By the order of appearance.
            rank: if item.rank == item.id.0 {
                id.0
            } else {
                item.rank
            },
            arrived: item.arrived.iter().map(|id| self.shard(*id)).collect(),
            lane: item.lane.map(|of| self.lane(of)),
            output: self.output(item.id, item.attempt, item.output.as_ref()),
            ..item.clone()
        }
    }

    pub(crate) fn lane_item(&self, item: &LaneItem) -> LaneItem {
        LaneItem {
            lane: self.lane(item.lane),
            answer: item.answer.as_ref().map(|answer| self.answer(answer)),
            token: item.token.as_ref().map(|text| self.token(text)),
            ..item.clone()
        }
    }

    fn answer(&self, answer: &Answer) -> Answer {
        Answer {
            shard: answer.shard.as_ref().map(|asked| self.request(asked)),
            ..answer.clone()
        }
    }

    fn request(&self, asked: &ExecuteRequest) -> ExecuteRequest {
        ExecuteRequest {
            shard: self.shard(asked.shard),
            ..asked.clone()
        }
    }

    fn finished(&self, how: &Finished) -> Finished {
        match how {
            Finished::Answered { outcome } => Finished::Answered {
                outcome: Outcome {
                    shard: self.shard(outcome.shard),
                    output: self.output(outcome.shard, outcome.attempt, outcome.output.as_ref()),
                    ..outcome.clone()
                },
            },
            caught @ Finished::Caught { .. } => caught.clone(),
        }
    }

    /// What an attempt of a shard has put out, by the shard's new number: those that have another have one task.
    fn output(&self, id: ShardId, attempt: Attempt, output: Option<&Claim>) -> Option<Claim> {
        let place = self.shard(id);
        match output {
            Some(_) if place != id => Some(worker::output(&self.ground, place, attempt)),
            other => other.cloned(),
        }
    }

    fn shard(&self, id: ShardId) -> ShardId {
        self.shards.get(id.0 as usize).copied().unwrap_or(id)
    }

    fn lane(&self, lane: LaneId) -> LaneId {
        // A lane that a broken protocol makes up has no other number.
        LaneId(self.lanes.get(lane.0 as usize).copied().unwrap_or(lane.0))
    }

    /// The token of the lane's new number: of round, lane and step the second.
    fn token(&self, text: &str) -> String {
        let mut parts = text.split('-').map(str::to_owned).collect::<Vec<_>>();
        let place = parts[1].parse::<usize>().expect("a lane is a number");
        parts[1] = self.lanes[place].to_string();
        parts.join("-")
    }
}
