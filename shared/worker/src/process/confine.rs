//! What a task's process does to itself before it becomes the task: its own session, first in line when memory ends,
//! gone with its worker, no way up.

use std::ffi::OsString;
use std::io::Write as _;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, ExitCode};

use rustix::process::Signal;
use rustix::thread::CapabilitySet;

/// Exit status when the program exists but cannot be started, as shells do it.
const CANNOT_START: u8 = 126;

/// Exit status when there is no such program, as shells do it.
const NO_PROGRAM: u8 = 127;

/// Linux kills the process with the highest score first: a task's, never the worker that must report it.
const OOM_SCORE: &str = "1000";

/// Confines this process. What the system refuses is left out: each step is a further fence, none is the only one.
pub(crate) fn confine() {
    let _already_a_leader = rustix::process::setsid();
    // The worker dies alone where nothing ends its whole environment. The kernel means the thread that started this
    // process: the one that drives the worker, which lives as long as the worker does.
    let _not_linux = rustix::process::set_parent_process_death_signal(Some(Signal::KILL));
    let _no_proc = std::fs::write("/proc/self/oom_score_adj", OOM_SCORE);
    let _old_kernel = rustix::thread::set_no_new_privs(true);
    // On Lambda nobody is root. Where somebody is, several of root's capabilities would open the memory and the
    // environment of the worker, which is not dumpable.
    for capability in CapabilitySet::all().iter() {
        let _not_root = rustix::thread::remove_capability_from_bounding_set(capability);
    }
}

/// Confines this process and becomes the program. Comes back only when that fails.
pub(crate) fn execute(program: &OsString, arguments: &[OsString]) -> ExitCode {
    confine();
    let error = Command::new(program).args(arguments).exec();
    let _nobody_listens = writeln!(
        std::io::stderr(),
        "cannot start `{}`: {error}",
        program.to_string_lossy()
    );
    match error.kind() {
        std::io::ErrorKind::NotFound => ExitCode::from(NO_PROGRAM),
        _ => ExitCode::from(CANNOT_START),
    }
}
