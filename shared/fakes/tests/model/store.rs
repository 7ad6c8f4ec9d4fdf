//! The store of the model: what each request does to it, by the ports in memory, and what of it must never be seen.
//!
//! A request is carried out once for each content of the items that it reads, however many stores have those.

use std::rc::Rc;
use std::sync::Arc;

use foreshard_engine::frontier::{self, Arrived};
use foreshard_fakes::{World, block_on, build};
use foreshard_model::frontier::{LaneItem, ShardItem, ShardState, Write};
use foreshard_model::ids::ShardId;
use foreshard_model::message::ExecuteRequest;
use foreshard_model::plan::ShardKind;
use foreshard_model::run::RunItem;
use foreshard_model::topology::Topology;

use crate::broken::Broken;
use crate::carried::{Heard, carried_out, heard};
use crate::facts::Facts;
use crate::intern::Interned;
use crate::memo::Memo;
use crate::process::{Ground, Input};
use crate::setup::{Going, Lanes, Setup};
use crate::state::LANES;
use crate::tape::{Op, Reply};
use crate::{law, timeless, twins};

/// One item.
#[derive(Debug, Clone)]
#[expect(
    clippy::large_enum_variant,
    reason = "each is made once, and then is behind a pointer"
)]
pub(crate) enum Item {
    Run(RunItem),
    Shard(ShardItem),
    Lane(LaneItem),
}

/// All items of the run, by number: the run, its shards by id, its lanes by number, 0 where a lane has none yet.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Contents {
    pub(crate) run: u32,
    pub(crate) shards: Vec<u32>,
    pub(crate) lanes: [u32; LANES],
}

/// What a request does.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Effect {
    pub(crate) reply: u32,
    pub(crate) store: u32,
    /// What is wrong with it, if anything.
    pub(crate) wrong: u32,
}

/// What a request does to the items that it reads.
struct Outcome {
    reply: u32,
    changed: Vec<u32>,
    wrong: u32,
}

/// Every store that was seen, and what every request did to it.
pub(crate) struct Stores {
    pub(crate) ground: Ground,
    broken: Option<Broken>,
    pub(crate) items: Interned<Item>,
    /// By item: the same with the lowest version, once somebody has asked.
    pub(crate) lowest: Memo<u32, u32>,
    /// By lane's item and by how much: the same with lower steps.
    pub(crate) lower: Memo<(u32, u32), u32>,
    plans: Memo<u32, Arc<Topology>>,
    numbers: Memo<Contents, u32>,
    pub(crate) contents: Vec<Rc<Contents>>,
    facts: Vec<Rc<Facts>>,
    pub(crate) replies: Interned<Reply>,
    pub(crate) wrongs: Interned<String>,
    outcomes: Memo<(u32, Vec<u32>), Rc<Outcome>>,
    effects: Memo<(u32, u32), Effect>,
    pub(crate) settled: Memo<(u32, u64), u32>,
    heard: Memo<(u32, Heard), u32>,
    pub(crate) swapped: Memo<(u32, usize), u32>,
    /// Shards that can change places, and what they have, by number and by item.
    pub(crate) twins: Vec<Vec<ShardId>>,
    pub(crate) likeness_of: Interned<String>,
    pub(crate) likenesses: Memo<u32, u32>,
    pub(crate) items_swapped: Memo<(u32, usize), u32>,
    /// Whoever is given up has died, and nobody cuts again.
    pub(crate) plain: bool,
    lanes: u32,
    lanes_do: Lanes,
    reduced: bool,
    has_twins: bool,
}

impl Stores {
    pub(crate) fn new(ground: &Ground, setup: &Setup) -> Self {
        let plain = setup.going == Going::Dies;
        Self {
            ground: ground.clone(),
            broken: setup.broken,
            plain,
            lanes: setup.lanes,
            lanes_do: setup.lanes_do(),
            reduced: setup.reduced,
            // With two lanes it is not worth what it takes.
            has_twins: setup.reduced && setup.changes_places && plain && setup.lanes > 2,
            items: Interned::default(),
            lowest: Memo::default(),
            lower: Memo::default(),
            plans: Memo::default(),
            numbers: Memo::default(),
            contents: Vec::new(),
            facts: Vec::new(),
            replies: Interned::default(),
            wrongs: Interned::default(),
            outcomes: Memo::default(),
            effects: Memo::default(),
            settled: Memo::default(),
            heard: Memo::default(),
            swapped: Memo::default(),
            twins: Vec::new(),
            likeness_of: Interned::default(),
            likenesses: Memo::default(),
            items_swapped: Memo::default(),
        }
    }

