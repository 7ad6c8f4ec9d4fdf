"""Remembers, for the thread that invoked, what its environment did, because MiniStack's result has no place for it."""

import threading
from typing import Any

_here = threading.local()


class Invocation:
    """The figures of one invocation that an environment served."""

    def __init__(self, environment: Any):
        self.environment = environment
        self.log_stream = ""
        self.init_s: float | None = None  # None: the environment was warm
        self.duration_s = 0.0
        self.peak_bytes = 0


def begin(environment: Any) -> Invocation:
    """Called by the environment when it begins to serve."""
    _here.invocation = Invocation(environment)
    return _here.invocation


def current() -> Invocation | None:
    """The invocation that this thread began last, None if no environment was reached since `forget`."""
    return getattr(_here, "invocation", None)


def forget() -> None:
    """Called before a function is executed, so that a throttled one does not show its predecessor's figures."""
    _here.invocation = None
