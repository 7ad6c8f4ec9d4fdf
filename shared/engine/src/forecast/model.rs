//! What every model answers: quantiles for the steps after an origin, from the rows before it.

use super::ground::Ground;

/// Values on the ground's scale: by quantile, then by step of the horizon. `NaN` where the model has nothing to say.
pub type Quantiles = Vec<Vec<f64>>;

/// One way to look ahead. What it learnt, it learnt from rows before the first of its origins.
pub trait Model {
    /// As reasons and figures name it.
    fn name(&self) -> String;

    /// For each origin, ascending, the quantiles of the steps after it: from rows before that origin only.
    fn over(
        &self,
        ground: &Ground,
        origins: &[usize],
        horizon: usize,
        quantiles: &[f64],
    ) -> Vec<Quantiles>;
}
