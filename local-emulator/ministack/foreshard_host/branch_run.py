"""Walks through one branch of a Parallel or one item of a Map: each state leaves its events."""

import copy
import json

from ministack.services import stepfunctions


def install() -> None:
    """Take the place of MiniStack's walk, which leaves no trace."""
    stepfunctions._run_sub_machine = run_branch


def run_branch(states: dict, start_at: str, input_data, execution: dict, ctx: dict):
    """The output of the last state.

    # Errors
    Those of its states that no Catch took.
    """
    item = _item_of_inline_map(execution, ctx)
    if item is not None:
        stepfunctions._add_event(execution, "MapIterationStarted", {"mapIterationStartedEventDetails": item})
    output = _walk(states, start_at, copy.deepcopy(input_data), execution, ctx)
    if item is not None:
        stepfunctions._add_event(execution, "MapIterationSucceeded", {"mapIterationSucceededEventDetails": item})
    return output


def _item_of_inline_map(execution: dict, ctx: dict) -> dict | None:
    """Index and state of the item, once; a Parallel inside the item shares its context and gets None."""
    item = ctx.get("Map", {}).get("Item")
    if item is None or "mapRunArn" in execution or ctx.get("_begun") is item:
        return None
    ctx["_begun"] = item
    return {"name": ctx["State"]["Name"], "index": item["Index"]}


def _walk(states: dict, name: str | None, value, execution: dict, ctx: dict):
    while name:
        state = states.get(name)
        if not state:
            raise stepfunctions._ExecutionError("States.Runtime", f"State '{name}' not found")
        ctx["State"] = {"Name": name, "EnteredTime": stepfunctions.now_iso(), "RetryCount": 0}
        kind = state.get("Type")
        entered = {"name": name, "input": json.dumps(value)}
        stepfunctions._add_event(execution, f"{kind}StateEntered", {"stateEnteredEventDetails": entered})
        if kind == "Fail":
            raise stepfunctions._ExecutionError(*stepfunctions._fail_state_error(state, value, ctx))
        value, following = _execute(kind, state, value, execution, ctx)
        exited = {"name": name, "output": json.dumps(value)}
        stepfunctions._add_event(execution, f"{kind}StateExited", {"stateExitedEventDetails": exited})
        name = following
    return value


def _execute(kind: str, state: dict, value, execution: dict, ctx: dict) -> tuple:
    """Output and next state, None at the end."""
    if kind == "Succeed":
        taken = stepfunctions._apply_input_path(state, value, ctx)
        return stepfunctions._apply_output_path(state, taken, ctx), None
    with_history = {
        "Task": stepfunctions._execute_task,
        "Parallel": stepfunctions._execute_parallel,
        "Map": stepfunctions._execute_map,
    }
    plain = {
        "Pass": stepfunctions._execute_pass,
        "Choice": stepfunctions._execute_choice,
        "Wait": stepfunctions._execute_wait,
    }
    if kind in with_history:
        return with_history[kind](state, value, execution, ctx)
    if kind in plain:
        return plain[kind](state, value, ctx)
    raise stepfunctions._ExecutionError("States.Runtime", f"Unknown state type: {kind}")
