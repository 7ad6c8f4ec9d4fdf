//! The task side of Foreshard: kinds of task, sampler, claim checks. Build a worker with handlers of your own around [`Worker`].
//!
//! A [`Worker`] executes one shard at a time: it reads the shard's tasks, brings their inputs, runs independent tasks in
//! parallel, stores their outputs under a key of the attempt, and answers with the manifest that names them. Each
//! `command` and `synthetic` task is a process of its own with its own scratch: the binary starts itself again for that,
//! so its `main` calls [`run_as_task`] first of all, and [`shield::protect`] next.

mod attempt;
mod environment;
#[cfg(test)]
mod fixture;
mod handlers;
mod identity;
mod keys;
mod kinds;
mod process;
mod sampler;
pub mod settings;
pub mod shield;
mod store;
mod synthetic;
mod task;
mod worker;

use std::ffi::OsString;
use std::process::ExitCode;

pub use handlers::{HandlerCall, HandlerError, Handlers};
pub use settings::Settings;
pub use worker::{Ports, Worker};

/// The first argument of a task's process.
pub(crate) const TASK_FLAG: &str = "--foreshard-task";

/// The second one of a `command`: the program and its arguments follow.
pub(crate) const EXECUTE: &str = "execute";

/// The second one of a `synthetic` task: the load is on standard input.
pub(crate) const SYNTHETIC: &str = "synthetic";

/// Exit status when the arguments of a task's process make no sense, as in `sysexits.h`.
pub const USAGE: u8 = 64;

/// What this process is when it was started for a task: its whole `main`. `None`: it was not, go on.
///
/// The worker starts its own binary for the process of each `command` and `synthetic` task, so this is the first call
/// of `main`, before any thread, runtime or other work.
#[must_use]
pub fn run_as_task(arguments: impl IntoIterator<Item = OsString>) -> Option<ExitCode> {
    let arguments: Vec<OsString> = arguments.into_iter().skip(1).collect();
    let (flag, rest) = arguments.split_first()?;
    if flag != TASK_FLAG {
        return None;
    }
    Some(match rest {
        [what, program, arguments @ ..] if what == EXECUTE => {
            process::confine::execute(program, arguments)
        }
        [what] if what == SYNTHETIC => synthetic::main(),
        _ => ExitCode::from(USAGE),
    })
}

/// The examples of `docs/worker.md`, compiled with the documentation tests.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/worker.md")]
pub struct Guide;
