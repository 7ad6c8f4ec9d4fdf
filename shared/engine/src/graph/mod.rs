//! The dependency graph as compact adjacency arrays, and what is computed on it in linear time.

mod csr;
mod order;
mod rank;
#[cfg(test)]
pub(crate) mod text;

pub use csr::{Csr, Edge};
pub use order::{levels, topological_order};
pub use rank::{critical_path, upward_ranks};

#[cfg(test)]
mod tests;
