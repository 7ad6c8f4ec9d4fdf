//! The emulator's virtual environment: made once for each lock file, complete or not there.

use std::path::{Path, PathBuf};
use std::process::Command;

use sha2::{Digest as _, Sha256};

use crate::emulator::Emulator;
use crate::error::EmulatorError;
use crate::home::Home;
use crate::progress::Progress;
use crate::tools::Tools;

/// Makes the environment unless it is there; gives its Python.
///
/// # Errors
/// [`EmulatorError::StepFailed`] when Python or pip fail; nothing half-made stays.
pub fn ensure(
    home: &Home,
    tools: &Tools,
    emulator: Emulator,
    progress: &dyn Progress,
) -> Result<PathBuf, EmulatorError> {
    let source = emulator.folder(home);
    let lock = source.join("requirements.lock");
    let mut pins = std::fs::read(&lock).map_err(EmulatorError::io("cannot read", &lock))?;
    if emulator.is_package() {
        let package = source.join("pyproject.toml");
        pins.extend(std::fs::read(&package).map_err(EmulatorError::io("cannot read", &package))?);
    }
    let digest = data_encoding::HEXLOWER.encode(&Sha256::digest(&pins)[..6]);
    let folder = home.environments().join(format!("venv-{digest}"));
    let python = folder.join("bin/python");
    let complete = folder.join("complete");
    if complete.is_file() {
        return Ok(python);
    }
    progress.begin(&format!(
        "emulator: making the virtual environment of {}",
        emulator.title()
    ));
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(home.environments())
        .map_err(EmulatorError::io("cannot create", home.environments()))?;
    run(
        "python -m venv",
        Command::new(tools.python(emulator))
            .args(["-m", "venv"])
            .arg(&folder),
    )?;
    progress.note("installing the pinned packages");
    let pip = [
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--require-hashes",
        "-r",
    ];
    run("pip install", Command::new(&python).args(pip).arg(&lock))?;
    if emulator.is_package() {
        let pip = [
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "--no-deps",
            "--no-build-isolation",
            "--editable",
        ];
        run(
            "pip install --editable",
            Command::new(&python).args(pip).arg(&source),
        )?;
    }
    std::fs::write(&complete, digest).map_err(EmulatorError::io("cannot write", &complete))?;
    progress.end("ready");
    Ok(python)
}

/// Runs a step to its end; its output is kept for the message when it fails.
///
/// # Errors
/// [`EmulatorError::StepFailed`] with the last lines.
pub fn run(step: &'static str, command: &mut Command) -> Result<String, EmulatorError> {
    let program = PathBuf::from(command.get_program());
    let answer = command
        .output()
        .map_err(EmulatorError::io("cannot start", program))?;
    let mut text = String::from_utf8_lossy(&answer.stdout).into_owned();
    if answer.status.success() {
        return Ok(text);
    }
    text.push_str(&String::from_utf8_lossy(&answer.stderr));
    Err(EmulatorError::StepFailed {
        step,
        status: answer.status.to_string(),
        tail: tail(&text),
    })
}

/// The last lines of a text.
#[must_use]
pub fn tail(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(25)..].join("\n")
}

/// The last lines of a file.
#[must_use]
pub fn tail_of(path: &Path) -> String {
    tail(&String::from_utf8_lossy(
        &std::fs::read(path).unwrap_or_default(),
    ))
}
