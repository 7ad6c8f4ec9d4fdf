//! How far each process is: by what it was begun with and what it was told since. Each place is computed once, by replay.

use std::rc::Rc;

use foreshard_model::frontier::Live;

use crate::forget::Look;
use crate::intern::Interned;
use crate::memo::Memo;
use crate::process::{Ground, Input, Output};
use crate::symmetry;
use crate::tape::{Op, Reply};
use crate::touched::touched;

/// A place in a process.
#[derive(Debug)]
pub(crate) struct Node {
    /// What it was begun with, by number.
    pub(crate) input: u32,
    /// The requests that are under way.
    pub(crate) pending: Vec<u32>,
    /// How it ended.
    pub(crate) output: Option<Output>,
    /// It was told nothing yet.
    pub(crate) fresh: bool,
    /// It has changed something.
    pub(crate) wrote: bool,
    /// Items whose versions it knows.
    pub(crate) touched: u64,
}

/// What tells places apart: the exchanges in the order of the requests' numbers, since the order in which requests that are
/// under way at once were answered makes no difference.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Place {
    input: u32,
    told: Vec<(u32, u32)>,
}

/// Every place that any process has reached.
pub(crate) struct Nodes {
    ground: Ground,
    pub(crate) inputs: Interned<Input>,
    pub(crate) ops: Interned<Op>,
    numbers: Memo<Place, u32>,
    places: Vec<Place>,
    nodes: Vec<Rc<Node>>,
    next: Memo<(u32, u32, u32), u32>,
    /// By number and order: what inputs, requests and replies are where lanes have changed places.
    inputs_swapped: Memo<(u32, usize), u32>,
    ops_swapped: Memo<(u32, usize), u32>,
    replies_swapped: Memo<(u32, usize), Option<u32>>,
    /// Whether a process forgets what it goes by no more.
    forgets: bool,
    pub(crate) looks: Memo<u32, Look>,
}

impl Nodes {
    pub(crate) fn new(ground: &Ground, forgets: bool) -> Self {
        Self {
            ground: ground.clone(),
            inputs: Interned::default(),
            ops: Interned::default(),
            numbers: Memo::default(),
            places: Vec::new(),
            nodes: Vec::new(),
            next: Memo::default(),
            inputs_swapped: Memo::default(),
            ops_swapped: Memo::default(),
            replies_swapped: Memo::default(),
            forgets,
            looks: Memo::default(),
        }
    }

    pub(crate) fn node(&self, number: u32) -> Rc<Node> {
        Rc::clone(&self.nodes[number as usize - 1])
    }

    /// What a process was told so far: requests and replies.
    pub(crate) fn exchanges(&self, number: u32) -> &[(u32, u32)] {
        &self.places[number as usize - 1].told
    }

    /// Whether a lane is needed whatever it finds: it was told that nobody runs anything, as [`Heard::Who`] says.
    ///
    /// [`Heard::Who`]: crate::carried::Heard::Who
    pub(crate) fn stays(&self, number: u32, replies: &Interned<Reply>) -> bool {
        let mut told = self.exchanges(number).iter().rev();
        let running =
            told.find(|(op, _)| matches!(self.ops.at(*op), Op::Live(_, Live::Running, _)));
        let asks = matches!(self.inputs.at(self.node(number).input), Input::Dispatch(_));
        let nobody = |reply: &Reply| matches!(reply, Reply::Shards(Ok(items)) if items.is_empty());
        asks && running.is_some_and(|(_, reply)| nobody(replies.at(*reply)))
    }

    /// What a process was told about so far.
    pub(crate) fn told(&self, number: u32) -> Vec<Rc<Op>> {
        let told = self.places[number as usize - 1].told.iter();
        told.map(|(op, _)| self.ops.thing(*op)).collect()
    }

    pub(crate) fn input_of(&self, number: u32) -> Rc<Input> {
        self.inputs.thing(self.node(number).input)
    }

    /// A process that was begun, and has been told nothing yet.
    pub(crate) fn root(&mut self, input: Input, replies: &Interned<Reply>) -> u32 {
        let input = self.inputs.number(input);
        self.root_of(input, replies)
    }

