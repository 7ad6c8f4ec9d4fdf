"""Keeps the ids of all environments in a file, so that whoever outlives a killed host can end what it left behind."""

import contextlib
import json
import os
import subprocess
import threading

from foreshard_native import process_table
from foreshard_native.process_group import kill_members, signal_process

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
            entries = [entry for entry in self._entries() if entry.get("boot_id") == self._boot_id]
            ended = {entry["marker"] for entry in entries if _end_session(entry)}
            ended |= _end_marked({entry["marker"] for entry in entries})
            with contextlib.suppress(FileNotFoundError):
                os.remove(self._path)
        return len(ended)

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


def _end_session(entry: dict) -> bool:
    """End the environment by its bootstrap; False when that is gone, whoever has its process id now."""
    start = start_of(entry["pid"])
    if start is None or start != entry["start"]:
        return False
    kill_members(entry["pid"])
    return True


def _end_marked(markers: set[str]) -> set[str]:
    """End what outlived its bootstrap, in whatever session, by the name that it inherited."""
    ended = set()
    for pid in process_table.pids() if markers and process_table.AVAILABLE else []:
        marker = process_table.environment_of(pid).get(MARKER_VARIABLE.encode(), b"").decode("utf-8", "replace")
        if marker in markers:
            signal_process(pid)
            ended.add(marker)
    return ended
