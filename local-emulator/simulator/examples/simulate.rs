//! `foreshard simulate` without the rest of the command line.

use std::process::ExitCode;

use clap::Parser;
use foreshard_simulator::{Form, Simulate, simulate};

/// Runs workflows in virtual time.
#[derive(Debug, Parser)]
struct Arguments {
    /// What.
    #[command(flatten)]
    simulate: Simulate,
    /// `json`, `svg` or `text`.
    #[arg(long, default_value = "text")]
    format: String,
}

#[expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program's output"
)]
fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let form = match arguments.format.as_str() {
        "json" => Form::Json,
        "svg" => Form::Svg,
        _ => Form::Text,
    };
    match simulate(&arguments.simulate, form) {
        Ok(told) => {
            told.notes.iter().for_each(|note| eprintln!("{note}"));
            println!("{}", told.text);
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
