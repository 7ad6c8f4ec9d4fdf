//! The `foreshard` command as a user runs it, against the emulator of the tests.

use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::Command;

use super::stack::Stack;

/// What a command did.
#[derive(Debug)]
pub struct Said {
    pub code: i32,
    pub out: String,
    pub err: String,
}

/// The binary beside the tests, built in the same profile.
pub fn program() -> PathBuf {
    let test = std::env::current_exe().expect("a test has a path");
    let built = test
        .ancestors()
        .nth(2)
        .expect("it is in target/<profile>/deps");
    built.join("foreshard")
}

/// Runs a command to its end.
pub fn foreshard<A: AsRef<OsStr>>(stack: &Stack, arguments: &[A]) -> Said {
    let program = program();
    let answer = Command::new(&program)
        .args(arguments)
        .arg("--state")
        .arg(&stack.home.state)
        .current_dir(stack.root())
        .env_remove("FORESHARD_API_URL")
        .env("NO_COLOR", "1")
        .output()
        .unwrap_or_else(|error| {
            panic!(
                "`{}` (cargo build -p foreshard-cli): {error}",
                program.display()
            )
        });
    Said {
        code: answer.status.code().unwrap_or(-1),
        out: String::from_utf8_lossy(&answer.stdout).into_owned(),
        err: String::from_utf8_lossy(&answer.stderr).into_owned(),
    }
}
