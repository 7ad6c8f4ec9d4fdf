//! What people see: problems, plans, forecasts, live progress, and the lanes over time.

pub mod bars;
pub mod events;
pub mod forecasts;
pub mod gantt;
pub mod imports;
pub mod pareto;
pub mod plan;
pub mod prewarm;
pub mod problems;
pub mod regions;
pub mod runs;
pub mod schedules;
pub mod steps;

use std::io::Write as _;

use crate::exit::{CliError, Exit};

/// Prints data on standard output. A reader that has gone away is no error.
pub fn data(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(text.as_bytes());
    if !text.ends_with('\n') {
        let _ = out.write_all(b"\n");
    }
}

/// Prints a value as JSON on standard output.
pub fn json(value: &impl serde::Serialize) {
    data(&serde_json::to_string_pretty(value).unwrap_or_default());
}

/// Says something on standard error.
pub fn say(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}

/// Shows why a command failed, and gives its exit code.
pub fn failure(error: &CliError) -> Exit {
    match error {
        CliError::Document {
            name,
            text,
            problems,
        } => say(&problems::render(name, text, problems)),
        CliError::Refused(problem) => {
            say(&format!("error: {error}"));
            for each in &problem.problems {
                say(&format!("  {each}"));
            }
            say(&format!("  see {}", problem.kind));
        }
        _ => say(&format!("error: {error}")),
    }
    error.exit()
}
