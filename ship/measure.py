"""Measures built functions: size, and what a start costs up to the first poll: CPU time and resident memory.

CPU time is that of the process, all its threads, from its start to its first request for an event, as the kernel counts
it in nanoseconds (the process's CPU clock). A function that starts itself again keeps its process, so both starts count.
Memory is read at the same moment: `VmRSS` is everything resident, pages of the executable included.
"""

import argparse
import gzip
import json
import os
import platform
import statistics
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from crates import FUNCTIONS
from runtime_api import NotPolled, RuntimeApi

MEGABYTE = 1_000_000

# The clock of another process's CPU time. Source: linux/posix-timers.h, `MAKE_PROCESS_CPUCLOCK` with `CPUCLOCK_SCHED`.
CPUCLOCK_SCHED = 2

# Promised of the two functions that start most often: 13 MB, 6 ms of CPU, 12 MB resident.
PROMISED = ("dispatch", "execute")
SIZE_MAX_MB, CPU_MAX_MS, RESIDENT_MAX_MB = 13.0, 6.0, 12.0

# What the functions read: see shared/aws/src/config.rs. The values are of the form that a deployment gives.
ENVIRONMENT = {
    "AWS_REGION": "us-east-1",
    "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
    "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    "AWS_SESSION_TOKEN": "session",
    "AWS_LAMBDA_FUNCTION_NAME": "foreshard-measured",
    "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
    "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
    "AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/foreshard-measured",
    "AWS_LAMBDA_LOG_STREAM_NAME": "measured",
    "FORESHARD_TABLE": "foreshard",
    "FORESHARD_BUCKET": "foreshard-000000000000-us-east-1",
    "FORESHARD_STATE_MACHINE": "arn:aws:states:us-east-1:000000000000:stateMachine:foreshard",
    "FORESHARD_EXECUTE_PREFIX": "foreshard-execute-",
    "FORESHARD_EXECUTE_TIERS": "128,256,512,1024,1769,3538,5307,7076,10240",
    "FORESHARD_ARCHITECTURE": "arm64",
    "FORESHARD_TASK_ROLE": "arn:aws:iam::000000000000:role/foreshard-task",
    "FORESHARD_METRICS": "on",
    "FORESHARD_SCHEDULE_GROUP": "foreshard",
    "FORESHARD_SCHEDULE_TARGET": "arn:aws:lambda:us-east-1:000000000000:function:foreshard-submit",
    "FORESHARD_SCHEDULE_ROLE": "arn:aws:iam::000000000000:role/foreshard-schedule",
    "PATH": "/usr/local/bin:/usr/bin:/bin",
    "LANG": "en_US.UTF-8",
    "TZ": ":UTC",
}


@dataclass(frozen=True)
class Start:
    """One start, at the moment of its first poll."""

    cpu_ms: float
    resident_mb: float
    anonymous_mb: float


@dataclass(frozen=True)
class Measured:
    """One function: sizes, and medians over its starts."""

    stage: str
    size_mb: float
    gzipped_mb: float
    starts: int
    cpu_ms: float
    cpu_least_ms: float
    cpu_most_ms: float
    resident_mb: float
    anonymous_mb: float


def cpu_ms(process: int) -> float:
    """CPU time of all threads since the process was made."""
    return time.clock_gettime_ns(~process << 3 | CPUCLOCK_SCHED) / 1e6


def memory_mb(process: int) -> dict[str, float]:
    """Every size in /proc/<pid>/status, in MB; the kernel's unit there is KiB, whatever it calls it."""
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    pairs = (line.split(":", 1) for line in lines if line.endswith(" kB"))
    return {name: int(value.split()[0]) * 1024 / MEGABYTE for name, value in pairs}


