"""Records what branches do, so that GetExecutionHistory shows which target each of them used.

MiniStack writes events for the outermost states only, without their order and without the parameters of tasks.
"""

import contextvars
import copy
import json
import threading

from ministack.services import stepfunctions

from foreshard_host import stopped_execution

# Threads of branches copy the context of their parent, so each chain goes back to the state that began it.
_previous: contextvars.ContextVar[int] = contextvars.ContextVar("previous_event", default=0)
_scheduled: contextvars.ContextVar[dict | None] = contextvars.ContextVar("scheduled_event", default=None)
_appending = threading.Lock()


def install() -> None:
    """Take the place of the history's writer, of branches, and note what tasks are called with."""
    stepfunctions._add_event = add_event
    stepfunctions._run_sub_machine = run_branch
    stepfunctions._invoke_resource = _noting_parameters(stepfunctions._invoke_resource)


def add_event(execution: dict, event_type: str, details: dict | None = None) -> dict:
    """Append one event, numbered without gaps although branches run at the same time."""
    event = {"type": event_type, "timestamp": stepfunctions.now_iso(), **(details or {})}
    with _appending:
        event["id"] = len(execution["events"]) + 1
        event["previousEventId"] = min(_previous.get(), event["id"] - 1)
        execution["events"].append(event)
    _previous.set(event["id"])
    if event_type == "TaskScheduled":
        _scheduled.set(event)
    return event


def run_branch(states: dict, start_at: str, input_data, execution: dict, ctx: dict):
    """One branch of a Parallel, one item of a Map: every state leaves its events, a stopped execution ends it."""
    name, value = start_at, copy.deepcopy(input_data)
    while name:
        state = states.get(name)
        if not state:
            raise stepfunctions._ExecutionError("States.Runtime", f"State '{name}' not found")
        stopped_execution.raise_if_stopped(execution)
        ctx["State"] = {"Name": name, "EnteredTime": stepfunctions.now_iso(), "RetryCount": 0}
        kind = state.get("Type")
        entered = {"name": name, "input": json.dumps(value)}
        add_event(execution, f"{kind}StateEntered", {"stateEnteredEventDetails": entered})
        if kind == "Fail":
            raise stepfunctions._ExecutionError(*stepfunctions._fail_state_error(state, value, ctx))
        value, following = _execute(kind, state, value, execution, ctx)
        exited = {"name": name, "output": json.dumps(value)}
        add_event(execution, f"{kind}StateExited", {"stateExitedEventDetails": exited})
        name = following
    return value


def _execute(kind: str, state: dict, value, execution: dict, ctx: dict) -> tuple:
    if kind == "Succeed":
        taken = stepfunctions._apply_input_path(state, value, ctx)
        return stepfunctions._apply_output_path(state, taken, ctx), None
    if kind in ("Task", "Parallel", "Map"):
        handlers = {
            "Task": stepfunctions._execute_task,
            "Parallel": stepfunctions._execute_parallel,
            "Map": stepfunctions._execute_map,
        }
        return handlers[kind](state, value, execution, ctx)
    handlers = {
        "Pass": stepfunctions._execute_pass,
        "Choice": stepfunctions._execute_choice,
        "Wait": stepfunctions._execute_wait,
    }
    if kind not in handlers:
        raise stepfunctions._ExecutionError("States.Runtime", f"Unknown state type: {kind}")
    return handlers[kind](state, value, ctx)


def _noting_parameters(plain):
    def invoke_resource(resource: str, input_data):
        event, details = _scheduled.get(), None
        if event is not None:
            details = event.get("taskScheduledEventDetails")
        if details is not None and "parameters" not in details:
            details["parameters"] = json.dumps(input_data)
        return plain(resource, input_data)

    return invoke_resource
