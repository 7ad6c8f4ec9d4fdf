"""Holds state machines to what AWS lets through: 256 KiB between states, and 25,000 events in a history."""

import json

from ministack.core.responses import error_response_json
from ministack.services import stepfunctions

PAYLOAD_BYTES_MAX = 262_144
HISTORY_EVENTS_MAX = 25_000


def install() -> None:
    """Take the place of the history's writer, through which every input and output goes, and of StartExecution."""
    stepfunctions._add_event = _limited(stepfunctions._add_event)
    stepfunctions._start_execution = _limited_start(stepfunctions._start_execution)


def is_too_large(text: str) -> bool:
    """Whether this JSON has more bytes than AWS takes; the emulator's own writing escapes what AWS does not."""
    if len(text) <= PAYLOAD_BYTES_MAX:
        return len(text) * 4 > PAYLOAD_BYTES_MAX and len(text.encode()) > PAYLOAD_BYTES_MAX
    return len(json.dumps(json.loads(text), ensure_ascii=False, separators=(",", ":")).encode()) > PAYLOAD_BYTES_MAX


def _limited(plain):
    def add_event(execution: dict, event_type: str, details: dict | None = None) -> dict:
        for fields in (details or {}).values():
            for direction in ("input", "output"):
                if isinstance(fields, dict) and is_too_large(fields.get(direction) or ""):
                    raise stepfunctions._ExecutionError(
                        "States.DataLimitExceeded",
                        f"The {direction} of {event_type} exceeds the maximum of {PAYLOAD_BYTES_MAX} bytes",
                    )
        if len(execution["events"]) >= HISTORY_EVENTS_MAX and event_type != "ExecutionFailed":
            raise stepfunctions._ExecutionError(
                "States.Runtime", f"The execution reached the maximum number of history events ({HISTORY_EVENTS_MAX})."
            )
        return plain(execution, event_type, details)

    return add_event


def _limited_start(plain):
    def start_execution(data: dict):
        if len(data.get("input", "{}").encode()) > PAYLOAD_BYTES_MAX:
            return error_response_json(
                "InvalidExecutionInput", f"The input exceeds the maximum of {PAYLOAD_BYTES_MAX} bytes", 400
            )
        return plain(data)

    return start_execution
