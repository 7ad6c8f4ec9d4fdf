"""Gives retries the delays that their rule asks for: MiniStack ignores MaxDelaySeconds and JitterStrategy."""

import random

from ministack.services import stepfunctions


def install() -> None:
    """Take the place of the search for the retrier of an error."""
    stepfunctions._find_matching_retrier = _delaying(stepfunctions._find_matching_retrier)


def delay_s(retrier: dict, retries: int, fraction: float) -> float:
    """The wait before the next attempt, after so many retries; `fraction` is in [0, 1)."""
    growth = float(retrier.get("BackoffRate", 2.0)) ** retries
    whole = min(float(retrier.get("IntervalSeconds", 1)) * growth, float(retrier.get("MaxDelaySeconds", float("inf"))))
    return whole * fraction if retrier.get("JitterStrategy") == "FULL" else whole


def _delaying(plain):
    def find_matching_retrier(retriers, error, retry_counts):
        retrier, index = plain(retriers, error, retry_counts)
        if retrier is None:
            return None, index
        fixed = delay_s(retrier, retry_counts.get(index, 0), random.random())
        return {**retrier, "IntervalSeconds": fixed, "BackoffRate": 1.0}, index

    return find_matching_retrier
