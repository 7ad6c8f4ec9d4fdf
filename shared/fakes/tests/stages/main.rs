//! submit, plan, aggregate, forecast, prewarm and reshard over the ports in memory.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on fails, in its helpers too"
)]

mod aggregate;
mod caller;
mod creation;
mod early;
mod forecast;
mod learnt;
mod logs;
mod plan;
mod prewarm;
mod recut;
mod submit;
mod through;
