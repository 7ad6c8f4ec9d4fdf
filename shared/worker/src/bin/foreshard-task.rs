//! The processes that a worker starts for its tasks, as a program of its own: for tests, and for images whose worker is another binary.

use std::process::ExitCode;

fn main() -> ExitCode {
    foreshard_worker::run_as_task(std::env::args_os())
        .unwrap_or(ExitCode::from(foreshard_worker::USAGE))
}
