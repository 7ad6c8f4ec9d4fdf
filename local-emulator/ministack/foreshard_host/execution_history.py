"""Records what branches do, so that GetExecutionHistory shows which target each of them used, and has AWS's length.

MiniStack writes events for the outermost states only, without their order and without the parameters of tasks.
"""

import contextvars
import json
import threading

from ministack.services import stepfunctions

# Threads of branches copy the context of their parent, so each chain goes back to the state that began it.
_previous: contextvars.ContextVar[int] = contextvars.ContextVar("previous_event", default=0)
_scheduled: contextvars.ContextVar[dict | None] = contextvars.ContextVar("scheduled_event", default=None)
_appending = threading.Lock()


def install() -> None:
    """Take the place of the history's writer, surround maps and parallels, and note what tasks are called with."""
    stepfunctions._add_event = add_event
    stepfunctions._run_map_items = _surrounded("Map", stepfunctions._run_map_items)
    stepfunctions._run_parallel_branches = _surrounded("Parallel", stepfunctions._run_parallel_branches)
    stepfunctions._invoke_resource = _noting_parameters(stepfunctions._invoke_resource)


def add_event(execution: dict, event_type: str, details: dict | None = None) -> dict:
    """Append one event, numbered without gaps although branches run at the same time."""
    with _appending:
        number = len(execution["events"]) + 1
        event = {
            "id": number,
            "previousEventId": min(_previous.get(), number - 1),
            "type": event_type,
            "timestamp": stepfunctions.now_iso(),
            **(details or {}),
        }
        execution["events"].append(event)
    _previous.set(number)
    if event_type == "TaskScheduled":
        _scheduled.set(event)
        resource = event["taskScheduledEventDetails"]
        stepfunctions._add_event(execution, "TaskStarted", {"taskStartedEventDetails": {
            "resourceType": resource["resourceType"], "resource": resource["resource"],
        }})  # fmt: skip
    return event


def _surrounded(kind: str, plain):
    def run(state_def, raw_input, execution, ctx):
        stepfunctions._add_event(execution, f"{kind}StateStarted")
        result = plain(state_def, raw_input, execution, ctx)
        stepfunctions._add_event(execution, f"{kind}StateSucceeded")
        return result

    return run


def _noting_parameters(plain):
    def invoke_resource(resource: str, input_data):
        event = _scheduled.get()
        if event is not None:
            event["taskScheduledEventDetails"].setdefault("parameters", json.dumps(input_data))
        return plain(resource, input_data)

    return invoke_resource
