//! The nouns of Foreshard: workflows, plans, the items of a run, and the messages between its stages.
//!
//! Everything here is data. There is no clock, no async, no graph algorithm and no AWS type: the decisions live in
//! `foreshard-engine`, the stages that apply them in `foreshard-stages`.

pub mod api;
pub mod claim;
pub mod forecast;
pub mod frontier;
pub mod ids;
pub mod ledger;
pub mod limits;
pub mod logs;
pub mod message;
pub mod objective;
pub mod outlook;
pub mod output;
pub mod plan;
pub mod policy;
pub mod prewarm;
pub mod price;
pub mod problem;
pub mod profile;
pub mod run;
pub mod schedule;
pub mod schedule_api;
pub mod sculpt;
pub mod target;
pub mod topology;
pub mod units;
pub mod workflow;