    /// The store of a run that was planned just now.
    pub(crate) fn first(&mut self, run: RunItem, topology: &Topology) -> u32 {
        let run = self.items.number(Item::Run(timeless::run(run)));
        let shards = frontier::initial_items(topology).into_iter();
        let lanes_do = self.lanes_do;
        let shards = shards.map(|item| Item::Shard(timeless::shard(item, lanes_do)));
        let shards = shards.map(|item| self.items.number(item));
        if self.has_twins {
            self.twins = twins::all(topology);
        }
        let contents = Contents {
            run,
            shards: shards.collect(),
            lanes: [0; LANES],
        };
        self.keep(contents)
    }

    pub(crate) fn facts(&self, store: u32) -> Rc<Facts> {
        Rc::clone(&self.facts[store as usize - 1])
    }

    pub(crate) fn of(&self, store: u32) -> Vec<Rc<Item>> {
        let contents = &self.contents[store as usize - 1];
        let lanes = contents.lanes.iter().filter(|number| **number > 0);
        let numbers = [&contents.run].into_iter().chain(&contents.shards);
        numbers.chain(lanes).map(|n| self.items.thing(*n)).collect()
    }

    /// Carries out the request with this number.
    pub(crate) fn effect(&mut self, store: u32, number: u32, op: &Op) -> Effect {
        if let Some(effect) = self.effects.get(&(store, number)) {
            return *effect;
        }
        let contents = Rc::clone(&self.contents[store as usize - 1]);
        let seen = self.seen(&contents, op);
        let known = self.outcomes.get(&(number, seen.clone())).map(Rc::clone);
        let outcome = known.unwrap_or_else(|| {
            let outcome = Rc::new(self.outcome(&seen, op));
            self.outcomes.insert((number, seen), Rc::clone(&outcome));
            outcome
        });
        let mut effect = Effect {
            reply: outcome.reply,
            store,
            wrong: outcome.wrong,
        };
        if !outcome.changed.is_empty() {
            let changed = outcome.changed.iter();
            let after = changed.fold((*contents).clone(), |c, n| self.with(c, *n));
            effect.store = self.keep(after);
            if effect.wrong == 0 {
                effect.wrong = self.facts(effect.store).wrong;
            }
        }
        self.effects.insert((store, number), effect);
        effect
    }

    /// The items that a request reads, or writes over; 0 where there is none.
    fn seen(&self, contents: &Contents, op: &Op) -> Vec<u32> {
        let shard = |id: ShardId| {
            let mut found = contents.shards.iter();
            let found = found.find(|n| self.shard(**n, |item| item.id == id));
            found.copied().unwrap_or_default()
        };
        let shards = |which: fn(&ShardItem) -> bool| {
            let all = contents.shards.iter().copied();
            all.filter(|n| self.shard(*n, which)).collect()
        };
        let lane = |lane: foreshard_model::ids::LaneId| contents.lanes[lane.0 as usize];
        match op {
            Op::Run | Op::UpdateRun(_) => vec![contents.run],
            Op::Shard(id) => vec![shard(*id)],
            Op::Arrive(arrival) => vec![shard(arrival.successor)],
            Op::Checkpoint(checkpoint) => vec![shard(checkpoint.shard)],
            Op::Shards(ids) => ids.iter().map(|id| shard(*id)).collect(),
            Op::ShardsOf(..) => contents.shards.clone(),
            Op::Lane(of) => vec![lane(*of)],
            Op::Opening(of, finished) => {
                vec![contents.run, lane(*of), finished.map_or(0, shard)]
            }
            Op::Ready(..) => shards(|item| item.ready_rank().is_some()),
            Op::Live(..) => shards(|item| item.live().is_some()),
            Op::Parked(..) => contents.lanes.to_vec(),
            Op::Commit(writes) => writes
                .iter()
                .map(|write| match write {
                    Write::Run(..) => contents.run,
                    Write::Shard(item, _) => shard(item.id),
                    Write::Lane(item, _) => lane(item.lane),
                })
                .collect(),
            Op::IsOpen(_) | Op::Start(_) | Op::Answer(_) => {
                unreachable!("not of the store: {op:?}")
            }
        }
    }

