//! The ports of the stages on AWS, one file for each service, with the configuration, the Lambda loop and the API's client.
//!
//! No rule of the domain lives here: an adapter carries out what a stage decided, and says in the words of
//! [`foreshard_stages::ports::PortError`] how that went.

pub mod account;
mod classify;
pub mod client;
pub mod clock;
pub mod cloudwatch;
pub mod config;
pub mod dynamodb;
pub mod event;
mod fault;
mod http;
pub mod lambda;
mod local_signature;
pub mod pool;
pub mod proxy;
pub mod s3;
pub mod scheduler;
pub mod sdk;
pub mod serve;
pub mod sfn;
pub mod sts;
pub mod table;
pub mod warm;
