"""Cuts a byte stream into HTTP/1.1 requests; shared by the emulator's front door and the Lambda Runtime API.

Both serve only processes of this machine, so it reads what SDKs and runtimes send and refuses the rest.
"""

from typing import NamedTuple

HEAD_BYTES_MAX = 64 * 1024
_HEAD_END = b"\r\n\r\n"


class BadMessage(ValueError):
    """What arrived is no request that can be answered; `status` says why."""

    def __init__(self, status: int, reason: str):
        super().__init__(reason)
        self.status = status


class Message(NamedTuple):
    """One whole request; header names are in lower case."""

    method: str
    target: bytes
    version: bytes
    headers: list[tuple[bytes, bytes]]
    body: bytes

    def header(self, name: bytes) -> bytes:
        """The first value of a header, empty when it is absent."""
        return next((value for key, value in self.headers if key == name), b"")

    @property
    def keeps_alive(self) -> bool:
        """Whether the client will send another request on this connection."""
        wish = self.header(b"connection").lower()
        return b"close" not in wish and (self.version != b"HTTP/1.0" or b"keep-alive" in wish)


class MessageReader:
    """Collects bytes until a request is whole. A body of known length is copied twice, whatever its size."""

    def __init__(self, body_bytes_max: int):
        self._body_bytes_max = body_bytes_max
        self._buffer = bytearray()
        self._head: Message | None = None
        self._body_bytes: int | None = None  # None: chunked
        self._chunks: list[bytes] = []
        self._chunks_bytes = 0
        self._continue_wanted = False

    def feed(self, data: bytes) -> list[Message]:
        """The requests that `data` completes, in order.

        # Errors
        BadMessage, after which the connection is of no use.
        """
        self._buffer += data
        whole = []
        while (message := self._take()) is not None:
            whole.append(message)
        return whole

    def takes_continue(self) -> bool:
        """True once for a client that waits for `100 Continue` before it sends the body."""
        wanted, self._continue_wanted = self._continue_wanted, False
        return wanted

    def _take(self) -> Message | None:
        if self._head is None and not self._take_head():
            return None
        body = self._take_chunked() if self._body_bytes is None else self._take_sized()
        if body is None:
            return None
        message, self._head, self._continue_wanted = self._head._replace(body=body), None, False
        return message

    def _take_head(self) -> bool:
        end = self._buffer.find(_HEAD_END)
        if end < 0:
            if len(self._buffer) > HEAD_BYTES_MAX:
                raise BadMessage(431, f"head of more than {HEAD_BYTES_MAX} bytes")
            return False
        lines = bytes(self._buffer[:end]).lstrip(b"\r\n").split(b"\r\n")
        del self._buffer[: end + len(_HEAD_END)]
        request = lines[0].split(b" ")
        if len(request) != 3 or not request[2].startswith(b"HTTP/1."):
            raise BadMessage(400, "no HTTP/1.1 request line")
        headers = []
        for line in lines[1:]:
            name, colon, value = line.partition(b":")
            if not colon or not name or name != name.strip():
                raise BadMessage(400, "header without a name")
            headers.append((name.lower(), value.strip()))
        self._head = Message(request[0].decode("latin-1"), request[1], request[2], headers, b"")
        self._frame()
        return True

    def _frame(self) -> None:
        if b"chunked" in self._head.header(b"transfer-encoding").lower():
            self._body_bytes = None
        else:
            length = self._head.header(b"content-length") or b"0"
            if not length.isdigit():
                raise BadMessage(400, "content-length is no number")
            self._body_bytes = int(length)
            if self._body_bytes > self._body_bytes_max:
                raise BadMessage(413, f"body of more than {self._body_bytes_max} bytes")
        self._chunks, self._chunks_bytes = [], 0
        self._continue_wanted = self._head.header(b"expect").lower() == b"100-continue"

    def _take_sized(self) -> bytes | None:
        if len(self._buffer) < self._body_bytes:
            return None
        body = bytes(memoryview(self._buffer)[: self._body_bytes])
        del self._buffer[: self._body_bytes]
        return body

    def _take_chunked(self) -> bytes | None:
        while True:
            end = self._buffer.find(b"\r\n")
            if end < 0:
                return None
            try:
                size = int(bytes(self._buffer[:end]).split(b";")[0], 16)
            except ValueError:
                raise BadMessage(400, "chunk size is no number") from None
            if size == 0:
                return self._take_trailers(end + 2)
            if len(self._buffer) < end + 2 + size + 2:
                return None
            self._chunks.append(bytes(memoryview(self._buffer)[end + 2 : end + 2 + size]))
            self._chunks_bytes += size
            if self._chunks_bytes > self._body_bytes_max:
                raise BadMessage(413, f"body of more than {self._body_bytes_max} bytes")
            del self._buffer[: end + 2 + size + 2]

    def _take_trailers(self, start: int) -> bytes | None:
        if self._buffer.startswith(b"\r\n", start):
            end = start + 2
        else:
            end = self._buffer.find(_HEAD_END, start)
            if end < 0:
                return None
            end += len(_HEAD_END)
        del self._buffer[:end]
        return b"".join(self._chunks)
