//! The command line: submits workflows, watches runs, and brings up the laptop's cloud.
//!
//! Data goes to standard output, everything else to standard error. Decisions are not made here: planning and parsing
//! are `foreshard-engine`'s, the rest is the deployment's.

use std::process::ExitCode;

use clap::Parser as _;

mod args;
mod bundle;
mod choice;
mod commands;
mod deployment;
mod exit;
mod forecast_args;
mod objective_args;
mod render;
mod samples;
mod schedule_args;
mod source;

pub use args::Arguments;
pub use exit::{CliError, Exit};

/// Parses the arguments, carries out the command, and gives the documented exit code.
#[must_use]
pub fn main() -> ExitCode {
    match Arguments::try_parse() {
        Ok(arguments) => ExitCode::from(run(&arguments).code()),
        Err(error) => {
            let _ = error.print();
            ExitCode::from(if error.use_stderr() {
                Exit::BadInput.code()
            } else {
                Exit::Success.code()
            })
        }
    }
}

/// Carries out one command; failures are shown on standard error.
#[must_use]
pub fn run(arguments: &Arguments) -> Exit {
    let runtime = match tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => return render::failure(&CliError::Interrupted(error.to_string())),
    };
    match runtime.block_on(commands::carry_out(arguments)) {
        Ok(exit) => exit,
        Err(error) => render::failure(&error),
    }
}
