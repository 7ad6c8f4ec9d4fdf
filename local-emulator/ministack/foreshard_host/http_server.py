"""Serves the emulator's ASGI application over HTTP/1.1 at a third of the stock server's cost for each request.

WebSocket upgrades and HTTP/2 are not offered: nothing that Foreshard deploys speaks them.
"""

import asyncio
from collections import deque
from http import HTTPStatus
from urllib.parse import unquote

from foreshard_native.http_message import BadMessage, Message, MessageReader

# S3 uploads pass through here, and the emulator keeps them in memory anyway.
BODY_BYTES_MAX = 512 * 1024 * 1024
PIPELINED_MAX = 64


class Connection(asyncio.Protocol):
    """One client; its requests are answered one after the other, as HTTP/1.1 orders."""

    def __init__(self, app):
        self._app = app
        self._reader = MessageReader(BODY_BYTES_MAX)
        self._waiting: deque[Message] = deque()
        self._task: asyncio.Task | None = None
        self._gone = asyncio.Event()
        self._transport: asyncio.Transport | None = None
        self._client: tuple[str, int] = ("127.0.0.1", 0)

    def connection_made(self, transport) -> None:
        self._transport = transport
        self._client = transport.get_extra_info("peername") or self._client

    def connection_lost(self, exc) -> None:
        self._gone.set()

    def eof_received(self) -> bool:
        return self._task is not None  # finish the answer for a client that only closed its sending half

    def data_received(self, data: bytes) -> None:
        try:
            self._waiting.extend(self._reader.feed(data))
            if len(self._waiting) > PIPELINED_MAX:
                raise BadMessage(429, f"more than {PIPELINED_MAX} requests without an answer")
        except BadMessage as bad:
            self._transport.write(_head(bad.status, [(b"content-length", b"0"), (b"connection", b"close")]))
            self._transport.close()
            return
        if self._reader.takes_continue():
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        if self._task is None and self._waiting:
            # A task copies the context of the connection, so that account and region of a request stay its own.
            self._task = asyncio.get_running_loop().create_task(self._answer_waiting())

    async def _answer_waiting(self) -> None:
        try:
            while self._waiting and not self._gone.is_set():
                message = self._waiting.popleft()
                exchange = Exchange(message, self._transport, self._gone)
                await self._app(_scope(message, self._client), exchange.receive, exchange.send)
                if not exchange.finished or not message.keeps_alive:
                    self._transport.close()
                    return
        except Exception:
            self._transport.abort()
            raise
        finally:
            self._task = None


class Exchange:
    """One request and its answer, in the terms of ASGI."""

    def __init__(self, message: Message, transport: asyncio.Transport, gone: asyncio.Event):
        self._message = message
        self._transport = transport
        self._gone = gone
        self._delivered = False
        self._start: dict | None = None
        self._chunked = False
        self.finished = False

    async def receive(self) -> dict:
        """The whole body first, then the end of the connection."""
        if not self._delivered:
            self._delivered = True
            return {"type": "http.request", "body": self._message.body, "more_body": False}
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, event: dict) -> None:
        """Head and first part of the body leave in one write, so that no client waits for a delayed acknowledgement."""
        if event["type"] == "http.response.start":
            self._start = event
            return
        body, more = event.get("body", b""), event.get("more_body", False)
        parts = []
        if self._start is not None:
            parts.append(self._open(self._start, len(body), more))
            self._start = None
        if self._message.method != "HEAD":
            if self._chunked:
                parts += [b"%x\r\n" % len(body), body, b"\r\n"] if body else []
                parts += [] if more else [b"0\r\n\r\n"]
            else:
                parts.append(body)
        if not self._transport.is_closing():
            # Not `writelines`: since Python 3.12 it keeps an empty part for ever, and `close` waits for it.
            self._transport.write(b"".join(parts))
        self.finished = not more

    def _open(self, start: dict, body_bytes: int, more: bool) -> bytes:
        headers, status = list(start.get("headers", [])), start["status"]
        names = {name.lower() for name, _ in headers}
        if b"content-length" not in names and b"transfer-encoding" not in names and status not in (204, 304):
            self._chunked = more
            headers.append((b"transfer-encoding", b"chunked") if more else (b"content-length", b"%d" % body_bytes))
        return _head(status, headers)


def _head(status: int, headers: list[tuple[bytes, bytes]]) -> bytes:
    try:
        phrase = HTTPStatus(status).phrase
    except ValueError:
        phrase = ""
    lines = [f"HTTP/1.1 {status} {phrase}".encode("ascii")]
    lines += [name + b": " + value.replace(b"\r", b" ").replace(b"\n", b" ") for name, value in headers]
    return b"\r\n".join(lines) + b"\r\n\r\n"


def _scope(message: Message, client: tuple) -> dict:
    path, _, query = message.target.partition(b"?")
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": message.version[5:].decode("ascii"),
        "method": message.method.upper(),
        "scheme": "http",
        "path": unquote(path.decode("latin-1")),
        "raw_path": path,
        "query_string": query,
        "root_path": "",
        "headers": message.headers,
        "client": (client[0], client[1]),
        "server": None,
    }
