//! The locks on the layout: arrows between crates, where SDKs may be, and what every file must look like.

#[path = "architecture/arrows.rs"]
mod arrows;
#[path = "architecture/files.rs"]
mod files;
