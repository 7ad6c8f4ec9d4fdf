"""Keeps the ids of all environments in a file, so that whoever outlives a killed host can end what it left behind."""

import json
import os
import subprocess
import threading

from foreshard_host import process_table
from foreshard_host.process_group import kill_members, signal_process

FILE_NAME = "environments.jsonl"
# Names the environment inside each of its processes; AWS sets it too, with another shape of value.
MARKER_VARIABLE = "AWS_LAMBDA_LOG_STREAM_NAME"


class EnvironmentRecord:
    """One line for each environment of this host; lines of dead ones are harmless, because a start time is unique."""

    def __init__(self, state_dir: str):
        self._path = os.path.join(state_dir, FILE_NAME)
        self._lock = threading.Lock()
        self._boot_id = process_table.boot_id()

    def add(self, pid: int, marker: str) -> None:
        """Must be called before the environment gets its first event: nobody ends what is not written here."""
        line = json.dumps({"pid": pid, "start": start_of(pid), "marker": marker, "boot_id": self._boot_id})
        with self._lock, open(self._path, "a", encoding="utf-8") as record:
            record.write(line + "\n")

    def end_all(self) -> int:
        """Kill what still lives of the recorded environments, forget them all and say how many had survived."""
        with self._lock:
            ended = sum(_end_one(entry) for entry in self._entries() if entry.get("boot_id") == self._boot_id)
            try:
                os.remove(self._path)
            except FileNotFoundError:
                pass
        return ended

    def _entries(self) -> list[dict]:
        try:
            with open(self._path, encoding="utf-8") as record:
                lines = record.readlines()
        except FileNotFoundError:
            return []
        entries = []
        for line in lines:
            try:
                entries.append(json.loads(line))
            except ValueError:
                continue  # the host was killed while it wrote this line: the environment had no event yet
        return entries


def start_of(pid: int) -> str | None:
    """When the process started, in the words of this system; None when it is gone."""
    if process_table.AVAILABLE:
        process = process_table.read(pid)
        return None if process is None else str(process.start_ticks)
    listed = subprocess.run(["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return listed.stdout.strip() or None


def _end_one(entry: dict) -> int:
    pid, start = entry["pid"], start_of(entry["pid"])
    if start is not None:
        if start != entry["start"]:
            return 0  # the id belongs to another process now
        kill_members(pid)
        return 1
    return _end_leaderless(pid, entry["marker"].encode())


def _end_leaderless(session: int, marker: bytes) -> int:
    """The bootstrap is gone: end only those of its session that carry the name of the environment."""
    if not process_table.AVAILABLE:
        return 0
    left = [
        process.pid
        for process in process_table.members(session)
        if process_table.environment_of(process.pid).get(MARKER_VARIABLE.encode()) == marker
    ]
    for pid in left:
        signal_process(pid)
    return 1 if left else 0
