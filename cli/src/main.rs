//! The `foreshard` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    foreshard_cli::main()
}
