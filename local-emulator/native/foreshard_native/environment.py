"""One execution environment of a native function: started when it is needed, invoked, and ended when it failed."""

import contextlib
import logging
import threading
import time
from collections.abc import Callable

from foreshard_native import bootstrap, exit_words
from foreshard_native.bootstrap import Bootstrap, StartRefused
from foreshard_native.memory_limit import MemoryLimit
from foreshard_native.process_group import ProcessGroup
from foreshard_native.runtime_channel import DeadlinePassed, EnvironmentExited
from foreshard_native.runtime_client import Answer, Event

logger = logging.getLogger("foreshard.environment")

# AWS: an Init phase that takes longer is run again with the function's own timeout.
INIT_TIMEOUT_S = 10.0
# What Lambda takes as a synchronous event; API Gateway passes on more, and a binary body grows by a third.
EVENT_BYTES_MAX = 6_291_456


class InitReported(Exception):
    """The runtime said itself why it cannot begin; the caller hears its words."""

    def __init__(self, answer: Answer):
        super().__init__(answer.payload["errorType"])
        self.answer = answer


class Figures:
    """What is known of one invocation, for logs and metrics."""

    def __init__(self):
        self.log_stream = ""
        self.init_s: float | None = None  # None: the environment was warm
        self.duration_s = 0.0
        self.peak_bytes = 0


class Environment:
    """A bootstrap and its limits. An invocation never raises: every failure has words that AWS would use."""

    def __init__(self, start: Callable[[], Bootstrap], memory_bytes: int, timeout_s: float, limit: MemoryLimit):
        self._launch = start
        self._memory_bytes = memory_bytes
        self._timeout_s = timeout_s
        self._limit = limit
        self._lock = threading.Lock()
        self._bootstrap: Bootstrap | None = None
        self._tail = ""  # the last words of a bootstrap that has ended

    @property
    def process(self) -> ProcessGroup | None:
        """The bootstrap's process and all that it started, None when none was started or it was ended."""
        running = self._bootstrap
        return running.process if running is not None else None

    def is_running(self) -> bool:
        """Whether the bootstrap lives; one that has died is collected, its session with it."""
        process = self.process
        return process is not None and process.poll() is None

    def invoke(self, request_id: str, payload: bytes, arn: str, trace_id: str | None, figures: Figures) -> Answer:
        """Run one invocation, in a new bootstrap where none runs."""
        with self._lock:
            if len(payload) > EVENT_BYTES_MAX:
                reason = f"Request must be smaller than {EVENT_BYTES_MAX} bytes for the InvokeFunction operation"
                return Answer(True, exit_words.failed(request_id, "RequestEntityTooLargeException", reason))
            try:
                if not self.is_running():
                    figures.init_s = self._start(figures)
                figures.log_stream = self._bootstrap.log_stream
                event = Event(request_id, payload, bootstrap.deadline_ms(self._timeout_s), arn, trace_id)
                with self._limited(figures):
                    return self._bootstrap.exchange(event, self._timeout_s)
            except EnvironmentExited:
                return Answer(True, exit_words.exited(request_id, self._end()))
            except DeadlinePassed:
                self._end()
                return Answer(True, exit_words.timed_out(request_id, self._timeout_s))
            except InitReported as reported:
                self._end()
                return reported.answer
            except StartRefused as refused:
                self._end()
                return Answer(True, exit_words.failed(request_id, refused.error_type, str(refused)))

    def start(self) -> None:
        """Start the bootstrap before the first invocation.

        # Errors
        EnvironmentExited, DeadlinePassed, InitReported, StartRefused: nothing runs then.
        """
        with self._lock:
            try:
                self._start(Figures())
            except BaseException:
                self._end()
                raise

    def end(self) -> None:
        """Kill what runs, when its invocation is over."""
        with self._lock:
            self._end()

    def take_log(self) -> str:
        """What it printed since the last call; only the thread that invokes may ask."""
        tail, self._tail = self._tail, ""
        return tail + (self._bootstrap.take_log() if self._bootstrap is not None else "")

    def _start(self, figures: Figures) -> float:
        """Wait until the bootstrap asks for an event; how long that took, in seconds. Errors as `start`."""
        started = time.monotonic()
        try:
            failure = self._init(figures, INIT_TIMEOUT_S)
        except DeadlinePassed:
            logger.info("init took more than %g s and is run again", INIT_TIMEOUT_S)
            failure = self._init(figures, self._timeout_s)
        if failure is not None:
            raise InitReported(failure)
        return time.monotonic() - started

    def _init(self, figures: Figures, timeout_s: float) -> Answer | None:
        self._end()
        self._bootstrap = self._launch()
        figures.log_stream = self._bootstrap.log_stream
        with self._limited(figures):
            return self._bootstrap.await_init(timeout_s)

    @contextlib.contextmanager
    def _limited(self, figures: Figures):
        watched = self._limit.watch(self._bootstrap.process.pid, self._memory_bytes)
        started = time.monotonic()
        try:
            yield
        finally:
            figures.duration_s = time.monotonic() - started
            self._limit.unwatch(watched)
            figures.peak_bytes = max(figures.peak_bytes, watched.peak_bytes)

    def _end(self) -> int:
        """Kill what runs; its exit status, negative for a signal, 0 when nothing ran."""
        if self._bootstrap is None:
            return 0
        ended, self._bootstrap = self._bootstrap, None
        status = ended.end()
        self._tail += ended.take_log()
        return status
