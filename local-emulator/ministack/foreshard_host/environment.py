"""One execution environment of a native function: leased by MiniStack's pool, invoked, and ended when it failed."""

import contextlib
import json
import logging
import time

from ministack.core.lambda_runtime import ProvidedRuntimeError, ProvidedWorker

from foreshard_host import bootstrap, exit_words, served
from foreshard_host.bootstrap import Bootstrap
from foreshard_host.environment_record import EnvironmentRecord
from foreshard_host.memory_limit import MemoryLimit
from foreshard_host.runtime_channel import DeadlinePassed, EnvironmentExited
from foreshard_host.runtime_client import Answer, Event

logger = logging.getLogger("foreshard.environment")

# AWS: an Init phase that takes longer is run again with the function's own timeout.
INIT_TIMEOUT_S = 10.0
# What Lambda takes as a synchronous event; API Gateway passes on more, and a binary body grows by a third.
EVENT_BYTES_MAX = 6_291_456
_MIB = 1024 * 1024


class InitReported(Exception):
    """The runtime said itself why it cannot begin; the caller hears its words."""

    def __init__(self, answer: Answer):
        super().__init__(answer.payload["errorType"])
        self.answer = answer


class Environment(ProvidedWorker):
    """Takes the place of MiniStack's own. The pool sees `in_use`, `last_used`, `_proc`, `_spawn`, `_discard_tmpdir`.

    An invocation never raises: MiniStack would answer an exception by killing all environments of the function,
    those included that are in the middle of another invocation.
    """

    def __init__(self, record: EnvironmentRecord, memory_limit: MemoryLimit, *function):
        self.provisioned = False
        self._bootstrap: Bootstrap | None = None
        super().__init__(*function)
        self.retired = False  # replaced or deleted while it serves: ends with its invocation
        self._record = record
        self._memory_limit = memory_limit
        self._tail = ""  # the last words of a bootstrap that has ended

    @property
    def last_used(self) -> float:
        """When it served last; a provisioned one is never idle, so that the pool never reaps it."""
        return time.time() if self.provisioned else self._last_used

    @last_used.setter
    def last_used(self, value: float) -> None:
        self._last_used = value

    @property
    def _proc(self):
        return self._bootstrap.process if self._bootstrap is not None else None

    @_proc.setter
    def _proc(self, value) -> None:
        """The pool forgets the process before it ends it; here it is forgotten when it has ended."""

    @property
    def _limit_bytes(self) -> int:
        return int(self.config.get("MemorySize", 128)) * _MIB

    @property
    def _timeout_s(self) -> float:
        return self.config.get("Timeout", 3)

    def is_running(self) -> bool:
        """Whether the bootstrap lives; one that has died is collected, its session with it."""
        return self._proc is not None and self._proc.poll() is None

    def invoke(self, event, request_id: str, *, trace_id=None, invoked_function_arn=None) -> dict:
        """Run one invocation and give the result in MiniStack's shape."""
        with self._lock:
            invocation = served.begin(self)
            arn = invoked_function_arn or self.config.get("FunctionArn", "")
            payload = json.dumps(event).encode()
            message = Event(request_id, payload, bootstrap.deadline_ms(self._timeout_s), arn, trace_id)
            answer = self._answer(message, invocation)
            result = {"cold_start": invocation.init_s is not None, "log": self._take_log()}
        if answer.failed:
            return {**result, "status": "error", "error": answer.payload["errorType"], "error_payload": answer.payload}
        return {**result, "status": "ok", "result": answer.payload}

    def _answer(self, message: Event, invocation: served.Invocation) -> Answer:
        if len(message.payload) > EVENT_BYTES_MAX:
            reason = f"Request must be smaller than {EVENT_BYTES_MAX} bytes for the InvokeFunction operation"
            return Answer(True, exit_words.failed(message.request_id, "RequestEntityTooLargeException", reason))
        try:
            if not self.is_running():
                invocation.init_s = self._start(invocation)
                message = message._replace(deadline_ms=bootstrap.deadline_ms(self._timeout_s))
            invocation.log_stream = self._bootstrap.log_stream
            with self._limited(invocation):
                return self._bootstrap.exchange(message, self._timeout_s)
        except EnvironmentExited:
            return Answer(True, exit_words.exited(message.request_id, self._end()))
        except DeadlinePassed:
            self._end()
            return Answer(True, exit_words.timed_out(message.request_id, self._timeout_s))
        except InitReported as reported:
            self._end()
            return reported.answer
        except ProvidedRuntimeError as failure:
            self._end()
            return Answer(True, exit_words.failed(message.request_id, failure.error_type, str(failure)))

    def _spawn(self, init_timeout: float | None = None) -> None:
        """The pool's word for a start before the first invocation; errors as `_start`."""
        try:
            self._start(served.Invocation(self))
        except BaseException:
            self._end()
            raise

    def _start(self, invocation: served.Invocation) -> float:
        """Start the bootstrap and wait until it asks for an event; how long that took, in seconds.

        # Errors
        EnvironmentExited, DeadlinePassed, InitReported, ProvidedRuntimeError.
        """
        started = time.monotonic()
        try:
            failure = self._init(invocation, INIT_TIMEOUT_S)
        except DeadlinePassed:
            logger.info("%s: init took more than %g s and is run again", self.func_name, INIT_TIMEOUT_S)
            failure = self._init(invocation, self._timeout_s)
        if failure is not None:
            raise InitReported(failure)
        self._cold = False
        return time.monotonic() - started

    def _init(self, invocation: served.Invocation, timeout_s: float) -> Answer | None:
        self._end()
        self._bootstrap = bootstrap.launch(self.config, self.code_zip, self._record, provisioned=self.provisioned)
        with self._limited(invocation):
            return self._bootstrap.await_init(timeout_s)

    @contextlib.contextmanager
    def _limited(self, invocation: served.Invocation):
        watched = self._memory_limit.watch(self._proc.pid, self._limit_bytes)
        started = time.monotonic()
        try:
            yield
        finally:
            invocation.duration_s = time.monotonic() - started
            self._memory_limit.unwatch(watched)
            invocation.peak_bytes = max(invocation.peak_bytes, watched.peak_bytes)

    def _end(self) -> int:
        """Kill what runs; its exit status, negative for a signal, 0 when nothing ran."""
        if self._bootstrap is None:
            return 0
        ended, self._bootstrap = self._bootstrap, None
        status = ended.end()
        self._tail += ended.take_log()
        return status

    def _take_log(self) -> str:
        tail, self._tail = self._tail, ""
        return tail + (self._bootstrap.take_log() if self._bootstrap is not None else "")

    def _discard_tmpdir(self) -> None:
        """The pool's word for the end: it has killed the process and forgets the environment."""
        with self._lock:
            self._end()
