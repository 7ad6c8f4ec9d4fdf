//! A few things in place: what holds them is copied as it is, without memory of its own.

use std::fmt::{self, Debug, Formatter};
use std::hash::{Hash, Hasher};
use std::ops::{Deref, DerefMut};

/// At most `MOST` things in some order.
#[derive(Clone, Copy)]
pub(crate) struct Few<T, const MOST: usize> {
    things: [T; MOST],
    count: u8,
}

impl<T: Copy + Default, const MOST: usize> Few<T, MOST> {
    /// None of them.
    pub(crate) fn none() -> Self {
        Self::of(0)
    }

    /// So many that are as they are by default.
    pub(crate) fn of(count: usize) -> Self {
        assert!(count <= MOST, "there is room for {MOST}, not {count}");
        Self {
            things: [T::default(); MOST],
            count: count as u8,
        }
    }

    pub(crate) fn push(&mut self, thing: T) {
        let room = self.things.get_mut(usize::from(self.count));
        *room.expect("there is room for one more") = thing;
        self.count += 1;
    }

    pub(crate) fn remove(&mut self, at: usize) {
        self[at..].rotate_left(1);
        self.count -= 1;
    }

    pub(crate) fn clear(&mut self) {
        self.count = 0;
    }
}

impl<T, const MOST: usize> Deref for Few<T, MOST> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.things[..usize::from(self.count)]
    }
}

impl<T, const MOST: usize> DerefMut for Few<T, MOST> {
    fn deref_mut(&mut self) -> &mut [T] {
        &mut self.things[..usize::from(self.count)]
    }
}

impl<T: PartialEq, const MOST: usize> PartialEq for Few<T, MOST> {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl<T: Eq, const MOST: usize> Eq for Few<T, MOST> {}

impl<T: Hash, const MOST: usize> Hash for Few<T, MOST> {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        (**self).hash(hasher);
    }
}

impl<T: Debug, const MOST: usize> Debug for Few<T, MOST> {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        (**self).fmt(formatter)
    }
}
