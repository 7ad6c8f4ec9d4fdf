//! Starts a task's process in a session of its own, feeds it, listens to it, and ends it as a whole.

pub(crate) mod children;
pub(crate) mod confine;
pub(crate) mod proc;
pub(crate) mod tail;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io;
use std::os::unix::process::ExitStatusExt as _;
use std::path::PathBuf;
use std::pin::pin;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{ChildStderr, ChildStdin, ChildStdout};
use tokio::time::Instant;
use wait4::Wait4 as _;

use self::children::{Children, Session};
use self::tail::SharedTail;

/// How long the pipes of a process that has ended may stay open: whoever still holds them has left the session.
const DRAIN_MS: u64 = 500;

/// What to start.
pub(crate) struct Launch {
    /// The task program, see [`crate::run_as_task`].
    pub(crate) program: PathBuf,
    /// Its arguments.
    pub(crate) arguments: Vec<OsString>,
    /// The whole environment.
    pub(crate) environment: BTreeMap<String, String>,
    /// The current folder.
    pub(crate) folder: PathBuf,
    /// What it reads.
    pub(crate) stdin: Vec<u8>,
    /// Most bytes that it may write to standard output.
    pub(crate) output_bytes: usize,
    /// Where its standard error goes.
    pub(crate) log: SharedTail,
    /// When it is killed.
    pub(crate) deadline: Instant,
}

/// How a process ended.
#[derive(Debug)]
pub(crate) struct Ended {
    /// Exit status or signal.
    pub(crate) status: ExitStatus,
    /// The worker killed it because its time was over.
    pub(crate) timed_out: bool,
    /// It wrote more than it may; then it was killed too.
    pub(crate) too_much: bool,
    /// Standard output.
    pub(crate) stdout: Vec<u8>,
    /// CPU time of it and of the descendants that it waited for, in milliseconds.
    pub(crate) cpu_ms: u64,
    /// Peak resident memory of the largest of them, in KiB, as the kernel counts: not less than the worker's own when
    /// it was started.
    pub(crate) peak_kib: u64,
}

/// Runs a process to its end. When the future is dropped the process and its session are killed.
///
/// `started` is called with the process id, and what it gives lives as long as the process.
///
/// # Errors
/// The process cannot be started.
pub(crate) async fn run<W>(
    launch: Launch,
    children: &Arc<Children>,
    started: impl FnOnce(u32) -> W,
) -> io::Result<(Ended, W)> {
    let mut child = spawn(&launch)?;
    let session = children.add(child.id());
    let watched = started(child.id());
    let pipes = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    // From here on somebody collects the process, whatever else fails.
    let ending = session.clone();
    let mut waiting = tokio::task::spawn_blocking(move || wait(child, &ending));
    let (Some(stdin), Some(stdout), Some(stderr)) = pipes else {
        return Err(io::Error::other("the process has no pipes"));
    };
    let (stdin, stdout, stderr) = (
        ChildStdin::from_std(stdin)?,
        ChildStdout::from_std(stdout)?,
        ChildStderr::from_std(stderr)?,
    );
    let (mut output, mut too_much, mut timed_out) = (Vec::new(), false, false);
    let result = {
        let listening = async {
            too_much = read_output(stdout, launch.output_bytes, &mut output).await;
            if too_much {
                session.kill();
            }
        };
        let piping = async {
            tokio::join!(
                feed(stdin, &launch.stdin),
                listening,
                follow(stderr, &launch.log)
            )
        };
        let (mut piping, mut piped) = (pin!(piping), false);
        let ended = loop {
            tokio::select! {
                _ = &mut piping, if !piped => piped = true,
                ended = &mut waiting => break ended,
                () = tokio::time::sleep_until(launch.deadline), if !timed_out => {
                    timed_out = true;
                    session.kill();
                }
            }
        };
        if !piped {
            let _somebody_else_holds_the_pipes =
                tokio::time::timeout(Duration::from_millis(DRAIN_MS), piping).await;
        }
        ended.map_err(io::Error::other)??
    };
    let ended = Ended {
        status: result.status,
        timed_out,
        too_much,
        stdout: output,
        cpu_ms: milliseconds(result.rusage.utime + result.rusage.stime),
        peak_kib: result.rusage.maxrss / 1024,
    };
    Ok((ended, watched))
}

fn spawn(launch: &Launch) -> io::Result<Child> {
    Command::new(&launch.program)
        .args(&launch.arguments)
        .env_clear()
        .envs(&launch.environment)
        .current_dir(&launch.folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
}

/// Waits for the process; ends what is left of its session before its id can be given to another one.
fn wait(mut child: Child, session: &Session) -> io::Result<wait4::ResUse> {
    session.await_end();
    session.end(|| child.wait4())
}

async fn feed(mut pipe: ChildStdin, bytes: &[u8]) {
    // A program need not read its input.
    let _unread = pipe.write_all(bytes).await;
    let _unread = pipe.shutdown().await;
}

/// Reads to the end or to the limit. True: there was more.
async fn read_output(pipe: ChildStdout, limit: usize, output: &mut Vec<u8>) -> bool {
    let mut bounded = pipe.take(limit as u64 + 1);
    let _cut_off = bounded.read_to_end(output).await;
    output.len() > limit
}

async fn follow(mut pipe: ChildStderr, log: &SharedTail) {
    let mut chunk = vec![0; 16 * 1024];
    while let Ok(read) = pipe.read(&mut chunk).await {
        if read == 0 {
            return;
        }
        log.push(&chunk[..read]);
    }
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// SIGKILL: what the kernel sends when memory ends.
pub(crate) const SIGKILL: i32 = 9;

/// How a shell reports a child that was killed with SIGKILL.
pub(crate) const KILLED_STATUS: i32 = 128 + SIGKILL;

impl Ended {
    /// The signal that ended it, if one did.
    pub(crate) fn signal(&self) -> Option<i32> {
        self.status.signal()
    }
}
