//! The store of the model: what each request does to it, by the ports in memory, and what of it must never be seen.
//!
//! Time is left out: whatever is written looks as if it had been written when the run began, and a late sweep finds that
//! everything with a deadline has passed it.

use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use foreshard_engine::frontier;
use foreshard_fakes::{World, block_on, build};
use foreshard_model::frontier::{LaneItem, ShardItem, ShardState, Write};
use foreshard_model::message::{Answer, ShardUsage};
use foreshard_model::run::{RunItem, RunState};
use foreshard_model::topology::Topology;
use foreshard_model::units::TimeMs;
use foreshard_stages::ports::{
    AttemptWrites as _, FrontierReads as _, FrontierWrites as _, PortError, RunKey, RunReads as _,
    RunWrites as _,
};

use crate::broken::Broken;
use crate::intern::Interned;
use crate::law;
use crate::process::{ESTIMATE_MS, Ground};
use crate::tape::{Op, Reply};

/// How long after the beginning every attempt's deadline is, in milliseconds.
const DEADLINE_MS: u64 = 150_000;

/// Lanes that a store has room for.
const LANES: usize = 4;

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
struct Contents {
    run: u32,
    shards: Vec<u32>,
    lanes: [u32; LANES],
}

/// What the rest of the model wants to know of a store.
#[derive(Debug, Clone)]
pub(crate) struct Facts {
    pub(crate) run: RunState,
    /// Lanes of the run's round still claim.
    pub(crate) open: bool,
    /// Some shard can be claimed.
    pub(crate) ready: bool,
    /// Shards with tasks that wait or are ready: those that can be cut again.
    pub(crate) uncut: Vec<foreshard_model::ids::ShardId>,
}

/// What a request does.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Effect {
    pub(crate) reply: u32,
    pub(crate) store: u32,
    /// What is wrong with it, if anything.
    pub(crate) wrong: u32,
}

/// Every store that was seen, and what every request did to it.
pub(crate) struct Stores {
    ground: Ground,
    broken: Option<Broken>,
    items: Interned<Item>,
    contents: Interned<Contents>,
    facts: Vec<Rc<Facts>>,
    pub(crate) replies: Interned<Reply>,
    pub(crate) wrongs: Interned<String>,
    effects: HashMap<(u32, u32), Effect>,
    settled: HashMap<(u32, u64), u32>,
}

impl Stores {
    pub(crate) fn new(ground: &Ground, broken: Option<Broken>) -> Self {
        Self {
            ground: ground.clone(),
            broken,
            items: Interned::default(),
            contents: Interned::default(),
            facts: Vec::new(),
            replies: Interned::default(),
            wrongs: Interned::default(),
            effects: HashMap::new(),
            settled: HashMap::new(),
        }
    }

    /// The store of a run that was planned just now.
    pub(crate) fn first(&mut self, run: RunItem, topology: &Topology) -> u32 {
        let shards = frontier::initial_items(topology);
        self.keep(run, shards, Vec::new())
    }

    pub(crate) fn facts(&self, store: u32) -> Rc<Facts> {
        Rc::clone(&self.facts[store as usize - 1])
    }

    /// Every item, for people.
    pub(crate) fn shown(&self, store: u32) -> String {
        let (run, shards, lanes) = self.load(store);
        let mut lines = vec![format!("  run {:?} round {}", run.state, run.round)];
        for s in shards {
            lines.push(format!(
                "  shard {} {:?} {:?} v{} attempt {} arrived {:?} released {} {:?}",
                s.id, s.kind, s.state, s.version, s.attempt, s.arrived, s.released, s.cause
            ));
        }
        for l in lanes {
            let kind = l.answer.as_ref().map(|a| a.kind);
            let (lane, step) = (l.lane, l.step);
            lines.push(format!("  lane {lane} step {step} {kind:?} {:?}", l.token));
        }
        lines.join("\n")
    }

