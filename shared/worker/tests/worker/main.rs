//! The worker over ports in memory, with real processes: every kind of task, every way in which an attempt can end.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod attempts;
mod bench;
mod choices;
mod data;
mod isolation;
mod kinds;
mod observed;
mod split;
mod web;
