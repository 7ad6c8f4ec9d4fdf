//! Quantiles of what comes next: several models, judged on rows held back, and the one used that beats the naive.

mod backtest;
mod conditional;
mod court;
mod cycles;
mod demand;
mod feeds;
mod ground;
mod judge;
mod level;
mod model;
mod naive;
mod numbers;
mod order;
mod regression;
mod seasons;
mod select;
mod series;
mod smooth;
mod spread;
pub mod table;
mod words;

pub use backtest::{Backtest, Scores, backtest};
pub use demand::{Demand, InFlight, Load, added, in_flight};
pub use feeds::Feed;
pub use seasons::{Season, seasons};
pub use select::{Request, forecast};
pub use series::{HISTORY_MAX, Join, Series};
pub(crate) use words::reason;

#[cfg(test)]
mod tests;