    /// Carries out a request on the items. Requests about executions and tokens are not for the store.
    pub(crate) fn effect(&mut self, store: u32, number: u32, op: &Op) -> Effect {
        if let Some(effect) = self.effects.get(&(store, number)) {
            return *effect;
        }
        let (run, shards, lanes) = self.load(store);
        let before = (run.clone(), shards.clone());
        let world = World::new();
        world.put_run(run);
        shards.into_iter().for_each(|item| world.put_shard(item));
        lanes.into_iter().for_each(|item| world.put_lane(item));
        let asked = self
            .broken
            .map_or_else(|| op.clone(), |b| b.asked(&before.1, op));
        let reply = block_on(carried_out(&world, &asked));
        let other = self
            .broken
            .and_then(|b| b.carried_out(&world, &before.1, &asked));
        let reply = other.unwrap_or(reply);
        let run = world.run_item(&build::run_id()).expect("the run stays");
        let shards = world.shard_items(&build::run_id());
        let lanes = world.lane_items(&build::run_id());
        let plan = self.plan_of(&run);
        let wrong = law::broken(
            &self.ground,
            &plan,
            (&before.0, &before.1),
            (&run, &shards, &lanes),
        );
        let effect = Effect {
            reply: self.replies.number(reply),
            store: self.keep(run, shards, lanes),
            wrong: wrong.map_or(0, |text| self.wrongs.number(text)),
        };
        self.effects.insert((store, number), effect);
        effect
    }

    /// The same store with versions as low as nobody can tell: those of items that no living process has `touched`.
    ///
    /// A version is only ever compared with what a process has read or written itself; but the first one says that nothing has
    /// happened to the item since it was made.
    pub(crate) fn settled(&mut self, store: u32, touched: u64) -> u32 {
        if let Some(settled) = self.settled.get(&(store, touched)) {
            return *settled;
        }
        let (mut run, mut shards, mut lanes) = self.load(store);
        if touched & 1 == 0 {
            run.version = 1;
        }
        for item in &mut shards {
            if touched & shard_bit(item.id.0) == 0 {
                item.version = item.version.min(2);
            }
        }
        for item in &mut lanes {
            if touched & lane_bit(item.lane.0) == 0 {
                item.version = 1;
            }
        }
        let settled = self.keep(run, shards, lanes);
        self.settled.insert((store, touched), settled);
        settled
    }

    fn plan_of(&self, run: &RunItem) -> Arc<Topology> {
        let plan = run.plan.as_ref().expect("the run is planned");
        let topologies = &self.ground.topologies;
        block_on(topologies.get(&*self.ground.objects, &plan.topology)).expect("it is stored")
    }

    fn load(&self, store: u32) -> (RunItem, Vec<ShardItem>, Vec<LaneItem>) {
        let contents = self.contents.thing(store);
        let Item::Run(run) = &*self.items.thing(contents.run) else {
            unreachable!("the first item is the run");
        };
        let shards = contents.shards.iter();
        let shards = shards.filter_map(|number| match &*self.items.thing(*number) {
            Item::Shard(item) => Some(item.clone()),
            _ => None,
        });
        let lanes = contents.lanes.iter().filter(|number| **number > 0);
        let lanes = lanes.filter_map(|number| match &*self.items.thing(*number) {
            Item::Lane(item) => Some(item.clone()),
            _ => None,
        });
        (run.clone(), shards.collect(), lanes.collect())
    }

    fn keep(&mut self, run: RunItem, shards: Vec<ShardItem>, lanes: Vec<LaneItem>) -> u32 {
        let open = frontier::is_open(&run, run.round);
        let of = |state| move |item: &&ShardItem| item.state == state;
        let uncut = shards.iter().filter(|item| {
            let open = matches!(item.state, ShardState::Ready | ShardState::Waiting);
            open && item.kind == foreshard_model::plan::ShardKind::Work
        });
        let facts = Facts {
            run: run.state,
            open,
            ready: shards.iter().any(|item| of(ShardState::Ready)(&item)),
            uncut: uncut.map(|item| item.id).collect(),
        };
        let mut contents = Contents {
            run: self.items.number(Item::Run(timeless_run(run))),
            shards: Vec::with_capacity(shards.len()),
            lanes: [0; LANES],
        };
        for item in shards {
            let item = Item::Shard(timeless_shard(item));
            contents.shards.push(self.items.number(item));
        }
        for item in lanes {
            let place = item.lane.0 as usize;
            contents.lanes[place] = self.items.number(Item::Lane(timeless_lane(item)));
        }
        let store = self.contents.number(contents);
        if store as usize > self.facts.len() {
            self.facts.push(Rc::new(facts));
        }
        store
    }
}

