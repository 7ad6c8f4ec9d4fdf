//! Money: the price list, what one shard and one task use of it, and the interval in which a plan's cost will lie.

mod forecast;
mod rates;

pub use forecast::{Counted, expected_usd, forecast, plain_usd, transitions};
pub use rates::{DispatchUse, EACH_SHARD, Rates, rates};

#[cfg(test)]
mod tests;