    /// The process that does the same where lanes have changed places, by this order of them; `None` where it would not.
    pub(crate) fn swapped(
        &mut self,
        number: u32,
        (order, places): (usize, &[u32]),
        replies: &mut Interned<Reply>,
    ) -> Option<u32> {
        let place = self.places[number as usize - 1].clone();
        let mut told = Vec::with_capacity(place.told.len());
        for (op, reply) in place.told {
            let known = self.replies_swapped.entry((reply, order));
            let reply = *known.or_insert_with(|| {
                let other = symmetry::reply(replies.at(reply), places);
                other.map(|other| replies.number(other))
            });
            let known = self.ops_swapped.entry((op, order));
            let op = *known.or_insert_with(|| {
                let other = symmetry::op(self.ops.at(op), places);
                self.ops.number(other)
            });
            told.push((op, reply?));
        }
        told.sort_by_key(|(op, _)| *op);
        let input = self.input_swapped(place.input, (order, places));
        Some(self.at(Place { input, told }, replies))
    }

    /// The input where lanes have changed places.
    pub(crate) fn input_swapped(&mut self, input: u32, (order, places): (usize, &[u32])) -> u32 {
        let known = self.inputs_swapped.entry((input, order));
        *known.or_insert_with(|| {
            let other = symmetry::input(self.inputs.at(input), places);
            self.inputs.number(other)
        })
    }

    /// A process that was begun with the input of this number.
    pub(crate) fn root_of(&mut self, input: u32, replies: &Interned<Reply>) -> u32 {
        let told = Vec::new();
        self.at(Place { input, told }, replies)
    }

    /// Where a process is after this reply.
    pub(crate) fn after(
        &mut self,
        number: u32,
        op: u32,
        reply: u32,
        replies: &mut Interned<Reply>,
    ) -> u32 {
        if let Some(next) = self.next.get(&(number, op, reply)) {
            return *next;
        }
        let mut next = self.told_more(number, (op, reply), replies);
        if self.forgets {
            next = match self.counts(number, replies) {
                true => self.counted(number, next, replies).unwrap_or(next),
                false => self.forgetful(next, replies),
            };
        }
        self.next.insert((number, op, reply), next);
        next
    }

    /// Where a process is after this exchange, with all that it was told before.
    pub(crate) fn told_more(
        &mut self,
        number: u32,
        exchange: (u32, u32),
        replies: &Interned<Reply>,
    ) -> u32 {
        let mut place = self.places[number as usize - 1].clone();
        place.told.push(exchange);
        // Stable: equal requests keep their order.
        place.told.sort_by_key(|(op, _)| *op);
        self.at(place, replies)
    }

    fn at(&mut self, place: Place, replies: &Interned<Reply>) -> u32 {
        if let Some(number) = self.numbers.get(&place) {
            return *number;
        }
        let input = self.inputs.thing(place.input);
        let told = place.told.iter();
        let told = told.map(|(op, reply)| (self.ops.thing(*op), replies.thing(*reply)));
        let told: Vec<(Rc<Op>, Rc<Reply>)> = told.collect();
        let touched = told
            .iter()
            .fold(0, |bits, (op, reply)| bits | touched(op, reply));
        let wrote = told.iter().any(|(op, reply)| changes(op, reply));
        let told = told
            .iter()
            .map(|(op, reply)| ((**op).clone(), (**reply).clone()));
        let (pending, output) = match self.ground.replay(&input, told.collect()) {
            Ok(output) => (Vec::new(), Some(output)),
            Err(pending) => (pending, None),
        };
        let node = Node {
            input: place.input,
            pending: pending.into_iter().map(|op| self.ops.number(op)).collect(),
            output,
            fresh: place.told.is_empty(),
            wrote,
            touched,
        };
        let number = self.nodes.len() as u32 + 1;
        self.nodes.push(Rc::new(node));
        self.places.push(place.clone());
        self.numbers.insert(place, number);
        number
    }
}

/// Whether the exchange was a write, and one that came in time.
fn changes(op: &Op, reply: &Reply) -> bool {
    match op {
        Op::Commit(_) | Op::UpdateRun(_) => matches!(reply, Reply::Done(Ok(()))),
        Op::Arrive(_) => matches!(reply, Reply::Arrived(Ok(_))),
        Op::Checkpoint(_) | Op::Answer(_) => matches!(reply, Reply::Whether(Ok(true))),
        Op::Start(_) => true,
        _ => false,
    }
}
