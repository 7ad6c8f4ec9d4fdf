//! Numbers for things: equal ones have the same, so that a state of the model is a handful of numbers.

use std::collections::HashMap;
use std::fmt::Debug;
use std::rc::Rc;

use foreshard_model::ids::Sha256Hex;

/// Things by number, from 1 on: 0 stands for nothing.
pub(crate) struct Interned<T> {
    numbers: HashMap<Sha256Hex, u32>,
    things: Vec<Rc<T>>,
}

impl<T> Default for Interned<T> {
    fn default() -> Self {
        Self {
            numbers: HashMap::new(),
            things: Vec::new(),
        }
    }
}

impl<T: Debug> Interned<T> {
    /// The number of a thing. Two are taken for equal when their `Debug` texts are.
    pub(crate) fn number(&mut self, thing: T) -> u32 {
        let text = format!("{thing:?}");
        let next = self.things.len() as u32 + 1;
        let number = *self
            .numbers
            .entry(Sha256Hex::of(text.as_bytes()))
            .or_insert(next);
        if number == next {
            self.things.push(Rc::new(thing));
        }
        number
    }

    /// The thing with this number.
    pub(crate) fn thing(&self, number: u32) -> Rc<T> {
        Rc::clone(&self.things[number as usize - 1])
    }
}
