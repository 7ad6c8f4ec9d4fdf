//! Sizes memory: what a task will need by its type and input, how its duration depends on memory, and which size that makes.

mod curve;
mod decide;
mod fit;
mod need;
mod size;

pub use curve::{Curve, Duration, Observed};
pub use decide::{Sized, Wish, decide};
pub use fit::{Fitting, fit, learnt_types};
pub use need::{Ask, Basis, Need, need};
pub use size::{Aim, BALANCED_WITHIN, Trial, choose, explore};

#[cfg(test)]
mod tests;
