//! Up and down: each step is skipped when it is done already, so an interrupted `up` is repaired by the next.

use std::path::PathBuf;
use std::time::Duration;

use crate::deploy::{self, Deployment};
use crate::error::EmulatorError;
use crate::home::Home;
use crate::host;
use crate::machine::Machine;
use crate::process::Process;
use crate::progress::Progress;
use crate::record::{Lock, Record};
use crate::tools;
use crate::venv;

/// How long `down` waits for an `up` or another `down` at work: longer than a process is given to stop.
pub const DOWN_PATIENCE: Duration = Duration::from_secs(30);

/// What may be asked of `up`.
#[derive(Debug, Clone, Default)]
pub struct UpOptions {
    /// Port on 127.0.0.1; any free one when `None`.
    pub port: Option<u16>,
    /// Folder of built functions; the checkout's when `None`.
    pub artifacts: Option<PathBuf>,
    /// Most lanes of a run; from the machine when `None`.
    pub lanes_max: Option<u32>,
}

/// Brings the emulator up with the control plane deployed.
///
/// # Errors
/// Missing tools, functions that are not built, or a step that failed; what was done stays done.
pub fn up(
    home: &Home,
    options: &UpOptions,
    progress: &dyn Progress,
) -> Result<Record, EmulatorError> {
    let _lock = Lock::take(home, Duration::ZERO)?;
    let tools = tools::find(home).map_err(EmulatorError::ToolsMissing)?;
    let artifacts = options
        .artifacts
        .clone()
        .unwrap_or_else(|| home.artifacts());
    let mut deployment = Deployment::of(artifacts, Machine::here());
    deployment.lanes_max = options.lanes_max.unwrap_or(deployment.lanes_max);
    let wanted = deployment.digest(home)?;
    let python = venv::ensure(home, &tools, progress)?;
    deploy::install(home, &tools, progress)?;

    let mut record = match Record::read(home).filter(|r| host::is_healthy(r.port)) {
        Some(record) => record,
        None => start(home, &python, options, progress)?,
    };
    if record.deployed.as_deref() != Some(&wanted) {
        if record.deployed.is_some() {
            record.process.stop();
            record = start(home, &python, options, progress)?;
        }
        record.outputs = deploy::deploy(home, &tools, &deployment, &record.endpoint, progress)?;
        record.api = api_of(&record);
        record.deployed = Some(wanted);
        record.write(home)?;
    }
    Ok(record)
}

/// Stops the emulator; false when none was running.
///
/// # Errors
/// [`EmulatorError::Busy`] when somebody brings it up and is not done in [`DOWN_PATIENCE`].
pub fn down(home: &Home) -> Result<bool, EmulatorError> {
    let _lock = Lock::take(home, DOWN_PATIENCE)?;
    let stopped = running(home).is_some_and(|process| process.stop());
    Record::remove(home);
    Ok(stopped)
}

/// The host process that the state folder knows of, recorded by us or by the host itself.
fn running(home: &Home) -> Option<Process> {
    if let Some(record) = Record::read(home) {
        return Some(record.process);
    }
    let text = std::fs::read_to_string(home.state.join("host.json")).ok()?;
    let host: serde_json::Value = serde_json::from_str(&text).ok()?;
    let process = Process::of(u32::try_from(host.get("pid")?.as_u64()?).ok()?)?;
    let recorded = host.get("start_time")?;
    let same = recorded
        .as_str()
        .map_or_else(|| recorded.to_string(), str::to_owned)
        == process.started;
    same.then_some(process)
}

fn start(
    home: &Home,
    python: &std::path::Path,
    options: &UpOptions,
    progress: &dyn Progress,
) -> Result<Record, EmulatorError> {
    if let Some(stray) = running(home) {
        progress.note("an earlier emulator still runs, without an answer: stopping it");
        stray.stop();
    }
    let port = options.port.map_or_else(host::free_port, Ok)?;
    let process = host::start(home, python, port, progress)?;
    let record = Record {
        process,
        port,
        endpoint: host::endpoint(port),
        api: None,
        outputs: std::collections::BTreeMap::new(),
        deployed: None,
    };
    record.write(home)?;
    Ok(record)
}

/// The API's address on the emulator, which serves it by path.
fn api_of(record: &Record) -> Option<String> {
    let url = record
        .outputs
        .iter()
        .find(|(name, _)| name.ends_with("ApiUrl"))
        .map(|(_, url)| url)?;
    let rest = url.split_once("://")?.1;
    let (host, path) = rest.split_once('/')?;
    let id = host.split('.').next()?;
    let stage = path.trim_matches('/');
    Some(format!(
        "{}/restapis/{id}/{stage}/_user_request_",
        record.endpoint
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_api_is_served_by_path() {
        let mut record = Record {
            process: Process {
                pid: 1,
                started: "1".to_owned(),
            },
            port: 4566,
            endpoint: "http://127.0.0.1:4566".to_owned(),
            api: None,
            outputs: std::collections::BTreeMap::new(),
            deployed: None,
        };
        assert_eq!(api_of(&record), None);
        let url = "https://abc123.execute-api.us-east-1.amazonaws.com/live/".to_owned();
        record.outputs.insert("ForeshardApiUrl".to_owned(), url);
        let expected = "http://127.0.0.1:4566/restapis/abc123/live/_user_request_";
        assert_eq!(api_of(&record).as_deref(), Some(expected));
    }
}
