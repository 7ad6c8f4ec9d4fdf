//! Takes the worker's own credentials out of reach of its tasks: out of the environment, into the memory of a process
//! that no other may look into.
//!
//! What a process was started with stays readable in `/proc/<pid>/environ` for whoever runs as the same user, whatever
//! the process does to its variables. So the process starts itself again without them, and hands them on through a
//! pipe that nobody else ever holds. Nothing is written to disk, and no open file holds them afterwards.

use std::env;
use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::os::unix::process::CommandExt as _;
use std::process::Command;

use rustix::process::{DumpableBehavior, set_dumpable_behavior};
use serde::{Deserialize, Serialize};

/// Set in the second start: the credentials are on standard input.
const MARKER: &str = "FORESHARD_SHIELDED";

const ACCESS_KEY_ID: &str = "AWS_ACCESS_KEY_ID";
const SECRET_ACCESS_KEY: &str = "AWS_SECRET_ACCESS_KEY";
const SESSION_TOKEN: &str = "AWS_SESSION_TOKEN";

/// Variables that hold the worker's credentials, or lead to them.
const SECRETS: [&str; 8] = [
    ACCESS_KEY_ID,
    SECRET_ACCESS_KEY,
    SESSION_TOKEN,
    "AWS_SECURITY_TOKEN",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
];

/// The worker's own credentials, for its SDK. Its `Debug` shows no secret.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkerCredentials {
    /// Access key.
    pub access_key_id: String,
    /// Secret.
    pub secret_access_key: String,
    /// Session token.
    pub session_token: Option<String>,
}

impl std::fmt::Debug for WorkerCredentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WorkerCredentials")
            .field("access_key_id", &self.access_key_id)
            .finish_non_exhaustive()
    }
}

/// Call it first of all in `main`, after [`crate::run_as_task`] and before any thread: it starts the process again when
/// there are credentials in its environment, and then does not return. In the second start it gives them; `None` when
/// there were none. From then on nobody but root may look into this process.
///
/// # Errors
/// The process cannot be started again, or what it handed on cannot be read.
pub fn protect() -> io::Result<Option<WorkerCredentials>> {
    if env::var_os(MARKER).is_some() {
        let credentials = receive()?;
        set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
        return Ok(Some(credentials));
    }
    if let (Ok(access_key_id), Ok(secret_access_key)) =
        (env::var(ACCESS_KEY_ID), env::var(SECRET_ACCESS_KEY))
    {
        let credentials = WorkerCredentials {
            access_key_id,
            secret_access_key,
            session_token: env::var(SESSION_TOKEN).ok(),
        };
        return Err(start_again(&credentials));
    }
    set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    Ok(None)
}

/// Comes back only when it fails.
fn start_again(credentials: &WorkerCredentials) -> io::Error {
    let handed_on = || {
        let (reader, mut writer) = io::pipe()?;
        // A pipe holds 64 KiB, credentials a few: nobody has to read meanwhile. Both ends close with the new start,
        // but for the copy that becomes its standard input.
        writer.write_all(&serde_json::to_vec(credentials)?)?;
        let program = env::current_exe()?;
        let mut command = Command::new(program);
        command
            .args(env::args_os().skip(1))
            .stdin(reader)
            .env(MARKER, "1");
        for name in SECRETS {
            command.env_remove(name);
        }
        Ok::<_, io::Error>(command.exec())
    };
    handed_on().unwrap_or_else(|error| error)
}

fn receive() -> io::Result<WorkerCredentials> {
    let mut bytes = Vec::new();
    io::stdin().lock().read_to_end(&mut bytes)?;
    rustix::stdio::dup2_stdin(File::open("/dev/null")?)?;
    Ok(serde_json::from_slice(&bytes)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_not_shown() {
        let credentials = WorkerCredentials {
            access_key_id: "AKIA1".to_owned(),
            secret_access_key: "hush".to_owned(),
            session_token: Some("token".to_owned()),
        };
        assert_eq!(
            format!("{credentials:?}"),
            "WorkerCredentials { access_key_id: \"AKIA1\", .. }"
        );
    }
}
