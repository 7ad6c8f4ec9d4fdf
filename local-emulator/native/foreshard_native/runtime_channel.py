"""Speaks the Lambda Runtime API with one environment, in the thread of the invocation.

No thread serves an environment between its invocations: there, as on AWS, it is frozen for all that it can see. The
thread that invokes waits for answer, log lines, exit and deadline together, so each is noticed when it happens.
"""

import contextlib
import os
import re
import selectors
import socket
import time

from foreshard_native.http_message import BadMessage, Message
from foreshard_native.output_log import OutputLog
from foreshard_native.process_group import ProcessGroup
from foreshard_native.runtime_client import Answer, Event, RuntimeClient, reported_error, response_value

# What Lambda accepts as a synchronous answer, and what it says about a larger one.
RESPONSE_BYTES_MAX = 6_291_556
# Without a pidfd (macOS) an exit is noticed at the next look.
_EXIT_LOOK_S = 0.05
# What it sent with its last breath: connect, request, and one to spare.
_LAST_PASSES = 3
_RESULT = re.compile(r"/runtime/invocation/([^/]+)/(response|error)/?$")


class EnvironmentExited(Exception):
    """The bootstrap ended before it did what was asked."""


class DeadlinePassed(Exception):
    """The bootstrap lives and is silent."""


class RuntimeChannel:
    """One listening port, one bootstrap, at most one invocation at a time."""

    def __init__(self):
        self._selector = selectors.DefaultSelector()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=16)
        self._listener.setblocking(False)
        self._selector.register(self._listener, selectors.EVENT_READ, self._accept)
        self.port: int = self._listener.getsockname()[1]
        self.log = OutputLog()
        self._process: ProcessGroup | None = None
        self._pidfd: int | None = None
        self._polling: RuntimeClient | None = None  # the connection on which the runtime waits for an event
        self._event: Event | None = None
        self._answer: Answer | None = None
        self._init_error: Answer | None = None

    def attach(self, process: ProcessGroup) -> None:
        """Watch the output and the life of the bootstrap."""
        self._process = process
        self.log.attach(process.stdout)
        self._selector.register(process.stdout, selectors.EVENT_READ, self._read_output)
        if hasattr(os, "pidfd_open"):
            self._pidfd = os.pidfd_open(process.pid)
            self._selector.register(self._pidfd, selectors.EVENT_READ, lambda: None)

    def await_init(self, timeout_s: float) -> Answer | None:
        """Return when the runtime asks for its first event; with the error that it reported, if it did.

        # Errors
        EnvironmentExited, DeadlinePassed.
        """
        self._wait(lambda: self._polling or self._init_error, time.monotonic() + timeout_s)
        return self._init_error

    def exchange(self, event: Event, timeout_s: float) -> Answer:
        """Hand the event over and return the answer, as soon as the runtime has posted it.

        # Errors
        EnvironmentExited, DeadlinePassed: the environment is of no further use.
        """
        self._event, self._answer = event, None
        self._deliver()
        try:
            self._wait(lambda: self._answer, time.monotonic() + timeout_s)
        finally:
            # What was written before the answer is in the pipe by now: nothing to wait for.
            self._read_output()
            self._event = None
        return self._answer

    def close(self) -> None:
        """Give up all descriptors. The process must be dead, or never have been attached."""
        for key in list(self._selector.get_map().values()):
            if isinstance(key.fileobj, socket.socket):
                key.fileobj.close()
        self._selector.close()
        if self._pidfd is not None:
            os.close(self._pidfd)
        if self._process is not None:
            self._process.stdout.close()

    def _wait(self, done, deadline: float) -> None:
        while not done():
            remaining = deadline - time.monotonic()
            if remaining <= 0:
                raise DeadlinePassed
            self._serve(remaining if self._pidfd is not None else min(remaining, _EXIT_LOOK_S))
            if not done() and self._process.has_exited():
                for _ in range(_LAST_PASSES):
                    self._serve(0)
                if not done():
                    raise EnvironmentExited

    def _serve(self, timeout_s: float) -> None:
        for key, _ in self._selector.select(timeout_s):
            key.data()

    def _read_output(self) -> None:
        if not self.log.read():
            # Every process that could write is gone; a closed pipe would wake the selector for ever.
            with contextlib.suppress(KeyError):
                self._selector.unregister(self._process.stdout)

    def _accept(self) -> None:
        try:
            connection, _ = self._listener.accept()
        except BlockingIOError:
            return
        # Without it each small answer waits for the runtime's delayed acknowledgement, about 40 ms.
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.setblocking(False)
        client = RuntimeClient(connection)
        self._selector.register(connection, selectors.EVENT_READ, lambda: self._receive(client))

    def _receive(self, client: RuntimeClient) -> None:
        try:
            messages = client.receive()
        except (OSError, BadMessage):
            self._selector.unregister(client.connection)
            client.connection.close()
            self._polling = None if self._polling is client else self._polling
            return
        for message in messages:
            self._route(client, message)

    def _route(self, client: RuntimeClient, message: Message) -> None:
        path = message.target.decode("latin-1")
        result = _RESULT.search(path)
        if message.method == "GET" and path.endswith("/runtime/invocation/next"):
            self._polling = client
            self._deliver()
        elif message.method == "POST" and path.endswith("/runtime/init/error"):
            self._init_error = Answer(True, reported_error(message))
            client.answer(202)
        elif message.method == "POST" and result and self._event and result[1] == self._event.request_id:
            self._settle(client, message, failed=result[2] == "error")
        elif message.method == "POST" and result:
            # A duplicate, or an answer to an invocation that is over.
            client.answer(400, b'{"errorMessage":"Invalid request ID","errorType":"InvalidRequestID"}')
        else:
            client.answer(404)

    def _settle(self, client: RuntimeClient, message: Message, *, failed: bool) -> None:
        if self._answer is not None:
            client.answer(400, b'{"errorMessage":"Invalid request ID","errorType":"InvalidRequestID"}')
        elif failed:
            self._answer = Answer(True, reported_error(message))
            client.answer(202)
        elif len(message.body) > RESPONSE_BYTES_MAX:
            reason = (
                f"Response payload size ({len(message.body)} bytes) exceeded maximum allowed payload size "
                f"({RESPONSE_BYTES_MAX} bytes)."
            )
            self._answer = Answer(True, {"errorMessage": reason, "errorType": "Function.ResponseSizeTooLarge"})
            client.answer(413)
        else:
            self._answer = Answer(False, response_value(message))
            client.answer(202)

    def _deliver(self) -> None:
        if self._polling is None or self._event is None or self._answer is not None:
            return
        client, self._polling, event = self._polling, None, self._event
        headers = [
            ("Lambda-Runtime-Aws-Request-Id", event.request_id),
            ("Lambda-Runtime-Deadline-Ms", str(event.deadline_ms)),
            ("Lambda-Runtime-Invoked-Function-Arn", event.function_arn),
        ]
        if event.trace_id:
            headers.append(("Lambda-Runtime-Trace-Id", event.trace_id))
        client.answer(200, event.payload, headers)