    fn shard(&self, number: u32, is: impl Fn(&ShardItem) -> bool) -> bool {
        matches!(self.items.at(number), Item::Shard(item) if is(item))
    }

    fn outcome(&mut self, seen: &[u32], op: &Op) -> Outcome {
        let world = World::new();
        let mut before = Vec::new();
        for number in seen.iter().filter(|number| **number > 0) {
            match self.items.at(*number).clone() {
                Item::Run(item) => world.put_run(item),
                Item::Shard(item) => {
                    before.push(item.clone());
                    world.put_shard(item);
                }
                Item::Lane(item) => world.put_lane(item),
            }
        }
        let mut asked = self
            .broken
            .map_or_else(|| op.clone(), |b| b.asked(&before, op));
        ranked(&mut asked, &before);
        let reply = block_on(carried_out(&world, &asked));
        let broken = self.broken;
        let other = broken.and_then(|b| b.carried_out(&world, &before, &asked));
        let shards = world.shard_items(&build::run_id());
        let wrong = law::undone(&before, &shards);
        let run = world.run_item(&build::run_id());
        let run = run.map(|item| Item::Run(timeless::run(item)));
        let shards = shards
            .into_iter()
            .map(|item| Item::Shard(timeless::shard(item, self.lanes_do)));
        let lanes = world.lane_items(&build::run_id()).into_iter();
        let lanes = lanes.map(|item| Item::Lane(timeless::lane(item)));
        let after = run.into_iter().chain(shards).chain(lanes);
        let after: Vec<u32> = after.map(|item| self.items.number(item)).collect();
        Outcome {
            reply: self.replies.number(other.unwrap_or(reply)),
            changed: after.into_iter().filter(|n| !seen.contains(n)).collect(),
            wrong: wrong.map_or(0, |text| self.wrongs.number(text)),
        }
    }

    /// The contents with this item in its place.
    pub(crate) fn with(&self, mut contents: Contents, number: u32) -> Contents {
        match self.items.at(number) {
            Item::Run(_) => contents.run = number,
            Item::Lane(item) => contents.lanes[item.lane.0 as usize] = number,
            Item::Shard(item) => {
                let id = |number: &u32| match self.items.at(*number) {
                    Item::Shard(other) => other.id,
                    Item::Run(_) | Item::Lane(_) => unreachable!("it is a shard"),
                };
                match contents.shards.binary_search_by_key(&item.id, id) {
                    Ok(place) => contents.shards[place] = number,
                    Err(place) => contents.shards.insert(place, number),
                }
            }
        }
        contents
    }

    /// How a run has ended, and each of its shards.
    pub(crate) fn end(&self, store: u32) -> String {
        let shown = self.of(store).into_iter().map(|item| match &*item {
            Item::Run(run) => run.state.as_str().to_owned(),
            Item::Shard(item) => format!("{:?} released {}", item.state, item.released),
            Item::Lane(_) => String::new(),
        });
        let mut shown = shown.collect::<Vec<_>>();
        // Shards may have changed places.
        shown.sort();
        shown.join(", ")
    }

    /// Shards with tasks that wait.
    pub(crate) fn waiting(&self, store: u32) -> Vec<ShardItem> {
        let items = self.of(store).into_iter();
        let waiting = items.filter_map(|item| match &*item {
            Item::Shard(item) if item.state == ShardState::Waiting => Some(item.clone()),
            _ => None,
        });
        waiting
            .filter(|item| item.kind == ShardKind::Work)
            .collect()
    }

    /// The item of a lane, if it has one.
    pub(crate) fn lane(&self, store: u32, lane: usize) -> Option<&LaneItem> {
        let number = self.contents[store as usize - 1].lanes[lane];
        match number {
            0 => None,
            number => match self.items.at(number) {
                Item::Lane(item) => Some(item),
                Item::Run(_) | Item::Shard(_) => unreachable!("it is a lane"),
            },
        }
    }

