"""Remembers, for the thread that invoked, what its environment did, because MiniStack's result has no place for it."""

import threading
from typing import Any

from foreshard_native.environment import Figures

_here = threading.local()


class Invocation(Figures):
    """The figures of one invocation that an environment served."""

    def __init__(self, environment: Any):
        super().__init__()
        self.environment = environment


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
