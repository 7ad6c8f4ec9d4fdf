//! The emulator's process: started detached on a loopback port, waited for until it answers.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::error::EmulatorError;
use crate::home::Home;
use crate::process::{Process, wait_until};
use crate::progress::Progress;
use crate::tools;
use crate::venv;

/// How long the emulator may take to answer: it needs about two seconds.
const START_LIMIT: Duration = Duration::from_secs(60);
/// How long one health request may take.
const HEALTH_LIMIT: Duration = Duration::from_secs(2);

/// A running emulator without anything deployed. Dropping it stops it: for tests of single services.
#[derive(Debug)]
pub struct BareHost {
    /// The process.
    pub process: Process,
    /// `http://127.0.0.1:<port>`.
    pub endpoint: String,
}

impl Drop for BareHost {
    fn drop(&mut self) {
        self.process.stop();
    }
}

/// Starts an emulator of its own, on a free port, with its state in `home.state`.
///
/// # Errors
/// Missing tools, or an emulator that does not come up.
pub fn start_bare(home: &Home, progress: &dyn Progress) -> Result<BareHost, EmulatorError> {
    let tools = tools::find(home).map_err(EmulatorError::ToolsMissing)?;
    let python = venv::ensure(home, &tools, progress)?;
    let port = free_port()?;
    let process = start(home, &python, port, progress)?;
    Ok(BareHost {
        process,
        endpoint: endpoint(port),
    })
}

/// Starts the host process and waits until it answers.
///
/// # Errors
/// [`EmulatorError::Unhealthy`] with the end of its log.
pub fn start(
    home: &Home,
    python: &Path,
    port: u16,
    progress: &dyn Progress,
) -> Result<Process, EmulatorError> {
    progress.begin("emulator: starting");
    home.create_state()?;
    let log = log_of(home);
    let out = File::create(&log).map_err(EmulatorError::io("cannot write", &log))?;
    let err = out
        .try_clone()
        .map_err(EmulatorError::io("cannot write", &log))?;
    let mut child = Command::new(python)
        .args([
            "-m",
            "foreshard_host",
            "--port",
            &port.to_string(),
            "--state-dir",
        ])
        .arg(&home.state)
        .current_dir(home.launcher())
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .stdin(Stdio::null())
        .stdout(out)
        .stderr(err)
        .process_group(0)
        .spawn()
        .map_err(EmulatorError::io("cannot start", python))?;
    let healthy = wait_until(START_LIMIT, || is_healthy(port) || !still_runs(child.id()));
    let process = Process::of(child.id()).filter(|_| healthy && is_healthy(port));
    let Some(process) = process else {
        let _ = child.kill();
        let _ = child.wait();
        return Err(EmulatorError::Unhealthy {
            port,
            waited_s: START_LIMIT.as_secs(),
            tail: venv::tail_of(&log),
        });
    };
    progress.end(&format!("listens on 127.0.0.1:{port}"));
    Ok(process)
}

/// Where the emulator's log is.
#[must_use]
pub fn log_of(home: &Home) -> PathBuf {
    home.state.join("emulator.log")
}

/// The endpoint at a port.
#[must_use]
pub fn endpoint(port: u16) -> String {
    format!("http://127.0.0.1:{port}")
}

/// A loopback port that nobody listens on.
///
/// # Errors
/// [`EmulatorError::Io`] when the system gives none.
pub fn free_port() -> Result<u16, EmulatorError> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .map_err(EmulatorError::io("no free port on", "127.0.0.1"))?;
    let address = listener
        .local_addr()
        .map_err(EmulatorError::io("no free port on", "127.0.0.1"))?;
    Ok(address.port())
}

/// Whether the emulator answers its health request.
#[must_use]
pub fn is_healthy(port: u16) -> bool {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let Ok(mut stream) = TcpStream::connect_timeout(&address, HEALTH_LIMIT) else {
        return false;
    };
    let request = format!(
        "GET /_foreshard/health HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n"
    );
    let mut answer = [0_u8; 12];
    stream.set_read_timeout(Some(HEALTH_LIMIT)).is_ok()
        && stream.write_all(request.as_bytes()).is_ok()
        && stream.read_exact(&mut answer).is_ok()
        && answer.ends_with(b" 200")
}

fn still_runs(pid: u32) -> bool {
    Process::of(pid).is_some()
}
