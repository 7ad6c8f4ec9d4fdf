"""Stands for Lambda's runtime API up to the first poll: takes the request for the first event and never answers it."""

import selectors
import socket

# Source: AWS Lambda developer guide, "Using the Lambda runtime API".
FIRST_POLL = b"GET /2018-06-01/runtime/invocation/next "
REQUEST_MAX = 64 * 1024


class NotPolled(RuntimeError):
    """The process asked for something else, or for nothing in time."""


class RuntimeApi:
    """Listens on a port of its own; a context manager."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = "127.0.0.1:%d" % self.listener.getsockname()[1]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.close()

    def first_poll(self, alive, timeout_s: float = 60.0) -> socket.socket:
        """Waits until the first event is asked for. The connection stays open for as long as the result is kept."""
        connection = self._accept(alive, timeout_s)
        try:
            request = _head(connection, timeout_s)
            if not request.startswith(FIRST_POLL):
                raise NotPolled(f"the first request is `{request.splitlines()[0].decode(errors='replace')}`")
        except NotPolled:
            connection.close()
            raise
        return connection

    def _accept(self, alive, timeout_s: float) -> socket.socket:
        """Looks every tenth of a second whether the process still lives; only waiting is divided, no time is measured."""
        with selectors.DefaultSelector() as selector:
            selector.register(self.listener, selectors.EVENT_READ)
            for _ in range(int(timeout_s * 10)):
                if selector.select(timeout=0.1):
                    return self.listener.accept()[0]
                if not alive():
                    raise NotPolled("the process ended before it asked for an event")
        raise NotPolled(f"no request within {timeout_s} s")


def _head(connection: socket.socket, timeout_s: float) -> bytes:
    """A request up to the end of its header."""
    connection.settimeout(timeout_s)
    request = b""
    while b"\r\n\r\n" not in request and len(request) < REQUEST_MAX:
        try:
            part = connection.recv(4096)
        except OSError as error:
            raise NotPolled(f"no whole request: {error}") from error
        if not part:
            raise NotPolled("the connection was closed before the request was whole")
        request += part
    return request
