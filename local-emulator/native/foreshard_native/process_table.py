"""Reads /proc, because only the kernel knows which processes belong to an environment and what they hold in memory."""

import os
from typing import NamedTuple

AVAILABLE = os.path.isdir("/proc/self/task")
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


class Process(NamedTuple):
    """One line of the table; `start_ticks` and `pid` together are never used twice in one boot."""

    pid: int
    parent: int
    session: int
    start_ticks: int
    zombie: bool


def read(pid: int) -> Process | None:
    """The process, or None when it is gone."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as stat:
            # The name stands in brackets and may hold spaces and brackets itself: split after the last one.
            fields = stat.read().rpartition(b")")[2].split()
    except OSError:
        return None
    return Process(pid, int(fields[1]), int(fields[3]), int(fields[19]), fields[0] in (b"Z", b"X"))


def pids() -> list[int]:
    """Every process id of this machine (of this container)."""
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def members(leader: int) -> list[Process]:
    """The processes of the session that `leader` leads, and their descendants that left the session.

    The leader itself is among them as long as nobody has collected its exit status.
    """
    table = [process for process in map(read, pids()) if process is not None]
    found = {process.pid: process for process in table if process.session == leader or process.pid == leader}
    grown = True
    while grown:
        children = [process for process in table if process.parent in found and process.pid not in found]
        found.update((process.pid, process) for process in children)
        grown = bool(children)
    return list(found.values())


def resident_bytes(pid: int) -> int:
    """Everything resident, file pages included: never below `anonymous_bytes`, and three times cheaper to read."""
    try:
        with open(f"/proc/{pid}/statm", "rb") as statm:
            return int(statm.read().split()[1]) * _PAGE_BYTES
    except (OSError, IndexError):
        return 0


def anonymous_bytes(pid: int) -> int:
    """Memory that a microVM without swap could not reclaim: RssAnon and RssShmem."""
    return _status_bytes(pid, (b"RssAnon:", b"RssShmem:"))


def peak_bytes(pid: int) -> int:
    """The most that was ever resident in this process."""
    return _status_bytes(pid, (b"VmHWM:",))


def _status_bytes(pid: int, fields: tuple[bytes, ...]) -> int:
    total = 0
    try:
        with open(f"/proc/{pid}/status", "rb") as status:
            for line in status:
                if line.startswith(fields):
                    total += int(line.split()[1]) * 1024
    except OSError:
        pass
    return total


def oom_score_adjustment(pid: int) -> int:
    """What the process asked the OOM killer for, -1000 (never) to 1000 (first); 0 when it is gone."""
    try:
        with open(f"/proc/{pid}/oom_score_adj", "rb") as adjustment:
            return int(adjustment.read())
    except (OSError, ValueError):
        return 0


def environment_of(pid: int) -> dict[bytes, bytes]:
    """The environment variables that the process was started with; empty when it may not be read."""
    try:
        with open(f"/proc/{pid}/environ", "rb") as environ:
            pairs = environ.read().split(b"\0")
    except OSError:
        return {}
    return dict(pair.split(b"=", 1) for pair in pairs if b"=" in pair)


def boot_id() -> str:
    """Differs after each boot, so that a start time of an earlier boot is never taken for one of this boot."""
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as boot:
            return boot.read().strip()
    except OSError:
        return ""
