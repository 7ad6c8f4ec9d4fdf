//! `up`, `down`, `doctor`: the laptop's cloud.

use foreshard_local_emulator::{UpOptions, doctor as look, down as stop, up as start};

use crate::args::{Arguments, Format, Up, Which};
use crate::deployment::home;
use crate::exit::{CliError, Exit};
use crate::render::steps::Steps;
use crate::render::{data, json, say};

/// Brings the emulator up; prints how to reach it.
///
/// # Errors
/// What is missing, or the step that failed.
pub fn up(arguments: &Arguments, up: &Up) -> Result<Exit, CliError> {
    let options = UpOptions {
        emulator: up.emulator,
        port: up.port,
        artifacts: up.artifacts.clone(),
        lanes_max: up.lanes,
    };
    let record = start(&home(arguments)?, &options, &Steps::new())?;
    let api = record
        .api
        .as_deref()
        .unwrap_or("(the stack has no API output)");
    if arguments.format == Format::Json {
        json(&record);
    } else {
        data(&format!("endpoint  {}\napi       {api}", record.endpoint));
        say("the control plane is deployed: try `foreshard run examples/word-count/workflow.yaml`");
    }
    Ok(Exit::Success)
}

/// Stops the emulator.
///
/// # Errors
/// While somebody brings it up.
pub fn down(arguments: &Arguments) -> Result<Exit, CliError> {
    say(if stop(&home(arguments)?)? {
        "the emulator is stopped"
    } else {
        "no emulator was running"
    });
    Ok(Exit::Success)
}

/// Looks at everything that the emulator needs.
///
/// # Errors
/// Outside a checkout.
pub fn doctor(arguments: &Arguments, which: Which) -> Result<Exit, CliError> {
    let checks = look::doctor(&home(arguments)?, which.emulator);
    for check in &checks {
        data(&format!(
            "{} {}",
            if check.good { "✓" } else { "✗" },
            check.what
        ));
        if !check.hint.is_empty() {
            data(&format!("    hint: {}", check.hint));
        }
    }
    Ok(if checks.iter().all(|c| c.good) {
        Exit::Success
    } else {
        Exit::Machine
    })
}
