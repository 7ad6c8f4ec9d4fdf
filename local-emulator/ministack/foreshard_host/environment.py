"""One execution environment of a native function, as MiniStack's pool leases it."""

import json
import time

from foreshard_native import environment
from foreshard_native.environment_record import EnvironmentRecord
from foreshard_native.memory_limit import MemoryLimit
from ministack.core.lambda_runtime import ProvidedWorker

from foreshard_host import bootstrap, served

_MIB = 1024 * 1024


class Environment(ProvidedWorker):
    """Takes the place of MiniStack's own. The pool sees `in_use`, `last_used`, `_proc`, `_spawn`, `_discard_tmpdir`.

    An invocation never raises: MiniStack would answer an exception by killing all environments of the function,
    those included that are in the middle of another invocation.
    """

    def __init__(self, record: EnvironmentRecord, memory_limit: MemoryLimit, *function):
        self.provisioned = False
        self._native: environment.Environment | None = None
        super().__init__(*function)
        self.retired = False  # replaced or deleted while it serves: ends with its invocation
        self._native = environment.Environment(
            lambda: bootstrap.launch(self.config, self.code_zip, record, provisioned=self.provisioned),
            int(self.config.get("MemorySize", 128)) * _MIB,
            self.config.get("Timeout", 3),
            memory_limit,
        )

    @property
    def last_used(self) -> float:
        """When it served last; a provisioned one is never idle, so that the pool never reaps it."""
        return time.time() if self.provisioned else self._last_used

    @last_used.setter
    def last_used(self, value: float) -> None:
        self._last_used = value

    @property
    def _proc(self):
        return self._native.process if self._native is not None else None

    @_proc.setter
    def _proc(self, value) -> None:
        """The pool forgets the process before it ends it; here it is forgotten when it has ended."""

    def is_running(self) -> bool:
        """Whether the bootstrap lives; one that has died is collected, its session with it."""
        return self._native.is_running()

    def invoke(self, event, request_id: str, *, trace_id=None, invoked_function_arn=None) -> dict:
        """Run one invocation and give the result in MiniStack's shape."""
        with self._lock:
            invocation = served.begin(self)
            arn = invoked_function_arn or self.config.get("FunctionArn", "")
            answer = self._native.invoke(request_id, json.dumps(event).encode(), arn, trace_id, invocation)
            self._cold = self._cold and invocation.init_s is None
            result = {"cold_start": invocation.init_s is not None, "log": self._native.take_log()}
        if answer.failed:
            return {**result, "status": "error", "error": answer.payload["errorType"], "error_payload": answer.payload}
        return {**result, "status": "ok", "result": answer.payload}

    def _spawn(self, init_timeout: float | None = None) -> None:
        """The pool's word for a start before the first invocation; errors as `environment.Environment.start`."""
        self._native.start()
        self._cold = False

    def _discard_tmpdir(self) -> None:
        """The pool's word for the end: it has killed the process and forgets the environment."""
        with self._lock:
            self._native.end()
