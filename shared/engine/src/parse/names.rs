//! Names as numbers: a million ids, each named by several other tasks, are kept once.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use hashbrown::HashTable;

use super::order::position;

/// A name, as its place in [`Names`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Symbol(pub(crate) u32);

impl Symbol {
    /// Its position in a dense table.
    pub(crate) fn index(self) -> usize {
        self.0 as usize
    }
}

/// All names of one document, one after the other in one text.
#[derive(Debug, Default)]
pub(crate) struct Names {
    text: String,
    /// Where each name ends; it begins where the one before ends.
    ends: Vec<usize>,
    /// The hash has a fixed seed: the same document gives the same result, and the order of the table is never used.
    table: HashTable<u32>,
}

fn hash(name: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    name.hash(&mut hasher);
    hasher.finish()
}

fn get<'n>(text: &'n str, ends: &[usize], index: usize) -> &'n str {
    let start = index.checked_sub(1).map_or(0, |before| ends[before]);
    &text[start..ends[index]]
}

impl Names {
    /// The symbol of a name; the same name always has the same.
    pub(crate) fn symbol(&mut self, name: &str) -> Symbol {
        let Self { text, ends, table } = self;
        let entry = table.entry(
            hash(name),
            |index| get(text, ends, *index as usize) == name,
            |index| hash(get(text, ends, *index as usize)),
        );
        let next = position(ends.len());
        let index = *entry.or_insert(next).get();
        if index == next {
            text.push_str(name);
            ends.push(text.len());
        }
        Symbol(index)
    }

    /// The symbol of a name, if the document has it.
    pub(crate) fn find(&self, name: &str) -> Option<Symbol> {
        let found = self.table.find(hash(name), |index| {
            get(&self.text, &self.ends, *index as usize) == name
        });
        found.map(|index| Symbol(*index))
    }

    /// The name itself.
    pub(crate) fn text(&self, symbol: Symbol) -> &str {
        get(&self.text, &self.ends, symbol.index())
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_one_symbol() {
        let mut names = Names::default();
        let symbols: Vec<Symbol> = (0..10_000)
            .map(|n| names.symbol(&format!("task-{}", n % 5_000)))
            .collect();
        assert_eq!(names.len(), 5_000);
        assert_eq!(symbols[17], symbols[5_017]);
        assert_eq!(names.text(symbols[17]), "task-17");
        assert_eq!(names.find("task-17"), Some(symbols[17]));
        assert_eq!(names.find(""), None);
        let empty = names.symbol("");
        assert_eq!(names.text(empty), "");
    }
}
