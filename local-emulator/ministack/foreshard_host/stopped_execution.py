"""Makes StopExecution stop: branches and map children begin no further state, and waits for tokens end.

MiniStack looks at the status between the outermost states only and then calls the aborted execution failed.
"""

import contextlib
import contextvars

from ministack.services import stepfunctions

_ERROR = "States.Aborted"
_current: contextvars.ContextVar[dict | None] = contextvars.ContextVar("execution", default=None)
_waiting: dict[int, tuple[dict, dict]] = {}  # id of a token's entry -> its execution and itself


def install() -> None:
    """Take the place of the history's writer, of tasks, of StopExecution and of the end of a failed execution."""
    stepfunctions._add_event = _no_event_after_stop(stepfunctions._add_event)
    stepfunctions._execute_task = _task_of_execution(stepfunctions._execute_task)
    stepfunctions._stop_execution = _stop_waking(stepfunctions._stop_execution)
    stepfunctions._fail_execution = _fail_unless_stopped(stepfunctions._fail_execution)


@contextlib.contextmanager
def ends_with_execution(entry: dict):
    """While inside, StopExecution answers the token's entry with an error."""
    execution = _current.get()
    if execution is not None:
        _waiting[id(entry)] = (execution, entry)
    try:
        yield
    finally:
        _waiting.pop(id(entry), None)


def _is_stopped(execution: dict) -> bool:
    if execution["status"] != "RUNNING":
        return True
    run = stepfunctions._map_runs.get(execution.get("mapRunArn")) if execution.get("mapRunArn") else None
    parent = stepfunctions._executions.get(run["executionArn"]) if run else None
    return parent is not None and _is_stopped(parent)


def _no_event_after_stop(plain):
    """Every state writes an event before it begins, outside of its Catch: there it ends."""

    def add_event(execution: dict, event_type: str, details: dict | None = None):
        if not event_type.startswith("Execution") and _is_stopped(execution):
            raise stepfunctions._ExecutionError(_ERROR, "The execution was stopped")
        return plain(execution, event_type, details)

    return add_event


def _task_of_execution(plain):
    def execute_task(state_def, raw_input, execution, ctx):
        token = _current.set(execution)
        try:
            return plain(state_def, raw_input, execution, ctx)
        finally:
            _current.reset(token)

    return execute_task


def _stop_waking(plain):
    def stop_execution(data: dict):
        answer = plain(data)
        for execution, entry in list(_waiting.values()):
            if _is_stopped(execution):
                entry["error"] = {"Error": _ERROR, "Cause": "The execution was stopped"}
                entry["event"].set()
        return answer

    return stop_execution


def _fail_unless_stopped(plain):
    def fail_execution(execution, error, cause):
        if execution["status"] == "RUNNING":
            plain(execution, error, cause)

    return fail_execution
