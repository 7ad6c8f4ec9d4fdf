"""Forks a process that outlives a SIGKILL of the host and ends its environments at once.

The kernel's own way (a parent-death signal) is tied to the thread that started the child, and MiniStack's threads
come and go; the end of a pipe is tied to the whole process.
"""

import os
import signal

from foreshard_native.environment_record import EnvironmentRecord

_ARMED = b"armed"


class Janitor:
    """The host's end of the pipe. Must be created before the first thread starts: a fork copies one thread only."""

    def __init__(self, record: EnvironmentRecord):
        reading, self._writing = os.pipe()  # neither is inherited by the environments
        self.pid = os.fork()
        if self.pid == 0:
            os.close(self._writing)
            try:
                _wait_and_clean(reading, record)
            finally:
                os._exit(0)
        os.close(reading)

    def arm(self) -> None:
        """From now on the recorded environments are this host's, and the end of this process is theirs."""
        os.write(self._writing, _ARMED)


def _wait_and_clean(reading: int, record: EnvironmentRecord) -> None:
    os.setsid()  # an interrupt of the terminal reaches the host only
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    armed = os.read(reading, len(_ARMED)) == _ARMED
    while armed and os.read(reading, 1):
        pass
    if armed:  # and no writing end is left: the host is gone
        record.end_all()
