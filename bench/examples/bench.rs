//! `foreshard bench` without the rest of the command line.

use std::process::ExitCode;

use clap::Parser;

/// The benchmarks of the planner.
#[derive(Debug, Parser)]
struct Arguments {
    /// Which.
    #[command(subcommand)]
    bench: foreshard_bench::Bench,
    /// `json` or `text`.
    #[arg(long, global = true, default_value = "text")]
    format: String,
}

#[expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program's output"
)]
fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match foreshard_bench::run(&arguments.bench, arguments.format == "json") {
        Ok(text) => {
            println!("{text}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
