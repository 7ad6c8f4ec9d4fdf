"""Runs one environment in a session of its own and ends it as a whole, so that no task outlives its environment."""

import contextlib
import os
import signal
import subprocess

from foreshard_native import process_table

# One pass may miss what a dying process has just forked; a fork needs a living parent, so passes soon find nothing.
_KILL_PASSES_MAX = 20


def kill_members(leader: int) -> None:
    """SIGKILL the leader, its session and their descendants. The leader must not have been collected yet."""
    if not process_table.AVAILABLE:
        _signal_group(leader)
        return
    for _ in range(_KILL_PASSES_MAX):
        living = [process for process in process_table.members(leader) if not process.zombie]
        if not living:
            return
        for process in living:
            signal_process(process.pid)


def signal_process(pid: int) -> None:
    """SIGKILL one process; one that is already gone is no error."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, signal.SIGKILL)


def _signal_group(leader: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, signal.SIGKILL)


class ProcessGroup(subprocess.Popen):
    """The bootstrap and everything that it starts.

    The exit status of the bootstrap is collected only after its session is dead: until then the kernel keeps its
    process id, so that a signal to the session can never reach a stranger.
    """

    def __init__(self, command: list[str], **options):
        super().__init__(command, start_new_session=True, **options)

    def has_exited(self) -> bool:
        """Whether the bootstrap has ended, without collecting its exit status."""
        if self.returncode is not None:
            return True
        if not hasattr(os, "waitid"):  # macOS before Python 3.13: there the exit status is collected early
            return super().poll() is not None
        try:
            return os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
        except ChildProcessError:
            return True

    def poll(self) -> int | None:
        """The exit status, None while the bootstrap runs. Ends the rest of the session when the bootstrap ended."""
        if self.returncode is None and self.has_exited():
            kill_members(self.pid)
            return super().poll()
        return self.returncode

    def end(self) -> int:
        """Kill everything and collect the exit status, negative for a signal."""
        if self.returncode is None:
            kill_members(self.pid)
            self.wait()
        return self.returncode

    def terminate(self) -> None:
        """MiniStack asks politely; a microVM is just taken away."""
        if self.returncode is None:
            kill_members(self.pid)

    kill = terminate
