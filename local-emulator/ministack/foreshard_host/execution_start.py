"""Starts executions at once, and once: the same name and input again is the same execution, as on AWS."""

import time

from ministack.core.responses import json_response
from ministack.services import stepfunctions

# MiniStack sleeps so long before the first state of every execution.
START_PAUSE_S = 0.15


class ClockWithoutStartPause:
    """The module `time` for Step Functions, with one sleep left out."""

    def __getattr__(self, name: str):
        return getattr(time, name)

    @staticmethod
    def sleep(seconds: float) -> None:
        """Every sleep but the one before the first state."""
        if seconds != START_PAUSE_S:
            time.sleep(seconds)


def install() -> None:
    """Take the place of the clock and of StartExecution."""
    stepfunctions.time = ClockWithoutStartPause()
    stepfunctions._start_execution = _idempotent(stepfunctions._start_execution)


def _idempotent(plain):
    def start_execution(data: dict):
        running = _running_execution(data)
        if running is not None and running["input"] == data.get("input", "{}"):
            return json_response({"executionArn": running["executionArn"], "startDate": running["startDate"]})
        return plain(data)

    return start_execution


def _running_execution(data: dict) -> dict | None:
    arn = stepfunctions._resolve_state_machine_arn(data.get("stateMachineArn", ""))
    if arn is None or not data.get("name"):
        return None
    execution = stepfunctions._executions.get(f"{arn.replace(':stateMachine:', ':execution:', 1)}:{data['name']}")
    return execution if execution is not None and execution["status"] == "RUNNING" else None
