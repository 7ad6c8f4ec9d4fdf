"""Forks a process that outlives a SIGKILL of the host and ends its environments at once.

The kernel's own way (a parent-death signal) is tied to the thread that started the child, and MiniStack's threads
come and go; the end of a pipe is tied to the whole process.
"""

import os
import signal

from foreshard_host.environment_record import EnvironmentRecord


def start(record: EnvironmentRecord) -> int:
    """Fork the janitor and return its process id. Must be called before the first thread starts."""
    reading, writing = os.pipe()  # neither is inherited by the environments
    pid = os.fork()
    if pid != 0:
        os.close(reading)
        return pid
    os.close(writing)
    try:
        _wait_and_clean(reading, record)
    finally:
        os._exit(0)


def _wait_and_clean(reading: int, record: EnvironmentRecord) -> None:
    os.setsid()  # an interrupt of the terminal reaches the host only
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    os.read(reading, 1)  # returns when no writing end is left: the host is gone
    record.end_all()
