"""Lets a host open as many descriptors as the system allows it: an environment holds five, and a wide run has many."""

import contextlib
import resource


def raise_to_hard_limit() -> None:
    """The usual limit of 1,024 would end a wide run."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):  # macOS allows less than its hard limit says
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
