//! The emulator's processes: started detached on loopback ports, waited for until they answer.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::emulator::Emulator;
use crate::error::EmulatorError;
use crate::home::Home;
use crate::process::{Process, wait_until};
use crate::progress::Progress;
use crate::tools::{self, Tools};
use crate::venv;

/// How long one health request may take.
const HEALTH_LIMIT: Duration = Duration::from_secs(2);

/// A running emulator: its process, and what runs beside it.
#[derive(Debug)]
pub struct Running {
    /// The process that answers at the endpoint.
    pub process: Process,
    /// What it needs beside it.
    pub companion: Option<Process>,
    /// Port on 127.0.0.1.
    pub port: u16,
}

impl Running {
    /// Ends all of it.
    pub fn stop(&self) {
        self.process.stop();
        if let Some(companion) = &self.companion {
            companion.stop();
        }
    }
}

/// A running emulator without anything deployed. Dropping it stops it: for tests of single services.
#[derive(Debug)]
pub struct BareHost {
    running: Running,
    /// `http://127.0.0.1:<port>`.
    pub endpoint: String,
}

impl Drop for BareHost {
    fn drop(&mut self) {
        self.running.stop();
    }
}

/// Starts an emulator of its own, on a free port, with its state in `home.state`.
///
/// # Errors
/// Missing tools, or an emulator that does not come up.
pub fn start_bare(
    home: &Home,
    emulator: Emulator,
    progress: &dyn Progress,
) -> Result<BareHost, EmulatorError> {
    let tools = tools::find(emulator).map_err(EmulatorError::ToolsMissing)?;
    let running = start(home, emulator, &tools, free_port()?, progress)?;
    Ok(BareHost {
        endpoint: endpoint(running.port),
        running,
    })
}

/// Starts the emulator and what it needs beside it, and waits until it answers.
///
/// # Errors
/// A virtual environment that cannot be made; [`EmulatorError::Unhealthy`] with the end of the log. Nothing runs then.
pub fn start(
    home: &Home,
    emulator: Emulator,
    tools: &Tools,
    port: u16,
    progress: &dyn Progress,
) -> Result<Running, EmulatorError> {
    let python = venv::ensure(home, tools, emulator, progress)?;
    let mut arguments = Vec::new();
    for variable in emulator.function_variables() {
        arguments.extend(["--function-variable".to_owned(), (*variable).to_owned()]);
    }
    let mut companion = None;
    if let Some(beside) = emulator.companion() {
        let python = venv::ensure(home, tools, beside, progress)?;
        let (port, home) = (free_port()?, companion_home(home));
        companion = Some(start_process(&home, beside, &python, port, &[], progress)?);
        arguments.extend(["--dynamodb".to_owned(), endpoint(port)]);
    }
    match start_process(home, emulator, &python, port, &arguments, progress) {
        Ok(process) => Ok(Running {
            process,
            companion,
            port,
        }),
        Err(error) => {
            if let Some(companion) = companion {
                companion.stop();
            }
            Err(error)
        }
    }
}

/// Where the process beside an emulator keeps its files.
#[must_use]
pub fn companion_home(home: &Home) -> Home {
    home.with_state(home.state.join("companion"))
}

fn start_process(
    home: &Home,
    emulator: Emulator,
    python: &Path,
    port: u16,
    arguments: &[String],
    progress: &dyn Progress,
) -> Result<Process, EmulatorError> {
    progress.begin(&format!("emulator: starting {}", emulator.title()));
    home.create_state()?;
    let log = log_of(home);
    let out = File::create(&log).map_err(EmulatorError::io("cannot write", &log))?;
    let err = out
        .try_clone()
        .map_err(EmulatorError::io("cannot write", &log))?;
    let mut child = Command::new(python)
        .args(["-m", emulator.module(), "--port", &port.to_string()])
        .arg("--state-dir")
        .arg(&home.state)
        .args(arguments)
        .current_dir(emulator.folder(home))
        .envs(python_environment(home))
        .stdin(Stdio::null())
        .stdout(out)
        .stderr(err)
        .process_group(0)
        .spawn()
        .map_err(EmulatorError::io("cannot start", python))?;
    let limit = emulator.start_limit();
    let healthy = wait_until(limit, || is_healthy(port) || !still_runs(child.id()));
    let process = Process::of(child.id()).filter(|_| healthy && is_healthy(port));
    let Some(process) = process else {
        let _ = child.kill();
        let _ = child.wait();
        return Err(EmulatorError::Unhealthy {
            port,
            waited_s: limit.as_secs(),
            tail: venv::tail_of(&log),
        });
    };
    progress.end(&format!("listens on 127.0.0.1:{port}"));
    Ok(process)
}

/// What Python needs to find the code that both emulators' hosts share, and to leave the checkout as it is.
#[must_use]
pub fn python_environment(home: &Home) -> [(&'static str, PathBuf); 2] {
    [
        ("PYTHONPATH", home.root.join("local-emulator/native")),
        ("PYTHONDONTWRITEBYTECODE", PathBuf::from("1")),
    ]
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