async fn carried_out(world: &World, op: &Op) -> Reply {
    let key = &RunKey {
        run: build::run_id(),
        partitions: 1,
    };
    match op {
        Op::Run => Reply::Run(world.run(&key.run).await),
        Op::Shard(id) => Reply::Shard(world.shard(key, *id).await),
        Op::Shards(ids) => Reply::Shards(world.shards(key, ids).await),
        Op::ShardsOf(partition, after) => {
            Reply::Page(world.shards_of(key, *partition, after.as_deref()).await)
        }
        Op::Lane(lane) => Reply::Lane(world.lane(key, *lane).await),
        Op::Opening(lane, finished) => Reply::Opening(world.opening(key, *lane, *finished).await),
        Op::Ready(partition, limit) => Reply::Shards(world.ready(key, *partition, *limit).await),
        Op::Live(partition, what, limit) => {
            Reply::Shards(world.live(key, *partition, *what, *limit).await)
        }
        Op::Parked(partition, limit) => Reply::Lanes(world.parked(key, *partition, *limit).await),
        Op::Commit(writes) => Reply::Done(told(world.commit(key, writes).await)),
        Op::Arrive(arrival) => Reply::Arrived(told(world.arrive(key, arrival).await)),
        Op::UpdateRun(item) => Reply::Done(told(world.update_run(item).await)),
        Op::Checkpoint(checkpoint) => Reply::Whether(world.checkpoint(key, checkpoint).await),
        Op::IsOpen(_) | Op::Start(_) | Op::Answer(_) => unreachable!("not of the store: {op:?}"),
    }
}

/// No stage decides by the text of a refusal, so that states need not differ by it.
fn told<T>(result: Result<T, PortError>) -> Result<T, PortError> {
    result.map_err(|error| match error {
        PortError::Conflict(_) => PortError::Conflict(String::new()),
        other => other,
    })
}

fn timeless_run(mut run: RunItem) -> RunItem {
    run.updated_at = build::START;
    run.ended_at = run.ended_at.map(|_| build::START);
    run.summary = None;
    run.result = None;
    if let Some(cause) = &mut run.cause {
        cause.message.clear();
    }
    run
}

fn timeless_shard(mut item: ShardItem) -> ShardItem {
    item.claimed_at = TimeMs(0);
    item.settled_at = TimeMs(0);
    item.deadline = item.deadline.map(|_| build::START.plus(DEADLINE_MS));
    item.usage = ShardUsage::default();
    if item.state == ShardState::Done {
        item.usage.duration_ms = ESTIMATE_MS;
    }
    if item.state == ShardState::Running {
        item.claimed_at = build::START;
    }
    if let Some(cause) = &mut item.cause {
        cause.message.clear();
    }
    item
}

fn timeless_lane(mut item: LaneItem) -> LaneItem {
    item.answer = item.answer.map(timeless_answer);
    item
}

/// An answer without its reason, which nobody decides by.
pub(crate) fn timeless_answer(mut answer: Answer) -> Answer {
    answer.because.clear();
    if let Some(shard) = &mut answer.shard {
        shard.deadline = build::START;
    }
    answer
}

fn shard_bit(id: u32) -> u64 {
    1 << (1 + id)
}

fn lane_bit(lane: u32) -> u64 {
    1 << (56 + lane)
}

fn bit_of(write: &Write) -> u64 {
    match write {
        Write::Run(..) => 1,
        Write::Shard(item, _) => shard_bit(item.id.0),
        Write::Lane(item, _) => lane_bit(item.lane.0),
    }
}

fn bit_of_run(run: Option<&RunItem>) -> u64 {
    u64::from(run.is_some())
}

fn bits_of<'a>(shards: impl IntoIterator<Item = &'a ShardItem>) -> u64 {
    shards
        .into_iter()
        .fold(0, |bits, item| bits | shard_bit(item.id.0))
}

fn bits_of_lanes<'a>(lanes: impl IntoIterator<Item = &'a LaneItem>) -> u64 {
    lanes
        .into_iter()
        .fold(0, |bits, item| bits | lane_bit(item.lane.0))
}

/// The items whose versions a process knows from this exchange.
pub(crate) fn touched(op: &Op, reply: &Reply) -> u64 {
    let wrote = match op {
        Op::Commit(writes) => writes.iter().fold(0, |bits, write| bits | bit_of(write)),
        Op::UpdateRun(_) => 1,
        _ => 0,
    };
    let read = match reply {
        Reply::Run(Ok(run)) => bit_of_run(run.as_ref()),
        Reply::Shard(Ok(item)) => bits_of(item),
        Reply::Shards(Ok(items)) => bits_of(items),
        Reply::Page(Ok(page)) => bits_of(&page.items),
        Reply::Lane(Ok(item)) => bits_of_lanes(item),
        Reply::Lanes(Ok(items)) => bits_of_lanes(items),
        Reply::Arrived(Ok(item)) => bits_of([item]),
        Reply::Opening(Ok(opening)) => {
            let run = bit_of_run(opening.run.as_ref());
            run | bits_of_lanes(&opening.lane) | bits_of(&opening.finished)
        }
        _ => 0,
    };
    wrote | read
}
