"""Invokes Lambda for a state machine and words failures as Step Functions does, so that Retry and Catch match."""

import json

from ministack.services import lambda_svc, stepfunctions


def install() -> None:
    """Take the place of the one function through which all states invoke Lambda."""
    stepfunctions._call_lambda = call_lambda


def call_lambda(func_ref: str, event):
    """The function's answer.

    # Errors
    `errorType` as the function wrote it, or AWS's word for what happened to it.
    """
    record, config, name = lambda_svc._get_func_record_for_ref(func_ref)
    if not record or not config:
        raise stepfunctions._ExecutionError(
            "Lambda.ResourceNotFoundException", f"Function not found: {name} (Service: Lambda, Status Code: 404)"
        )
    # The runtime is told the ARN that was invoked, alias included; MiniStack knows only the version then.
    invoked = {**config, "FunctionArn": _invoked_arn(func_ref, config)}
    result = lambda_svc._execute_function_with_config_scope(
        lambda_svc._execution_record_for_config(record, invoked), event
    )
    if result.get("throttle"):
        raise stepfunctions._ExecutionError("Lambda.TooManyRequestsException", json.dumps(result.get("body")))
    body = result.get("body")
    if result.get("error"):
        error_type = body.get("errorType") if isinstance(body, dict) else None
        cause = json.dumps(body) if isinstance(body, dict) else str(body)
        raise stepfunctions._ExecutionError(error_type or "Lambda.Unknown", cause)
    return body


def _invoked_arn(func_ref: str, config: dict) -> str:
    own = config.get("FunctionArn", "")
    qualifier = func_ref.split(":")[7:] if func_ref.startswith("arn:") else func_ref.split(":")[1:]
    return ":".join(own.split(":")[:7] + qualifier[:1])
