"""Collects what an environment prints during one invocation, without a thread and without waiting."""

import os
from collections import deque
from typing import BinaryIO

# The oldest lines go first, so that a chatty function keeps its last words.
INVOCATION_BYTES_MAX = 4 * 1024 * 1024
_READ_BYTES = 65_536
# Between invocations nobody reads: what a background thread prints then must fit into the pipe.
_PIPE_BYTES = 1024 * 1024


class OutputLog:
    """The read end of the pipe that stdout and stderr of the bootstrap share."""

    def __init__(self):
        self._pipe: BinaryIO | None = None
        self._chunks: deque[bytes] = deque()
        self._bytes = 0

    def attach(self, pipe: BinaryIO) -> None:
        """Read from `pipe` from now on."""
        os.set_blocking(pipe.fileno(), False)
        self._pipe = pipe
        try:
            import fcntl

            fcntl.fcntl(pipe.fileno(), fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
        except (ImportError, AttributeError, OSError):
            pass  # not on macOS, and not above the limit of an unprivileged user: the usual 64 KiB then

    def read(self) -> bool:
        """Take what is there; False when nothing will ever come again."""
        while self._pipe is not None:
            try:
                chunk = os.read(self._pipe.fileno(), _READ_BYTES)
            except BlockingIOError:
                return True
            except (OSError, ValueError):
                break
            if not chunk:
                break
            self._chunks.append(chunk)
            self._bytes += len(chunk)
            while self._bytes > INVOCATION_BYTES_MAX:
                self._bytes -= len(self._chunks.popleft())
            if len(chunk) < _READ_BYTES:
                return True
        self._pipe = None
        return False

    def take(self) -> str:
        """The text since the last call."""
        text = b"".join(self._chunks).decode("utf-8", errors="replace")
        self._chunks.clear()
        self._bytes = 0
        return text
