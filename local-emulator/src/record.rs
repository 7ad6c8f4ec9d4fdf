//! What is written down about a running emulator, so that any later command finds it.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::emulator::Emulator;
use crate::error::EmulatorError;
use crate::home::Home;
use crate::host;
use crate::process::{Process, wait_until};

/// A running emulator with the control plane deployed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Which emulator it is.
    #[serde(default)]
    pub emulator: Emulator,
    /// The host process.
    pub process: Process,
    /// The process that runs beside it.
    #[serde(default)]
    pub companion: Option<Process>,
    /// Port on 127.0.0.1.
    pub port: u16,
    /// `http://127.0.0.1:<port>`.
    pub endpoint: String,
    /// Base of the REST API; set once deployed.
    #[serde(default)]
    pub api: Option<String>,
    /// Outputs of the stack.
    #[serde(default)]
    pub outputs: BTreeMap<String, String>,
    /// Digest of the template and the functions that are deployed.
    #[serde(default)]
    pub deployed: Option<String>,
}

/// Region that the emulator plays.
pub const REGION: &str = "us-east-1";
/// Credentials that the emulator accepts: no secret.
pub const CREDENTIALS: (&str, &str) = ("test", "test");

impl Record {
    fn path(home: &Home) -> PathBuf {
        home.state.join("emulator.json")
    }

    /// The record, if its process still runs.
    #[must_use]
    pub fn read(home: &Home) -> Option<Self> {
        let text = std::fs::read_to_string(Self::path(home)).ok()?;
        let record: Self = serde_json::from_str(&text).ok()?;
        record.process.is_alive().then_some(record)
    }

    /// Writes it, whole or not at all.
    ///
    /// # Errors
    /// [`EmulatorError::Io`] when the folder cannot be written.
    pub fn write(&self, home: &Home) -> Result<(), EmulatorError> {
        let path = Self::path(home);
        let draft = path.with_extension("json.new");
        let text = serde_json::to_string_pretty(self).unwrap_or_default();
        std::fs::write(&draft, text).map_err(EmulatorError::io("cannot write", &draft))?;
        std::fs::rename(&draft, &path).map_err(EmulatorError::io("cannot rename to", &path))
    }

    /// Whether it answers, and whatever it needs beside it runs.
    #[must_use]
    pub fn is_healthy(&self) -> bool {
        self.companion.as_ref().is_none_or(Process::is_alive) && host::is_healthy(self.port)
    }

    /// Ends all of its processes; false when none ran.
    pub fn stop(&self) -> bool {
        let stopped = self.process.stop();
        self.companion.as_ref().is_some_and(Process::stop) || stopped
    }

    /// Forgets it.
    pub fn remove(home: &Home) {
        let _ = std::fs::remove_file(Self::path(home));
    }

    /// The environment in which AWS tools and SDKs reach this emulator.
    #[must_use]
    pub fn environment(&self) -> Vec<(String, String)> {
        environment(&self.endpoint)
    }
}

/// The environment in which AWS tools and SDKs reach an emulator.
#[must_use]
pub fn environment(endpoint: &str) -> Vec<(String, String)> {
    [
        ("AWS_ENDPOINT_URL", endpoint),
        ("AWS_ENDPOINT_URL_S3", endpoint),
        ("AWS_REGION", REGION),
        ("AWS_DEFAULT_REGION", REGION),
        ("AWS_ACCESS_KEY_ID", CREDENTIALS.0),
        ("AWS_SECRET_ACCESS_KEY", CREDENTIALS.1),
        ("AWS_EC2_METADATA_DISABLED", "true"),
    ]
    .map(|(k, v)| (k.to_owned(), v.to_owned()))
    .to_vec()
}

/// Held while an emulator is brought up or down; the system lets go of it when the process ends, however it ends.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock, waiting at most `patience` for whoever has it: two that bring the same emulator down, a test's
    /// watcher and its caller, are both right.
    ///
    /// # Errors
    /// [`EmulatorError::Busy`] when somebody still has it then.
    pub fn take(home: &Home, patience: Duration) -> Result<Self, EmulatorError> {
        home.create_state()?;
        let path = home.state.join("lock");
        let file = File::create(&path).map_err(EmulatorError::io("cannot open", &path))?;
        if !wait_until(patience, || file.try_lock().is_ok()) {
            return Err(EmulatorError::Busy(path));
        }
        Ok(Self { _file: file })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn home() -> (tempfile::TempDir, Home) {
        let folder = tempfile::tempdir().expect("a folder");
        let home = Home {
            root: folder.path().to_path_buf(),
            state: folder.path().join("state"),
        };
        home.create_state().expect("made");
        (folder, home)
    }

    #[test]
    fn a_record_counts_only_while_its_process_runs() {
        let (_folder, home) = home();
        let process = Process::of(std::process::id()).expect("this process runs");
        let mut record = Record {
            emulator: Emulator::Localstack,
            companion: None,
            process,
            port: 4566,
            endpoint: "http://127.0.0.1:4566".to_owned(),
            api: None,
            outputs: BTreeMap::new(),
            deployed: None,
        };
        record.write(&home).expect("written");
        assert_eq!(Record::read(&home), Some(record.clone()));
        record.process.started = "long ago".to_owned();
        record.write(&home).expect("written");
        assert_eq!(Record::read(&home), None);
    }

    #[test]
    fn only_one_brings_it_up() {
        let (_folder, home) = home();
        let now = Duration::ZERO;
        let held = Lock::take(&home, now).expect("free");
        assert!(matches!(
            Lock::take(&home, now),
            Err(EmulatorError::Busy(_))
        ));
        drop(held);
        Lock::take(&home, now).expect("free again");
    }

    #[test]
    fn who_waits_gets_it_once_it_is_free() {
        let (_folder, home) = home();
        let held = Lock::take(&home, Duration::ZERO).expect("free");
        let patient = std::thread::scope(|scope| {
            let waiting = scope.spawn(|| Lock::take(&home, Duration::from_secs(60)).is_ok());
            drop(held);
            waiting.join()
        });
        assert!(patient.expect("no panic"));
    }
}
