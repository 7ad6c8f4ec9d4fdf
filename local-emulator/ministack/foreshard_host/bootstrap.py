"""Starts the bootstrap of a function and ends it with everything that it started; one object for one life."""

import os
import subprocess
import time

from ministack.core.lambda_runtime import ProvidedRuntimeError
from ministack.services import lambda_svc

from foreshard_host import code_directory
from foreshard_host.environment_record import EnvironmentRecord
from foreshard_host.function_environment import function_environment, new_log_stream
from foreshard_host.process_group import ProcessGroup
from foreshard_host.runtime_channel import RuntimeChannel
from foreshard_host.runtime_client import Answer, Event


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


def launch(config: dict, code_zip: bytes, record: EnvironmentRecord, *, provisioned: bool) -> Bootstrap:
    """Start a bootstrap; it has not asked for an event yet.

    # Errors
    ProvidedRuntimeError `Runtime.InvalidEntrypoint` when the package has none that this machine can execute.
    """
    code_dir = code_directory.of(config, code_zip)
    path = os.path.join(code_dir, "bootstrap")
    if not os.access(path, os.X_OK):
        raise ProvidedRuntimeError(f"Couldn't find valid bootstrap(s): [{path}]", "Runtime.InvalidEntrypoint")
    channel = RuntimeChannel()
    log_stream = new_log_stream(config.get("Version", "$LATEST"))
    given = lambda_svc._provided_worker_env(config, code_dir, channel.port)
    variables = function_environment(given, dict(os.environ), config, log_stream, provisioned=provisioned)
    try:
        process = _execute(path, code_dir, variables)
    except OSError as failure:
        channel.close()
        raise ProvidedRuntimeError(f"fork/exec {path}: {failure.strerror}", "Runtime.InvalidEntrypoint") from failure
    record.add(process.pid, log_stream)
    return Bootstrap(process, channel, log_stream)


def _execute(path: str, code_dir: str, variables: dict[str, str]) -> ProcessGroup:
    # A fork during an extraction would inherit its open file, and the exec of that file would fail.
    with lambda_svc._provided_code_lock:
        return ProcessGroup(
            [path],
            cwd=code_dir,
            env=variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            bufsize=0,
        )


def deadline_ms(timeout_s: float) -> int:
    """When an invocation that begins now must be over, in the clock of the Runtime API."""
    return int((time.time() + timeout_s) * 1000)
