//! Keeps profiles: what settled attempts used becomes quantiles and lines by input, in items of bounded size.

mod harvest;
mod kept;
mod observe;
mod sketch;
mod sums;

pub use harvest::{Harvest, Lesson};
pub use kept::{learnt_type, typical_bytes};
pub use observe::{HALF_LIFE_MS, merge, observe};
pub use sketch::{quantile, weight};
pub use sums::{Line, Quantity, merge as merge_sums};

#[cfg(test)]
pub(crate) mod tests;
