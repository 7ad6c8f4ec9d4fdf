//! Up and down: each step is skipped when it is done already, so an interrupted `up` is repaired by the next.

use std::path::PathBuf;
use std::time::Duration;

use crate::deploy::{self, Deployment};
use crate::emulator::Emulator;
use crate::error::EmulatorError;
use crate::home::Home;
use crate::host;
use crate::machine::Machine;
use crate::process::Process;
use crate::progress::Progress;
use crate::record::{Lock, Record};
use crate::tools::{self, Tools};

/// How long `down` waits for an `up` or another `down` at work: longer than a process is given to stop.
pub const DOWN_PATIENCE: Duration = Duration::from_secs(30);

/// What may be asked of `up`.
#[derive(Debug, Clone, Default)]
pub struct UpOptions {
    /// Which emulator; one of another kind in the same state folder is replaced.
    pub emulator: Emulator,
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
    let emulator = options.emulator;
    let tools = tools::find(emulator).map_err(EmulatorError::ToolsMissing)?;
    let artifacts = options
        .artifacts
        .clone()
        .unwrap_or_else(|| home.artifacts());
    let mut deployment = Deployment::of(artifacts, Machine::here());
    deployment.lanes_max = options.lanes_max.unwrap_or(deployment.lanes_max);
    let wanted = deployment.digest(home)?;
    deploy::install(home, &tools, progress)?;

    let fits = |record: &Record| record.emulator == emulator && record.is_healthy();
    let mut record = match Record::read(home).filter(fits) {
        Some(record) => record,
        None => start(home, &tools, options, progress)?,
    };
    if record.deployed.as_deref() != Some(&wanted) {
        if record.deployed.is_some() {
            record.stop();
            record = start(home, &tools, options, progress)?;
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
    let stopped = stop_all(home);
    Record::remove(home);
    Ok(stopped)
}

/// Stops whatever the state folder knows of, recorded by us or by the hosts themselves; false when nothing ran.
fn stop_all(home: &Home) -> bool {
    let recorded = Record::read(home).is_some_and(|record| record.stop());
    let announced = [home.clone(), host::companion_home(home)]
        .iter()
        .filter_map(announced)
        .filter(Process::stop)
        .count();
    recorded || announced > 0
}

/// The process that a host has announced in its state folder, if it still runs.
fn announced(home: &Home) -> Option<Process> {
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
    tools: &Tools,
    options: &UpOptions,
    progress: &dyn Progress,
) -> Result<Record, EmulatorError> {
    if stop_all(home) {
        progress.note("an earlier emulator ran there: it is stopped");
    }
    let port = options.port.map_or_else(host::free_port, Ok)?;
    let running = host::start(home, options.emulator, tools, port, progress)?;
    let record = Record {
        emulator: options.emulator,
        process: running.process,
        companion: running.companion,
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
    Some(record.emulator.api(&record.endpoint, id, stage))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_api_is_served_by_path() {
        let mut record = Record {
            emulator: Emulator::Ministack,
            companion: None,
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
        record.emulator = Emulator::Localstack;
        let expected = "http://127.0.0.1:4566/_aws/execute-api/abc123/live";
        assert_eq!(api_of(&record).as_deref(), Some(expected));
    }
}