def start(executable: Path, log: int) -> Start:
    """Starts the function, waits for its first poll, looks at it, and ends it."""
    with RuntimeApi() as api:
        environment = ENVIRONMENT | {"AWS_LAMBDA_RUNTIME_API": api.address}
        streams = [(os.POSIX_SPAWN_DUP2, log, 1), (os.POSIX_SPAWN_DUP2, log, 2)]
        process = os.posix_spawn(executable, [str(executable)], environment, file_actions=streams)
        ended = False

        def alive() -> bool:
            nonlocal ended
            ended = ended or os.waitpid(process, os.WNOHANG)[0] == process
            return not ended

        try:
            with api.first_poll(alive):
                memory = memory_mb(process)
                return Start(cpu_ms(process), memory["VmRSS"], memory["RssAnon"])
        finally:
            if not ended:
                os.kill(process, 9)
                os.waitpid(process, 0)


def measure(stage: str, executable: Path, starts: int) -> Measured:
    """Medians over `starts` starts, after one that is not counted and brings the file into memory."""
    with tempfile.TemporaryFile() as log:
        try:
            start(executable, log.fileno())
            seen = [start(executable, log.fileno()) for _ in range(starts)]
        except NotPolled as error:
            log.seek(0)
            raise NotPolled(f"{stage}: {error}\n{log.read().decode(errors='replace')}") from error
    data = executable.read_bytes()
    cpu = [one.cpu_ms for one in seen]
    return Measured(
        stage=stage,
        size_mb=round(len(data) / MEGABYTE, 2),
        gzipped_mb=round(len(gzip.compress(data, mtime=0)) / MEGABYTE, 2),
        starts=starts,
        cpu_ms=round(statistics.median(cpu), 2),
        cpu_least_ms=round(min(cpu), 2),
        cpu_most_ms=round(max(cpu), 2),
        resident_mb=round(statistics.median(one.resident_mb for one in seen), 2),
        anonymous_mb=round(statistics.median(one.anonymous_mb for one in seen), 2),
    )


def broken(measured: Measured) -> list[str]:
    """What was promised of the function and is not so."""
    if measured.stage not in PROMISED:
        return []
    bars = [
        ("size", measured.size_mb, SIZE_MAX_MB, "MB"),
        ("CPU to the first poll", measured.cpu_ms, CPU_MAX_MS, "ms"),
        ("resident", measured.resident_mb, RESIDENT_MAX_MB, "MB"),
    ]
    return [f"{measured.stage}: {what} {value} {unit}, promised {most}" for what, value, most, unit in bars if value > most]


def table(rows: list[Measured]) -> str:
    """The rows as the table of docs/measurements.md."""
    lines = ["| function | size MB | gzipped MB | CPU to first poll ms (least to most) | resident MB | of it anonymous MB |"]
    lines.append("|---|---|---|---|---|---|")
    for row in rows:
        cpu = f"{row.cpu_ms} ({row.cpu_least_ms} to {row.cpu_most_ms})"
        lines.append(f"| {row.stage} | {row.size_mb} | {row.gzipped_mb} | {cpu} | {row.resident_mb} | {row.anonymous_mb} |")
    return "\n".join(lines)


def main(arguments: list[str] | None = None) -> int:
    """Prints the table; 1 when a promise is broken, 2 when something cannot be measured."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="holds <stage>/bootstrap, built for this machine")
    parser.add_argument("--starts", type=int, default=25, help="starts of each function (25)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    parser.add_argument("--function", action="append", choices=FUNCTIONS, help="only this one; may be repeated")
    options = parser.parse_args(arguments)
    if sys.platform != "linux":
        print("this needs Linux: memory is read in /proc, CPU time from the clock of the process", file=sys.stderr)
        return 2
    try:
        rows = [measure(s, (options.folder / s / "bootstrap").resolve(), options.starts) for s in options.function or FUNCTIONS]
    except (NotPolled, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    print(table(rows))
    if options.json:
        found = {"machine": platform.machine(), "kernel": platform.release(), "functions": [asdict(row) for row in rows]}
        options.json.write_text(json.dumps(found, indent=2) + "\n")
    promises = [reason for row in rows for reason in broken(row)]
    held = " and ".join(row.stage for row in rows if row.stage in PROMISED) or "none of these functions"
    print("\n".join(promises or [f"every promise is kept: 13 MB, 6 ms, 12 MB, for {held}"]))
    return 1 if promises else 0


if __name__ == "__main__":
    sys.exit(main())
