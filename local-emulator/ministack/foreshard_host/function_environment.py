"""Decides what a function finds in its environment variables: what AWS sets, and nothing of the host's own."""

import time
import uuid

from foreshard_native.host_variables import HOST_VARIABLES


def new_log_stream(version: str) -> str:
    """A stream for each environment, named as AWS does; unique, so it is also the environment's marker."""
    return f"{time.strftime('%Y/%m/%d', time.gmtime())}/[{version}]{uuid.uuid4().hex}"


def function_environment(
    given: dict[str, str], host: dict[str, str], config: dict, log_stream: str, *, provisioned: bool
) -> dict[str, str]:
    """What the bootstrap is started with.

    `given` is MiniStack's mixture of the host's variables and the function's; a variable that it only inherited from
    `host` is dropped unless the function asked for it too.
    """
    declared = (config.get("Environment") or {}).get("Variables") or {}
    environment = {
        name: value
        for name, value in given.items()
        if name in HOST_VARIABLES or name in declared or host.get(name) != value or name == "AWS_ENDPOINT_URL"
    }
    logging = config.get("LoggingConfig") or {}
    environment.update(
        {
            "TZ": declared.get("TZ", ":UTC"),
            "AWS_LAMBDA_LOG_GROUP_NAME": logging.get("LogGroup") or f"/aws/lambda/{config.get('FunctionName', '')}",
            "AWS_LAMBDA_LOG_STREAM_NAME": log_stream,
            "AWS_LAMBDA_INITIALIZATION_TYPE": "provisioned-concurrency" if provisioned else "on-demand",
        }
    )
    return environment
