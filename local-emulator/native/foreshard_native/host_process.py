"""What the process of every host does around its emulator: its environment, what a killed one has left, refusing."""

import os
import shutil
import sys
import tempfile
from collections.abc import Callable

from foreshard_native.environment_record import EnvironmentRecord
from foreshard_native.host_file import HostFile


def prepare_environment(scratch: str, unwanted: Callable[[dict[str, str]], list[str]], wanted: dict[str, str]) -> None:
    """Temporary files go to the scratch folder; unwanted variables go, wanted ones come."""
    tempfile.tempdir = scratch
    for name in unwanted(dict(os.environ)):
        del os.environ[name]
    os.environ.update(wanted)


def clean(host_file: HostFile, record: EnvironmentRecord, scratch: str, *folders: str) -> None:
    """What a host that was killed has left: its announcement, its environments, its files."""
    host_file.remove()
    ended = record.end_all()
    for folder in (scratch, *folders):
        shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(scratch)
    if ended:
        print(f"foreshard: ended {ended} environments that an earlier host left behind", file=sys.stderr)


def refuse(code: int, reason: str, details: list[str]) -> int:
    """Say why, and answer the exit code."""
    print("\n".join([f"foreshard: {reason}:", *(f"  - {detail}" for detail in details)]), file=sys.stderr)
    return code
