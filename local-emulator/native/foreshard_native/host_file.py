"""Says in a file which host runs in this state directory, and refuses a second one there."""

import contextlib
import json
import os

from foreshard_native.environment_record import start_of

FILE_NAME = "host.json"


class HostFile:
    """`host.json`: process id, port and start time; present only while the host listens."""

    def __init__(self, state_dir: str):
        self._path = os.path.join(state_dir, FILE_NAME)

    def running(self) -> dict | None:
        """The host that lives in this directory, None when there is none."""
        try:
            with open(self._path, encoding="utf-8") as file:
                host = json.load(file)
        except (FileNotFoundError, ValueError):
            return None
        return host if host.get("start_time") and start_of(host["pid"]) == host["start_time"] else None

    def write(self, port: int) -> dict:
        """Announce this process. A reader never sees half of it."""
        host = {"pid": os.getpid(), "port": port, "start_time": start_of(os.getpid())}
        with open(self._path + ".new", "w", encoding="utf-8") as file:
            json.dump(host, file)
        os.replace(self._path + ".new", self._path)
        return host

    def remove(self) -> None:
        """This host listens no more."""
        with contextlib.suppress(FileNotFoundError):
            os.remove(self._path)
