//! How far each process is: by what it was begun with and what it was told since. Each place is computed once, by replay.

use std::rc::Rc;

use foreshard_model::frontier::Live;

use crate::ahead::{Again, Past};
use crate::forget::Look;
use crate::intern::Interned;
use crate::memo::Memo;
use crate::places::Places;
use crate::process::{Ground, Input, Output};
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
    past: Option<Past>,
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
    /// By number and order: what inputs, requests and replies are where lanes and shards have changed places.
    inputs_swapped: Memo<(u32, usize), u32>,
    ops_swapped: Memo<(u32, usize), u32>,
    replies_swapped: Memo<(u32, usize), Option<u32>>,
    /// Whether a process forgets what it goes by no more.
    forgets: bool,
    pub(crate) looks: Memo<u32, Look>,
    /// Where processes are once they have forgotten, and which of those that go on alike was first, by what they go by.
    pub(crate) forgotten: Memo<(u32, Again), u32>,
    alike: Memo<String, u32>,
    /// The shards that processes and inputs go by, as bits.
    pub(crate) mentioned: Memo<u32, u64>,
    pub(crate) given: Memo<u32, u64>,
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
            forgotten: Memo::default(),
            alike: Memo::default(),
            mentioned: Memo::default(),
            given: Memo::default(),
        }
    }

    pub(crate) fn node(&self, number: u32) -> Rc<Node> {
        Rc::clone(&self.nodes[number as usize - 1])
    }

    /// What a process was told since it last forgot what it goes by no more: requests and replies.
    pub(crate) fn exchanges(&self, number: u32) -> &[(u32, u32)] {
        &self.places[number as usize - 1].told
    }

    /// All that a process was told, or another one like it.
    pub(crate) fn whole(&self, number: u32) -> Vec<(u32, u32)> {
        self.whole_of(&self.places[number as usize - 1])
    }

    fn whole_of(&self, place: &Place) -> Vec<(u32, u32)> {
        let mut told = place
            .past
            .map_or_else(Vec::new, |past| self.whole(past.number));
        told.extend(&place.told);
        told
    }

    /// What a process has forgotten, if it has.
    pub(crate) fn past(&self, number: u32) -> Option<Past> {
        self.places[number as usize - 1].past
    }

    /// The first process that goes by the same, as text: this one, if there was none.
    pub(crate) fn first_by(&mut self, text: String, number: u32) -> u32 {
        *self.alike.entry(text).or_insert(number)
    }

    /// The place of a process that has forgotten, and was told nothing since.
    pub(crate) fn as_past(&mut self, past: Past, replies: &Interned<Reply>) -> u32 {
        let input = self.node(past.number).input;
        let (past, told) = (Some(past), Vec::new());
        self.at(Place { input, past, told }, replies)
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

    /// What a process was told about so far, or another one like it.
    pub(crate) fn told(&self, number: u32) -> Vec<Rc<Op>> {
        let told = self.whole(number).into_iter();
        told.map(|(op, _)| self.ops.thing(op)).collect()
    }

    pub(crate) fn input_of(&self, number: u32) -> Rc<Input> {
        self.inputs.thing(self.node(number).input)
    }

    /// A process that was begun, and has been told nothing yet.
    pub(crate) fn root(&mut self, input: Input, replies: &Interned<Reply>) -> u32 {
        let input = self.inputs.number(input);
        self.root_of(input, replies)
    }

    /// The process that does the same where lanes and shards have changed places, in this order; `None` where it would not.
    pub(crate) fn swapped(
        &mut self,
        number: u32,
        (order, places): (usize, &Places),
        replies: &mut Interned<Reply>,
    ) -> Option<u32> {
        let place = self.places[number as usize - 1].clone();
        let mut told = Vec::with_capacity(place.told.len());
        for (op, reply) in place.told {
            let known = self.replies_swapped.entry((reply, order));
            let reply = *known.or_insert_with(|| {
                let other = places.reply(replies.at(reply));
                other.map(|other| replies.number(other))
            });
            told.push((self.op_swapped(op, (order, places)), reply?));
        }
        told.sort_by_key(|(op, _)| *op);
        let other = match place.past {
            None => {
                let input = self.input_swapped(place.input, (order, places));
                let past = None;
                self.at(Place { input, past, told }, replies)
            }
            Some(past) => {
                let other = self.swapped(past.number, (order, places), replies)?;
                let other = self.forgotten(other, past.again, replies);
                let told = told.into_iter();
                told.fold(other, |other, exchange| {
                    self.told_more(other, exchange, replies)
                })
            }
        };
        self.asks_the_same(number, other, (order, places))
            .then_some(other)
    }

    /// Whether a process asks the same as another one, as that is called where lanes and shards are at other places.
    fn asks_the_same(&mut self, one: u32, other: u32, of: (usize, &Places)) -> bool {
        let (one, other) = (self.node(one), self.node(other));
        let mut asks: Vec<u32> = Vec::with_capacity(one.pending.len());
        for op in &one.pending {
            asks.push(self.op_swapped(*op, of));
        }
        let mut does = other.pending.clone();
        asks.sort_unstable();
        does.sort_unstable();
        asks == does && one.output.is_some() == other.output.is_some()
    }

    fn op_swapped(&mut self, op: u32, (order, places): (usize, &Places)) -> u32 {
        let known = self.ops_swapped.entry((op, order));
        *known.or_insert_with(|| {
            let other = places.op(self.ops.at(op));
            self.ops.number(other)
        })
    }

    /// The input where lanes and shards have changed places.
    pub(crate) fn input_swapped(&mut self, input: u32, (order, places): (usize, &Places)) -> u32 {
        let known = self.inputs_swapped.entry((input, order));
        *known.or_insert_with(|| {
            let other = places.input(self.inputs.at(input));
            self.inputs.number(other)
        })
    }

    /// A process that was begun with the input of this number.
    pub(crate) fn root_of(&mut self, input: u32, replies: &Interned<Reply>) -> u32 {
        let (past, told) = (None, Vec::new());
        self.at(Place { input, past, told }, replies)
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
            next = self.forgotten(next, Again::Maybe, replies);
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
        let whole = self.whole_of(&place).into_iter();
        let whole = whole.map(|(op, reply)| (self.ops.thing(op), replies.thing(reply)));
        let whole: Vec<(Rc<Op>, Rc<Reply>)> = whole.collect();
        let known = place.past.map_or(0, |past| past.touched);
        let since = &whole[whole.len() - place.told.len()..];
        let touched = since
            .iter()
            .fold(known, |bits, (op, reply)| bits | touched(op, reply));
        let wrote = whole.iter().any(|(op, reply)| changes(op, reply));
        let whole = whole
            .iter()
            .map(|(op, reply)| ((**op).clone(), (**reply).clone()));
        let (pending, output) = match self.ground.replay(&input, whole.collect()) {
            Ok(output) => (Vec::new(), Some(output)),
            Err(pending) => (pending, None),
        };
        let node = Node {
            input: place.input,
            pending: pending.into_iter().map(|op| self.ops.number(op)).collect(),
            output,
            fresh: place.told.is_empty() && place.past.is_none(),
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
pub(crate) fn changes(op: &Op, reply: &Reply) -> bool {
    match op {
        Op::Commit(_) | Op::UpdateRun(_) => matches!(reply, Reply::Done(Ok(()))),
        Op::Arrive(_) => matches!(reply, Reply::Arrived(Ok(_))),
        Op::Checkpoint(_) | Op::Answer(_) => matches!(reply, Reply::Whether(Ok(true))),
        Op::Start(_) => true,
        _ => false,
    }
}
