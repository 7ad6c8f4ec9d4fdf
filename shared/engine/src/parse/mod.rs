//! Documents become workflows, or get all of their problems at once.

mod code;
mod event;
mod intake;
mod json;
mod problems;
mod yaml;
