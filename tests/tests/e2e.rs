//! Everything that must be shown on a deployed control plane: real runs on the emulator, one after another.
//!
//! One emulator serves all tests of the process; each test waits for its turn. `FORESHARD_E2E=full` runs every recorded
//! workflow at scale 0.01 and every fault on both sides of every write.

#![expect(clippy::print_stdout, reason = "a test prints what it measured")]

#[path = "e2e/bad_input.rs"]
mod bad_input;
#[path = "e2e/bad_requests.rs"]
mod bad_requests;
#[path = "e2e/breakdown.rs"]
mod breakdown;
#[path = "e2e/cloud.rs"]
mod cloud;
#[path = "e2e/command_line.rs"]
mod command_line;
#[path = "e2e/control.rs"]
mod control;
#[path = "e2e/dispatch_killed.rs"]
mod dispatch_killed;
#[path = "e2e/documents.rs"]
mod documents;
#[path = "e2e/examples.rs"]
mod examples;
#[path = "e2e/front_door.rs"]
mod front_door;
#[path = "e2e/history.rs"]
mod history;
#[path = "e2e/identity.rs"]
mod identity;
#[path = "e2e/imports.rs"]
mod imports;
#[path = "e2e/kinds.rs"]
mod kinds;
#[path = "e2e/large_input.rs"]
mod large_input;
#[path = "e2e/lost_lanes.rs"]
mod lost_lanes;
#[path = "e2e/originals.rs"]
mod originals;
#[path = "e2e/out_of_memory.rs"]
mod out_of_memory;
#[path = "e2e/prewarm.rs"]
mod prewarm;
#[path = "e2e/real_workflows.rs"]
mod real_workflows;
#[path = "e2e/recorded.rs"]
mod recorded;
#[path = "e2e/rounds.rs"]
mod rounds;
#[path = "e2e/runs.rs"]
mod runs;
#[path = "e2e/schedules.rs"]
mod schedules;
#[path = "e2e/secrets.rs"]
mod secrets;
#[path = "e2e/simulated.rs"]
mod simulated;
#[path = "e2e/split.rs"]
mod split;
#[path = "e2e/stack.rs"]
mod stack;
#[path = "e2e/witness.rs"]
mod witness;
#[path = "e2e/worker_killed.rs"]
mod worker_killed;
