//! Numbers for things: equal ones have the same, so that a state of the model is a handful of numbers.

use std::fmt::{Debug, Write as _};
use std::hash::{DefaultHasher, Hasher as _};
use std::rc::Rc;

use crate::memo::Memo;

/// Things by number, from 1 on: 0 stands for nothing.
pub(crate) struct Interned<T> {
    /// By 128 bits of what a thing looks like: that two of a million look the same is one chance in 10²⁶.
    numbers: Memo<(u64, u64), u32>,
    things: Vec<Rc<T>>,
    text: String,
}

impl<T> Default for Interned<T> {
    fn default() -> Self {
        Self {
            numbers: Memo::default(),
            things: Vec::new(),
            text: String::new(),
        }
    }
}

impl<T: Debug> Interned<T> {
    /// The number of a thing. Two are taken for equal when their `Debug` texts are.
    pub(crate) fn number(&mut self, thing: T) -> u32 {
        self.text.clear();
        write!(self.text, "{thing:?}").expect("a string takes any text");
        let [one, other] = [0_u8, 1].map(|salt| {
            let mut hasher = DefaultHasher::new();
            hasher.write_u8(salt);
            hasher.write(self.text.as_bytes());
            hasher.finish()
        });
        let next = self.things.len() as u32 + 1;
        let mark = (one, other);
        let number = *self.numbers.entry(mark).or_insert(next);
        if number == next {
            self.things.push(Rc::new(thing));
        }
        number
    }

    /// The thing with this number.
    pub(crate) fn thing(&self, number: u32) -> Rc<T> {
        Rc::clone(&self.things[number as usize - 1])
    }

    /// The same, to look at.
    pub(crate) fn at(&self, number: u32) -> &T {
        &self.things[number as usize - 1]
    }
}
