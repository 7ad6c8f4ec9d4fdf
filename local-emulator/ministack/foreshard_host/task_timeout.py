"""Spares the thread that guards a task's timeout where the function's own timeout comes first; it was half the cost."""

from foreshard_native.environment import INIT_TIMEOUT_S
from ministack.services import lambda_svc, stepfunctions


def install() -> None:
    """Take the place of the guarded call."""
    stepfunctions._invoke_resource_with_timeout = _guarded_where_needed(stepfunctions._invoke_resource_with_timeout)


def ends_in_time(resource: str, input_data, timeout_s: float) -> bool:
    """Whether the function is over before the state's timeout, its start included.

    An init that overruns its ten seconds is run once more, and then the state ends late: only a bootstrap that hangs
    does that.
    """
    if "states:::lambda:invoke" not in resource or not isinstance(input_data, dict):
        return False
    function = stepfunctions._resolve_lambda_function_ref(input_data.get("FunctionName", ""), optimized=True)
    _, config, _ = lambda_svc._get_func_record_for_ref(function)
    if not config or not str(config.get("Runtime", "")).startswith("provided"):
        return False
    return config.get("Timeout", 3) + INIT_TIMEOUT_S <= timeout_s


def _guarded_where_needed(plain):
    def invoke(resource: str, input_data, timeout_s: float):
        if ends_in_time(resource, input_data, timeout_s):
            return stepfunctions._invoke_resource(resource, input_data)
        return plain(resource, input_data, timeout_s)

    return invoke
