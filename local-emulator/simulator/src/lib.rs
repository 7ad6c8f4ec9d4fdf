//! A seeded world in virtual time: the production stages on services that throttle, start cold, run out and send a bill.
//!
//! ```text
//! machine (lanes, rounds)   plain (a state for each task)      what is simulated
//!        └────────┬────────────────┘
//!               cloud: Step Functions, Lambda, DynamoDB, S3, CloudWatch, with their limits, times and prices
//!                 │
//!          world of the fakes (items, objects)    timeline (virtual clock)
//! ```
//! The stages see the ports; each call of a port takes its time, its units and its money, then acts on the world. One thread,
//! one queue, one clock: the same seed gives the same run to the byte.

mod account;
mod bucket;
mod cloud;
mod command;
mod executor;
mod invoke;
mod lambda;
mod machine;
mod meter;
mod metrics;
mod parameters;
mod plain;
mod ports;
mod random;
mod render;
mod result;
mod run;
mod scenario;
mod states;
mod submission;
mod table;
mod timeline;
mod trouble;
mod worker;

pub use account::Account;
pub use command::{Figures, Form, Simulate, SimulateError, Told, simulate};
pub use meter::{Throttles, Usage};
pub use parameters::PARAMETERS;
pub use result::{EachRun, Simulated, Stretch};
pub use run::{definition, mapped, naive, ours, plain, tracked};
pub use scenario::{Failed, Recurring, Scenario};
pub use trouble::{NoTrouble, Struck, Trouble};
