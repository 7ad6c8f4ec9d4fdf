//! Decides what the sweep does for a run: heals what was lost, and cuts what is unfinished again where reality has departed
//! from the plan.
//!
//! ```text
//! suspects ── cheap, by items alone ─► decide ── by tasks and what they took ─► cut ─► frontier::recut
//! ```
//! A run begins coarse. It is cut finer where observed durations say that lanes will stand idle while one shard works,
//! coarser where shards are too small to be worth their price, and tasks run as a declared equivalent where that ends the
//! run clearly earlier. What runs or is finished is never touched.

mod cut;
mod decide;
mod grain;
mod group;
mod heal;
mod lanes;
mod observe;
mod options;
mod shown;

pub use cut::cut;
pub use decide::{
    Decision, GENERATIONS_MAX, SHARDS_MAX, Seen, Suspicion, candidates, decide, held, is_due,
    may_be_cut, suspects,
};
pub use group::{Cut, Cutting, Group, Held, Part, Uncuttable};
pub use heal::{ENDINGS_MAX, Healed, QUIET_MS, heal, is_quiet};
pub use observe::Observed;
pub use shown::shown;
