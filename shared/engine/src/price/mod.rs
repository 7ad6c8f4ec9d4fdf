//! Money: the price list, what one shard and one task use of it, and the interval in which a plan's cost will lie.

mod definition;
mod forecast;
mod plain;
mod rates;
mod table;

pub use definition::{Definition, definition, function_name};
pub use forecast::{Counted, INTERVAL, expected_usd, forecast, orchestration_usd, transitions};
pub(crate) use forecast::{
    KNOWN_AT_MOST, LANE_UNITS, PARKING_LOG_BYTES, PARKING_UNITS, VIRTUAL_WRITE_UNITS,
};
pub use plain::{Plain, plain, plain_orchestration_usd, plain_usd};
pub use rates::{DispatchUse, EACH_SHARD, Rates, rates};

#[cfg(test)]
mod tests;