    /// What a process hears of a reply: to a lane's question the `turn`th of what it may draw, to whoever parks whether there is
    /// any, to a lane that may end who runs what, and to whoever arrives whether that leads to anything.
    pub(crate) fn heard(&mut self, store: u32, of: (&Op, u32), input: &Input, turn: u32) -> u32 {
        let (op, reply) = of;
        let how = match (op, input) {
            (Op::Ready(..), Input::Dispatch(asked)) if asked.park => Heard::Any,
            (Op::Ready(..) | Op::Parked(..), Input::Dispatch(_))
            | (Op::Parked(..), Input::Sweep { .. }) => Heard::One(turn),
            (Op::Live(..), Input::Dispatch(asked)) => Heard::Who(asked.lane),
            (Op::Live(..), Input::Sweep { .. }) => Heard::InOrder(turn),
            (Op::Opening(..), Input::Dispatch(asked)) if asked.park => Heard::Lane,
            (Op::Arrive(_), _) if self.plain && self.leads_to_nothing(store, reply) => {
                Heard::Nothing
            }
            _ => Heard::All,
        };
        if how == Heard::All || !self.reduced {
            return reply;
        }
        if let Some(heard) = self.heard.get(&(reply, how)) {
            return *heard;
        }
        let other = heard(self.replies.at(reply), how, self.lanes);
        let number = self.replies.number(other);
        self.heard.insert((reply, how), number);
        number
    }

    fn leads_to_nothing(&mut self, store: u32, reply: u32) -> bool {
        let plan = self.plan(self.contents[store as usize - 1].run);
        let Reply::Arrived(Ok(item)) = self.replies.at(reply) else {
            return false;
        };
        let node = plan.node(item.id).expect("it is in the plan");
        frontier::arrived(item, node, build::START) == Arrived::Nothing
    }

    /// Whether this attempt of a shard is under way.
    pub(crate) fn is_running(&self, store: u32, asked: &ExecuteRequest) -> bool {
        let contents = &self.contents[store as usize - 1];
        contents.shards.iter().any(|number| {
            self.shard(*number, |item| {
                let this = item.id == asked.shard && item.attempt == asked.attempt;
                this && item.state == ShardState::Running
            })
        })
    }

    /// The number of the store with these contents.
    pub(crate) fn keep(&mut self, contents: Contents) -> u32 {
        if let Some(number) = self.numbers.get(&contents) {
            return *number;
        }
        let facts = self.looked_at(&contents);
        let kept = Rc::new(contents.clone());
        self.contents.push(kept);
        self.facts.push(Rc::new(facts));
        let number = self.contents.len() as u32;
        self.numbers.insert(contents, number);
        number
    }

    fn looked_at(&mut self, contents: &Contents) -> Facts {
        let plan = self.plan(contents.run);
        let Item::Run(run) = self.items.at(contents.run) else {
            unreachable!("the first item is the run");
        };
        let shards = contents.shards.iter();
        let shards: Vec<&ShardItem> = shards
            .filter_map(|number| match self.items.at(*number) {
                Item::Shard(item) => Some(item),
                Item::Run(_) | Item::Lane(_) => None,
            })
            .collect();
        let wrong = law::broken(&self.ground, &plan, run, &shards);
        let facts = Facts::of(run, &plan, &shards);
        Facts {
            wrong: wrong.map_or(0, |text| self.wrongs.number(text)),
            ..facts
        }
    }

    fn plan(&mut self, number: u32) -> Arc<Topology> {
        if let Some(plan) = self.plans.get(&number) {
            return Arc::clone(plan);
        }
        let Item::Run(run) = self.items.at(number) else {
            unreachable!("it is the run");
        };
        let pointer = run.plan.as_ref().expect("the run is planned");
        let topologies = &self.ground.topologies;
        let plan = topologies.get(&*self.ground.objects, &pointer.topology);
        let plan = block_on(plan).expect("it is stored");
        self.plans.insert(number, Arc::clone(&plan));
        plan
    }
}

/// A claim puts its shard back into the rank that it has: the claimer may have seen another one ([`heard`]).
fn ranked(op: &mut Op, before: &[ShardItem]) {
    let Op::Commit(writes) = op else { return };
    for write in writes {
        if let Write::Shard(item, _) = write
            && item.state == ShardState::Running
            && let Some(old) = before.iter().find(|old| old.id == item.id)
        {
            item.rank = old.rank;
        }
    }
}
