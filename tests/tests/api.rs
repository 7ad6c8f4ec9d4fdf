//! The REST API from the outside, over ports in memory: what the command line makes of it.

#[path = "api/server.rs"]
mod server;
#[path = "api/transcripts.rs"]
mod transcripts;
