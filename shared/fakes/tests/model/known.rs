//! The states that were visited, in about ten bytes each, however many there are.
//!
//! A state is known by 76 bits of its hash: 12 choose one of the tables, and 64 are kept in it. That two of a billion states have
//! the same is one chance in 150,000. Each table grows by itself, so that growing never takes more than a little beside.

use std::hash::{BuildHasher as _, Hash};

use foldhash::quality::FixedState;

/// Bits of the hash that choose a table.
const TABLE_BITS: u32 = 12;

/// Places of a table up to which it doubles when it is full; a larger one grows by a quarter.
const SMALL: usize = 1_024;

/// Seeds of the two hashes.
const SEEDS: [u64; 2] = [0x466f_7265_7368_6172, 0x6420_6d6f_6465_6c73];

/// What a state is known by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Mark {
    table: u16,
    /// Never 0, which stands for a free place.
    kept: u64,
}

impl Mark {
    pub(crate) fn of(thing: &impl Hash) -> Self {
        let [kept, table] = SEEDS.map(|seed| FixedState::with_seed(seed).hash_one(thing));
        Self {
            table: (table >> (u64::BITS - TABLE_BITS)) as u16,
            kept: kept.max(1),
        }
    }
}

/// Marks in no order, each at its place or at the next free one after it; at most seven eighths of the places are taken.
#[derive(Debug, Default)]
struct Table {
    places: Vec<u64>,
    taken: usize,
}

impl Table {
    /// Whether it was not there before.
    fn insert(&mut self, mark: u64) -> bool {
        if self.taken * 8 >= self.places.len() * 7 {
            self.grow();
        }
        let is_new = put(&mut self.places, mark);
        self.taken += usize::from(is_new);
        is_new
    }

    fn grow(&mut self) {
        let now = self.places.len();
        let then = if now < SMALL { now * 2 } else { now * 5 / 4 };
        let mut places = vec![0; then.max(8)];
        for mark in self.places.iter().filter(|mark| **mark != 0) {
            put(&mut places, *mark);
        }
        self.places = places;
    }
}

/// Whether it was not there before. Some place is free.
fn put(places: &mut [u64], mark: u64) -> bool {
    let first = (u128::from(mark) * places.len() as u128) >> 64;
    let mut at = first as usize;
    while places[at] != 0 {
        if places[at] == mark {
            return false;
        }
        at = if at + 1 == places.len() { 0 } else { at + 1 };
    }
    places[at] = mark;
    true
}

/// The marks of all states that were visited.
pub(crate) struct Known {
    tables: Vec<Table>,
}

impl Known {
    pub(crate) fn new() -> Self {
        let tables = (0..1 << TABLE_BITS).map(|_| Table::default());
        Self {
            tables: tables.collect(),
        }
    }

    /// Whether it was not known before.
    pub(crate) fn insert(&mut self, mark: Mark) -> bool {
        self.tables[usize::from(mark.table)].insert(mark.kept)
    }
}

#[test]
fn every_state_is_new_once() {
    let mut known = Known::new();
    // Fewer tables, so that they grow many times.
    let mut insert = |number: u64| {
        let mark = Mark::of(&number);
        let table = mark.table % 16;
        known.insert(Mark { table, ..mark })
    };
    assert!((0..100_000).all(&mut insert));
    assert!(!(0..100_000).any(&mut insert));
    assert!(insert(100_000));
}
