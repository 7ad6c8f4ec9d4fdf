"""Resolves the fields of a state that name a place in its input, where MiniStack knows the fixed field only."""

from ministack.services import stepfunctions

TASK_FIELDS = ("TimeoutSeconds", "HeartbeatSeconds")
MAP_FIELDS = ("MaxConcurrency", "ToleratedFailureCount", "ToleratedFailurePercentage")


def install() -> None:
    """Take the place of the task and the map state."""
    stepfunctions._execute_task = _resolving(stepfunctions._execute_task, TASK_FIELDS)
    stepfunctions._execute_map = _resolving(stepfunctions._execute_map, MAP_FIELDS)


def _resolving(plain, fields: tuple[str, ...]):
    def execute(state_def: dict, raw_input, execution: dict, ctx: dict):
        named = [field for field in fields if f"{field}Path" in state_def]
        if named:
            values = {field: _number(state_def, f"{field}Path", raw_input, ctx) for field in named}
            state_def = {**state_def, **values}
        return plain(state_def, raw_input, execution, ctx)

    return execute


def _number(state_def: dict, field: str, raw_input, ctx: dict) -> float:
    value = stepfunctions._resolve_path_or_ctx(state_def[field], raw_input, ctx)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value < 0:
        raise stepfunctions._ExecutionError(
            "States.Runtime", f"The value at {field} '{state_def[field]}' must be a number that is not negative"
        )
    return value
