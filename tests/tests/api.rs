//! The REST API from the outside, over ports in memory: what the command line makes of it, and what a fuzzer finds in it.

#[path = "api/forecasts.rs"]
mod forecasts;
#[path = "api/fuzz.rs"]
mod fuzz;
#[path = "api/planning.rs"]
mod planning;
#[path = "api/regions.rs"]
mod regions;
#[path = "api/server.rs"]
mod server;
#[path = "api/transcripts.rs"]
mod transcripts;
