"""Measures what one event costs dispatch in a large run: CPU time of its processes on the emulator, by event.

The built functions are deployed to an emulator of their own. A workflow of which every task is a shard is run there
until enough shards are through, and cancelled. An event settles one shard and claims the next, so events are counted by
settled shards. Work of the emulator itself, of execute and of the network on the other side is not in the figure.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from measure import cpu_ms

ROOT = Path(__file__).parents[1]

# Promised: 3 ms of CPU an event at 10,000 shards.
EVENT_MAX_MS = 3.0
# Shards of one level. Each needs one of the level before, so there is always something to claim.
WIDTH = 100


def document(shards: int) -> dict:
    """Tasks that do nothing, in levels of `WIDTH`."""
    tasks = [{"id": f"t{i}", "kind": "handler", "handler": "collect", "memory_mib": 128} for i in range(shards)]
    for i in range(WIDTH, shards):
        tasks[i]["needs"] = [f"t{i - WIDTH}"]
    return {"foreshard": 1, "name": "dispatch-at-size", "version": "1.0", "tasks": tasks}


class Processes:
    """CPU time of every process of a function below a folder, those that have ended included as they were last seen."""

    def __init__(self, function: str, below: Path, proc: Path = Path("/proc")):
        self.function, self.below, self.proc = function, below.resolve(), proc
        self.seen: dict[int, float] = {}

    def look(self) -> float:
        """The time of all together, in ms."""
        for process in (int(folder.name) for folder in self.proc.iterdir() if folder.name.isdigit()):
            try:
                if self.ours(process):
                    self.seen[process] = cpu_ms(process)
            except OSError:
                continue  # It has ended, or belongs to somebody else.
        return sum(self.seen.values())

    def ours(self, process: int) -> bool:
        """Whether the process is one of the function, started below the folder."""
        environment = (self.proc / str(process) / "environ").read_bytes().split(b"\0")
        if f"AWS_LAMBDA_FUNCTION_NAME={self.function}".encode() not in environment:
            return False
        return any(self.below in Path(os.readlink(self.proc / str(process) / link)).parents for link in ("exe", "cwd"))


class Emulator:
    """An emulator with the functions deployed; a context manager."""

    def __init__(self, command: Path, state: Path, artifacts: Path):
        self.command, self.state, self.artifacts = command, state, artifacts

    def __enter__(self):
        self.call("up", "--artifacts", str(self.artifacts), "--lanes", "4")
        return self

    def __exit__(self, *_):
        self.call("down")

    def call(self, *words: str) -> str:
        """What a command of the command line prints."""
        command = [self.command, "--state", self.state, "--format", "json", *words]
        return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, cwd=ROOT).stdout

    def settled(self, run: str) -> int:
        """Shards of a run that are through."""
        return sum(event["kind"] == "settled" for event in json.loads(self.call("events", run)))


def measured(emulator: Emulator, shards: int, warm: int, events: int) -> dict:
    """Runs until `warm` and then `events` shards are through, and says what those cost."""
    dispatch = Processes("foreshard-dispatch", emulator.state)
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(document(shards), file)
        file.flush()
        run = json.loads(emulator.call("run", file.name, "--shard-tasks", "1", "--lanes", "4", "--detach"))["run"]
    try:
        began, before, _ = reach(emulator, run, dispatch, warm)
        ended, _, after = reach(emulator, run, dispatch, began + events)
    finally:
        emulator.call("cancel", run)
    count = ended - began
    return {"shards": shards, "events": count, "cpu_ms_per_event": round((after - before) / count, 2), "environments": len(dispatch.seen)}


def reach(emulator: Emulator, run: str, dispatch: Processes, wanted: int) -> tuple[int, float, float]:
    """Waits until so many shards are through; gives their number, and the CPU time before and after they were counted.

    Counting takes a while, in which events go on: from the first to the last of these times is never too little.
    """
    for _ in range(3_600):
        before, through, after = dispatch.look(), emulator.settled(run), dispatch.look()
        if through >= wanted:
            return through, before, after
        time.sleep(2)
    raise TimeoutError(f"run `{run}`: {through} of {wanted} shards are through")


def main(arguments: list[str] | None = None) -> int:
    """Prints the figures; 1 when the promise is broken."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("artifacts", type=Path, help="holds <stage>/bootstrap, built for this machine")
    parser.add_argument("--foreshard", type=Path, required=True, help="the command line")
    parser.add_argument("--state", type=Path, default=ROOT / "target" / "measured", help="folder of the emulator's state")
    parser.add_argument("--shards", type=int, default=10_000)
    parser.add_argument("--warm", type=int, default=100, help="events before those that count: starts, reading the topology")
    parser.add_argument("--events", type=int, default=2_000)
    options = parser.parse_args(arguments)
    options.state.mkdir(parents=True, exist_ok=True)
    with Emulator(options.foreshard.resolve(), options.state.resolve(), options.artifacts.resolve()) as emulator:
        found = measured(emulator, options.shards, options.warm, options.events)
    print(json.dumps(found))
    if found["cpu_ms_per_event"] > EVENT_MAX_MS:
        print(f"dispatch: {found['cpu_ms_per_event']} ms CPU an event, promised {EVENT_MAX_MS}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
