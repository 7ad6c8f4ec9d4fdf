"""Looks for metric points that are too old once a minute: MiniStack copies all points for it on every request."""

import time

from ministack.services import cloudwatch

INTERVAL_S = 60.0


def install() -> None:
    """Take the place of the eviction."""
    cloudwatch._evict_old_metrics = at_most_every(INTERVAL_S, cloudwatch._evict_old_metrics)


def at_most_every(interval_s: float, action):
    """`action`, left out while its last run is not `interval_s` ago."""
    last_s = float("-inf")

    def limited() -> None:
        nonlocal last_s
        if time.monotonic() - last_s >= interval_s:
            last_s = time.monotonic()
            action()

    return limited
