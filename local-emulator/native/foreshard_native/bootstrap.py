"""Starts the bootstrap of a function and ends it with everything that it started; one object for one life."""

import contextlib
import os
import subprocess
import time
from collections.abc import Callable

from foreshard_native.environment_record import EnvironmentRecord
from foreshard_native.process_group import ProcessGroup
from foreshard_native.runtime_channel import RuntimeChannel
from foreshard_native.runtime_client import Answer, Event


class StartRefused(Exception):
    """No process came to be; `error_type` is AWS's word for it."""

    def __init__(self, error_type: str, reason: str):
        super().__init__(reason)
        self.error_type = error_type


class Bootstrap:
    """A process and the channel to it."""

    def __init__(self, process: ProcessGroup, channel: RuntimeChannel, log_stream: str):
        self.process = process
        self.log_stream = log_stream
        self._channel = channel
        channel.attach(process)

    def await_init(self, timeout_s: float) -> Answer | None:
        """None when it asks for its first event, or the error that it reported; errors as `RuntimeChannel`."""
        return self._channel.await_init(timeout_s)

    def exchange(self, event: Event, timeout_s: float) -> Answer:
        """One invocation; errors as `RuntimeChannel`."""
        return self._channel.exchange(event, timeout_s)

    def take_log(self) -> str:
        """What it printed since the last call, also after its end."""
        return self._channel.log.take()

    def end(self) -> int:
        """Kill all of it; the exit status, negative for a signal."""
        status = self.process.end()
        self._channel.log.read()
        self._channel.close()
        return status


def launch(
    code_dir: str,
    variables_of: Callable[[int], dict[str, str]],
    log_stream: str,
    record: EnvironmentRecord,
    exec_lock: contextlib.AbstractContextManager,
) -> Bootstrap:
    """Start the bootstrap in `code_dir`; it has not asked for an event yet.

    `variables_of` gives its environment by the port of its Runtime API. `exec_lock` is held while packages are written:
    a fork during an extraction would inherit its open file, and the exec of that file would fail.

    # Errors
    StartRefused `Runtime.InvalidEntrypoint` when the package has none that this machine can execute.
    """
    path = os.path.join(code_dir, "bootstrap")
    if not os.access(path, os.X_OK):
        raise StartRefused("Runtime.InvalidEntrypoint", f"Couldn't find valid bootstrap(s): [{path}]")
    channel = RuntimeChannel()
    try:
        with exec_lock:
            process = ProcessGroup(
                [path],
                cwd=code_dir,
                env=variables_of(channel.port),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                bufsize=0,
            )
    except OSError as failure:
        channel.close()
        raise StartRefused("Runtime.InvalidEntrypoint", f"fork/exec {path}: {failure.strerror}") from failure
    record.add(process.pid, log_stream)
    return Bootstrap(process, channel, log_stream)


def deadline_ms(timeout_s: float) -> int:
    """When an invocation that begins now must be over, in the clock of the Runtime API."""
    return int((time.time() + timeout_s) * 1000)
