"""Turns the runtime's requests and answers into values: one connection of one bootstrap, and what it says."""

import json
import socket
from typing import Any, NamedTuple

from foreshard_native.http_message import Message, MessageReader

# Above what Lambda accepts, so that a response that is too large can be refused with its size.
_BODY_BYTES_MAX = 64 * 1024 * 1024
# A runtime that does not read for so long will be found out by its deadline.
_SEND_TIMEOUT_S = 10


class Event(NamedTuple):
    """What the runtime gets for one invocation."""

    request_id: str
    payload: bytes
    deadline_ms: int
    function_arn: str
    trace_id: str | None


class Answer(NamedTuple):
    """What the runtime made of it: its response, or an error with `errorType`."""

    failed: bool
    payload: Any


class RuntimeClient:
    """One connection of the runtime."""

    def __init__(self, connection: socket.socket):
        self.connection = connection
        self._reader = MessageReader(_BODY_BYTES_MAX)

    def receive(self) -> list[Message]:
        """The requests that arrived whole.

        # Errors
        OSError when the runtime closed the connection, BadMessage.
        """
        try:
            data = self.connection.recv(262_144)
        except BlockingIOError:
            return []
        if not data:
            raise ConnectionResetError
        messages = self._reader.feed(data)
        if self._reader.takes_continue():
            self._send(b"HTTP/1.1 100 Continue\r\n\r\n")
        return messages

    def answer(self, status: int, body: bytes = b"", headers: list[tuple[str, str]] = ()) -> None:
        """Head and body in one write."""
        lines = [f"HTTP/1.1 {status} -", "Content-Type: application/json", f"Content-Length: {len(body)}"]
        lines += [f"{name}: {value}" for name, value in headers]
        self._send("\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body)

    def _send(self, data: bytes) -> None:
        self.connection.settimeout(_SEND_TIMEOUT_S)
        try:
            self.connection.sendall(data)
        except OSError:
            pass  # it is gone, and the selector says so next
        finally:
            self.connection.setblocking(False)


def response_value(message: Message) -> Any:
    """The JSON that was posted; text that is no JSON stays text."""
    try:
        return json.loads(message.body)
    except ValueError:
        return message.body.decode("utf-8", errors="replace")


def reported_error(message: Message) -> Any:
    """The error as the runtime worded it; the header names the type where the body does not."""
    payload = response_value(message)
    if not isinstance(payload, dict):
        payload = {"errorMessage": str(payload)}
    named = message.header(b"lambda-runtime-function-error-type").decode("latin-1")
    payload.setdefault("errorType", named or "Runtime.Unknown")
    return payload
